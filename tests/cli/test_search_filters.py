"""--in, --kind, --since and --until say which documents count, as SQLite then has it."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from colibri.cli.search_filters import FilterOptions, of_kind
from colibri.errors import InputError
from colibri.files import NOT_READ, READ
from colibri.index.where import compiled


def keeps(where: dict[str, Any] | None, **file: Any) -> bool:
    condition, values = ("1", []) if where is None else compiled(where)
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE documents (payload TEXT, id TEXT)")
    connection.execute("INSERT INTO documents VALUES (?, 'd')", [json.dumps({"file": file} if file else {})])
    found = connection.execute(f"SELECT count(*) FROM documents WHERE {condition}", values).fetchone()[0]
    connection.close()
    return bool(found)


@pytest.mark.parametrize(
    ("word", "reader", "suffix", "kept"),
    [
        ("pdf", "PDF 1", "pdf", True),
        ("PDF", "PDF 1", "", True),
        (".pdf", "zip 1, PDF 1", "zip", True),
        ("pdf", "zip 1, text 1", "zip", False),
        ("mail", "mailbox 1, mail 1", "mbox", True),
        ("mail", "mailbox 1, mail 1, PDF 1", "mbox", False),
        ("md", "text 1", "md", True),
        ("md", "text 1", "txt", False),
        ("markdown", "text 1", "md", True),
        ("code", "source code 1", "py", True),
        ("py", "source code 1", "py", True),
        ("py", "source code 1", "rb", False),
        ("word", "Word 97 1", "doc", True),
        ("word", "Word 1", "docx", True),
        ("word", "OpenDocument 1", "odt", False),
        ("excel", "workbook 1", "xlsx", True),
        ("powerpoint", "presentation 1", "pptx", True),
        ("json", "JSON rows 1", "jsonl", True),
        ("zip", "zip 1, text 1", "zip", True),
        ("source code", "source code 1", "c", True),
    ],
)
def test_a_kind_is_a_word_of_its_name_or_an_ending(word: str, reader: str, suffix: str, kept: bool) -> None:
    assert keeps(of_kind(word), reader=reader, suffix=suffix) is kept


def test_every_kind_and_ending_that_is_read_is_one() -> None:
    for kind in READ:
        for word in (kind.name, *(ending for ending in kind.endings if ending.startswith("."))):
            assert of_kind(word), word
        assert keeps(of_kind(kind.name), reader=kind.reader, suffix="x"), kind.name


@pytest.mark.parametrize(("word", "said"), [("pfd", "the nearest is pdf"), ("zzzzzz", "no kind"), ("", "no kind")])
def test_what_is_no_kind_is_refused(word: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        of_kind(word)


def test_a_kind_that_nothing_reads_is_named() -> None:
    with pytest.raises(InputError, match="are not read"):
        of_kind(NOT_READ[0].name)


def test_several_of_one_option_are_alternatives_and_options_hold_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    about = FilterOptions(inside=("a", "b"), kinds=("pdf,md",), filters=("lang=en",)).where()
    assert about is not None
    condition, values = compiled(about)
    assert condition.count("?") == len(values) or values
    for path, suffix, lang, kept in [
        ("a/x.md", "md", "en", True),
        ("b/y/x.md", "md", "en", True),
        ("a", "md", "en", True),
        ("ab/x.md", "md", "en", False),
        ("c/x.md", "md", "en", False),
        ("a/x.txt", "txt", "en", False),
        ("a/x.md", "md", "de", False),
    ]:
        payload = {"file": {"path": str(tmp_path / path), "suffix": suffix}, "lang": lang}
        connection = sqlite3.connect(":memory:")
        connection.execute("CREATE TABLE documents (payload TEXT, id TEXT)")
        connection.execute("INSERT INTO documents VALUES (?, 'd')", [json.dumps(payload)])
        found = connection.execute(f"SELECT count(*) FROM documents WHERE {condition}", values).fetchone()[0]
        connection.close()
        assert bool(found) is kept, path


def test_a_folder_is_named_in_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a%_b").mkdir()
    monkeypatch.chdir(tmp_path / "a%_b")
    monkeypatch.setenv("HOME", str(tmp_path))
    inside = str(tmp_path / "a%_b" / "c.md")
    for name in (".", "../a%_b", "../a%_b/", str(tmp_path), "~", "/"):
        assert keeps(FilterOptions(inside=(name,)).where(), path=inside), name
    for name in ("c", "../a", "a%_b"):
        assert not keeps(FilterOptions(inside=(name,)).where(), path=inside), name
    with pytest.raises(InputError, match="an empty path"):
        FilterOptions(inside=("",)).where()


def test_since_and_until_are_of_the_files_time() -> None:
    day = 86_400 * 10**9
    now = datetime(2026, 3, 31, tzinfo=UTC)
    for since, until, mtime, kept in [
        ("1970-01-03T00:00Z", None, 2 * day, True),
        ("1970-01-03T00:00Z", None, 2 * day - 1, False),
        (None, "1970-01-03T00:00Z", 2 * day - 1, True),
        (None, "1970-01-03T00:00Z", 2 * day, False),
        ("1970", "1970", 100 * day, True),
        ("1970", "1970", 400 * day, False),
    ]:
        where = FilterOptions(since=since, until=until).where(now)
        assert keeps(where, mtime_ns=mtime) is kept, (since, until, mtime)
        assert not keeps(where)  # a document of no file has no time
    with pytest.raises(InputError, match="--since 2025 is after --until 2024"):
        FilterOptions(since="2025", until="2024").where(now)
    with pytest.raises(InputError, match="--until: 'soon' is no time"):
        FilterOptions(until="soon").where(now)


def test_without_options_every_document_counts() -> None:
    assert FilterOptions().where() is None
