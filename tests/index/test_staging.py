"""Writers do not wait for each other's work: documents are staged without the lock, and come in together or not."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from colibri import Document, Index, InputError, StoreError, StoreLocked
from colibri.index import ingest
from colibri.index.storage import segments, transaction
from colibri.index.storage.lock import WriterLock, held, taken_over
from cuts_seen import cuts
from old_index import without_words
from store_contract import DIM, SPACE, document, rows

TESTS = Path(__file__).parents[1]
MANY = 12


@pytest.fixture(params=["in memory", "in files", "in large files"])
def staged(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where documents wait: files that are copied into a segment, or files that become one."""
    if request.param != "in memory":
        monkeypatch.setattr(ingest, "_BATCH_DOCUMENTS", 4)
    if request.param == "in large files":
        monkeypatch.setattr(transaction, "OWN_SHARE", 1 << 30)
    return str(request.param)


@pytest.fixture
def other(place: Path, store: Index) -> Iterator[Index]:
    """Another handle on the same index, which does not wait for a lock at all."""
    with Index.open(place, lock_seconds=0) as index:
        yield index


def many(meanwhile: Callable[[], object] = lambda: None, *, count: int = MANY) -> Iterator[Document]:
    """Documents d0 and on; something happens before the last one is handed over."""
    yield from (document(i) for i in range(count - 1))
    meanwhile()
    yield document(count - 1)


def held_by(index: Index) -> dict[str, int]:
    return {found.id: (found.payload or {})["n"] for found in index.documents(vectors=True)}


ALL = {f"d{i}": i for i in range(MANY)}


def left_over(place: Path) -> list[str]:
    return [path.name for path in (place / "segments").glob("staged-*")]


@pytest.mark.parametrize("write", ["add", "upsert"])
def test_another_handle_writes_at_once_while_a_call_reads_its_documents(
    staged: str, write: str, place: Path, store: Index, other: Index
) -> None:
    seen: list[dict[str, int]] = []

    def edit() -> None:
        other.upsert([document(500, id="edited")])
        other.add([document(501, id="added")])
        assert other.delete("old") == 1
        seen.extend([held_by(other), held_by(store)])

    store.add([document(1, id="old")])
    assert getattr(store, write)(many(edit)) == MANY
    assert seen == [{"edited": 500, "added": 501}] * 2
    assert held_by(store) == held_by(other) == ALL | {"edited": 500, "added": 501}
    assert {hit.id for hit in store.search(rows(3, 2), k=99)} == held_by(store).keys()
    assert store.verify().clean
    assert left_over(place) == []


def test_the_same_handle_may_write_from_the_generator_and_from_another_thread(staged: str, store: Index) -> None:
    def edit() -> None:
        store.upsert([document(500, id="inner")])
        thread = threading.Thread(target=store.upsert, args=([document(501, id="thread")],))
        thread.start()
        thread.join()

    store.add(many(edit))
    assert held_by(store) == ALL | {"inner": 500, "thread": 501}


_EDIT = """
import sys
from colibri import Index
from store_contract import document
with Index.open(sys.argv[1], lock_seconds=0) as index:
    index.upsert([document(int(n), id=f"p{n}") for n in sys.argv[2:]])
    print(index.count())
"""


def run(code: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_another_process_writes_at_once(staged: str, place: Path, store: Index) -> None:
    done: list[str] = []

    def edit() -> None:
        found = run(_EDIT, str(place), "7", "8")
        assert found.returncode == 0, found.stderr
        done.append(found.stdout.strip())

    store.add(many(edit))
    assert done == ["2"]
    assert held_by(store) == ALL | {"p7": 7, "p8": 8}
    assert store.verify().clean


def test_two_bulk_calls_are_open_at_once(staged: str, store: Index, other: Index) -> None:
    """Each waits, in the middle of its documents, until the other has come as far."""
    meet = threading.Barrier(2, timeout=60)

    def stream(first: int) -> Iterator[Document]:
        for i in range(first, first + MANY):
            yield document(i)
            if i == first + MANY // 2:
                meet.wait()

    thread = threading.Thread(target=store.add, args=(stream(0),))
    thread.start()
    other_lock = Index.open(other.path)
    other_lock.add(stream(100))
    thread.join()
    other_lock.close()
    assert held_by(store) == ALL | {f"d{i}": i for i in range(100, 100 + MANY)}
    assert store.verify().clean


def test_an_id_that_appears_meanwhile_is_an_error_and_nothing_changes(
    staged: str, place: Path, store: Index, other: Index
) -> None:
    with pytest.raises(InputError, match="'d3' is there already"):
        store.add(many(lambda: other.upsert([document(77, id="d3")])))
    assert held_by(store) == {"d3": 77}
    store.add([document(1, id="after")])
    assert left_over(place) == []
    assert store.verify().clean


def test_of_two_upserts_of_one_id_the_later_commit_counts(staged: str, store: Index, other: Index) -> None:
    """The inner one commits first, though its call began later."""
    store.upsert([document(900, id="d3")])
    store.upsert(many(lambda: other.upsert([document(77, id="d3"), document(78, id="d5")])))
    assert held_by(store) == ALL
    assert [hit.id for hit in store.search(rows(77, 3), k=99)].count("d3") == 1
    assert store.stats().passages == store.count() == len(store.search(rows(1, 1), k=99)) == MANY
    assert store.verify().clean


def test_of_one_id_given_twice_the_later_counts(staged: str, store: Index) -> None:
    assert store.upsert(document(n, id=f"d{n % 5}") for n in range(20)) == 20
    assert held_by(store) == {f"d{n}": 15 + n for n in range(5)}
    assert store.stats().passages == 5
    assert {hit.id for hit in store.search(rows(1, 1), k=99)} == held_by(store).keys()
    assert store.verify().clean
    with pytest.raises(InputError, match="given twice"):
        store.add(document(n, id=f"e{n % 15}") for n in range(20))
    assert store.count() == 5
    store.compact()
    assert store.stats().gone_tokens == 0
    assert held_by(store) == {f"d{n}": 15 + n for n in range(5)}


@pytest.mark.parametrize("what", ["delete", "compact", "verify", "repair", "export", "search", "set_payloads"])
def test_everything_else_may_happen_meanwhile(
    staged: str, what: str, tmp_path: Path, store: Index, other: Index
) -> None:
    before = [document(i, id=f"b{i}") for i in range(9)]
    store.add(before)
    store.delete(["b1", "b2"])
    wanted = {f"b{i}": i for i in range(9) if i not in (1, 2)}

    def meanwhile() -> None:
        if what == "delete":
            assert other.delete(["b3", "d2"]) == 1  # what is not committed is not there
            del wanted["b3"]
        elif what == "compact":
            assert other.compact() > 0
        elif what == "verify":
            assert other.verify().clean
        elif what == "repair":
            found = other.repair()
            assert (found.encoded, found.dropped, found.lost) == ((), (), 0)
        elif what == "export":
            assert other.export(tmp_path / "export") == 7
        elif what == "search":
            assert len(other.search(rows(1, 1), k=99)) == 7
        else:
            assert other.set_payloads({"b4": {"n": 44}, "d1": {"n": 45}}) == 1
            wanted["b4"] = 44

    store.add(many(meanwhile))
    assert held_by(store) == held_by(other) == ALL | wanted
    assert store.verify().clean
    other.compact()
    assert held_by(store) == ALL | wanted


def test_closing_meanwhile_ends_the_call_and_changes_nothing(staged: str, place: Path, store: Index) -> None:
    with pytest.raises(StoreError, match="was closed"):
        store.add(many(store.close))
    with Index.open(place) as again:
        assert again.count() == 0
        assert left_over(place) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whatever_ends_the_call_early_leaves_nothing(
    staged: str, place: Path, store: Index, error: type[BaseException]
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(error):
        store.add(many(fail))
    assert store.count() == 0
    assert left_over(place) == []
    assert store.add(many()) == MANY


def test_a_bad_document_at_the_end_changes_nothing(staged: str, place: Path, store: Index) -> None:
    def stream() -> Iterator[Document]:
        yield from many()
        yield document(1, id="")

    with pytest.raises(InputError, match=r"documents\[12\]: id of 0 characters"):
        store.add(stream())
    assert store.count() == 0
    assert left_over(place) == []


def test_the_lock_is_not_taken_before_the_last_document_was_read(staged: str, place: Path, store: Index) -> None:
    """Whoever holds it all the while disturbs nobody who is not committing."""
    with Index.open(place, lock_seconds=0) as index:
        lock = WriterLock(place / "writer.lock", 0)
        with lock.held(), pytest.raises(StoreLocked):
            index.add(many())
        assert index.count() == 0
        holding = lock.held()
        holding.__enter__()
        assert index.add(many(lambda: holding.__exit__(None, None, None))) == MANY
        assert index.count() == MANY


def test_a_folder_that_cannot_be_written_is_refused_before_a_document_is_read(store: Index, place: Path) -> None:
    lock = place / "writer.lock"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        store.add(many(lambda: pytest.fail("read on")))
    store.close()
    with pytest.raises(StoreError, match="was closed"):
        store.add(many(lambda: pytest.fail("read on")))


def test_small_adds_share_a_segment_and_large_ones_have_their_own(
    place: Path, store: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 80)  # an eighth of it: 10
    monkeypatch.setattr(ingest, "_BATCH_DOCUMENTS", 4)
    for i in range(10):
        store.add([document(1_000 + i)])
        store.add(document(100 * i + j) for j in range(5))  # more than a batch, less than 10
    assert store.stats().segments == 1
    store.add(document(5_000 + j) for j in range(12))
    assert store.stats().segments == 2
    store.add([document(6_000)])
    assert store.stats().segments == 2
    assert {path.name for path in (place / "segments").iterdir()} == {
        f"00000{number}.{kind}" for number in (1, 2) for kind in (*segments.KINDS, "signs")
    }
    assert store.verify().clean
    store.delete("d0")
    store.compact()
    assert store.stats().segments == 1


def test_a_bulk_call_of_more_than_a_segment_makes_several(
    store: Index, staged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "FULL_PASSAGES", 5)
    store.upsert(document(n, id=f"d{n % 30}") for n in range(60))
    assert held_by(store) == {f"d{n}": 30 + n for n in range(30)}
    assert store.verify().clean


def test_memory_does_not_grow_with_the_number_of_documents(store: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_BATCH_DOCUMENTS", 50)

    def peak(first: int, count: int) -> int:
        gc.collect()
        tracemalloc.start()
        store.add(document(first + i, text="x" * 20_000) for i in range(count))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, lots = peak(0, 150), peak(10_000, 900)
    assert store.count() == 1_050
    assert lots - few < 4_000_000  # of 15 MB of texts more
    assert store.verify().clean


# ---- who is alive


_STREAM = """
import sys
from colibri import Index
from colibri.index import ingest
from store_contract import document
ingest._BATCH_DOCUMENTS = 4
def stream():
    yield from (document(i) for i in range(11))
    print("open", flush=True)
    sys.stdin.readline()
    yield document(11)
with Index.open(sys.argv[1]) as index:
    index.add(stream())
    print("done", flush=True)
"""


def writer_with_an_open_call(place: Path) -> "subprocess.Popen[str]":
    child = subprocess.Popen(
        [sys.executable, "-c", _STREAM, str(place)],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "open\n"
    return child


def test_what_a_living_process_staged_stays(place: Path, store: Index) -> None:
    child = writer_with_an_open_call(place)
    staged_by_child = sorted(left_over(place))
    assert len(staged_by_child) == 6
    for write in (lambda: store.add([document(99)]), store.compact, store.repair, lambda: store.delete("d99")):
        write()
        assert sorted(left_over(place)) == staged_by_child
    with Index.open(place) as another:
        assert another.verify().clean
        another.upsert([document(50)])
    said, errors = child.communicate("\n")
    assert (said, child.returncode) == ("done\n", 0), errors
    assert held_by(store) == ALL | {"d50": 50}
    assert left_over(place) == []


def test_what_a_killed_process_staged_goes_with_the_next_writer(place: Path, store: Index) -> None:
    child = writer_with_an_open_call(place)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert len(left_over(place)) == 6
    assert store.count() == 0
    assert len(left_over(place)) == 6  # a reader recovers nothing
    store.add([document(1)])
    assert left_over(place) == []
    assert store.verify().clean


def test_what_a_copied_index_brought_along_goes_as_well(place: Path, store: Index) -> None:
    """And what an interrupted removal left, of which the lock is the last to go."""
    folder = place / "segments"
    for name in (
        "staged-0123456789abcdef.sqlite",
        "staged-0123456789abcdef-000001.rows",
        "staged-00000000000000ff.lock",
    ):
        (folder / name).write_bytes(b"x")
    (folder / "staged-notes.txt").write_bytes(b"not ours")
    (folder / "staged-0123456789ABCDEF.lock").write_bytes(b"not ours")
    store.add([document(1)])
    assert sorted(left_over(place)) == ["staged-0123456789ABCDEF.lock", "staged-notes.txt"]


def test_a_call_whose_files_somebody_took_away_fails_and_changes_nothing(
    place: Path, store: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a folder is shared by machines that do not see each other's locks."""
    monkeypatch.setattr(ingest, "_BATCH_DOCUMENTS", 4)

    def tidy() -> None:
        for path in (place / "segments").glob("staged-*"):
            path.unlink()

    store.add([document(70)])
    with pytest.raises(StoreError, match=r"cannot be written .*; nothing was changed"):
        store.add(many(tidy))
    assert held_by(store) == {"d70": 70}
    assert store.verify().clean
    store.add(many())
    assert store.verify().clean


def test_a_held_file_cannot_be_taken_over_until_it_is_let_go(tmp_path: Path) -> None:
    own = held(tmp_path / "x.lock")
    assert own is not None
    assert taken_over(tmp_path / "x.lock") is None
    own.close()
    second = taken_over(tmp_path / "x.lock")
    assert second is not None
    own.close()  # again: whatever has its number by now is another's
    assert taken_over(tmp_path / "x.lock") is None
    second.close()
    with pytest.raises(FileNotFoundError):
        taken_over(tmp_path / "absent.lock")


def test_a_file_that_was_taken_for_a_dead_ones_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody tidies up between the making of a file and the lock on it."""
    path = tmp_path / "x.lock"
    from colibri import machine
    from colibri.index.storage import lock

    locked = machine.try_lock

    def taken_away_first(number: int) -> bool:
        path.unlink()
        return locked(number)

    monkeypatch.setattr(lock, "try_lock", taken_away_first)
    assert held(path) is None


fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_that_unwinds_harms_nothing_of_its_parents(staged: str, place: Path, store: Index) -> None:
    """It leaves the generator, and with it everything that its parent's call would take away."""

    def child() -> None:
        number = os.fork()
        if number == 0:
            raise SystemExit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 7

    outer = os.getpid()
    try:
        assert store.add(many(child)) == MANY
    except SystemExit as end:
        if os.getpid() == outer:
            raise
        os._exit(int(str(end.code)))
    assert held_by(store) == ALL
    assert store.verify().clean
    assert left_over(place) == []


@fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_writes_while_its_parents_call_is_open(staged: str, store: Index) -> None:
    def child() -> None:
        process = multiprocessing.get_context("fork").Process(target=store.upsert, args=([document(70)],))
        process.start()
        process.join()
        assert process.exitcode == 0

    store.add(many(child))
    assert held_by(store) == ALL | {"d70": 70}
    assert store.verify().clean


@fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_forked_under_the_lock_holds_none_and_undoes_none(place: Path, store: Index) -> None:
    lock = WriterLock(place / "writer.lock", 0)
    with lock.held():
        number = os.fork()
        if number == 0:
            code = 1
            try:
                with lock.held():
                    code = 2  # its parent has it
            except StoreLocked:
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0
        with pytest.raises(StoreLocked), WriterLock(place / "writer.lock", 0).held():
            pass
    with WriterLock(place / "writer.lock", 0).held():
        pass


# ---- import


def test_an_import_waits_for_nobody_and_is_one_transaction(
    staged: str, place: Path, tmp_path: Path, store: Index
) -> None:
    store.add(many())
    store.export(tmp_path / "export")
    with Index.open(tmp_path / "second", dim=DIM, space_id=SPACE) as second:
        assert second.import_(tmp_path / "export") == MANY
        assert held_by(second) == ALL
        with pytest.raises(InputError, match="is there already"):
            second.import_(tmp_path / "export")
        assert second.import_(tmp_path / "export", replace=True) == MANY
        assert held_by(second) == ALL
        assert second.verify().clean
        assert left_over(tmp_path / "second") == []


def test_words_are_cut_before_the_lock_is_taken(staged: str, store: Index) -> None:
    texts = [Document(id=f"d{i}", vectors=rows(i), text=f"bird {i} of {MANY}", payload={"n": i}) for i in range(MANY)]
    with cuts(store) as held_then:
        store.add(texts)
    assert held_then == [False] * MANY
    assert store.verify().clean
    assert [hit.id for hit in store.search(rows(3), text='"bird 3"', mode="words")] == ["d3"]
    with cuts(store) as held_then:
        store.upsert([replace(one, text="another") for one in texts])
    assert held_then.count(False) == MANY  # what goes is cut under it, by the words that are there then
    assert held_then.count(True) == MANY
    assert store.verify().clean


def test_an_index_that_got_words_while_documents_waited_has_theirs_too(staged: str, place: Path) -> None:
    Index.open(place, dim=DIM, space_id=SPACE).close()
    without_words(place)
    with Index.open(place, create=False) as store, Index.open(place, create=False) as other:
        store.add(replace(one, text=f"bird {one.id}") for one in many(other.convert))
        assert store.verify().clean
        assert [hit.id for hit in store.search(rows(3), text="d3", mode="words")] == ["d3"]
