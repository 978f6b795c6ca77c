"""`colibri index` and `colibri search`, as a user meets them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from colibri.cli import group
from colibri.cli.search import parsed
from colibri.errors import InputError
from reference import ARTEFACTS

MODEL = ("--model", str(ARTEFACTS / "tiny-random-bert"))


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "birds.md").write_text("# Birds\n\nA colibri is a small bird.\n", encoding="utf-8")
    (folder / "bread.txt").write_text("Bread is baked in an oven.", encoding="utf-8")
    (folder / "paper.pdf").write_bytes(b"%PDF-1.7 damaged")
    return folder


def test_index_then_search(notes: Path) -> None:
    done = run("index", notes, *MODEL)
    assert done.exit_code == 0, done.output
    assert "2 files indexed, 0 unchanged, 0 removed, 1 skipped; .colibri-index holds 2 documents" in done.output
    assert "skipped" in done.output
    assert "paper.pdf: cannot be read" in done.output
    again = run("index", notes, "--json")
    assert json.loads(again.stdout)["unchanged"] == 2
    found = run("search", "small bird", "-k", "1", "--where", "file.suffix=md")
    assert found.exit_code == 0, found.output
    assert "birds.md" in found.output
    assert "A colibri is a small bird." in found.output


def test_what_matters_is_bold_in_a_terminal(notes: Path) -> None:
    run("index", notes, *MODEL)
    done = CliRunner().invoke(group, ["search", "bird"], color=True)
    assert "\x1b[1m" in done.output
    assert "\x1b[" not in run("search", "bird").output  # and plain where it is no terminal


def test_json_has_everything(notes: Path) -> None:
    run("index", notes, *MODEL)
    found: dict[str, Any] = json.loads(run("search", "bird", "--json").stdout)
    assert found["query"] == "bird"
    hit = found["results"][0]
    assert hit.keys() == {"id", "score", "normalised", "text", "payload", "passages", "place", "line", "label"}
    assert hit["payload"]["file"]["path"] == hit["id"]
    assert hit["passages"][0]["matches"]


def test_looking_after_an_index(notes: Path) -> None:
    run("index", notes, *MODEL)
    stats = json.loads(run("index", "--stats", "--json").stdout)
    assert stats["documents"] == 2
    assert "documents    2" in run("index", "--stats").output
    assert "all as it was written" in run("index", "--verify").output
    assert json.loads(run("index", "--compact", "--json").stdout) == {"freed_bytes": 0}
    rows = Path(".colibri-index/segments/000001.rows")
    data = bytearray(rows.read_bytes())
    data[0] ^= 1
    rows.write_bytes(bytes(data))
    bad = run("index", "--verify")
    assert bad.exit_code == 1
    assert "1 documents damaged" in bad.output
    assert "--repair" in bad.output
    search = run("search", "bird")
    assert search.exit_code == 1
    assert "changed on disk" in search.output
    mended = json.loads(run("index", "--repair", "--json").stdout)
    assert len(mended["encoded"]) == 1
    assert run("index", "--verify").exit_code == 0


def test_export_and_import(notes: Path) -> None:
    run("index", notes, *MODEL)
    assert "2 documents" in run("index", "--export", "out").output
    done = run("index", "--import", "out", "--into", "copy", *MODEL)
    assert "2 documents added" in done.output, done.output
    assert run("search", "bird", "--index", "copy", "--json").exit_code == 0


def test_rows_of_a_file(notes: Path) -> None:
    Path("rows.csv").write_text("key,answer,lang\na,a bird sings,en\nb,ein Haus,de\n", encoding="utf-8")
    done = run("index", "rows.csv", "--text-field", "answer", "--id-field", "key", *MODEL)
    assert "holds 2 documents" in done.output
    found = json.loads(run("search", "Haus", "--where", "lang=de", "--json").stdout)
    assert [hit["text"] for hit in found["results"]] == ["ein Haus"]
    missing = run("index", "rows.csv", "--text-field", "body", "--into", "other", *MODEL)
    assert missing.exit_code == 0
    assert "field 'body'; there is key, answer, lang" in missing.output
    assert "0 files indexed, 0 unchanged, 0 removed, 1 skipped" in missing.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["index"], 2, "give files or folders"),
        (["index", "notes", "--stats"], 2, "give files or folders"),
        (["index", "absent"], 1, "no such file or folder"),
        (["index", "--stats"], 1, "no index there"),
        (["search", "bird"], 1, "no index there"),
        (["search", "bird", "--where", "x"], 1, "FIELD=VALUE"),
        (["search", "bird", "--where", "{"], 1, "not JSON"),
        (["search", "bird", "-k", "0"], 2, "-k"),
    ],
)
def test_wrong_use_is_explained(notes: Path, words: list[str], code: int, said: str) -> None:
    done = run(*words)
    assert done.exit_code == code
    assert said in done.output
    assert not Path(".colibri-index").exists()


def test_filters_of_the_command_line() -> None:
    assert parsed([]) is None
    assert parsed(["a=b", "n=5", "t=true", "s=[1]", '{"x": {"$gt": 1}}', "e=a=b"]) == {
        "$and": [{"a": "b"}, {"n": 5}, {"t": True}, {"s": "[1]"}, {"x": {"$gt": 1}}, {"e": "a=b"}]
    }
    with pytest.raises(InputError):
        parsed(["[" * 100_000])


def test_ctrl_c_keeps_what_was_indexed(tmp_path: Path) -> None:
    """The command is interrupted while it indexes; the index opens, verifies, and the next run goes on."""
    folder = tmp_path / "files"
    folder.mkdir()
    for i in range(40):
        (folder / f"{i:03d}.txt").write_text(f"bird {i} " * 3000, encoding="utf-8")
    into = str(tmp_path / "index")
    command = [sys.executable, "-m", "colibri", "-v", "index", str(folder), "--into", into, *MODEL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        child.stderr.readline()  # the model is loaded
        child.send_signal(signal.SIGINT)
        child.communicate()
        assert child.returncode in {130, 0}
    if os.path.isfile(Path(into) / "index.sqlite"):  # noqa: PTH113
        assert run("index", "--verify", "--into", into).exit_code == 0
    done = run("index", folder, "--into", into, "--passage-tokens", "40", "--glob", "00*.txt", *MODEL)
    assert done.exit_code == 0, done.output
