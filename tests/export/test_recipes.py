"""The recipes that come along: what each says, and to which weights published rows apply."""

from pathlib import Path

import pytest

from colibri.artefact.manifest import Source
from colibri.errors import ExportError
from colibri_export.checkpoint import open_checkpoint
from colibri_export.pipeline import export
from colibri_export.recipe import Recipe, read_recipe
from reference import GOLDEN

MODELS = Path(__file__).parents[2] / "models"
NAMES = (
    "answerai-colbert-small-v1",
    "bge-m3",
    "colbert-zero",
    "colbertv2.0",
    "colibri-mini",
    "gte-moderncolbert-v1",
    "jina-colbert-v1-en",
    "jina-colbert-v2",
    "lateon",
    "lateon-code",
    "lateon-code-edge",
    "mlateon",
    "mxbai-edge-colbert-v0-17m",
    "mxbai-edge-colbert-v0-32m",
    "reason-moderncolbert",
)
JINA = GOLDEN / "tiny-random-jina"


def recipe(name: str) -> Recipe:
    return read_recipe(MODELS / f"{name}.toml")


def test_these_come_along() -> None:
    assert sorted(path.stem for path in MODELS.glob("*.toml")) == sorted(NAMES)
    for name in NAMES:
        assert recipe(name).name == name


def test_jina_colbert_v2_is_what_its_makers_say() -> None:
    found = recipe("jina-colbert-v2")
    assert (found.licence.id, found.licence.commercial_use) == ("CC-BY-NC-4.0", False)
    assert (found.source.kind, found.source.name) == ("hub", "jinaai/jina-colbert-v2")
    assert (found.query.max_tokens, found.query.expand_to_tokens, found.query.attend_to_expansion) == (32, 32, True)
    assert (found.document.max_tokens, found.document.recorded_max_tokens) == (8192, 300)
    assert (found.document.skiplist, found.query.skiplist) == ("stanford", "none")
    assert (found.dims, found.head_repositories) == ((128, 64), {64: "jinaai/jina-colbert-v2-64"})
    assert len(found.golden) == 12
    assert {(row.text, row.dim, row.tolerance) for row in found.golden} == {("Hello World", 128, 2e-3)}
    assert [row.row for row in found.golden if row.role == "document"] == [0, 1, 2, 3, 4]
    assert [row.row for row in found.golden if row.role == "query"] == [0, 1, 2, 3, 4, 5, 31]
    assert found.golden[0].values == (0.0742, 0.0591, -0.2403, -0.1774, 0.0200)
    assert found.golden[-1].values == (0.0204, -0.0856, -0.0386, -0.1232, -0.0332)


@pytest.mark.parametrize("name", ["colbertv2.0", "answerai-colbert-small-v1"])
def test_of_stanfords_queries_are_expanded_and_do_not_see_it(name: str) -> None:
    found = recipe(name)
    assert (found.query.max_tokens, found.query.expand_to_tokens, found.query.attend_to_expansion) == (32, 32, False)
    assert found.document.skiplist == "stanford"
    assert found.licence.commercial_use
    assert len(found.dims) == 1


def plain(found: Recipe, folder: Path) -> Path:
    """The recipe's text with the tiny checkpoint's own width, and no sibling."""
    text = (MODELS / f"{found.name}.toml").read_text(encoding="utf-8")
    text = text.replace("dims = [128, 64]", "dims = [48]").replace('64 = "jinaai/jina-colbert-v2-64"', "")
    (folder / "recipe.toml").write_text(text.replace("dim = 128", "dim = 48"), encoding="utf-8")
    return folder / "recipe.toml"


def test_published_rows_apply_to_the_hubs_weights_and_to_no_others(tmp_path: Path) -> None:
    file = plain(recipe("jina-colbert-v2"), tmp_path)
    local = export(JINA, tmp_path / "local", recipe_file=file, variant_names=["cpu-fp32"])
    assert (local.source.kind, local.source.name, local.golden) == ("folder", "tiny-random-jina", ())
    origin = Source(kind="hub", name="jinaai/jina-colbert-v2", revision="0" * 40, files={})
    hub = export(JINA, tmp_path / "hub", recipe_file=file, origin=origin, variant_names=["cpu-fp32"])
    assert (hub.source.kind, hub.source.revision, len(hub.golden)) == ("hub", "0" * 40, 12)
    known = file.read_text(encoding="utf-8").replace(
        "741387d37db6027ada13c4705b8bb32719a09dc71873f54814d1182cd8943806", local.source.files["model.safetensors"]
    )
    file.write_text(known, encoding="utf-8")
    same = export(JINA, tmp_path / "same", recipe_file=file, variant_names=["cpu-fp32"])
    assert (same.source.kind, len(same.golden)) == ("hub", 12)
    assert {m.query.expansion.to_tokens for m in (local, hub, same) if m.query.expansion} == {32}
    assert {m.document.recorded_max_tokens for m in (local, hub, same)} == {300}


def test_a_head_the_recipe_names_but_nobody_brought_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no head for dim 128, 64; there is 48"):
        export(JINA, tmp_path / "out", recipe_file=MODELS / "jina-colbert-v2.toml", variant_names=["cpu-fp32"])


def test_eight_bit_vocabularies_are_larger_and_nearer_to_float(tmp_path: Path) -> None:
    sizes, cosines = [], []
    for bits in (4, 8):
        made = export(JINA, tmp_path / str(bits), variant_names=["cpu-int8"], vocabulary_bits=bits)
        sizes.append(made.files["backbone.int8.bin"].size_bytes)
        parity = made.variants["cpu-int8"].graphs[1].parity
        assert parity is not None
        cosines.append(parity["48"].mean_cosine)
    facts = open_checkpoint(JINA).architecture
    assert abs(sizes[1] - sizes[0] - facts.vocabulary * facts.hidden // 2) < 64  # tensors start at multiples of 64
    assert cosines[1] > cosines[0]
