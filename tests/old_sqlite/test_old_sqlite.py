"""Words with SQLite 3.38.2, and an index with a SQLite that has no FTS5: `run.py test-sqlite` builds both (Linux)."""

import subprocess
import sys
from pathlib import Path

import pytest

from colibri import Document, Index
from other_sqlite import VERSION, environment, library
from store_contract import DIM, SPACE, rows

TESTS = Path(__file__).parents[1]

WITHOUT = """
import sqlite3, sys
sys.path.insert(0, sys.argv[2])
import pytest
from colibri import Document, Index, StoreError
from store_contract import DIM, SPACE, rows

assert sqlite3.sqlite_version == sys.argv[3]
with Index.open(sys.argv[1], create=False) as index:  # made with words
    assert index.why_no_words() == "the SQLite of this Python has no FTS5"
    assert [hit.id for hit in index.search(rows(2), k=1)] == ["d2"]
    with pytest.warns(RuntimeWarning, match="meaning alone: the SQLite of this Python has no FTS5"):
        assert index.search(rows(2), k=1, text="bird", mode="both")[0].id == "d2"
    with pytest.raises(StoreError, match="no FTS5"):
        index.search(rows(2), text="bird", mode="words")
    for change in (lambda: index.add([Document(id="x", vectors=rows(9))]), lambda: index.delete("d1"), index.convert):
        with pytest.raises(StoreError, match="no FTS5"):
            change()
    assert "not looked at; the SQLite of this Python has no FTS5" in str(index.verify().problems)
with Index.open(sys.argv[1] + ".new", dim=DIM, space_id=SPACE) as index:
    index.add([Document(id=f"d{n}", text=f"bird {n}", vectors=rows(n)) for n in range(3)])
    index.delete("d1")
    assert "--convert" in index.why_no_words()
    assert [hit.id for hit in index.search(rows(2), k=9)][0] == "d2"
    assert index.verify().clean
"""


@pytest.fixture(autouse=True)
def made() -> None:
    if not all(library(build).exists() for build in ("with-fts5", "without-fts5")):
        pytest.skip("python3 run.py test-sqlite builds it")


def documents() -> list[Document]:
    return [Document(id=f"d{n}", text=f"bird {n}", vectors=rows(n)) for n in range(3)]


def test_words_work_with_the_oldest_sqlite() -> None:
    """The tests of words, all of them, with that one below them."""
    version = [sys.executable, "-c", "import sqlite3; print(sqlite3.sqlite_version)"]
    own = environment("with-fts5")
    assert subprocess.run(version, env=own, check=True, capture_output=True, text=True).stdout.strip() == VERSION
    files = [str(TESTS / "index" / f"test_{name}.py") for name in ("words", "words_stateful", "takeover")]
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    done = subprocess.run(words, env=own, cwd=TESTS.parent, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def test_without_fts5_there_is_meaning_alone_and_an_index_with_words_is_not_written(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE) as index:
        index.add(documents())
    words = [sys.executable, "-c", WITHOUT, str(tmp_path / "index"), str(TESTS), VERSION]
    done = subprocess.run(words, env=environment("without-fts5"), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    with Index.open(tmp_path / "index", create=False) as index:
        assert index.verify().clean
        assert {hit.id for hit in index.search(rows(0), text="bird", mode="words")} == {"d0", "d1", "d2"}
    with Index.open(tmp_path / "index.new", create=False) as index:
        assert index.convert() == 2
        assert {hit.id for hit in index.search(rows(0), text="bird", mode="words")} == {"d0", "d2"}
