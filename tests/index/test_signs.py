"""Sign bits beside the rows of segments: made with them, found when they change, believed as their entry says."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from colibri import Document, Index, TokenVectors
from colibri.index import ingest
from colibri.index.storage import catalogue, segments, signs, transaction
from colibri.scoring import row_bytes
from sign_files import signed
from store_contract import DIM, SPACE, document, rows


def flip(path: Path, at: int, bit: int = 0) -> None:
    """One bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def entry(place: Path) -> str | None:
    with closing(sqlite3.connect(place / "index.sqlite")) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'signs'").fetchone()
        return None if row is None else str(row[0])


def set_entry(place: Path, value: str | None) -> None:
    """As another program would leave it, or one before there was any (None)."""
    with closing(sqlite3.connect(place / "index.sqlite", isolation_level=None)) as connection:
        connection.execute("DELETE FROM meta WHERE name = 'signs'")
        if value is not None:
            catalogue.write_fact(connection, "signs", value)


def without_signs(place: Path) -> None:
    """As an index was before there were any."""
    set_entry(place, None)
    for path in (place / "segments").glob("*.signs"):
        path.unlink()


def test_whatever_writes_rows_writes_their_sign_bits(
    store: Index, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 30)
    store.add([document(seed) for seed in range(20)])
    store.add([document(seed) for seed in range(20, 45)])  # appended, and a segment more
    store.upsert([document(seed, id=f"d{seed // 2}") for seed in range(0, 20, 3)])
    assert all(signed(store))
    monkeypatch.setattr(ingest, "_BATCH_DOCUMENTS", 4)
    for share in (1, 1_000):  # what was staged in files is copied to the end of a segment, or becomes one
        monkeypatch.setattr(transaction, "OWN_SHARE", share)
        store.upsert([document(seed, id=f"s{share}-{seed}") for seed in range(12)])
        assert all(signed(store))
    store.delete([f"d{seed}" for seed in range(8)])
    store.compact()
    assert all(signed(store))
    assert store.verify().clean
    store.export(tmp_path / "export")
    with Index.open(tmp_path / "other", dim=DIM, space_id=SPACE) as other:
        other.import_(tmp_path / "export")
        assert all(signed(other))
        store.delete(where={})
        store.compact()
    assert store.take_over(tmp_path / "other", store.commits())
    assert store.count() > 40
    assert all(signed(store))
    assert store.verify().clean
    store.add([document(99)])
    assert all(signed(store))
    names = {path.stem for path in (place / "segments").glob("*.signs")}
    assert names == {path.stem for path in (place / "segments").glob("*.rows")}


def test_every_flipped_bit_of_a_live_row_s_signs_is_found_and_mended(store: Index, place: Path) -> None:
    store.add([document(seed, text=f"text {seed}") for seed in range(12)])
    store.delete("d5")
    file = place / "segments" / "000001.signs"
    whole = file.read_bytes()
    ends = np.frombuffer((place / "segments" / "000001.ends").read_bytes(), "<i8")
    assert len(whole) == int(ends[-1]) * row_bytes(DIM)
    chances = random.Random(1)
    for at in range(len(whole)):
        flip(file, at, chances.randrange(8))
        found = store.verify()
        owner = int(np.searchsorted(ends, at // row_bytes(DIM), side="right"))
        assert not found.damaged
        assert len(found.problems) == (owner != 5)  # nobody asks for what was deleted
        assert all("segment 1: its sign bits" in problem for problem in found.problems)
        file.write_bytes(whole)
    flip(file, 3)
    done = store.repair()
    assert (done.encoded, done.dropped) == ((), ())
    assert store.verify().clean
    assert file.read_bytes() == whole
    assert signed(store) == [True]


@pytest.mark.parametrize("left", [None, 0, 1, 40])
def test_a_file_that_is_short_or_gone_is_not_used(store: Index, place: Path, left: int | None) -> None:
    store.add([document(seed) for seed in range(30)])
    store.close()
    file = place / "segments" / "000001.signs"
    size = file.stat().st_size
    if left is None:
        file.unlink()
    else:
        with file.open("r+b") as opened:
            opened.truncate(size - 1 - left)
    with Index.open(place) as index:
        assert signed(index) == [False]
        assert len(index.search(rows(3, 4), k=50)) == 30
        assert any("sign bits" in problem for problem in index.verify().problems)
        index.add([document(77)])  # writes no hole
        assert signed(index) == [False]
        index.repair()
        assert signed(index) == [True]
        assert index.verify().clean
        assert index.count() == 31


def test_what_a_program_without_them_appended_is_scored_by_its_rows(store: Index, place: Path) -> None:
    store.add([document(seed) for seed in range(10)])
    before = str(entry(place))
    kept = (place / "segments" / "000001.signs").read_bytes()
    store.add([document(seed) for seed in range(10, 20)])
    store.close()
    set_entry(place, before)
    (place / "segments" / "000001.signs").write_bytes(kept)  # it's as long as the entry says, and the rows are more
    with Index.open(place) as index:
        assert signed(index) == [False]
        assert index.verify().clean
        index.add([document(seed) for seed in range(20, 25)])
        assert signed(index) == [False]
        assert index.convert() == 25
        assert signed(index) == [True]
        assert index.convert() == 0
        assert index.verify().clean


def test_a_file_left_under_a_number_that_an_older_program_used_anew_means_nothing(store: Index, place: Path) -> None:
    store.add([document(seed) for seed in range(10)])
    store.close()
    noise = np.random.default_rng(0).integers(0, 256, 1_000, np.uint8).tobytes()
    set_entry(place, None)
    (place / "segments" / "000001.signs").write_bytes(noise)
    with Index.open(place) as index:
        assert signed(index) == [False]
        assert index.verify().clean
        assert index.convert() == 10
        assert signed(index) == [True]


def test_an_older_index_gains_them_by_converting_compacting_or_repairing(
    store: Index, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 10)
    store.add([document(seed) for seed in range(25)])
    hits = store.search(rows(5, 3), k=30)
    store.close()
    for gain in (Index.convert, Index.repair):
        without_signs(place)
        with Index.open(place) as index:
            assert not any(signed(index))
            assert index.verify().clean
            assert index.search(rows(5, 3), k=30) == hits
            gain(index)
            assert all(signed(index))
            assert index.search(rows(5, 3), k=30) == hits
            assert index.verify().clean
    without_signs(place)
    with Index.open(place) as index:
        index.delete("d3")
        index.compact()
        assert signed(index)[-1]


def test_an_entry_that_changed_on_disk_is_no_entry_and_found(store: Index, place: Path) -> None:
    store.add([document(seed) for seed in range(10)])
    store.close()
    with closing(sqlite3.connect(place / "index.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET value = '{\"1\": 3}' WHERE name = 'signs'")
        assert signs.covered(connection) == {}


@pytest.mark.parametrize(
    "vectors", [5 * rows(3, 4), np.where(np.arange(4)[:, None] == 2, 1.2, 0.2) * np.ones((4, DIM))]
)
def test_rows_longer_than_1_leave_their_segment_without(
    store: Index, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 6)
    store.add([document(seed) for seed in range(4)])
    assert signed(store) == [True]
    store.add([Document(id="long", vectors=vectors)])
    assert signed(store) == [False]
    store.add([document(seed) for seed in range(4, 8)])
    store.add([document(8)])
    assert signed(store) == [False, True]  # the next one has none of them
    assert store.convert() == 0
    assert store.verify().clean
    assert len(store.search(rows(1, 2), k=20)) == 10


def test_rows_of_a_scale_below_0_leave_their_segment_without(store: Index) -> None:
    vectors = TokenVectors.from_arrays([rows(1, 3)]).quantize()
    assert vectors.scales is not None
    negative = TokenVectors(vectors.rows, vectors.starts, scales=-vectors.scales)
    store.add([document(1), Document(id="negative", vectors=negative)])
    assert signed(store) == [False]
    assert {hit.id for hit in store.search(rows(1, 2))} == {"d1", "negative"}


def test_flat_rows_are_no_longer_than_1(store: Index) -> None:
    store.add([Document(id="flat", vectors=np.full((3, DIM), DIM**-0.5))])
    assert signed(store) == [True]
