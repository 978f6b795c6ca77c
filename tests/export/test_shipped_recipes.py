"""Recipes found by name, alias and hub id; and that a wheel carries them."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from colibri.artefact.finding import find
from colibri.errors import ExportError
from colibri_export import shipped_recipes as module
from colibri_export.shipped_recipes import plan, recipe_for, shipped_recipes
from hub_server import COMMIT, RECIPE, lay_out_cache

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The exporter as a wheel lays it, with one recipe inside."""
    package = shutil.copytree(Path(module.__file__).parent, tmp_path / "site" / "colibri_export")
    (package / "recipes").mkdir()
    (package / "recipes" / "tiny-late.toml").write_text(RECIPE, encoding="utf-8")
    monkeypatch.setattr(module, "_PACKAGE", package)
    return package


def test_a_checkout_has_the_recipes_of_models() -> None:
    assert {path.name for path in shipped_recipes()} == {path.name for path in (ROOT / "models").glob("*.toml")}
    assert recipe_for("colibri-mini") == ROOT / "models" / "colibri-mini.toml"


def test_a_wheel_carries_every_recipe_but_the_one_that_needs_a_checkout() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for path in (ROOT / "models").glob("*.toml"):
        inside = carried.get(f"models/{path.name}")
        if path.name == "colibri-mini.toml":  # its heads stay in the checkout, and the artefact comes along
            assert inside is None
        else:
            assert inside == f"colibri_export/recipes/{path.name}"


@pytest.mark.parametrize("text", ["tiny-late", "TL", "Owner/Tiny", "owner/tiny"])
def test_a_recipe_is_found_by_name_alias_or_hub_id(text: str, installed: Path) -> None:
    wanted = installed / "recipes" / "tiny-late.toml"
    assert recipe_for(text) == wanted
    found = plan(text, None, None)
    assert (found.source, found.revision, found.recipe_file, found.name) == ("Owner/Tiny", COMMIT, wanted, "tiny-late")


def test_the_shipped_recipes_need_no_further_option() -> None:
    jina = plan("jinaai/jina-colbert-v2", None, None)
    assert (jina.source, jina.name) == ("jinaai/jina-colbert-v2", "jina-colbert-v2")
    assert jina.siblings_for((), None) == {64: "jinaai/jina-colbert-v2-64"}
    for repo in ("colbert-ir/colbertv2.0", "answerdotai/answerai-colbert-small-v1", "lightonai/GTE-ModernColBERT-v1"):
        found = plan(repo, None, None)
        assert found.source == repo
        assert found.recipe_file is not None
        assert found.siblings_for((), None) == {}


def test_a_head_of_a_sibling_is_fetched_only_when_it_is_wanted(tmp_path: Path) -> None:
    jina = plan("jina-colbert-v2", None, None)
    assert jina.siblings_for((64,), None) == {}
    assert jina.siblings_for((), [128]) == {}
    lent = plan(str(tmp_path), "jina-colbert-v2", None)
    assert lent.siblings_for((), [128]) == {}
    with pytest.raises(ExportError, match=r"head 64 from jinaai/jina-colbert-v2-64, .* is a folder: --head 64="):
        lent.siblings_for((), None)


def test_a_revision_of_ones_own_comes_before_the_recipes(installed: Path) -> None:
    assert plan("tl", None, "v2").revision == "v2"


def test_a_hub_id_without_a_recipe_is_named_after_its_repository(installed: Path) -> None:
    found = plan("other/model", None, None)
    assert (found.source, found.revision, found.recipe_file, found.name) == ("other/model", None, None, "model")


def test_a_recipe_can_be_lent_to_another_source(installed: Path, tmp_path: Path) -> None:
    wanted = installed / "recipes" / "tiny-late.toml"
    for source in (str(tmp_path), "other/model"):
        found = plan(source, "tl", None)
        assert (found.source, found.revision, found.recipe_file, found.name) == (source, None, wanted, "tiny-late")


def test_a_folder_that_is_there_comes_before_a_recipe(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny-late").mkdir()
    monkeypatch.chdir(tmp_path)
    found = plan("tiny-late", None, None)
    assert (found.source, found.recipe_file, found.name) == ("tiny-late", None, "tiny-late")


def test_what_cannot_be_is_refused(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"recipe nope: no such file, and none of that name comes along"):
        plan("Owner/Tiny", "nope", None)
    with pytest.raises(ExportError, match=r"--revision v2: .* is not a hub id"):
        plan(str(tmp_path), None, "v2")


def test_a_hub_id_with_a_recipe_needs_no_further_option(installed: Path, bert: Path, tmp_path: Path) -> None:
    # As from a wheel: `colibri` runs the copy that has the recipe inside.
    lay_out_cache(tmp_path / "hub", "Owner/Tiny", bert)
    environment = {**os.environ, "PYTHONPATH": str(installed.parent), "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    environment["XDG_DATA_HOME"] = str(tmp_path / "data")
    command = [sys.executable, "-m", "colibri", "export", "owner/tiny", "--variants", "cpu-fp32"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "licence CC-BY-NC-4.0: Not for sale." in done.stderr
    assert done.stdout.endswith("Next: colibri rerank --model tiny-late QUERY DOCUMENT...\n")
    ranked = [sys.executable, "-m", "colibri", "rerank", "--model", "Owner/Tiny", "bird", "a bird", "a river"]
    subprocess.run(ranked, check=True, env=environment, cwd="/", capture_output=True)
    made = find(tmp_path / "data" / "colibri" / "models" / "tiny-late").manifest
    assert (made.name, made.aliases, made.licence.commercial_use) == ("tiny-late", ("tl",), False)
    assert (made.source.kind, made.source.name, made.source.revision) == ("hub", "Owner/Tiny", COMMIT)
    assert (made.query.max_tokens, made.document.max_tokens) == (12, 30)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("work/my-finetuned", "my-finetuned"),
        ("work/checkpoint-500", "checkpoint-500"),
        ("models--jinaai--jina-colbert-v2/snapshots/0123456789abcdef0123456789abcdef01234567", "jina-colbert-v2"),
        ("models--jina-colbert-v2/snapshots/main", "jina-colbert-v2"),
        (".kept", "kept"),
        ("mit Umlaut ü", "mit Umlaut ü"),
    ],
)
def test_a_folder_brings_its_name(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    assert plan(str(tmp_path / folder), None, None).name == name
    assert plan(f"{tmp_path / folder}/.", None, None).name == name
    (tmp_path / "link").symlink_to(tmp_path / folder)
    assert plan(str(tmp_path / "link"), None, None).name == name


def test_what_is_no_folder_brings_no_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for source in (tmp_path / "file", tmp_path / "none", "/"):
        assert plan(str(source), None, None).name is None
