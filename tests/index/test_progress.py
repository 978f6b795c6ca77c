"""What `add` and `upsert` say and commit while they work."""

import io
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri import Document, Index, InputError
from colibri.encoding import workers
from reference import ARTEFACTS
from store_contract import document

TINY = ARTEFACTS / "tiny-random-bert"
LONG = "\n\n".join(f"Paragraph {i}. The bird number {i} sings in a tree, and nobody knows why." for i in range(400))


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(TINY, variant="cpu-fp32")


@pytest.fixture
def texts(place: Path, model: colibri.Colibri) -> Iterator[Index]:
    with Index.open(place, model) as index:
        yield index


class Clock:
    """Time that passes with every look, as if work took it."""

    def __init__(self, index: Index, step: float = 0.0) -> None:
        self.now = 0.0
        self.step = step
        index._core.clock = self

    def __call__(self) -> float:
        self.now += self.step
        return self.now


# ---- progress


def test_one_long_document_is_told_while_it_is_encoded(texts: Index) -> None:
    seen: list[int] = []
    assert texts.add([{"id": "long", "text": LONG}], progress=seen.append) == 1
    stats = texts.stats()
    assert stats.passages > 300
    assert len(seen) > stats.tokens // 400
    assert sum(seen) == stats.tokens
    assert max(seen) < 256 + 60  # and a passage: nothing is saved up


def test_the_first_call_comes_before_the_second_document_is_read(texts: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most three windows of texts are read before anything is said."""
    read = 0

    def stream() -> Iterator[dict[str, Any]]:
        nonlocal read
        for i in range(150):
            read += 1
            yield {"id": str(i), "text": f"the bird number {i} sings in a tree " * 10}

    first: list[int] = []
    texts.add(stream(), progress=lambda tokens: first.append(read))
    assert first[0] <= 3 * 2_048 * texts._core.model().loaded()._encoder.workers // 300 + 6
    assert first == sorted(first)
    assert len(first) >= 150


def test_words_about_a_document_and_ready_rows_count_too(texts: Index, model: colibri.Colibri) -> None:
    seen: list[int] = []
    vectors = model.encode_documents(["a bird"], texts.dim)
    about = {"file": {"about": "a scan of a passport"}}
    texts.upsert(
        [
            {"id": "a", "text": "a house", "payload": about},
            Document(id="b", vectors=vectors),
            {"id": "c", "text": "", "payload": about},
        ],
        progress=seen.append,
    )
    assert len(seen) == 3
    assert sum(seen) == texts.stats().tokens


def test_progress_comes_in_the_calling_thread(texts: Index) -> None:
    threads: set[int] = set()
    texts.add(
        [{"id": str(i), "text": LONG[: 40 * i + 1]} for i in range(20)],
        progress=lambda _: threads.add(threading.get_ident()),
    )
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("at", [1, 2, 20])
def test_a_callback_that_fails_ends_the_call_and_changes_nothing(texts: Index, at: int) -> None:
    calls = 0

    def fail(tokens: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        texts.add([{"id": "long", "text": LONG}], progress=fail)
    assert calls == at
    assert texts.count() == 0
    assert not [one for one in threading.enumerate() if one.name == "colibri"]
    assert texts.add([{"id": "long", "text": LONG[:2_000]}]) == 1


def test_a_stream_of_documents_says_what_it_keeps(model: colibri.Colibri) -> None:
    for encode in (model.encode_documents, model.encode_queries):
        seen: list[int] = []
        vectors = encode([LONG[:50], "bird", ""], progress=seen.append)
        assert sum(seen) == len(vectors.rows)
        assert len(seen) == 3
    seen = []
    chunks = list(model.stream_documents([LONG], long_documents="windows", progress=seen.append))
    assert sum(seen) == sum(len(chunk.rows) for chunk in chunks)
    assert len(seen) == sum(len(chunk) for chunk in chunks) > 10


def test_true_draws_on_a_terminal_and_nowhere_else(
    texts: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts.add([{"id": "a", "text": LONG[:2_000]}], progress=True)
    assert capsys.readouterr() == ("", "")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    texts.add([{"id": "b", "text": LONG}], progress=True)
    states = [state for state in terminal.getvalue().split("\r") if "indexing" in state]
    assert states[0].startswith("indexing:   0%|")
    assert any("tokens/s" in state for state in states)
    texts.add(({"id": str(i), "text": "a bird"} for i in range(3)), progress=True)  # nobody knows how many
    assert "%" not in terminal.getvalue().rpartition("indexing")[2]


# ---- commit_every


@pytest.mark.parametrize("seconds", [0, -1, 0.0, float("nan"), float("inf"), True, False, "5", [5]])
@pytest.mark.parametrize("write", ["add", "upsert"])
def test_what_is_no_time_is_refused_before_any_work(store: Index, write: str, seconds: Any) -> None:
    def stream() -> Iterator[Document]:
        pytest.fail("read")
        yield document(1)

    with pytest.raises(InputError, match=r"commit_every: found .*, wanted seconds above 0, or None"):
        getattr(store, write)(stream(), commit_every=seconds)


@pytest.mark.parametrize("write", ["add", "upsert"])
def test_what_is_there_is_committed_when_the_time_has_come(store: Index, write: str) -> None:
    clock = Clock(store)
    seen: list[int] = []

    def stream() -> Iterator[Document]:
        for i in range(12):
            seen.append(store.count())
            clock.now += 2
            yield document(i)

    assert getattr(store, write)(stream(), commit_every=5) == 12
    # After 6 seconds at the third document, then three later, and so on.
    assert seen == [0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9]
    assert store.count() == 12
    assert store.stats().segments == 1
    assert store.verify().clean


def test_without_it_nothing_is_visible_before_the_end(store: Index) -> None:
    clock = Clock(store)

    def stream() -> Iterator[Document]:
        for i in range(12):
            assert store.count() == 0
            clock.now += 1_000
            yield document(i)

    assert store.add(stream()) == 12


def test_a_long_document_becomes_visible_whole(texts: Index) -> None:
    """Its passages take a minute; what was encoded before it is committed when it is done, with it."""
    clock = Clock(texts)
    counts: list[int] = []

    def passed(tokens: int) -> None:
        counts.append(texts.count())
        clock.now += 0.2

    made = [{"id": "first", "text": "a bird"}, {"id": "long", "text": LONG}, {"id": "last", "text": "a house"}]
    assert texts.add(made, commit_every=5, progress=passed) == 3
    assert set(counts) <= {0, 1, 2}
    assert counts[-2] <= 1 or counts[-1] == 2
    assert texts.get("long")[0] is not None
    assert texts.count() == 3
    assert texts.verify().clean


def test_texts_are_committed_while_later_ones_are_encoded(texts: Index) -> None:
    clock = Clock(texts)
    counts: list[int] = []

    def passed(tokens: int) -> None:
        counts.append(texts.count())
        clock.now += 1

    made = (
        {"id": str(i), "text": f"the bird number {i} sings in a tree, and nobody knows why " * 5} for i in range(150)
    )
    assert texts.add(made, commit_every=5, progress=passed) == 150
    assert counts == sorted(counts)
    steps = {after - before for before, after in pairwise(counts)}
    assert len(set(counts)) > 4
    # A window of texts comes out at once, and tells of its passages before.
    assert max(steps) <= 2 * 2_048 * texts._core.model().loaded()._encoder.workers // 250 + 10


@pytest.mark.parametrize("error", [ZeroDivisionError("mine"), KeyboardInterrupt(), InputError("theirs")])
def test_an_error_says_how_many_documents_are_in_and_stays_what_it_is(store: Index, error: BaseException) -> None:
    clock = Clock(store)

    def stream() -> Iterator[Document]:
        for i in range(10):
            clock.now += 2
            yield document(i)
        raise error

    with pytest.raises(type(error)) as raised:
        store.add(stream(), commit_every=5)
    assert raised.value is error
    assert raised.value.committed == store.count() == 9  # type: ignore[attr-defined]
    assert "9 documents were committed before" in raised.value.__notes__
    if isinstance(error, InputError):
        assert str(error) == "theirs (9 documents were committed before)"
    assert store.verify().clean
    assert store.add([document(i) for i in range(9, 12)]) == 3


def test_an_error_of_an_index_says_it_in_its_message(store: Index) -> None:
    clock = Clock(store)

    def stream(bad: Callable[[], Document]) -> Iterator[Document]:
        for i in range(4):
            clock.now += 2
            yield document(i)
        yield bad()

    with pytest.raises(InputError, match=r"id of 0 characters.* \(3 documents were committed before\)") as raised:
        store.upsert(stream(lambda: document(1, id="")), commit_every=5)
    assert raised.value.committed == store.count() == 3
    with pytest.raises(InputError, match=r"'d0' is there already.* \(0 documents were committed before\)") as raised:
        store.add([document(0)], commit_every=5)
    assert raised.value.committed == 0
    with pytest.raises(InputError) as raised:
        store.add([document(0)])
    assert raised.value.committed is None
    assert not getattr(raised.value, "__notes__", [])


def test_an_error_that_takes_no_attributes_stays_as_it_is(store: Index) -> None:
    class Bare(Exception):
        __slots__ = ()

        def __setattr__(self, name: str, value: object) -> None:
            if name == "committed":
                raise AttributeError(name)
            super().__setattr__(name, value)

    def stream() -> Iterator[Document]:
        yield document(1)
        raise Bare

    with pytest.raises(Bare):
        store.add(stream(), commit_every=1)


def test_another_writer_comes_between_two_commits(store: Index, place: Path) -> None:
    clock = Clock(store)

    def stream() -> Iterator[Document]:
        for i in range(9):
            clock.now += 3
            if i == 5:
                with Index.open(place, lock_seconds=0) as other:
                    assert other.delete("d1") == 1
                    other.upsert([document(100, id="d2")])
            yield document(i)

    assert store.upsert(stream(), commit_every=5) == 9
    assert store.count() == 8
    assert store.count({"n": 100}) == 1
    assert store.verify().clean


def test_of_one_id_that_was_committed_before_the_later_counts_or_is_refused(store: Index) -> None:
    clock = Clock(store)

    def stream() -> Iterator[Document]:
        for i in range(6):
            clock.now += 5
            yield document(i, id=f"d{i % 2}")

    assert store.upsert(stream(), commit_every=5) == 6
    assert {(found.payload or {})["n"] for found in store.documents()} == {4, 5}
    store.delete(where={})
    with pytest.raises(InputError, match=r"'d0' is there already"):
        store.add(stream(), commit_every=5)
    assert store.count() == 2


def test_windows_of_a_stream_are_small_and_those_of_a_list_are_not(
    model: colibri.Colibri, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    submit = workers.Job._submit

    def note(job: Any, window: Any) -> None:
        sizes.append(len(window.texts))
        submit(job, window)

    monkeypatch.setattr(workers.Job, "_submit", note)
    made = ["the bird sings in a tree " * 20] * 300
    vectors = model.encode_documents(made)
    assert sizes == [256, 44]
    sizes.clear()
    chunks = list(model.stream_documents(made))
    assert max(sizes) <= 2_048 * model._encoder.workers // 500 + 1
    assert sum(len(chunk.rows) for chunk in chunks) == len(vectors.rows)
