"""Opening, making and refusing."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from colibri import Index, InputError, StoreDamaged, StoreError
from other_process import documents_in
from store_contract import DIM, SPACE, document, rows


def test_a_new_index_is_empty_and_stays(place: Path) -> None:
    with Index.open(place, dim=DIM, space_id=SPACE) as index:
        assert (len(index), index.dim, index.space_id, index.model_name) == (0, DIM, SPACE, "")
    with Index.open(place) as index:
        assert "d1" not in index
        index.add([document(1)])
        assert "d1" in index
        assert len(index) == 1


def test_a_place_without_an_index_is_made_only_when_wanted(place: Path) -> None:
    with pytest.raises(StoreError, match="no index there"):
        Index.open(place, create=False)
    assert not place.exists()


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(StoreError, match="holds other files and no index"):
        Index.open(tmp_path, dim=DIM, space_id="")
    with pytest.raises(StoreError, match="is a file"):
        Index.open(tmp_path / "letter.txt", dim=DIM, space_id="")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"space_id": "x"}, "needs their width"),
        ({"space_id": "x", "dim": 0}, "dim"),
        ({"space_id": "x", "dim": True}, "dim"),
        ({"space_id": "x", "dim": 8, "model": "colibri-mini"}, "either a model or a space_id"),
        ({"dim": 77}, "has heads for"),
        ({"space_id": "x", "dim": 8, "lock_seconds": -1}, "lock_seconds"),
        ({"space_id": "x", "dim": 8, "lock_seconds": float("nan")}, "lock_seconds"),
        ({"space_id": 5, "dim": 8}, "space_id"),
    ],
)
def test_options_that_are_none_are_refused(place: Path, options: dict[str, Any], error: str) -> None:
    with pytest.raises(InputError, match=error):
        Index.open(place, **options)
    assert not place.exists()


@pytest.mark.parametrize(
    ("options", "error"), [({"dim": 9}, "has dim 8, not 9"), ({"space_id": "y"}, "holds vectors of")]
)
def test_an_index_of_another_kind_is_refused(place: Path, store: Index, options: dict[str, Any], error: str) -> None:
    with pytest.raises(StoreError, match=error):
        Index.open(place, **options)


def test_texts_need_a_model(store: Index) -> None:
    with pytest.raises(StoreError, match="give vectors, not texts"):
        store.add([{"id": "a", "text": "b"}])
    with pytest.raises(StoreError, match="give vectors, not texts"):
        store.search("b")
    assert store.count() == 0


def test_a_newer_format_is_refused(place: Path, store: Index) -> None:
    from colibri.index.storage import catalogue
    from colibri.index.storage.catalogue import Catalogue

    store.close()
    shelf = Catalogue(place)
    with shelf.lent() as connection:
        catalogue.write_fact(connection, "format", "99")
    shelf.close()
    with pytest.raises(StoreError, match="format 99"):
        Index.open(place)


@pytest.mark.parametrize("moment", ["before the tables", "before the commit"])
def test_a_maker_that_died_leaves_nothing_in_the_way(place: Path, moment: str) -> None:
    point = {"before the tables": "make_tables", "before the commit": "write_fact"}[moment]
    code = (
        "import os, sys; from colibri import Index; from colibri.index.storage import catalogue\n"
        f"catalogue.{point} = lambda *a: os._exit(9)\n"
        f"Index.open(sys.argv[1], dim={DIM}, space_id={SPACE!r})"
    )
    assert subprocess.run([sys.executable, "-c", code, str(place)], check=False).returncode == 9
    assert place.exists()
    with Index.open(place, dim=DIM, space_id=SPACE) as index:
        index.add([document(1)])
        assert index.verify().clean


def test_what_is_in_index_json_opens_an_index_whose_sqlite_file_is_broken(place: Path, store: Index) -> None:
    store.add([document(1)])
    store.close()
    (place / "index.sqlite").write_bytes(b"nothing")
    with Index.open(place) as index:
        assert (index.dim, index.space_id) == (DIM, SPACE)
        assert not index.verify().clean
    (place / "index.json").write_text('{"dim": "5"}', encoding="utf-8")
    with pytest.raises(StoreError, match="not a database"):
        Index.open(place)


@pytest.mark.parametrize("left", [None, b""])
@pytest.mark.parametrize("create", [True, False])
def test_rows_whose_sqlite_file_is_gone_are_not_overwritten(
    place: Path, store: Index, left: bytes | None, create: bool
) -> None:
    store.add([document(seed) for seed in range(5)])
    store.close()
    whole = (place / "index.sqlite").read_bytes()
    rows_of = {file.name: file.read_bytes() for file in (place / "segments").iterdir()}
    for file in place.glob("index.sqlite*"):
        file.unlink()
    if left is not None:
        (place / "index.sqlite").write_bytes(left)
    ways: list[dict[str, Any]] = [{"dim": DIM, "space_id": SPACE}, {}]
    for options in ways:
        with pytest.raises(StoreDamaged, match=r"index\.sqlite is gone or empty.*put that back from a copy"):
            Index.open(place, create=create, **options)
    assert {file.name: file.read_bytes() for file in (place / "segments").iterdir()} == rows_of
    (place / "index.sqlite").write_bytes(whole)
    with Index.open(place) as index:
        assert len(index) == 5
        assert index.verify().clean


def test_an_index_can_be_moved_and_copied(place: Path, store: Index, tmp_path: Path) -> None:
    store.add([document(seed) for seed in range(5)])
    wanted = store.search(rows(1), k=5)
    store.close()
    place.rename(tmp_path / "elsewhere")
    with Index.open(tmp_path / "elsewhere") as index:
        assert index.search(rows(1), k=5) == wanted


@pytest.mark.parametrize("name", ["a ?#%20b", 'it\'s "q"', "é 🐦", "x" * 200, "\udce9"])
def test_folders_of_any_name(tmp_path: Path, name: str) -> None:
    with Index.open(tmp_path / name, dim=DIM, space_id=SPACE) as index:
        index.add([document(1)])
        assert (tmp_path / name / "index.sqlite").exists()
    with Index.open(tmp_path / name) as index:
        assert index.search(rows(1))[0].id == "d1"


def test_a_forked_child_can_read(store: Index) -> None:
    store.add([document(1)])
    path = store.path
    child = os.fork() if hasattr(os, "fork") else None
    if child == 0:
        with Index.open(path) as index:
            found = [each.search(rows(1))[0].id for each in (index, store)]
        os._exit(0 if found == ["d1", "d1"] else 1)
    if child is not None:
        assert os.waitpid(child, 0)[1] == 0
    store.add([document(2)])
    assert store.verify().clean


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_what_a_forked_child_commits_outlives_its_parent_s_handle_and_itself(store: Index, place: Path) -> None:
    """SQLite in the child would take an inherited connection's locks for its own, and its log would go."""
    store.add([document(1)])
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(write)
            store.count()
            os.read(read, 1)
            store.add([document(2)])
        finally:
            os._exit(0)
    store.close()
    assert documents_in(place) == 1
    os.write(write, b"x")
    os.waitpid(child, 0)
    assert documents_in(place) == 2
    for number in (read, write):
        os.close(number)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_an_index_goes_on_in_a_parent_that_forks_while_threads_search(store: Index) -> None:
    store.add([document(seed) for seed in range(9)])
    over = threading.Event()
    counts: list[int] = []

    def search() -> None:
        while not over.is_set():
            counts.append(len(store.search(rows(1, 2), k=9)))

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        listing = store.documents()
        assert next(listing).id == "d0"
        for _ in range(5):
            child = os.fork()
            if child == 0:
                os._exit(0)  # what other threads of its parent were in the middle of, it may not touch
            assert os.waitpid(child, 0)[1] == 0
        assert len(list(listing)) == 8
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert set(counts) == {9}
