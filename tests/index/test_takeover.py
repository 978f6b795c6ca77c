"""An index takes over what another holds, of another width or space: at once or not at all, under readers."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colibri import Document, Index, StoreError
from colibri.errors import ShapeError
from cuts_seen import cuts
from rounds import rounds
from store_contract import SPACE, document

CHILD = """
import sys
from pathlib import Path
from colibri import Index
old, new = sys.argv[1:]
with Index.open(old, create=False) as index:
    print("ready", flush=True)
    for _ in range(1000):
        commits = index.commits()
        index.take_over(new, commits)
        print(index.dim, flush=True)
"""


def wide(seed: int, dim: int, **fields: Any) -> Document:
    return document(seed, vectors=[[1.0 if at == seed % dim else 0.0 for at in range(dim)]], **fields)


def filled(place: Path, dim: int, count: int, space: str = SPACE) -> Path:
    with Index.open(place, dim=dim, space_id=space) as index:
        index.add([wide(seed, dim, text=f"{dim}: text {seed}") for seed in range(count)])
    return place


def test_all_of_it_is_another_and_nothing_is_left_behind(tmp_path: Path) -> None:
    old, new = filled(tmp_path / "old", 8, 5), filled(tmp_path / "new", 16, 3, "another")
    with Index.open(new, create=False) as other:
        other.delete("d1")
        other.add([wide(9, 16, text="one more")])
    with Index.open(old, create=False) as index:
        index.set_note("mine", lambda _: 1)
        assert not index.take_over(new, index.commits() - 1)
        assert index.dim == 8
        assert index.take_over(new, index.commits())
        assert (index.dim, index.space_id, index.count(), index.note("mine")) == (16, "another", 3, 1)
        assert index.verify().clean
        (hit,) = index.search([[1.0 if at == 9 else 0.0 for at in range(16)]], k=1)
        assert (hit.id, hit.text) == ("d9", "one more")
        index.add([wide(4, 16)])
        index.compact()
        assert index.verify().clean
    with Index.open(old, create=False) as again:
        assert (again.dim, again.count()) == (16, 4)
    assert json.loads((old / "index.json").read_text("utf-8"))["dim"] == "16"
    with Index.open(new, create=False) as other:  # the other one stays as it was
        assert other.verify().clean
        assert other.count() == 3


def test_one_that_is_empty_empties(tmp_path: Path) -> None:
    old, new = filled(tmp_path / "old", 8, 5), filled(tmp_path / "new", 16, 0)
    with Index.open(old, create=False) as index:
        assert index.take_over(new, index.commits())
        assert (index.dim, index.count()) == (16, 0)
        index.add([wide(1, 16)])
        assert index.verify().clean


def test_readers_and_writers_that_were_there_go_on(tmp_path: Path) -> None:
    old, new = filled(tmp_path / "old", 8, 5), filled(tmp_path / "new", 16, 3)
    with Index.open(old, create=False) as reader, Index.open(old, create=False) as writer:
        listing = reader.documents(vectors=True)
        first = next(listing)
        assert reader.search([[1.0] * 8], k=9)

        def documents() -> Iterator[Document]:
            with Index.open(old, create=False) as index:
                assert index.take_over(new, index.commits())
            yield wide(7, 8)

        with pytest.raises(StoreError, match="made anew with another encoder at 16 dims"):
            writer.upsert(documents())
        assert [first.id, *(one.id for one in listing)] == [f"d{i}" for i in range(5)]
        with pytest.raises(ShapeError, match="the index has 16"):
            reader.search([[1.0] * 8], k=9)
        assert len(reader.search([[1.0] * 16], k=9)) == 3
        assert reader.dim == 16
        writer.upsert([wide(7, 16)])
        assert reader.count() == 4
        assert reader.verify().clean


def test_threads_search_while_it_happens(tmp_path: Path) -> None:
    old = filled(tmp_path / "old", 8, 5)
    others = [filled(tmp_path / f"new{dim}", dim, 3) for dim in (16, 8)]
    over, failed, asked = threading.Event(), list[BaseException](), threading.Semaphore(0)

    def ask() -> None:
        try:
            while not over.is_set():
                assert reader.count() in {3, 5}
                assert len(list(reader.documents(vectors=True))) in {3, 5}
                asked.release()
        except BaseException as error:
            failed.append(error)
            asked.release()

    with Index.open(old, create=False) as reader, Index.open(old, create=False) as index:
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for turn in range(rounds(quick=6, soak=60)):
            asked.acquire()
            assert index.take_over(others[turn % 2], index.commits())
        over.set()
        for thread in threads:
            thread.join()
    assert failed == []


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_sigkill_leaves_one_of_both_whole(tmp_path: Path) -> None:
    filled(tmp_path / "new16", 16, 40)
    filled(tmp_path / "new8", 8, 30)
    old = filled(tmp_path / "old", 8, 30)
    for turn in range(rounds(quick=5, soak=60)):
        new = tmp_path / ("new16", "new8")[turn % 2]
        command = [sys.executable, "-c", CHILD, str(old), str(new)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(1 + turn % 3):
                child.stdout.readline()
            child.send_signal(signal.SIGKILL)
            child.wait()
        with Index.open(old, create=False) as index:
            assert (index.dim, index.count()) in {(8, 30), (16, 40)}
            assert index.verify().clean
            assert {(one.text or "").split(":")[0] for one in index.documents(vectors=True)} == {str(index.dim)}
            assert json.loads((old / "index.json").read_text("utf-8"))["dim"] == str(index.dim)


def test_words_come_along_and_are_cut_before_the_lock_is_taken(tmp_path: Path) -> None:
    old, new = filled(tmp_path / "old", 8, 5), filled(tmp_path / "new", 16, 7)
    with Index.open(old, create=False) as index:
        with cuts(index) as under_the_lock:
            assert index.take_over(new, index.commits())
        assert under_the_lock == [False] * 7
        rows = [[1.0] + [0.0] * 15]
        assert [hit.id for hit in index.search(rows, text='"16 text 6"', mode="words")] == ["d6"]
        assert index.verify().clean
        with cuts(index) as under_the_lock:
            assert not index.take_over(new, index.commits() - 1)
        assert under_the_lock == []
    assert sorted(path.name for path in new.glob("words*")) == []
