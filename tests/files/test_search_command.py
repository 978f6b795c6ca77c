"""`colibri index` and `colibri search`, as a user meets them."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click import unstyle
from click.testing import CliRunner, Result

from colibri.cli import group
from colibri.cli.listing import snippet
from colibri.cli.search_filters import parsed
from colibri.errors import InputError
from colibri.explain import Match, Span
from colibri.index import Index, PassageHit
from colibri.machine import install_command
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
    assert "paper.pdf: " in done.output
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


CODE = """import os


class Budget:
    def unpack(self, stream):
        while chunk := stream.read():
\t\t    self.used += len(chunk)

        return self.used
"""


def shown(text: str, begin: str, end: str, word: str = "") -> list[str]:
    """A snippet of the passage from `begin` to `end`, where `word` matters."""
    start, stop = text.index(begin), text.index(end) + len(end)
    at = text.index(word) if word else 0
    match = Match(Span(0, 1), Span(at, at + len(word)), 0.9, 0.9)
    return [unstyle(line) for line in snippet(text, PassageHit(start, stop, 1.0, (match,)))]


def test_code_keeps_its_indentation_but_for_what_all_lines_share() -> None:
    assert shown(CODE, "def unpack", "return self.used") == [
        "def unpack(self, stream):",
        "    while chunk := stream.read():",
        "        self.used += len(chunk)",
        "    return self.used",
    ]
    assert shown(CODE, "while chunk", "len(chunk)") == ["while chunk := stream.read():", "    self.used += len(chunk)"]
    assert shown(CODE, "unpack(self", "stream):") == ["unpack(self, stream):"]


def test_a_snippet_begins_with_a_line_or_a_word() -> None:
    lines = [f"    line {i} of some length, so that a passage is long" for i in range(20)]
    lines[12] = "        the boiler is serviced"
    found = shown("\n".join(lines), "line 0", "line 19", "boiler")
    assert found[0] == "…line 11 of some length, so that a passage is long"
    assert "    the boiler is serviced" in found
    prose = "Every keeper writes down what the sea has taken and what it gave back. " * 9
    prose += "Once it was a boiler. " + prose + "So much for that."
    (found_line,) = shown(prose, "Every", "So much for that.", "boiler")
    assert re.match(r"…(what|it|gave|back\.|Once|and) ", found_line)
    assert found_line.endswith("…")


def test_json_has_everything(notes: Path) -> None:
    run("index", notes, *MODEL)
    found: dict[str, Any] = json.loads(run("search", "bird", "--json").stdout)
    assert found["query"] == "bird"
    hit = found["results"][0]
    about = {"score", "normalised", "words", "fit", "place", "line", "label", "screened"}
    assert hit.keys() == {"id", "text", "payload", "passages"} | about
    assert found["mode"] == "both"
    assert hit["screened"] is False
    assert json.loads(run("search", "bird", "--exact", "--json").stdout) == found
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
    assert "1 document damaged" in bad.output
    assert "--repair" in bad.output
    search = run("search", "bird")
    assert search.exit_code == 1
    assert "changed on disk" in search.output
    mended = json.loads(run("index", "--repair", "--json").stdout)
    assert len(mended["encoded"]) == 1
    assert run("index", "--verify").exit_code == 0


def test_a_repair_that_cannot_name_what_is_lost_says_how_much_is_left(notes: Path) -> None:
    run("index", notes, *MODEL)
    file = Path(".colibri-index/index.sqlite")
    file.write_bytes(file.read_bytes()[:7_142])
    assert run("index", "--verify").exit_code == 1
    done = run("index", "--repair", "--quiet")
    assert "index.sqlite was written anew with what could be read, 0 documents; " in done.stderr
    assert run("index", "--repair", "--quiet").output == ""


def test_export_and_import(notes: Path) -> None:
    run("index", notes, *MODEL)
    assert "2 documents" in run("index", "--export", "out").output
    done = run("index", "--import", "out", "--into", "copy", *MODEL)
    assert "2 documents added" in done.output, done.output
    assert run("search", "bird", "--index", "copy", "--json").exit_code == 0


def test_hits_say_where_in_the_file_they_stand(notes: Path) -> None:
    lines = ["kettle", "lamp", *["bread"] * 9, "the boiler is serviced in March"]
    (notes / "house.md").write_text("\n".join(lines), encoding="utf-8")
    (notes / "faq.jsonl").write_text('{"text": "a bird sings"}\n{"text": "ein Haus"}\n', encoding="utf-8")
    run("index", notes, *MODEL)
    path = str(notes / "house.md")
    asked = (
        "search",
        "boiler serviced March",
        "--mode",
        "words",
        "--where",
        "file.suffix=md",
    )  # random rows answer otherwise
    found = json.loads(run(*asked, "--json").stdout)
    hit = next(hit for hit in found["results"] if hit["id"] == path)
    assert (hit["place"], hit["line"], hit["label"]) == (f"{path}:12", 12, None)
    assert f"{path}:12\n" in run(*asked).output
    row = run("search", "ein Haus", "-k", "1", "--where", "file.suffix=jsonl").output
    assert f"{notes / 'faq.jsonl'}:2\n" in row


def test_names_find_files_and_their_text_is_shown(notes: Path) -> None:
    (notes / "passport scan 2024.txt").write_text("Issued in Bern.", encoding="utf-8")
    run("index", notes, *MODEL)
    found = run("search", "passport scan 2024\nnotes", "-k", "1")
    assert "passport scan 2024.txt" in found.output
    assert "Issued in Bern." in found.output


def test_nothing_is_passed_over_in_silence(notes: Path) -> None:
    for i in range(3):
        (notes / f"photo{i}.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (notes / "song").write_bytes(b"ID3\x04\x00\x00")
    (notes / "rows.jsonl").write_text('{"text": "a bird"}\n{"text": 5}\n', encoding="utf-8")
    done = run("index", notes, *MODEL)
    assert done.exit_code == 0
    assert "4 files of 2 kinds not read: 3 .jpg, 1 audio; see --kinds" in done.stderr
    assert "rows.jsonl: " in done.stderr
    assert "paper.pdf: " in done.stderr
    found = json.loads(run("index", notes, "--into", "other", "--json", *MODEL).stdout)
    assert found["not_read"] == {".jpg": 3, "audio": 1}
    assert list(found["remarks"]) == [str(notes / "rows.jsonl")]
    assert list(found["skipped"]) == [str(notes / "paper.pdf")]


def test_an_index_below_what_it_holds_does_not_hold_itself(notes: Path) -> None:
    (notes / ".draft.txt").write_text("not yet", encoding="utf-8")
    (notes / "again.md").symlink_to("birds.md")
    for _ in range(2):  # the second time there is more in it
        done = run("index", notes, "--into", notes / "mine.index", *MODEL)
        assert "holds 2 documents" in done.stdout
        assert "left out, a folder counting as one: 1 hidden, 1 link\n" in done.stderr
    run("index", "--export", notes / "exported", "--into", notes / "mine.index")
    found = json.loads(run("index", notes, "--into", notes / "mine.index", "--json").stdout)
    assert found["left_out"] == {"Colibri indexes": 1, "hidden": 1, "links": 1}
    assert found["not_read"] == {}
    other = json.loads(run("index", notes, "--json", *MODEL).stdout)
    assert other["left_out"] == {"Colibri indexes": 2, "hidden": 1, "links": 1}
    assert json.loads(run("index", Path(), "--json").stdout)["left_out"] == other["left_out"]  # .colibri-index is there
    assert list(found["skipped"]) == [str(notes / "paper.pdf")]


def test_kinds_are_listed_with_what_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = run("index", "--kinds").output
    assert ".md" in shown
    assert shown.index("PDF") < shown.index("not read, only counted:") < shown.index(".jpg")
    listed = {kind["name"]: kind for kind in json.loads(run("index", "--kinds", "--json").stdout)}
    assert listed["PDF"]["extra"] == "files"
    assert listed["picture"] == {
        "name": "picture",
        "endings": listed["picture"]["endings"],
        "read": False,
        "extra": None,
        "installed": False,
    }
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shown = run("index", "--kinds").output
    assert "PDF  (needs colibri-edge[files])" in shown
    assert f"colibri-edge[files]: {install_command('files')}\n" in shown


def test_limits_are_options(notes: Path) -> None:
    (notes / "long.html").write_bytes(b"<!doctype html>" + b"<p>The keeper counts <b>gulls</b>.</p>\n" * 1_500_000)
    slow = run("index", notes, "--max-seconds", "0.5", *MODEL)
    assert "long.html: took longer than 0.5 s" in slow.stderr
    large = run("index", notes, "--max-memory-mb", "64")
    assert "long.html: needs more than 64 MB" in large.stderr
    assert slow.exit_code == large.exit_code == 0


def test_nothing_in_a_file_or_its_name_moves_the_cursor(notes: Path) -> None:
    name = "bread\x1b[2J\x9b\u202etxt.\u2066.txt"
    text = "The bread \x1b]0;title\x07 rises \x1b[2J\x85 in\x0c an hour.\r\n"
    (notes / name).write_text(text, encoding="utf-8", newline="")
    (notes / "\x1b[31m.pdf").write_bytes(b"%PDF-1.7 damaged")
    done = run("index", notes, *MODEL)
    found = CliRunner().invoke(group, ["search", "The bread rises in an hour", "-k", "3"], color=False)
    assert "rises" in found.output
    said = run("index", notes, "--json").stdout
    rows = run("search", "The bread rises in an hour", "-k", "3", "--json").stdout
    assert json.loads(rows)["results"][0]["payload"]["file"]["path"].endswith(name)
    for shown in (done.output, done.stderr, found.output, said, rows):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


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
    done = run("index", folder, "--into", into, "--passage-tokens", "40", "--glob", "00[01].txt", *MODEL)
    assert done.exit_code == 0, done.output


def test_several_words_are_one_query(notes: Path) -> None:
    run("index", notes, *MODEL)
    quoted = run("search", "small bird sings", "-k", "1")
    assert run("search", "small", "bird", "-k", "1", "sings").output == quoted.output
    nothing = run("search", "", "  ")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert nothing.stderr.endswith("nothing found: the query holds no word to look for\n")
    assert run("search").exit_code == 2


def test_folders_kinds_and_times_narrow_a_search(notes: Path) -> None:
    (notes / "old").mkdir()
    (notes / "old" / "nest.md").write_text("A nest of birds.", encoding="utf-8")
    os.utime(notes / "old" / "nest.md", (0, 86_400 * 366))
    run("index", notes, *MODEL)

    def found(*words: str) -> set[str]:
        results = json.loads(run("search", "bird", "--json", *words).stdout)["results"]
        return {Path(hit["id"]).name for hit in results}

    assert found() == {"birds.md", "bread.txt", "nest.md"}
    assert found("--in", "notes/old") == found("--in", str(notes / "old" / "nest.md")) == {"nest.md"}
    assert found("--in", "notes/ol") == set()
    assert found("--kind", "md") == found("--kind", ".MD") == {"birds.md", "nest.md"}
    assert found("--kind", "txt", "--kind", "md") == found("--kind", "text") == found()
    assert found("--until", "1971") == {"nest.md"}
    assert found("--since", "1 day", "--kind", "md") == {"birds.md"}
    assert found("--in", "notes/old", "--where", "file.suffix=txt") == set()
    refused = run("search", "bird", "--since", "soon")
    assert (refused.exit_code, "--since: 'soon' is no time" in refused.output) == (1, True)


def test_a_folder_of_which_the_index_holds_nothing_is_said(notes: Path, tmp_path: Path) -> None:
    (notes / "empty").mkdir()
    (tmp_path / "not indexed").mkdir()
    run("index", notes, *MODEL)
    for folder, why in (
        ("notes/empty", "adds"),
        ("not indexed", "adds"),
        ("absent", "there is no such file or folder"),
    ):
        found = run("search", "bird", "--in", folder)
        assert found.stdout == ""
        assert f"nothing found\n--in {folder}: the index holds nothing of it; " in found.stderr
        assert why in found.stderr
        assert json.loads(run("search", "bird", "--in", folder, "--json").stdout)["unknown_folders"] == [folder]
    both = run("search", "bird", "--in", "absent", "--in", "notes", "--until", "1971")
    assert "--in absent: " in both.stderr
    assert "--in notes: " not in both.stderr
    assert "--in" not in run("search", "bird", "--in", "notes").stderr


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="a starter of our own can be put first on PATH")
def test_a_hit_is_opened_by_its_number(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("index", notes, *MODEL)
    programs = notes.parent / "bin"
    programs.mkdir()
    opener = programs / "xdg-open"
    keeps = f"open({str(notes.parent / 'said')!r}, 'w').write(repr(sys.argv[1:]))"
    opener.write_text(f"#!{sys.executable}\nimport sys\n{keeps}\n")
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    ids = [hit["id"] for hit in json.loads(run("search", "bird", "--json").stdout)["results"]]
    done = run("search", "bird", "-k", "1", "--open", "2")
    assert (done.exit_code, f"opened {ids[1]}" in done.stderr) == (0, True), done.output
    assert (notes.parent / "said").read_text() == repr([ids[1]])
    assert run("search", "bird", "--open", "9").output.endswith("Error: --open 9: there are 2 hits\n")
    alone = run("search", "bird", "--open", "9", "--in", ids[0])
    assert alone.output.endswith("Error: --open 9: there is 1 hit\n")
    Path(ids[0]).unlink()
    gone = run("search", "bird", "--open", "1")
    assert (gone.exit_code, f"{ids[0]}: no such file" in gone.output) == (1, True)
    opener.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('nothing shows that')\n")
    failed = run("search", "bird", "--open", "2")
    assert (failed.exit_code, "xdg-open ended with code 1: nothing shows that" in failed.output) == (1, True)


def test_exact_words(notes: Path) -> None:
    """Both is the default; phrases and exclusions hold in it, and --mode words needs no model."""
    place = notes / "words"
    place.mkdir()
    (place / "red.md").write_text("the red boat of Zwiebelmann PX-4411", encoding="utf-8")
    (place / "blue.md").write_text("the boat of red paint is blue", encoding="utf-8")
    assert run("index", place, "--into", "w.index", *MODEL).exit_code == 0

    def names(*words: str) -> set[str]:
        found = json.loads(run("search", "--index", "w.index", "--json", *words).stdout)
        return {Path(hit["id"]).name for hit in found["results"]}

    assert names('"red boat"') == names("boat -blue") == {"red.md"}
    assert names("--mode", "words", "PX-4411") == {"red.md"}
    assert names("--mode", "meaning", '"red boat"') == {"red.md", "blue.md"}
    assert names("--", "-boat") == set()
    stats = json.loads(run("index", "--stats", "--into", "w.index", "--json").stdout)
    assert stats["words_bytes"] > 0
    assert stats["no_words"] is None
    again = run("index", "--convert", "--into", "w.index")
    assert "has words and sign bits already" in again.stdout


@pytest.mark.parametrize(("query", "told"), [('bird "small bird"', True), ("bird -small", True), ("small bird", False)])
def test_an_index_without_words_says_that_operators_are_not_obeyed(tmp_path: Path, query: str, told: bool) -> None:
    with Index.open(tmp_path / "index", MODEL[1]) as index:
        index.add([{"id": "a", "text": "A colibri is a small bird."}], keep_text=False)
    done = run("search", query, "--index", tmp_path / "index")
    assert (done.exit_code, "searched by meaning alone" in done.stderr) == (0, True)
    assert ("quotation marks and minus are not obeyed" in done.stderr) == told
