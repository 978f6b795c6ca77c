"""`colibri models`: what comes along, what can be had, and how."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from colibri.cli import group
from colibri_export import shipped_recipes
from hub_server import RECIPE
from reference import ARTEFACTS


def colibri(*words: str) -> Result:
    return CliRunner().invoke(group, list(words))


@pytest.fixture(autouse=True)
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One recipe comes along, and nothing lies in the current folder."""
    (tmp_path / "package" / "recipes").mkdir(parents=True)
    (tmp_path / "package" / "recipes" / "tiny-late.toml").write_text(RECIPE, encoding="utf-8")
    monkeypatch.setattr(shipped_recipes, "_PACKAGE", tmp_path / "package")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_the_list_says_what_each_is_and_how_to_get_it() -> None:
    shown = colibri("models")
    assert shown.exit_code == 0
    mini, tiny = shown.output.split("\n\n")
    assert mini.startswith("colibri-mini  ")
    for words in ("128, 96, 64", "MIT\n", "comes along: colibri rerank"):
        assert words in mini
    assert tiny.startswith("tiny-late  A tiny random model, for tests\n")
    for words in ("aliases   tl", "Owner/Tiny at 0123456789ab", "CC-BY-NC-4.0  (NOT for commercial use)"):
        assert words in tiny
    assert "get it    colibri export Owner/Tiny\n" in tiny


def test_a_licence_that_nobody_recorded_is_no_prohibition(tmp_path: Path) -> None:
    unknown = RECIPE.replace('"CC-BY-NC-4.0"', '"unknown"')
    assert unknown != RECIPE
    (tmp_path / "package" / "recipes" / "tiny-late.toml").write_text(unknown, encoding="utf-8")
    tiny = colibri("models").output.split("\n\n")[1]
    assert "licence   unknown\n" in tiny
    assert "commercial" not in tiny


def test_an_artefact_in_the_current_folder_is_found() -> None:
    shutil.copytree(ARTEFACTS / "tiny-random-bert", "tiny-late")
    tiny = colibri("models").output.split("\n\n")[1]
    assert "dims      48, 32, 16" in tiny
    assert "here      tiny-late: colibri rerank --model ./tiny-late" in tiny
    Path("tiny-late", "colibri.json").write_text("{}", encoding="utf-8")
    assert "get it    colibri export Owner/Tiny" in colibri("models").output


def test_what_lies_on_the_search_path_is_listed_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLIBRI_MODELS", str(tmp_path / "more"))
    monkeypatch.setenv("COLIBRI_ALIAS", "late=tiny-late")
    own = tmp_path / "data" / "colibri" / "models"
    for place in (own / "tiny-late", own / "second", tmp_path / "more" / "first"):
        shutil.copytree(ARTEFACTS / "tiny-random-bert", place)
    (own / "halved").mkdir()
    (own / "halved" / "colibri.json").write_text("{", encoding="utf-8")
    shown = colibri("models")
    _, tiny, bert = shown.stdout.split("\n\n")
    assert f"here      {own / 'tiny-late'}: colibri rerank --model tiny-late QUERY" in tiny
    assert bert.startswith("tiny-random-bert\n")
    assert f"here      {tmp_path / 'more' / 'first'}: colibri rerank --model tiny-random-bert QUERY" in bert
    assert f"also      {own / 'second'}, which is not taken\n" in bert
    assert "looked in  " in shown.stderr
    assert f"{tmp_path / 'more'}, ., {own}\n" in shown.stderr
    assert "COLIBRI_ALIAS: late is tiny-late here\n" in shown.stderr
    assert f"broken     {own / 'halved'}: {own / 'halved' / 'colibri.json'}: cannot be read as JSON" in shown.stderr
    found = {model["name"]: model for model in json.loads(colibri("models", "--json").stdout)}
    assert found["tiny-random-bert"]["path"] == str(tmp_path / "more" / "first")
    assert found["tiny-random-bert"]["also"] == [str(own / "second"), str(own / "tiny-late")]


def test_json_has_all_of_it() -> None:
    mini, tiny = json.loads(colibri("models", "--json").output)
    assert (mini["name"], mini["comes_along"], mini["dims"], mini["command"]) == (
        "colibri-mini",
        True,
        [128, 96, 64],
        None,
    )
    assert Path(mini["path"], "colibri.json").is_file()
    assert (tiny["hub_id"], tiny["path"], tiny["comes_along"]) == ("Owner/Tiny", None, False)
    assert tiny["licence"] == {"id": "CC-BY-NC-4.0", "commercial_use": False, "notice": "Not for sale."}
    assert tiny["command"] == "colibri export Owner/Tiny"


def test_listing_needs_nothing_of_the_extra() -> None:
    code = """
import sys
from colibri_export.models_command import listed
assert listed()
print(*{name.partition(".")[0] for name in sys.modules})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"onnx", "onnx_ir", "safetensors", "onnxruntime", "huggingface_hub"} & set(done.stdout.split())
