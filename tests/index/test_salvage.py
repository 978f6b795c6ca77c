"""What changed in the SQLite file: rows, definitions, whole pages."""

import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri import Index, StoreDamaged, StoreError
from other_process import documents_in
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
        ("UPDATE segments SET passages = 'x'", ()),
        ("UPDATE segments SET tokens = 1.5", ()),
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


@pytest.mark.parametrize("bit", [0, 7])
@pytest.mark.parametrize("at", [3, 16, 18, 22, 45, 58, *range(3_200, 4_090, 90)])
def test_a_schema_with_a_flipped_bit(store: Index, place: Path, at: int, bit: int) -> None:
    """It may be no UTF-8, and then neither is SQLite's message, or name a column that there is not."""
    store.add([document(seed) for seed in range(3)])
    store.close()
    flip(place / "index.sqlite", at, bit)
    with reopened(place) as index:
        clean = index.verify().clean
        try:
            found = index.search(rows(1, 2), k=9)
        except StoreError:
            assert not clean
            found = []
        assert all(hit.payload == {"n": int(hit.id[1:])} for hit in found)
        assert len(found) == 3 or not clean
        index.repair()
        assert index.verify().clean
        assert index.count() == 3


def test_a_repair_leaves_sqlite_s_locks_to_other_handles(store: Index, place: Path) -> None:
    """Else the next process that closes the file takes it for its own, and its log away from those who go on."""
    store.add([document(1)])
    with Index.open(place) as other:
        assert other.count() == 1
        for _ in range(2):
            store.repair()
        assert documents_in(place) == 1
        other.add([document(2)])
        assert documents_in(place) == 2
