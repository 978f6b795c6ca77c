"""Finding, and mending, what changed on disk."""

import random
from pathlib import Path

import numpy as np
import pytest

from colibri import Document, Index, StoreDamaged, TokenVectors
from colibri.index.storage import segments
from colibri.index.upkeep.repair import Repair
from store_contract import DIM, document, rows


def flip(path: Path, at: int, bit: int = 0) -> None:
    """One bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def reopened(place: Path) -> Index:
    return Index.open(place, create=False)


@pytest.mark.parametrize("kind", ["rows", "scales", "ends"])
def test_every_flipped_bit_of_a_segment_is_found_and_named(store: Index, place: Path, kind: str) -> None:
    made = [document(seed, text=f"text {seed}") for seed in range(12)]
    store.add(made)
    store.delete("d5")
    file = place / "segments" / f"000001.{kind}"
    whole = file.read_bytes()
    ends = np.frombuffer((place / "segments" / "000001.ends").read_bytes(), "<i8")
    width = {"rows": DIM, "scales": 4, "ends": 8}[kind]
    chances = random.Random(kind)
    for at in range(0, len(whole), 3):
        flip(file, at, chances.randrange(8))
        unit = at // width  # a token, or a passage
        owner = unit if kind == "ends" else int(np.searchsorted(ends, unit, side="right"))
        found = store.verify()
        if owner != 5:
            assert f"d{owner}" in found.damaged
        with Index.open(place) as index:
            for name in (f"d{seed}" for seed in range(12) if seed != 5):
                try:
                    (got,) = index.get(name, vectors=True)
                except StoreDamaged:
                    assert owner != 5 or kind == "ends"
                else:
                    assert name not in found.damaged
                    assert got is not None
                    assert got.text == f"text {name[1:]}"
            if owner != 5 and kind != "ends":
                with pytest.raises(StoreDamaged):
                    index.get(f"d{owner}")
        file.write_bytes(whole)
    assert store.verify().clean


def test_searching_never_returns_a_damaged_document(store: Index, place: Path) -> None:
    store.add([document(seed) for seed in range(30)])
    flip(place / "segments" / "000001.rows", 3, 6)  # the first document's only row
    with Index.open(place) as index, pytest.raises(StoreDamaged, match="d0") as caught:
        index.search(rows(0, 1), k=30)
    assert caught.value.ids == ("d0",)


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_a_scale_that_is_no_number_is_damage(store: Index, place: Path, value: float) -> None:
    store.add([document(seed) for seed in range(30)])
    with (place / "segments" / "000001.scales").open("r+b") as file:
        file.write(np.float32(value).tobytes())
    with Index.open(place) as index, pytest.raises(StoreDamaged):
        index.search(rows(0, 1), k=3)
    assert store.verify().damaged == ("d0",)


def test_repair_drops_only_what_is_broken(store: Index, place: Path) -> None:
    store.add([document(seed, text="kept") for seed in range(30)])
    flip(place / "segments" / "000001.rows", 3)
    with reopened(place) as index:
        done = index.repair()
        assert (done.dropped, done.encoded, done.lost, done.rebuilt) == (("d0",), (), 0, False)
        assert index.verify().clean
        assert index.count() == 29
        assert {hit.id for hit in index.search(rows(3, 4), k=40)} == {f"d{seed}" for seed in range(1, 30)}
        assert index.repair() == type(done)()
        index.add([document(0)])
        assert index.verify().clean
    assert store.count() == 30  # a handle from before goes on


def test_repair_keeps_what_offsets_can_still_tell(store: Index, place: Path) -> None:
    store.add([document(seed) for seed in range(30)])
    flip(place / "segments" / "000001.ends", 8 * 10, 5)
    with reopened(place) as index:
        with pytest.raises(StoreDamaged):
            index.search(rows(1, 1))
        assert sorted(index.repair().dropped) == ["d10", "d11"]
        assert index.verify().clean
        assert index.count() == 28
        assert len(index.search(rows(1, 1), k=50)) == 28


@pytest.mark.parametrize("kind", ["rows", "scales", "ends"])
def test_a_lost_file_costs_what_was_in_it(
    store: Index, place: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 10)
    store.add([document(seed) for seed in range(10)])
    store.add([document(seed) for seed in range(10, 20)])
    store.close()
    (place / "segments" / f"000001.{kind}").unlink()
    with reopened(place) as index:
        with pytest.raises(StoreDamaged):
            index.search(rows(1, 1))
        assert len(index.verify().damaged) == 10
        assert sorted(index.repair().dropped) == sorted(f"d{seed}" for seed in range(10))
        assert len(index.search(rows(1, 1), k=50)) == 10


def test_passages_are_verified_one_by_one(store: Index, place: Path) -> None:
    parts = TokenVectors.from_arrays([rows(seed, 2) for seed in range(6)])
    store.add([Document(id="book", vectors=parts), document(7)])
    flip(place / "segments" / "000001.rows", 5 * 2 * DIM)  # of the last passage
    with reopened(place) as index:
        (hit,) = index.search(rows(1, 2), k=1, passages=1)  # what is returned is whole
        assert hit.id == "book"
        with pytest.raises(StoreDamaged):
            index.get("book")
        assert index.verify().damaged == ("book",)


def test_what_comes_after_a_repair_is_not_written_over_what_readers_have_mapped(store: Index, place: Path) -> None:
    """The last two passages are gone, and the next two have as many rows together."""
    store.add([document(seed) for seed in range(4)])
    store.add([Document(id="x", vectors=rows(50, 1)), Document(id="y", vectors=rows(51, 2))])
    with Index.open(place) as reader:
        listing = reader.documents(vectors=True)
        assert next(listing).id == "d0"
        store.delete(["x", "y"])
        assert store.repair() == Repair()
        store.add([Document(id="p", vectors=rows(60, 2)), Document(id="q", vectors=rows(61, 1))])
        assert [stored.id for stored in listing] == ["d1", "d2", "d3", "x", "y"]
        assert len(reader.search(rows(60, 2), k=9)) == 6
        assert [stored is not None for stored in reader.get(["p", "q"], vectors=True)] == [True, True]
        assert store.verify().clean
