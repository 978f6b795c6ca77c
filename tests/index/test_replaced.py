"""Another index takes the name of a folder that is open, as whoever makes an index anew does: readers see the new one,
writers write into it, and none is hurt."""

import os
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from colibri import Index
from colibri.errors import StoreError
from colibri.index import unwritten

DIM = 8


def vectors(seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((3, DIM)).astype(np.float32)
    found: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def made(path: Path, ids: range, space_id: str = "own") -> Path:
    with Index.open(path, dim=DIM, space_id=space_id) as index:
        index.add({"id": str(i), "vectors": vectors(i)} for i in ids)
    return path


def swap(new: Path, path: Path) -> None:
    with unwritten(path):
        path.rename(path.with_name("old"))
        new.rename(path)
    shutil.rmtree(path.with_name("old"))


def found(index: Index, k: int = 99) -> list[str]:
    return sorted((hit.id for hit in index.search(vectors(0), k)), key=int)


def whole(path: Path) -> list[str]:
    with Index.open(path, create=False, space_id="own") as index:
        assert index.verify().clean
        return found(index)


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows renames no folder of open files")


def test_readers_see_the_new_one(tmp_path: Path) -> None:
    path = made(tmp_path / "notes", range(5))
    with Index.open(path, create=False, space_id="own") as index:
        assert found(index) == list("01234")
        swap(made(tmp_path / "new", range(5, 8)), path)
        assert found(index) == list("567")
        assert len(index) == 3
        assert index.get("0") == [None]
        best = index.search(vectors(6), 1)[0]
        assert best.id == "6"
        assert best.score == pytest.approx(3, abs=0.05)
    assert whole(path) == list("567")


@pytest.mark.parametrize("searched", [True, False])
def test_writers_write_into_the_new_one(tmp_path: Path, searched: bool) -> None:
    """Segments are named by number: the next of the old index would be written over one of the new."""
    path = made(tmp_path / "notes", range(5))
    with Index.open(path, create=False, space_id="own") as index:
        index.add([{"id": "50", "vectors": vectors(50)}])
        if searched:
            assert found(index) == [*"01234", "50"]
        swap(made(tmp_path / "new", range(5, 8)), path)
        index.add([{"id": "9", "vectors": vectors(9)}])
        index.delete(["5"])
        assert found(index) == list("679")
        index.compact()
    assert whole(path) == list("679")


def test_again_and_again(tmp_path: Path) -> None:
    path = made(tmp_path / "notes", range(1))
    with Index.open(path, create=False, space_id="own") as index:
        for turn in range(1, 5):
            swap(made(tmp_path / "new", range(turn, turn + 2)), path)
            index.add([{"id": "100", "vectors": vectors(100)}])
            assert found(index) == [str(turn), str(turn + 1), "100"]
    assert whole(path) == ["4", "5", "100"]


def test_whoever_waited_for_the_old_one_s_lock_takes_the_new_one_s(tmp_path: Path) -> None:
    path = made(tmp_path / "notes", range(5))
    made(tmp_path / "new", range(5, 8))
    with Index.open(path, create=False, space_id="own") as index:
        added = threading.Thread(target=lambda: index.add([{"id": "9", "vectors": vectors(9)}]))
        with unwritten(path):
            added.start()
            path.rename(tmp_path / "old")
            (tmp_path / "new").rename(path)
            lock = (path / "writer.lock").stat()
            assert (tmp_path / "old" / "writer.lock").stat().st_ino != lock.st_ino
        added.join()
        assert found(index) == list("5679")
    assert whole(path) == list("5679")
    assert whole(tmp_path / "old") == list("01234")


def test_one_of_another_encoder_is_not_written_to(tmp_path: Path) -> None:
    path = made(tmp_path / "notes", range(5))
    with Index.open(path, create=False, space_id="own") as index:
        assert found(index) == list("01234")
        swap(made(tmp_path / "new", range(5, 8), "other"), path)
        with pytest.raises(StoreError, match="was made anew with another encoder at 8 dims meanwhile"):
            index.add([{"id": "9", "vectors": vectors(9)}])
    with Index.open(path, create=False, space_id="other") as index:
        assert index.verify().clean
        assert found(index) == list("567")


def test_a_folder_that_is_gone_answers_what_it_held_and_takes_nothing(tmp_path: Path) -> None:
    path = made(tmp_path / "notes", range(5))
    with Index.open(path, create=False, space_id="own") as index:
        assert found(index) == list("01234")
        path.rename(tmp_path / "elsewhere")
        assert found(index) == list("01234")
        with pytest.raises(StoreError, match="notes: cannot be written"):
            index.add([{"id": "9", "vectors": vectors(9)}])
        assert not os.path.lexists(path)
    assert whole(tmp_path / "elsewhere") == list("01234")
