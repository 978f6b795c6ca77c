"""Jobs: every text once, in order, on as many threads as were asked for, and none of them left at the end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.encoding.session import Interrupt, Interrupted
from colibri.encoding.workers import Job
from colibri.errors import ColibriError, InputError
from colibri.tokens.tokenizer import Encoded
from reference import ARTEFACTS


def entry(text: str, tokens: int = 1) -> Encoded:
    ids = np.full(tokens, len(text), np.int64)
    return Encoded(ids, ids > 0, ids > 0, np.zeros((tokens, 2), np.int32), 0)


def tokenise(texts: list[str]) -> list[list[Encoded]]:
    """As many entries of as many tokens as the text's letters say: "12" is one of 1 token and one of 2."""
    for text in texts:
        if "x" in text:
            raise InputError("an x")
    return [[entry(text, int(letter)) for letter in text] for text in texts]


def run(encoded: Encoded, interrupt: Interrupt) -> int:
    return len(encoded.ids)


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "colibri"]


@given(
    texts=st.lists(st.text("0123456789x", max_size=3), max_size=600),
    workers=st.integers(1, 5),
)
def test_outcomes_have_the_order_of_the_texts_and_entries_theirs(texts: list[str], workers: int) -> None:
    outcomes = list(Job(texts, tokenise, run, workers))
    assert [outcome.index for outcome in outcomes] == list(range(len(texts)))
    for text, outcome in zip(texts, outcomes, strict=True):
        assert (outcome.error is not None) == ("x" in text)
        if outcome.error is None:
            assert [outcome.made[place] for place in range(len(text))] == [int(letter) for letter in text]
    assert not alive()


def test_no_more_threads_run_than_workers_and_all_of_them_do() -> None:
    meet = threading.Barrier(3, timeout=60)
    names = set()

    def run_together(encoded: Encoded, interrupt: Interrupt) -> None:
        names.add(threading.get_ident())
        meet.wait()

    assert len(list(Job(["1"] * 9, tokenise, run_together, 3))) == 9
    assert len(names) == 3
    assert threading.get_ident() not in names


def test_the_longest_of_a_window_comes_first() -> None:
    seen: list[int] = []

    def note(encoded: Encoded, interrupt: Interrupt) -> None:
        seen.append(len(encoded.ids))

    list(Job(["3", "1", "9", "5"], tokenise, note, 1))
    assert seen == [9, 5, 3, 1]


def test_a_lone_text_needs_no_thread_unless_it_is_long() -> None:
    where: list[int] = []

    def note(encoded: Encoded, interrupt: Interrupt) -> None:
        where.append(threading.get_ident())

    list(Job(["7"], tokenise, note, 4))
    list(Job(["a"], lambda texts: [[entry(text, 5_000)] for text in texts], note, 4))
    assert (where[0] == threading.get_ident(), where[1] == threading.get_ident()) == (True, False)
    assert not alive()


def test_texts_are_read_by_the_caller_and_not_far_ahead() -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        for _ in range(100_000):
            read += 1
            assert threading.current_thread() is threading.main_thread()
            yield "1"

    outcomes = iter(Job(texts(), tokenise, run, 2))
    for delivered in range(1, 3_000):
        next(outcomes)
        assert read - delivered <= 3 * 256
    outcomes.close()
    assert not alive()


def test_a_huge_text_fills_a_window_of_its_own() -> None:
    sizes: list[int] = []

    def note(texts: list[str]) -> list[list[Encoded]]:
        sizes.append(len(texts))
        return [[entry(text)] for text in texts]

    huge = "a" * 5_000_000
    assert len(list(Job(["b", huge, "b", huge, "b"], note, run, 2))) == 5
    assert sizes == [2, 2, 1]


def test_a_failing_text_does_not_take_others_along() -> None:
    def fail(encoded: Encoded, interrupt: Interrupt) -> int:
        if len(encoded.ids) == 5:
            raise InputError("five")
        return len(encoded.ids)

    outcomes = list(Job(["1", "5", "2", "x", "15", "3"], tokenise, fail, 2))
    assert [str(outcome.error) if outcome.error else dict(outcome.made) for outcome in outcomes] == [
        {0: 1},
        "five",
        {0: 2},
        "an x",
        "five",
        {0: 3},
    ]


def test_a_bug_in_a_thread_reaches_the_caller() -> None:
    def broken(encoded: Encoded, interrupt: Interrupt) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(Job(["1", "2"], tokenise, broken, 2))
    with pytest.raises(ZeroDivisionError):
        list(Job(["1"], tokenise, broken, 2))
    assert not alive()


def test_an_error_of_the_texts_themselves_reaches_the_caller() -> None:
    def texts() -> Iterator[str]:
        yield from ["1"] * 300
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(Job(texts(), tokenise, run, 2))
    assert not alive()


def test_stop_ends_it_from_another_thread() -> None:
    begun = threading.Event()

    def wait(encoded: Encoded, interrupt: Interrupt) -> None:
        begun.set()
        while not interrupt.happened:
            time.sleep(0)
        raise Interrupted

    job = Job(["1", "2", "3"], tokenise, wait, 2)

    def stop() -> None:
        begun.wait(60)
        job.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Interrupted):
        list(job)
    stopper.join()
    assert not alive()


def test_interrupted_is_nothing_a_caller_would_catch_by_mistake() -> None:
    assert not issubclass(Interrupted, ColibriError)


_ENCODE_FOR_EVER = """
import itertools, sys, threading
import colibri
model = colibri.load(sys.argv[1], workers=2)
try:
    for vectors in model.stream_documents(itertools.repeat("the small river bird"), chunk_tokens=1):
        print("chunk", flush=True)
except KeyboardInterrupt:
    print("left", sum(thread.name == "colibri" for thread in threading.enumerate()), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT to another process")
def test_ctrl_c_ends_a_stream_and_all_its_threads() -> None:
    command = [sys.executable, "-c", _ENCODE_FOR_EVER, str(ARTEFACTS / "tiny-random-bert")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "chunk\n"
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert out.endswith("left 0\n"), (out, err)  # the signal may fall between a chunk and its line end
    assert child.returncode == 0


def test_a_process_ends_while_somebody_still_holds_a_stream() -> None:
    code = "import itertools, sys, colibri\n"
    code += "model = colibri.load(sys.argv[1], workers=2)\n"
    code += "stream = model.stream_documents(itertools.repeat('the bird'), chunk_tokens=999)\n"
    code += "print(len(next(stream)) > 0)\n"
    command = [sys.executable, "-c", code, str(ARTEFACTS / "tiny-random-bert")]
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (child.stdout, child.stderr, child.returncode) == ("True\n", "", 0)
