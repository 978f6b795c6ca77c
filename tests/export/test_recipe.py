"""Recipes: the shipped one, the key that is wrong in a bad one, and what a checkpoint says without one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from colibri.errors import ExportError
from colibri_export.checkpoint import open_checkpoint
from colibri_export.facts import PLAIN, Facts
from colibri_export.metadata import recipe_without_file
from colibri_export.recipe import Recipe, RoleRecipe, read_recipe

SHIPPED = Path(__file__).parents[2] / "models" / "colibri-mini.toml"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Recipe]:
    """Read the shipped recipe with one line replaced: read('max_tokens = 512', 'max_tokens = true')."""

    def change(old: str, new: str) -> Recipe:
        text = SHIPPED.read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "recipe.toml").write_text(text.replace(old, new), encoding="utf-8")
        return read_recipe(tmp_path / "recipe.toml")

    return change


def test_the_shipped_recipe_says_all_that_its_checkpoint_does_not() -> None:
    recipe = read_recipe(SHIPPED)
    assert (recipe.name, recipe.licence.id, recipe.source.revision) == ("colibri-mini", "MIT", "0.3.0")
    assert (recipe.query.prefix, recipe.document.prefix) == ("query: ", "passage: ")
    for role in (recipe.query, recipe.document):
        assert (role.marker, role.expand_to_tokens, role.attend_to_expansion) == (None, None, False)
        assert (role.keep_prefix_rows, role.keep_special_rows, role.max_tokens) == (False, False, 512)
    assert list(recipe.heads) == [128, 96, 64]
    assert all(path.is_file() for path in recipe.heads.values()), "head files are relative to the recipe"
    assert recipe.query.weights is not None
    assert Path(recipe.query.weights).is_file(), "so are those of weights"
    assert recipe.document.weights is None
    assert recipe.folding == "marks"


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('name = "colibri-mini"', "", "name: missing"),
        ('name = "colibri-mini"', 'name = "x"\ncolour = "red"', "colour: unknown key"),
        ('id = "MIT"', "", "licence.id: missing"),
        ('id = "MIT"', 'id = "MIT"\nuntil = 2030', "licence.until: unknown key"),
        ("aliases = []", 'aliases = ["a", 2]', r"aliases\[1\]: found 2, wanted str"),
        ('kind = "package"', 'kind = "tarball"', "source.kind: found 'tarball', wanted one of"),
        ('prefix = "query: "', 'prefix = "query: "\nprefx = ""', "query.prefx: unknown key"),
        ('prefix = "query: "', "prefix = 3", "query.prefix: found 3, wanted str"),
        ("[document]", "[documents]", "document: missing"),
        ("max_tokens = 512", 'max_tokens = "512"', "query.max_tokens: found '512', wanted int"),
        ("max_tokens = 512", "max_tokens = true", "query.max_tokens: found True, wanted int"),
        ('64 = "colibri-mini/heads/head-64.safetensors"', "64 = 5", "heads.64"),
        ('64 = "colibri-mini/heads/head-64.safetensors"', 'wide = "head.safetensors"', "heads.wide"),
        ('folding = "marks"', 'folding = "letters"', "folding: found 'letters', wanted one of"),
        ("[query]", "[[query]]", "query"),
        ("[heads]", "[[heads]]", "heads"),
    ],
)
def test_a_wrong_key_is_named_with_its_path(old: str, new: str, wanted: str, read: Callable[..., Recipe]) -> None:
    with pytest.raises(ExportError, match=rf"recipe.toml: .*{wanted}"):
        read(old, new)


@pytest.mark.parametrize("content", [None, b"name = ", b'name = "\xff"'])
def test_a_file_that_is_no_toml_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "recipe.toml").write_bytes(content)
    with pytest.raises(ExportError, match=r"recipe.toml: "):
        read_recipe(tmp_path / "recipe.toml")


def test_stanford_metadata_gives_the_rules(bert: Path, xlmr: Path) -> None:
    query, document = of_checkpoint(bert)
    assert (query.marker, query.max_tokens, query.expand_to_tokens) == ("[unused0]", 16, 16)
    assert (query.attend_to_expansion, query.skiplist) == (False, "none")
    assert (document.marker, document.max_tokens, document.expand_to_tokens) == ("[unused1]", 40, None)
    assert document.skiplist == "stanford"
    query, document = of_checkpoint(xlmr)
    assert (query.marker, query.attend_to_expansion) == ("[QueryMarker]", True)
    assert document.marker == "[DocumentMarker]"


def test_punctuation_is_kept_where_the_metadata_says_so(bert: Path, remake: Callable[..., Path]) -> None:
    _, document = of_checkpoint(remake(bert, metadata=lambda m: m.update(mask_punctuation=False)))
    assert document.skiplist == "none"


def test_plain_encodes_texts_as_they_are_whatever_the_files_say(bert: Path) -> None:
    assert of_checkpoint(bert, PLAIN) == (RoleRecipe(), RoleRecipe())


def test_without_a_recipe_no_licence_is_claimed(bert: Path) -> None:
    recipe = recipe_without_file(open_checkpoint(bert), "mine")
    assert (recipe.name, recipe.licence.id, recipe.licence.commercial_use) == ("mine", "unknown", False)
    assert (recipe.source.kind, recipe.source.name, recipe.source.revision) == ("folder", "tiny-random-bert", None)


@pytest.mark.parametrize(("key", "value"), [("query_maxlen", None), ("doc_maxlen", "long"), ("doc_token_id", 3)])
def test_a_metadata_value_that_cannot_be_is_named(
    key: str, value: object, bert: Path, remake: Callable[..., Path]
) -> None:
    change: dict[str, Any] = {key: value}
    with pytest.raises(ExportError, match=key):
        of_checkpoint(remake(bert, metadata=lambda m: m.update(change)))


def of_checkpoint(folder: Path, facts: Facts | None = None) -> tuple[RoleRecipe, RoleRecipe]:
    recipe = recipe_without_file(open_checkpoint(folder), "any", facts)
    return recipe.query, recipe.document
