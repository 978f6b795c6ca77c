"""One place: `colibri index FOLDER`, then `colibri search` from anywhere; what each command says of its index."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import other_user
from colibri import Index
from colibri.cli import group
from reference import ARTEFACTS

MODEL = ("--model", str(ARTEFACTS / "tiny-random-bert"))


def run(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(group, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


def held(place: Path) -> set[str]:
    with Index.open(place, create=False) as index:
        return {Path(one.id).name for one in index.documents()}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's own indexes lie. Two folders of files; the current folder is another one."""
    monkeypatch.delenv("COLIBRI_INDEX")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for folder, name, text in (("docs", "bird.md", "A colibri is a small bird."), ("work", "tax.txt", "Tax is due.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "data" / "colibri" / "indexes"


def test_index_a_folder_then_search_from_anywhere(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run("index", tmp_path / "docs", *MODEL)
    assert done.stderr.startswith(f"index: {mine / 'default'} (your own)\n")
    assert f"{mine / 'default'} holds 1 document;" in done.stdout
    run("index", tmp_path / "work")  # another root of the same index
    assert list(Path().iterdir()) == []
    monkeypatch.chdir("/")
    done = run("search", "a small bird")
    assert done.stderr == f"index: {mine / 'default'} (your own)\n"
    assert "bird.md:1" in done.stdout
    assert held(mine / "default") == {"bird.md", "tax.txt"}
    roots = json.loads(run("index", "--stats", "--json").stdout)["roots"]
    assert [root["path"] for root in roots] == [str(tmp_path / "docs"), str(tmp_path / "work")]
    assert "2 unchanged" in run("index").stdout


def test_named_ones_lie_beside(mine: Path, tmp_path: Path) -> None:
    run("index", tmp_path / "docs", *MODEL)
    done = run("index", tmp_path / "work", "--name", "work", *MODEL)
    assert done.stderr.startswith(f"index: {mine / 'work'} (your own, --name work)\n")
    assert (held(mine / "default"), held(mine / "work")) == ({"bird.md"}, {"tax.txt"})
    assert "tax.txt" in run("search", "tax", "--name", "work").stdout
    assert "tax.txt" not in run("search", "tax").stdout
    (tmp_path / "work").rename(tmp_path / "away")
    assert "stays until `colibri index --prune --name work`" in run("index", "--name", "work").stderr


def test_a_folders_own_goes_on_and_is_found_from_below(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "docs")
    run("index", ".", "--into", ".colibri-index", *MODEL)
    assert run("index").stderr.startswith(f"index: .colibri-index (found in {tmp_path / 'docs'})\n")
    Path("sub").mkdir()
    Path("sub/new.txt").write_text("A new text.", encoding="utf-8")
    monkeypatch.chdir("sub")
    own = tmp_path / "docs" / ".colibri-index"
    done = run("index", ".")
    assert done.stderr.startswith(f"index: {own} (found in {tmp_path / 'docs'})\n")
    assert held(own) == {"bird.md", "new.txt"}
    assert json.loads(run("search", "new", "--json").stdout)["index"] == str(own)
    assert not mine.exists()
    run("index", tmp_path / "work", "--name", "default", *MODEL)
    assert held(mine / "default") == {"tax.txt"}


def test_a_folder_that_is_named_is_used_and_not_announced(mine: Path, tmp_path: Path) -> None:
    for option in ("--into", "--index"):
        assert "index: " not in run("index", tmp_path / "docs", option, "here", *MODEL).stderr
    assert run("search", "bird", "--index", "here").stderr == ""
    assert not mine.exists()
    os.environ["COLIBRI_INDEX"] = "here"
    assert run("search", "bird").stderr == "index: here (COLIBRI_INDEX)\n"
    assert run("index", "-q").stderr == ""
    os.environ["COLIBRI_INDEX"] = ""
    run("search", "bird", code=1)


def test_a_folder_of_files_is_told_from_an_index(mine: Path, tmp_path: Path) -> None:
    files, empty = tmp_path / "my files", tmp_path / "empty"
    files.mkdir()
    empty.mkdir()
    (files / "a.md").write_text("A bird.", encoding="utf-8")
    wanted = f"to search the files in it: `colibri index '{files}'`, both without --index"
    assert wanted in run("search", "bird", "--index", files, code=1).stderr
    assert wanted in run("status", "--index", files, code=1).stderr
    assert "makes it" in run("search", "bird", "--index", empty, code=1).stderr
    os.environ["COLIBRI_INDEX"] = str(files)
    assert "both without COLIBRI_INDEX set" in run("search", "bird", code=1).stderr
    run("index", files, "--into", files / ".colibri-index", *MODEL)
    assert f"its own is {files / '.colibri-index'}" in run("search", "bird", code=1).stderr
    assert "a.md" in run("search", "bird", "--all", "--index", files / ".colibri-index").stdout
    assert not mine.exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("search", "x"), 1, "default: no index there (your own); `colibri index PATH` makes it"),
        (("search", "x", "--name", "wrok"), 1, "the nearest of your own is --name work"),
        (("search", "x", "--name", "other"), 1, "`colibri index PATH --name other` makes it; there is work"),
        (
            ("search", "x", "--index", "none"),
            1,
            "none: no index there (--index); `colibri index PATH --index none` makes it",
        ),
        (("search", "x", "--index", "work"), 1, "makes it; --name work is one of your own"),
        (("index", "--stats", "--name", "wrok"), 1, "the nearest of your own is --name work"),
        (("search", "x", "--name", "a/b"), 2, "'a/b' is no name of an index: it has '/'"),
        (("search", "x", "--name", ""), 2, "found ''; wanted one such as 'work'"),
        (("search", "x", "--name", "work", "--index", "y"), 2, "either --index or --name"),
        (("index", "y", "--name", "work", "--into", "y"), 2, "either --index or --name"),
        (("search", "x", "--index", ""), 2, "an empty path"),
        (("search", "x", "--index", "a", "--index", "b"), 2, "'--index': found a, b, wanted one: search is about one"),
        (("index", "y", "--name", "a", "--name", "work"), 2, "'--name': found a, work, wanted one"),
        (("index", "y", "--into", "a", "--index", "b"), 2, "found a, b, wanted one"),
        (("index",), 2, "there is no index in"),
        (("index", "absent"), 1, "absent: no such file or folder"),
    ],
)
def test_wrong_use_is_explained_and_makes_nothing(mine: Path, words: tuple[str, ...], code: int, said: str) -> None:
    (mine / "work").mkdir(parents=True)
    done = run(*words, code=code)
    assert said in done.stderr
    assert [path.name for path in mine.iterdir()] == ["work"]
    assert list(Path().iterdir()) == []


def test_a_home_that_is_read_only_or_not_there_is_explained(mine: Path) -> None:
    if why := other_user.why_not():
        pytest.skip(why)
    model = ("--model", str(ARTEFACTS / "tiny-random-bert"))
    with other_user.open_folder(0o777) as folder:
        (folder / "a.txt").write_text("A colibri is a small bird.")
        (folder / "home").mkdir(mode=0o755)

        def tried(*words: str, **environment: str) -> Any:
            gone = {"COLIBRI_INDEX": "", "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}
            return other_user.python(
                "-m", "colibri", *words, user=other_user.NOBODYS, folder=folder, environment=gone | environment
            )

        done = tried("index", "a.txt", *model)
        assert (done.returncode, done.stdout) == (1, "")
        assert (
            "so there is no place for an index of your own; --index FOLDER or COLIBRI_INDEX names another"
            in done.stderr
        )
        done = tried("index", "a.txt", *model, HOME=str(folder / "home"))
        assert (done.returncode, done.stdout) == (1, "")
        assert "cannot be made (Permission denied); --index FOLDER or COLIBRI_INDEX names another place" in done.stderr
        assert tried("index", "a.txt", *model, COLIBRI_INDEX="own").returncode == 0
        assert tried("search", "bird", COLIBRI_INDEX="own").stderr == "index: own (COLIBRI_INDEX)\n"
