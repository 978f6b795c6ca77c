"""Compacting frees what deleted documents take, and nothing else changes."""

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from colibri import Index
from colibri.index.storage import segments
from colibri.scoring import row_bytes
from store_contract import DIM, document, rows

TOKEN_BYTES = DIM + 4 + row_bytes(DIM)  # a row, its scale, its sign bits


def test_compacting_frees_bytes_and_changes_no_answer(store: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 50)
    store.add([document(seed) for seed in range(400)])
    store.delete([f"d{seed}" for seed in range(400) if seed % 2])
    before = store.search(rows(7, 4), k=200), store.stats(), list(store.documents(vectors=True))
    freed = store.compact()
    after = store.search(rows(7, 4), k=200), store.stats(), list(store.documents(vectors=True))
    assert after[0] == before[0]
    assert len(after[0]) == 200
    assert freed == before[1].gone_tokens * (DIM + 4) > 0
    assert (after[1].gone_tokens, after[1].tokens) == (0, before[1].tokens)
    assert sum(path.stat().st_size for path in (store.path / "segments").iterdir()) == (
        after[1].tokens * TOKEN_BYTES + after[1].passages * 8
    )
    for one, other in zip(before[2], after[2], strict=True):
        assert one.vectors is not None
        assert other.vectors is not None
        assert (one.id, one.payload) == (other.id, other.payload)
        np.testing.assert_array_equal(one.vectors.rows, other.vectors.rows)
    assert store.verify().clean
    assert store.compact() == 0


def test_compacting_gives_back_what_payloads_took(store: Index, place: Path) -> None:
    """Every free page of SQLite's file goes, not the first one."""
    store.add([dataclasses.replace(document(1), payload={"text": "x" * 2_000_000}), document(2)])
    before = _pages(place)
    store.delete(["d1"])
    store.compact()
    assert before > 400
    assert _pages(place) < 50
    assert [hit.id for hit in store.search(rows(2, 2), k=5)] == ["d2"]


def _pages(place: Path) -> int:
    with closing(sqlite3.connect(place / "index.sqlite")) as connection:
        (found,) = connection.execute("PRAGMA page_count").fetchone()
        return int(found)


def test_a_segment_without_live_passages_goes_at_once(store: Index, place: Path) -> None:
    store.add([document(seed) for seed in range(20)])
    store.delete(where={})
    assert store.stats().tokens == store.stats().segments == 0
    assert list((place / "segments").iterdir()) == []
    store.add([document(1)])
    assert store.search(rows(1, 2), k=1)[0].id == "d1"


def test_many_small_segments_become_one(store: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 3)
    store.add([document(0)])
    store.upsert([document(0)])
    store.add([document(seed) for seed in range(1, 10)])
    monkeypatch.setattr(segments, "FULL_PASSAGES", 1000)
    store.compact()
    assert store.stats().segments == 1
    assert store.verify().clean


def test_a_reader_goes_on_through_a_compaction(place: Path, store: Index) -> None:
    store.add([document(seed) for seed in range(50)])
    with Index.open(place, create=False) as reader:
        wanted = [hit.id for hit in reader.search(rows(3, 4), k=10, where={"n": {"$lt": 25}})]
        kept = reader.documents(where={"n": {"$lt": 25}})
        first = next(kept)
        store.delete(where={"n": {"$gte": 25}})
        store.compact()
        assert len([first, *kept]) == 25  # of the commit that it began with
        assert [hit.id for hit in reader.search(rows(3, 4), k=10)] == wanted
        assert reader.count() == 25


def test_other_writers_come_between_two_segments(place: Path, store: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each transaction moves what fills one segment, and nothing is moved twice."""
    monkeypatch.setattr(segments, "FULL_PASSAGES", 50)
    for first in range(0, 400, 50):
        store.add([document(seed) for seed in range(first, first + 50)])
    store.delete([f"d{seed}" for seed in range(400) if seed % 2])
    pauses: list[int] = []

    with Index.open(place, lock_seconds=0) as other:

        def write(seconds: float) -> None:
            pauses.append(other.count())
            other.upsert([document(1_000 + len(pauses)), document(2, id="d2")])
            if len(pauses) == 2:
                other.delete([f"d{seed}" for seed in range(250, 300)])  # all of a segment that is still to come

        monkeypatch.setattr("colibri.index.upkeep.operations.sleep", write)
        assert store.compact() > 0
    assert len(pauses) >= 2
    kept = {f"d{seed}" for seed in range(0, 400, 2) if not 250 <= seed < 300}
    assert {one.id for one in store.documents(vectors=True)} == kept | {f"d{1_000 + i + 1}" for i in range(len(pauses))}
    assert store.verify().clean
    monkeypatch.undo()
    store.compact()
    assert store.stats().gone_tokens == 0
    assert store.verify().clean


def test_a_compaction_that_is_interrupted_between_two_segments_has_changed_no_answer(
    store: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 50)
    for first in range(0, 400, 50):
        store.add([document(seed) for seed in range(first, first + 50)])
    store.delete([f"d{seed}" for seed in range(400) if seed % 2])
    before = store.search(rows(7, 4), k=200), store.stats().gone_tokens

    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("colibri.index.upkeep.operations.sleep", stop)
    with pytest.raises(KeyboardInterrupt):
        store.compact()
    assert store.search(rows(7, 4), k=200) == before[0]
    assert 0 < store.stats().gone_tokens < before[1]
    assert store.verify().clean
