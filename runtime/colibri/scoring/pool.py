"""Threads that share the pieces of one job with whoever asks.

The kernels run without the GIL, so plain threads are enough, and many callers may ask at once. The threads are daemons
that sleep between jobs, so they never hold up the end of the process; a forked child begins without any.
"""

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from colibri.machine import few_cpus, keep_off_this_cpu

_MOST_THREADS = 256
_ASLEEP_SECONDS = 0.002  # from then on a helper may wake where its caller runs; before, it costs 0.1 ms to say so


class _Job:
    """Pieces 0 to `pieces` - 1 of some work, each done once by whoever takes it first."""

    def __init__(self, work: Callable[[int], object], pieces: int) -> None:
        self._work = work
        self._pieces = pieces
        self._numbers = itertools.count()
        self._left = pieces
        self._lock = threading.Lock()
        self.cpus: set[int] | None = None  # where its helpers may go once they are awake
        self.error: BaseException | None = None
        self.done = threading.Event()

    def help(self) -> None:
        """Take pieces until there are none. What goes wrong is kept for the one who asked."""
        for number in self._numbers:
            if number >= self._pieces:
                return
            try:
                if self.error is None:
                    self._work(number)
            except BaseException as error:  # raised again in `run`, where it belongs
                self.error = error
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    self.done.set()


class _Pool:
    """Threads asleep at a queue of jobs, never fewer than once were needed."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        self.threads: list[int] = []  # native ids
        self.ended = 0.0  # when the last job did
        self._lock = threading.Lock()

    def have(self, count: int) -> None:
        """Start threads until there are so many."""
        if len(self.threads) >= count:
            return
        with self._lock:
            while len(self.threads) < count:
                thread = threading.Thread(target=_live, args=(self.jobs,), name="colibri-score", daemon=True)
                thread.start()
                assert thread.native_id is not None
                self.threads.append(thread.native_id)


_pool = _Pool()


def run(work: Callable[[int], object], pieces: int, threads: int) -> None:
    """Call work(0) ... work(pieces - 1) on up to `threads` threads, the caller's among them. Raises what it raises."""
    if threads <= 1 or pieces <= 1:
        for number in range(pieces):
            work(number)
        return
    job = _Job(work, pieces)
    helpers = min(threads, pieces, _MOST_THREADS) - 1
    _pool.have(helpers)
    # In every job: one before may have kept a helper off that did not take it.
    job.cpus = few_cpus()
    if job.cpus is not None and time.monotonic() - _pool.ended > _ASLEEP_SECONDS:
        keep_off_this_cpu(_pool.threads, job.cpus)
    for _ in range(helpers):
        _pool.jobs.put(job)
    job.help()
    job.done.wait()
    _pool.ended = time.monotonic()
    if job.error is not None:
        raise job.error


def _live(jobs: SimpleQueue[_Job]) -> None:
    while True:
        job = jobs.get()
        if job.cpus is not None:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, job.cpus)
        job.help()


if hasattr(os, "register_at_fork"):
    # The threads stayed with the parent, and one may have held the lock.
    os.register_at_fork(after_in_child=_pool.__init__)  # type: ignore[misc]
