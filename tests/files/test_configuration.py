"""What the configuration file says of the user's own indexes: roots that come by themselves, ignores, kinds."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from colibri import Index
from colibri.cli import group
from colibri.errors import InputError
from colibri.files import Refresh
from colibri.files.chosen_kinds import checked_kinds, is_chosen, shown_kinds
from colibri.files.walk import shown
from colibri.own import nearest
from reference import ARTEFACTS

MODEL = ("--model", str(ARTEFACTS / "tiny-random-bert"))
FILES = {
    "docs/a.md": "A colibri is a small bird.",
    "docs/b.log": "A line of a log.",
    "docs/drafts/c.md": "A draft.",
    "docs/drafts.txt": "Not a folder.",
    "docs/code.py": "print('a program')",
    "docs/page": "<!DOCTYPE html><html><body><p>A page without an ending.</p></body></html>",
    "docs/README": "A text without an ending.",
    "notes/n.md": "A note.",
    "work/w.txt": "Work.",
}


def run(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(group, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COLIBRI_INDEX")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLIBRI_CONFIG", str(tmp_path / "config.toml"))
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    (tmp_path / "config.toml").write_text("")
    return tmp_path / "config.toml"


def held(config: Path, name: str = "default") -> set[str]:
    with Index.open(config.parent / "data" / "colibri" / "indexes" / name, create=False) as index:
        assert index.verify().clean
        return {str(Path(one.id).relative_to(config.parent)) for one in index.documents()}


def found(*words: str | Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run("index", *words, "--json").stdout)
    return told


def test_its_roots_come_by_themselves(config: Path, tmp_path: Path) -> None:
    config.write_text('roots = ["~/docs", "~/absent"]\n[index.work]\nroots = ["~/work"]\n')
    done = run("index", *MODEL)
    assert f"{tmp_path / 'absent'}: is a root in {config}, and not there" in done.stderr
    docs = {name for name in FILES if name.startswith("docs/")}
    assert held(config) == docs
    run("index", "--name", "work", *MODEL)
    assert held(config, "work") == {"work/w.txt"}
    config.write_text('roots = ["~/docs", "~/docs/drafts", "~/notes"]')
    assert found()["indexed"] == 1
    run("index", tmp_path / "work")  # by hand, beside them
    config.write_text("")  # what leaves the file stays in the index
    assert found()["unchanged"] == len(docs) + 2
    assert held(config) == docs | {"notes/n.md", "work/w.txt"}
    assert [Path(root["path"]).name for root in found("--stats")["roots"]] == ["docs", "notes", "work"]


def test_what_was_taken_out_by_hand_stays_out_or_is_told(config: Path, tmp_path: Path) -> None:
    config.write_text('roots = ["~/docs", "~/notes"]')
    run("index", *MODEL)
    done = run("index", "--remove", tmp_path / "notes")
    assert f"{tmp_path / 'notes'} is a root in {config}: the next `colibri index` adds it" in done.stderr
    run("index", "--remove", tmp_path / "docs" / "drafts")
    config.write_text('roots = ["~/docs", "~/docs/drafts"]')
    run("index")
    assert held(config) == {name for name in FILES if name.startswith("docs/")} - {"docs/drafts/c.md"}


def test_ignore_and_kinds_hold_for_every_root_and_are_taken_back(config: Path, tmp_path: Path) -> None:
    run("index", tmp_path / "docs", *MODEL)
    config.write_text('ignore = ["*.log", "drafts/", "!b.log"]\n')
    done = run("index")
    assert f"{tmp_path / 'docs'}: ignore in config.toml: *.log drafts/ !b.log (was none)" in done.stderr
    assert "b.log" in str(held(config))  # the last pattern that matches decides
    config.write_text('ignore = ["*.log", "drafts/"]\n')
    told = found()
    assert (told["removed"], told["left_out"]) == (1, {"by ignore in config.toml": 2})
    assert held(config) == {"docs/a.md", "docs/drafts.txt", "docs/code.py", "docs/page", "docs/README"}
    config.write_text('kinds = [".md", "HTML"]\n')
    told = found()
    assert told["said"] == [
        f"{tmp_path / 'docs'}: ignore in config.toml: none (was *.log drafts/), "
        "kinds in config.toml: .md, HTML (was all); what that touches is read again"
    ]
    assert held(config) == {"docs/a.md", "docs/drafts/c.md", "docs/page"}
    assert told["left_out"] == {"by kinds in config.toml": 4}
    assert "kinds in config.toml: .md, HTML" in run("index", "--stats").stdout
    config.write_text("")
    found()
    assert held(config) == {name for name in FILES if name.startswith("docs/")}


def test_a_part_of_a_root_has_its_rules_and_a_file_that_is_named_is_read(config: Path, tmp_path: Path) -> None:
    config.write_text('roots = ["~/docs"]\nignore = ["*.log"]\nkinds = ["source code"]\n')
    run("index", *MODEL)
    assert held(config) == {"docs/code.py"}
    (tmp_path / "docs" / "drafts" / "new.py").write_text("new = 1", encoding="utf-8")
    (tmp_path / "docs" / "drafts" / "new.log").write_text("new", encoding="utf-8")
    run("index", tmp_path / "docs" / "drafts")
    assert held(config) == {"docs/code.py", "docs/drafts/new.py"}
    assert len(found("--stats")["roots"]) == 1
    run("index", tmp_path / "docs" / "a.md", tmp_path / "docs" / "b.log")
    run("index")
    assert held(config) == {"docs/code.py", "docs/drafts/new.py", "docs/a.md", "docs/b.log"}


def test_what_follows_the_folders_obeys_it_too(config: Path, tmp_path: Path) -> None:
    """A save is looked at alone, by the rules of its root."""
    config.write_text('roots = ["~/docs"]\nignore = ["drafts/"]\nkinds = ["text"]\n')
    run("index", *MODEL)
    names = ("drafts/new.md", "new.md", "new.py")
    for name in names:
        (tmp_path / "docs" / name).write_text("New.", encoding="utf-8")
    with Index.open(tmp_path / "data" / "colibri" / "indexes" / "default", create=False) as index:
        work = Refresh(index)
        due = work.plan_changed([shown(tmp_path / "docs" / name) for name in names])
        assert [one.path.name for one, _ in due] == ["new.md"]
        assert due[0][0].path.parent.name == "docs"
        assert work.run(due, lambda tokens: None).indexed == 1


def test_options_of_a_run_go_on_beside_it(config: Path, tmp_path: Path) -> None:
    config.write_text('ignore = ["drafts/"]\n')
    run("index", tmp_path / "docs", "--glob", "*.md", *MODEL)
    assert held(config) == {"docs/a.md"}
    assert "--glob *.md, ignore in config.toml: drafts/" in run("index", "--stats").stdout
    run("index", "--defaults")
    assert "docs/drafts/c.md" not in held(config)
    assert "docs/code.py" in held(config)


def test_a_folders_own_is_not_touched_by_it(config: Path, tmp_path: Path) -> None:
    config.write_text('roots = ["~/work"]\nkinds = ["pdf"]\n')
    run("index", tmp_path / "docs", "--into", "own", *MODEL)
    with Index.open("own", create=False) as index:
        assert index.count() == 7


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('kinds = ["pdff"]', 1, "kinds: 'pdff' is no kind of file; the nearest is 'PDF'"),
        ('kinds = ["sorce code"]', 1, "'sorce code' is no kind of file; the nearest is 'source code'"),
        ('kinds = ["picture"]', 1, "kinds: 'picture' is not read"),
        ('kinds = ["jpg"]', 1, "kinds: 'jpg' is not read"),
        ('ignore = ["["]', 1, "ignore: '[': its [ is not closed"),
        ('ignore = ["/"]', 1, "ignore: '/': it is empty"),
        ('rots = ["~/docs"]', 1, "unknown key 'rots'; the nearest is 'roots'"),
        ('roots = ["~/absent"]', 1, "none of its roots is there"),
        ("", 2, "there is no index in"),
    ],
)
def test_a_configuration_that_cannot_be_makes_nothing(config: Path, text: str, code: int, said: str) -> None:
    config.write_text(text)
    assert said in run("index", *MODEL, code=code).stderr
    assert not (config.parent / "data").exists()


def test_kinds_by_their_names_and_endings(tmp_path: Path) -> None:
    assert checked_kinds(["PDF", " pdf", ".PDF", "Source Code", "md", "makefile", ".foo"], nearest) == (
        "pdf", ".pdf", "source code", ".md", "makefile", ".foo",
    )  # fmt: skip
    assert checked_kinds(["code", "Word", "markdown"], nearest) == (
        "source code", "word", "word 97", ".md", ".markdown", ".mdown", ".mdx",
    )  # fmt: skip
    assert shown_kinds(("pdf", ".md", "source code")) == "PDF, .md, source code"
    for name, words, chosen in [
        ("a.pdf", ["pdf"], True),
        ("A.PDF", ["pdf"], True),
        ("a.md", ["pdf"], False),
        ("a.md", ["text"], True),
        ("a.md", [".txt"], False),
        ("Makefile", ["makefile"], True),
        ("Makefile", ["source code"], True),
        ("a.foo", [".foo"], True),
        ("absent", ["pdf"], True),
    ]:
        assert is_chosen(tmp_path / name, checked_kinds(words, nearest)) is chosen, (name, words)
    (tmp_path / "paper").write_bytes(b"%PDF-1.7\n")
    assert is_chosen(tmp_path / "paper", ("pdf",))
    assert not is_chosen(tmp_path / "paper", ("html",))
    with pytest.raises(InputError, match="'zzzz' is no kind of file"):
        checked_kinds(["zzzz"], nearest)
