"""One writer and many readers, in threads and in processes."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from colibri import Index, StoreLocked
from colibri.index.storage.lock import WriterLock
from readers_child import COUNT, read, version_documents, write
from rounds import rounds
from store_contract import DIM, SPACE, document, rows

TESTS = Path(__file__).parents[1]


HOLD = """
import sys
from pathlib import Path
from colibri.index.storage.lock import WriterLock
with WriterLock(Path(sys.argv[1]) / "writer.lock", 1).held():
    print("held", flush=True)
    sys.stdin.readline()
"""


def child(code: str, *words: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def test_one_writer_and_four_reader_processes(tmp_path: Path) -> None:
    seconds = rounds(quick=2, soak=60)
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE) as index:
        index.add(version_documents(1))
    code = "import readers_child; readers_child.main()"
    children = [
        child(code, str(tmp_path / "index"), what, str(seconds)) for what in ("write", "read", "read", "read", "read")
    ]
    ends = [process.communicate() for process in children]
    for process, (_, errors) in zip(children, ends, strict=True):
        assert process.returncode == 0, errors
    counts = [int(said) for said, _ in ends]
    assert counts[0] > 3
    assert min(counts[1:]) > 3
    with Index.open(tmp_path / "index") as index:
        assert index.verify().clean
        assert {(stored.payload or {})["v"] for stored in index.documents()} == {counts[0]}


def test_threads_share_an_index(store: Index) -> None:
    store.add(version_documents(1))
    until = time.monotonic() + 1.5
    failures: list[BaseException] = []

    def guarded(work: Callable[[Index, float], object]) -> None:
        try:
            work(store, until)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (write, read, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.verify().clean


def test_two_handles_write_in_turn(place: Path, store: Index) -> None:
    with Index.open(place) as second:
        for i in range(10):
            (store if i % 2 else second).add([document(i)])
            assert store.count() == second.count() == i + 1
            assert len(store.search(rows(1), k=20)) == len(second.search(rows(1), k=20)) == i + 1


def test_a_second_writer_waits_and_then_says_so(place: Path, store: Index) -> None:
    store.add([document(1)])
    with Index.open(place, lock_seconds=0.05) as second, WriterLock(place / "writer.lock", 1).held():
        with pytest.raises(StoreLocked, match=r"another writer was busy for 0\.05 s"):
            second.add([document(2)])
        with pytest.raises(TimeoutError):
            second.delete("d1")
        assert second.count() == 1  # reading needs no lock
        assert len(second.search(rows(1))) == 1
    assert store.count() == 1
    store.add([document(2)])


def test_a_writer_in_another_process_is_waited_for(place: Path, store: Index) -> None:
    holder = child(HOLD, str(place))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with Index.open(place, lock_seconds=0.05) as second, pytest.raises(StoreLocked):
        second.add([document(1)])
    done = threading.Thread(target=store.add, args=([document(1)],))
    done.start()
    holder.communicate("\n")
    done.join()
    assert store.count() == 1


def test_a_killed_writer_holds_no_lock(place: Path, store: Index) -> None:
    holder = child(HOLD, str(place))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.communicate()
    assert store.add([document(1)]) == 1


# ---- a folder that may not be written


@pytest.fixture
def readable() -> Iterator[Path]:
    """A place that other users can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "index"
        for path in Path(folder).rglob("*"):
            path.chmod(0o755)


def unprivileged(code: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run as one for whom a read-only folder is read-only: root is not, unless it gives up the right to override."""
    command = [sys.executable, "-c", code, *words]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all", *command]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


READ = """
import sys
from colibri import Index, StoreError
from store_contract import rows, document
with Index.open(sys.argv[1]) as index:
    found = [hit.id for hit in index.search(rows(3, 4), k=2)]
    print(index.count(), found, index.get("d3")[0].payload, index.verify().clean)
    try:
        index.add([document(99)])
    except StoreError as error:
        print("refused:", error)
"""


def freeze(place: Path) -> None:
    for path in [*place.rglob("*"), place]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_read_only_folder_can_be_searched(readable: Path) -> None:
    with Index.open(readable, dim=DIM, space_id=SPACE) as index:
        index.add([document(seed) for seed in range(9)])
        wanted = [hit.id for hit in index.search(rows(3, 4), k=2)]
    assert not (readable / "index.sqlite-wal").exists()  # closing brought the log in
    freeze(readable)
    done = unprivileged(READ, str(readable))
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == f"9 {wanted} {{'n': 3}} True"
    assert second.startswith("refused:")
    assert "cannot be written" in second


def test_a_read_only_folder_with_a_log_is_refused_in_words(readable: Path) -> None:
    """Opened as unchanging it would show an old state; nobody could tell."""
    code = (
        "import os, sys; from colibri import Index; from store_contract import document\n"
        "index = Index.open(sys.argv[1], dim=8, space_id='contract-space'); index.add([document(1)]); os._exit(0)"
    )
    assert unprivileged(code, str(readable)).returncode == 0
    assert (readable / "index.sqlite-wal").stat().st_size > 0
    (readable / "index.sqlite-shm").unlink(missing_ok=True)
    freeze(readable)
    done = unprivileged(READ, str(readable))
    assert done.returncode == 1
    assert "read-only, and its last writer was not closed" in done.stderr


def test_a_read_only_reader_sees_what_a_writer_that_may_write_does(readable: Path) -> None:
    with Index.open(readable, dim=DIM, space_id=SPACE) as index:
        index.add([document(seed) for seed in range(3)])
    freeze(readable)
    code = (
        "import sys; from colibri import Index\nindex = Index.open(sys.argv[1])\n"
        "print(index.count(), flush=True); sys.stdin.readline(); print(index.count(), flush=True)"
    )
    command = [sys.executable, "-c", code, str(readable)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all", *command]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline() == "3\n"
        for path in [readable, *readable.rglob("*")]:
            path.chmod(0o755)
        with Index.open(readable) as index:
            index.add([document(50)])
            freeze(readable)
            reader.stdin.write("\n")
            reader.stdin.flush()
            assert reader.stdout.readline() == "4\n"
            for path in [readable, *readable.rglob("*")]:
                path.chmod(0o755)


def test_counts_of_versions_are_what_the_reader_expects() -> None:
    assert len(version_documents(3)) == COUNT
