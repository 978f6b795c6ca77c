"""Finding, and mending, what changed on disk."""

import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri import Document, Index, StoreDamaged, StoreError, TokenVectors
from colibri.index import segments
from rounds import rounds
from store_contract import DIM, SPACE, document, rows


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


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE documents SET payload = '{\"n\":77}' WHERE id = 'd3'", ("d3",)),
        ("UPDATE documents SET id = 'other' WHERE id = 'd3'", ("other",)),
        ("UPDATE texts SET text = x'00' WHERE number = 4", ("d3",)),
        ("DELETE FROM texts WHERE number = 4", ("d3",)),
        ("UPDATE documents SET payload = x'ff' WHERE id = 'd3'", ("d3",)),
        ("UPDATE passages SET start = 1 WHERE document = 4", ("d3",)),
        ("DELETE FROM passages WHERE document = 4", ("d3",)),
        ("UPDATE passages SET document = 5 WHERE document = 4", ("d3", "d4")),
        ("UPDATE documents SET first = first + 1 WHERE id = 'd3'", ("d3",)),
        ("UPDATE documents SET first = first + 1000 WHERE id = 'd3'", ("d3",)),
        ("UPDATE documents SET first = 1 WHERE id = 'd3'", ("d3",)),
        ("UPDATE documents SET first = 'x' WHERE id = 'd3'", ("d3",)),
        ("UPDATE documents SET first = x'01', passages = 'y' WHERE id = 'd3'", ("d3",)),
        ("UPDATE documents SET passages = 100 WHERE id = 'd3'", ("d3",)),
        ("UPDATE passages SET spans = 5, crc = 'x' WHERE document = 4", ("d3",)),
        ("UPDATE segments SET gone = x'ffffffff'", ()),
        ("DELETE FROM segments", ()),
        ("UPDATE meta SET value = '12' WHERE name = 'commits'", ()),
        ("DELETE FROM meta WHERE name = 'next_document'", ()),
        ("DELETE FROM meta", ()),
        ("DELETE FROM documents WHERE id = 'd3'", ()),
    ],
)
def test_changed_rows_of_sqlite_are_found_and_mended(
    store: Index, place: Path, statement: str, named: tuple[str, ...]
) -> None:
    store.add([document(seed, text=f"text {seed}") for seed in range(10)])
    store.close()
    with sqlite3.connect(place / "index.sqlite") as connection:
        assert connection.execute(statement).rowcount >= 1
    connection.close()
    with reopened(place) as index:
        found = index.verify()
        assert not found.clean
        assert set(named) <= set(found.damaged)
        for name in [f"d{seed}" for seed in range(10)]:
            try:
                (got,) = index.get(name)
            except StoreDamaged:
                continue
            assert got is None or (got.text, got.payload) == (f"text {name[1:]}", {"n": int(name[1:])})
        for where in (None, {"n": {"$gt": 1}}, {"n": 3}):
            try:
                hits = index.search(rows(3, 4), k=20, where=where)
            except StoreDamaged:
                continue
            assert all((hit.text, hit.payload) == (f"text {hit.id[1:]}", {"n": int(hit.id[1:])}) for hit in hits)
        done = index.repair()
        assert index.verify().clean
        lost = 1 if "DELETE FROM documents" in statement else 0
        assert (len(done.dropped), done.lost) == (len(named), lost)
        assert index.count() == 10 - len(named) - lost
        index.add([document(50)])
        assert index.search(rows(50, 1), k=1)[0].id == "d50"


def test_a_sqlite_file_that_is_none_is_rebuilt(store: Index, place: Path) -> None:
    """Its first page is gone: nothing can be read, and what was indexed is lost, but not the index."""
    store.add([document(seed) for seed in range(10)])
    store.close()
    path = place / "index.sqlite"
    path.write_bytes(b"\xff" * 4096 + path.read_bytes()[4096:])
    with reopened(place) as index:
        with pytest.raises(StoreDamaged):
            index.count()
        assert not index.verify().clean
        assert index.repair().rebuilt
        assert index.count() == 0
        index.add([document(3)])
        assert index.verify().clean


def test_broken_pages_cost_only_what_was_on_them(store: Index, place: Path) -> None:
    store.add([document(seed, text="x" * 100) for seed in range(2_000)])
    store.close()
    path = place / "index.sqlite"
    pages = path.stat().st_size // 4096
    assert pages > 50
    chances = random.Random(0)
    for page in chances.sample(range(20, pages), 3):
        with path.open("r+b") as file:
            file.seek(4096 * page)
            file.write(bytes(chances.randrange(256) for _ in range(4096)))
    with reopened(place) as index:
        assert not index.verify().clean
        done = index.repair()
        assert done.rebuilt
        assert index.verify().clean
        assert 1_500 < index.count() < 2_000
        assert index.count() + len(done.dropped) + done.lost <= 2_000
        for found in index.documents():
            assert found.payload == {"n": int(found.id[1:])}


@settings(max_examples=rounds(quick=10, soak=100))
@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 7)), min_size=1, max_size=4), st.booleans())
def test_random_flips_never_pass_unseen(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]], in_sqlite: bool
) -> None:
    place = tmp_path_factory.mktemp("flips") / "index"
    wanted = {f"d{seed}": (f"text {seed}", {"n": seed}) for seed in range(60)}
    with Index.open(place, dim=DIM, space_id=SPACE) as index:
        index.add([document(seed, text=f"text {seed}") for seed in range(60)])
        truth = index.search(rows(8, 3), k=60)
    files = [place / "index.sqlite"] if in_sqlite else sorted((place / "segments").iterdir())
    for at, bit in flips:
        path = files[at % len(files)]
        flip(path, at % path.stat().st_size, bit)
    try:
        index = reopened(place)
    except StoreError:
        return
    with index:
        clean = index.verify().clean
        try:
            hits = index.search(rows(8, 3), k=60)
        except StoreError:
            assert not clean
        else:
            assert all((hit.text, hit.payload) == wanted[hit.id] for hit in hits)
            if clean:  # the flips met bytes that mean nothing
                assert hits == truth
        index.repair()
        assert index.verify().clean
        for found in index.documents():
            assert (found.text, found.payload) == wanted[found.id]


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
