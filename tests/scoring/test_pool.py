"""Threads that share a job: every piece once, errors where they belong, many callers at once."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from colibri.scoring import pool


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("pieces", [0, 1, 2, 100])
def test_every_piece_is_done_once(pieces: int, threads: int) -> None:
    done: list[int] = []
    pool.run(done.append, pieces, threads)
    assert sorted(done) == list(range(pieces))


def test_pieces_are_done_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=60)  # passed only by two threads at once
    pool.run(lambda _: both.wait(), 2, 2)


def test_an_error_reaches_who_asked_and_the_threads_live_on() -> None:
    def fail(number: int) -> None:
        raise KeyError(number)

    with pytest.raises(KeyError):
        pool.run(fail, 4, 3)
    done: list[int] = []
    pool.run(done.append, 4, 3)
    assert len(done) == 4


def test_many_callers_ask_at_once() -> None:
    def ask(caller: int) -> list[int]:
        done: list[int] = []
        for _ in range(50):
            pool.run(lambda number: done.append(caller * 1000 + number), 7, 3)
        return done

    with ThreadPoolExecutor(8) as callers:
        for caller, done in enumerate(callers.map(ask, range(8))):
            assert sorted(done) == sorted([caller * 1000 + number for number in range(7)] * 50)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not say where a thread may run")
def test_pieces_may_run_wherever_the_caller_may() -> None:
    found: list[set[int]] = []
    for _ in range(200):  # at once: also those that another job has kept off, and that did not take it
        both = threading.Barrier(2, timeout=60)

        def look(_: int, both: threading.Barrier = both) -> None:
            both.wait()
            found.append(os.sched_getaffinity(0))

        pool.run(look, 2, 5)
    assert found == [os.sched_getaffinity(0)] * 400


FORKED = """
import os, warnings
from colibri.scoring import pool
pool.run(lambda number: None, 4, 3)
warnings.simplefilter("ignore")  # Python 3.12 warns of forks beside threads: that is what this is about
child = os.fork()
done = []
pool.run(done.append, 4, 3)
assert sorted(done) == [0, 1, 2, 3]
if child == 0:
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_threads_of_its_own() -> None:
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=120)
