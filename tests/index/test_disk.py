"""What a power loss, a full disk and short writes leave, by a disk that does as it is told.

SQLite's own file is the real one: that its commit is durable when it returns is SQLite's promise (synchronous=FULL).
What is ours is the order: everything a commit speaks of must be durable before it.
"""

import errno
import itertools
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pytest

from colibri import Index, StoreError
from colibri.index import ingest
from colibri.index.storage import segments
from colibri.index.storage.disk import Disk, write_all
from rounds import rounds
from sign_files import signed
from store_contract import DIM, SPACE, document, rows

State = dict[str, int]  # id -> payload's n


class StrangeDisk(Disk):
    """Takes few bytes at a time, fails when told to, and knows what would be left after a power loss.

    events     (what, file name) in their order
    fail_at    which event raises `failure` in place of happening; None: none
    after      called after each event
    """

    def __init__(self, seed: int = 0) -> None:
        self.events: list[tuple[str, str]] = []
        self.fail_at: int | None = None
        self.failure: BaseException = OSError(errno.ENOSPC, "No space left on device")
        self.after: Callable[[], object] = lambda: None
        self._chances = random.Random(seed)
        self._synced: dict[str, bytes] = {}
        self._durable: set[str] = set()
        self._length: dict[str, int] = {}

    def _event(self, what: str, name: str) -> None:
        if self.fail_at is not None and len(self.events) == self.fail_at:
            raise self.failure
        self.events.append((what, name))

    def write(self, file: BinaryIO, data: memoryview, offset: int) -> int:
        name = Path(str(file_name(file))).name
        self._event("write", name)
        taken = super().write(file, data[: self._chances.randint(len(data) // 2 + 1, len(data))], offset)
        self._length[name] = max(self._length.get(name, 0), offset + taken)
        self.after()
        return taken

    def sync(self, file: BinaryIO) -> None:
        path = Path(str(file_name(file)))
        self._event("sync", path.name)
        super().sync(file)
        self._synced[path.name] = path.read_bytes()
        self.after()

    def sync_folder(self, folder: Path) -> None:
        self._event("sync folder", folder.name)
        super().sync_folder(folder)
        if folder.name == "segments":
            self._durable = {path.name for path in folder.iterdir()}
        self.after()

    def rename(self, path: Path, to: Path) -> None:
        self._event("rename", path.name)
        super().rename(path, to)
        self._synced[to.name] = self._synced.pop(path.name, b"")
        self._length[to.name] = self._length.pop(path.name, 0)
        if (
            path.name in self._durable and self._chances.random() < 0.5
        ):  # a name may be there before the folder is synced
            self._durable = self._durable - {path.name} | {to.name}
        self.after()

    def remove(self, path: Path) -> None:
        self._event("remove", path.name)
        super().remove(path)
        self._durable.discard(path.name)
        self._length.pop(path.name, None)
        self.after()

    def committed(self) -> None:
        self.events.append(("commit", "index.sqlite"))
        self.after()

    def power_loss(self, place: Path, to: Path) -> Path:
        """The index as a power loss now would leave it: names and bytes that were not synced are lost or noise."""
        (to / "segments").mkdir(parents=True)
        for name in ("index.sqlite", "index.sqlite-wal", "index.json"):
            if (place / name).exists():
                shutil.copyfile(place / name, to / name)
        for name in self._durable:
            kept = self._synced.get(name, b"")
            noise = self._chances.randbytes(max(self._length.get(name, 0) - len(kept), 0))
            (to / "segments" / name).write_bytes(kept + noise[: self._chances.randint(0, len(noise))])
        return to


def file_name(file: BinaryIO) -> str:
    """Of a file that was opened by its descriptor."""
    return str(Path(f"/proc/self/fd/{file.fileno()}").readlink())


def held(index: Index) -> State:
    return {found.id: (found.payload or {})["n"] for found in index.documents(vectors=True)}


# Each is one transaction; "add" in the middle of others makes segments that are appended to.
STEPS: list[tuple[Callable[[Index], object], Callable[[State], State]]] = [
    (lambda i: i.add([document(s) for s in range(6)]), lambda m: m | {f"d{s}": s for s in range(6)}),
    (lambda i: i.add([document(9)]), lambda m: m | {"d9": 9}),
    (
        lambda i: i.upsert([document(20, id="d1"), document(21, id="new")]),
        lambda m: m | {"d1": 20, "new": 21},
    ),
    (lambda i: i.delete(["d2", "d9"]), lambda m: {n: v for n, v in m.items() if n not in {"d2", "d9"}}),
    (lambda i: i.compact(), lambda m: m),
    (lambda i: i.convert(rows="int4"), lambda m: m),
    (lambda i: i.upsert([document(s) for s in range(3, 8)]), lambda m: m | {f"d{s}": s for s in range(3, 8)}),
    (lambda i: i.delete(where={}), lambda m: {}),
    (lambda i: i.add([document(30)]), lambda m: {"d30": 30}),
]

linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks /proc for names of open files")


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: the disk is played here, and waiting for a real one took 18 s of 27."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path, prefix="colibri-test-") as made:
        yield Path(made)


@linux
@pytest.mark.parametrize(
    ("full", "batch"),
    # A full segment takes so many passages; more documents than a batch are staged in files.
    rounds(quick=[(3, 1), (80, 2)], soak=[(f, b) for f in (3, 1000, 2, 5, 80) for b in (1_024, 1, 2)]),
)
def test_a_power_loss_at_any_moment_loses_nothing_acknowledged(
    fast: Path, monkeypatch: pytest.MonkeyPatch, full: int, batch: int
) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", full)
    monkeypatch.setattr(ingest, "_BATCH_DOCUMENTS", batch)
    disk = StrangeDisk()
    index = Index.open(fast / "index", dim=DIM, space_id=SPACE, _disk=disk)
    numbers = itertools.count()
    allowed: list[State] = [{}]

    def look() -> None:
        copy = disk.power_loss(fast / "index", fast / f"lost-{next(numbers)}")
        if disk.events[-1][0] == "commit":
            allowed[:] = allowed[-1:]  # SQLite's promise: from here on only the new state
        with Index.open(copy, create=False) as after:
            assert held(after) in allowed, disk.events
            assert after.verify().clean, disk.events
            assert all(signed(after)), disk.events
            after.upsert([document(77)])  # and it goes on from there
            assert "d77" in held(after)
        assert not [*(copy / "segments").glob("staged-*")]
        shutil.rmtree(copy)

    disk.after = look
    model: State = {}
    for step, change in STEPS:
        allowed[:] = [model, change(model)]
        step(index)
        model = change(model)
        assert allowed == [model]
    index.close()
    assert next(numbers) > 40


@linux
def test_bytes_then_names_then_the_commit(tmp_path: Path) -> None:
    disk = StrangeDisk()
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE, _disk=disk) as index:
        for number, write_one in enumerate((index.add, index.upsert)):
            disk.events.clear()
            write_one([document(1 + number)])
            whats = [what for what, _ in disk.events]
            assert whats[-6:] == ["sync", "sync", "sync", "sync", "sync folder", "commit"]
            assert set(whats[:-6]) == {"write"}
            files = {f"000001.{kind}" for kind in segments.ALL_KINDS}
            assert {name for what, name in disk.events if what == "sync"} == files
        disk.events.clear()
        index.delete("d1")
        assert [what for what, _ in disk.events] == ["commit"]
        index.compact()
        at = [what for what, _ in disk.events].index("remove")
        assert ("commit", "index.sqlite") in disk.events[:at]


@linux
@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O error")])
@pytest.mark.parametrize("batch", [1_024, 1])
def test_a_disk_that_fails_at_any_moment_leaves_the_index_as_it_was(
    fast: Path, monkeypatch: pytest.MonkeyPatch, failure: OSError, batch: int
) -> None:
    monkeypatch.setattr(ingest, "_BATCH_DOCUMENTS", batch)
    disk = StrangeDisk()
    disk.failure = failure
    with Index.open(fast / "index", dim=DIM, space_id=SPACE, _disk=disk) as index:
        index.add([document(seed) for seed in range(4)])
        before = held(index)
        hits = index.search(rows(1, 2), k=9)
        for moment in itertools.count():
            disk.events.clear()
            disk.fail_at = moment
            try:
                index.upsert([document(50, id="d1"), document(51)])
                break
            except StoreError as error:
                said = str(error)
            assert str(failure.strerror) in said
            assert held(index) == before
            assert index.search(rows(1, 2), k=9) == hits
            disk.fail_at = None
            assert index.verify().clean
        assert moment >= 4
        disk.fail_at = None
        index.delete("absent")  # whoever writes next takes away what the disk would not let go of
        assert not [*(fast / "index" / "segments").glob("staged-*")]
        assert held(index) == before | {"d1": 50, "d51": 51}


@linux
def test_a_compaction_that_meets_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    disk = StrangeDisk()
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE, _disk=disk) as index:
        index.add([document(seed) for seed in range(9)])
        index.delete(["d1", "d2"])
        before = held(index)
        disk.fail_at = len(disk.events) + 2
        with pytest.raises(StoreError, match="No space"):
            index.compact()
        assert held(index) == before
        disk.fail_at = None
        assert index.compact() > 0
        assert held(index) == before
        assert index.verify().clean


def test_a_full_disk_under_sqlite_changes_nothing(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE) as index:
        index.add([document(1)])
        with index._core.shelf.lent() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # SQLite's own way to run out of room
        with pytest.raises(StoreError, match="full; nothing was changed"):
            index.add([document(seed, text="x" * 5_000) for seed in range(2, 9)])
        assert held(index) == {"d1": 1}
        assert index.verify().clean
        with index._core.shelf.lent() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        index.add([document(2, text="x" * 5_000)])
        assert held(index) == {"d1": 1, "d2": 2}


@linux
def test_ctrl_c_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    disk = StrangeDisk()
    disk.failure = KeyboardInterrupt()
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE, _disk=disk) as index:
        index.add([document(1)])
        disk.fail_at = len(disk.events) + 3
        with pytest.raises(KeyboardInterrupt):
            index.add([document(2)])
        disk.fail_at = None
        assert held(index) == {"d1": 1}
        index.add([document(2)])
        assert index.verify().clean


def test_a_disk_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    class Stubborn(Disk):
        def write(self, file: BinaryIO, data: memoryview, offset: int) -> int:
            return 0

    with (tmp_path / "x").open("wb", buffering=0) as file, pytest.raises(OSError, match="takes no more"):
        write_all(Stubborn(), file, memoryview(b"abc"), 0)


def test_a_writer_never_shortens_a_file_that_a_reader_has_mapped(tmp_path: Path) -> None:
    """Bytes that a writer left uncommitted are overwritten by the next one."""
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE) as index:
        index.add([document(1)])
        file = tmp_path / "index" / "segments" / "000001.rows"
        committed = file.stat().st_size
        with file.open("ab") as left:
            left.write(b"\x55" * 1000)
        assert index.verify().clean
        hits = index.search(rows(1, 2))
        index.add([document(2)])
        assert file.stat().st_size == committed + 1000
        assert [hit.id for hit in index.search(rows(2, 3), k=1)] == ["d2"]
        assert index.search(rows(1, 2))[0] == hits[0]
        assert index.verify().clean


def test_files_of_a_writer_that_died_go_with_the_next_one(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE) as index:
        index.add([document(1)])
        (tmp_path / "index" / "segments" / "000007.rows").write_bytes(b"x" * 100)
        index.search(rows(1))
        assert (tmp_path / "index" / "segments" / "000007.rows").exists()  # a reader recovers nothing
        index.add([document(2)])
        assert not (tmp_path / "index" / "segments" / "000007.rows").exists()
