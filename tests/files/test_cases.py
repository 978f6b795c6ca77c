"""Small inputs that once failed, through a whole run: what the index stores of each, and what the run says of it.

`cases/cases.json`: file -> `contains` (all of these stand in its text, blanks and line ends aside), `never` (none may).
"""

import json
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest

import colibri
from colibri import Index
from colibri.files import Summary, Sync, Wanted
from reference import ARTEFACTS

CASES = Path(__file__).with_name("cases")
WANTED: dict[str, dict[str, list[str]]] = {
    name: case
    for name, case in json.loads((CASES / "cases.json").read_text(encoding="utf-8")).items()
    if not name.startswith("ignore/")  # test_gitignore.py has those
}
OPTIONS = {"rows/two_of_one_id.jsonl": {"id_field": "id"}, "rows/semicolons.csv": {"text_field": "text"}}
NEEDS = {"pdf": "pypdfium2", "text": "chardet", "html": "webencodings"}


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-fp32")


def indexed(name: str, model: colibri.Colibri, folder: Path) -> tuple[list[str], Summary]:
    """The texts stored of a case that lies alone in a folder, and what was said."""
    (folder / "files").mkdir()
    shutil.copy(CASES / name, folder / "files")
    with Index.open(folder / "index", model) as index:
        work = Sync(index, Wanted(**OPTIONS.get(name, {})))  # type: ignore[arg-type]
        summary = work.run(work.plan([folder / "files"]), lambda _: None)
        return [document.text or "" for document in index.documents()], summary


def joined(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("name", WANTED)
def test_what_is_stored_is_what_a_reader_would_see(name: str, model: colibri.Colibri, tmp_path: Path) -> None:
    pytest.importorskip(NEEDS.get(name.partition("/")[0], "json"), reason="a package of [files]")
    texts, _ = indexed(name, model, tmp_path)
    stored = joined("\n".join(texts))
    assert texts
    assert [piece for piece in WANTED[name]["contains"] if joined(piece) not in stored] == []
    raw = "\n".join(texts)
    assert [piece for piece in WANTED[name]["never"] if piece in raw] == []


@pytest.mark.parametrize(
    ("name", "documents", "said"),
    [
        ("rows/null_text.jsonl", 2, ["line 2"]),
        ("rows/not_a_number.jsonl", 1, ["line"]),
        ("rows/two_of_one_id.jsonl", 1, ["line 1", "line 2"]),
        ("rows/chat.jsonl", 1, []),
        ("rows/semicolons.csv", 2, []),
        ("epub/chapter_missing.epub", 1, ["chapter"]),
        ("text/utf_8_one_stray_byte.md", 1, ["byte"]),
        ("notes/picture_inside.md", 1, ["picture"]),
        ("pdf/second_page_unreadable.pdf", 1, ["page 2"]),
    ],
)
def test_what_was_passed_over_is_named(
    name: str, documents: int, said: list[str], model: colibri.Colibri, tmp_path: Path
) -> None:
    pytest.importorskip(NEEDS.get(name.partition("/")[0], "json"), reason="a package of [files]")
    texts, summary = indexed(name, model, tmp_path)
    assert len(texts) == documents
    assert (summary.indexed, summary.skipped) == (1, {})
    remarks = " ".join(remark for of_file in summary.remarks.values() for remark in of_file)
    assert [words for words in said if words not in remarks] == []
    assert bool(remarks) == bool(said)


def test_a_picture_in_a_note_takes_no_passages(model: colibri.Colibri, tmp_path: Path) -> None:
    """It took 340."""
    indexed("notes/picture_inside.md", model, tmp_path)
    with Index.open(tmp_path / "index", model) as index:
        (document,) = index.documents()
        assert len(document.passages) <= 3


def test_no_control_sequence_of_a_text_or_a_name_reaches_a_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    shutil.copy(CASES / "notes" / "control_sequences.txt", folder / "bread\x1b]0;title\x07 \u202etxt.txt")
    command = [sys.executable, "-m", "colibri"]
    place = ["--index", str(tmp_path / "index"), "--model", str(ARTEFACTS / "tiny-random-bert")]
    made = subprocess.run([*command, "index", str(folder), *place], capture_output=True, check=True)
    found = subprocess.run([*command, "search", "the bread", *place], capture_output=True, check=True)
    as_json = subprocess.run([*command, "search", "the bread", *place, "--json"], capture_output=True, check=True)
    assert b"The bread" in found.stdout
    for output in (made.stdout, made.stderr, found.stdout, found.stderr, as_json.stdout, as_json.stderr):
        text = output.decode()
        assert [c for c in text if (c < " " and c not in "\t\n") or "\x7f" <= c <= "\x9f" or c == "\u202e"] == []


def test_both_forms_of_a_text_score_the_same_and_spans_are_those_of_the_file(tmp_path: Path) -> None:
    text = (CASES / "notes" / "decomposed_korean.txt").read_text(encoding="utf-8")
    composed = unicodedata.normalize("NFC", text)
    assert text != composed
    query, mini = "도서관은 언제 쉽니까?", colibri.load()
    documents = mini.encode_documents([text, composed])
    for form in ("NFC", "NFD"):
        scores = mini.score(unicodedata.normalize(form, query), documents)
        np.testing.assert_allclose(scores[0], scores[1], rtol=0, atol=1e-6)
    assert documents.spans is not None
    own = documents.starts[1]
    for (a, b), (c, d) in zip(documents.spans[:own].tolist(), documents.spans[own:].tolist(), strict=True):
        assert unicodedata.normalize("NFC", text[a:b]) == composed[c:d]
