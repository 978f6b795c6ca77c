"""Which cores are for us: those this process may use, how many are not two halves of one, and who runs on which."""

import contextlib
import ctypes
import functools
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from colibri.machine.quota import cpu_quota

_TOPOLOGY = Path("/sys/devices/system/cpu")
_FEW = 8  # CPUs from which on Linux looks further for one that is idle


def available_cores() -> int:
    """Cores this process may use: those it may run on, and no more than its CPU quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _within_quota(cores)


def physical_cores() -> int:
    """Cores that compute at once: of those this process may use, one for each physical core (Linux), and no more than
    the container's CPU quota. Other systems: what `os.cpu_count` says.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    logical = sorted(os.sched_getaffinity(0))
    return _within_quota(len(set(_siblings(logical, _TOPOLOGY))))


def _within_quota(cores: int) -> int:
    quota = cpu_quota()
    return cores if quota is None else min(cores, quota)


def _siblings(logical: Iterable[int], topology: Path) -> list[str]:
    """For each logical CPU the list of those that share its core, as the kernel writes it; itself where unknown."""
    found = []
    for cpu in logical:
        try:
            found.append((topology / f"cpu{cpu}/topology/thread_siblings_list").read_text(encoding="utf-8").strip())
        except OSError:
            found.append(str(cpu))
    return found


def few_cpus() -> set[int] | None:
    """The CPUs that the calling thread may use, where they are 2 to 8 and threads can be told theirs (Linux)."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = os.sched_getaffinity(0)
    return allowed if 2 <= len(allowed) <= _FEW else None


def keep_off_this_cpu(threads: Iterable[int], allowed: set[int]) -> None:
    """Let sleeping threads (native ids) wake on any of the CPUs `allowed` but the caller's.

    With two CPUs Linux tends to wake a thread where its waker runs, and takes 5 to 30 ms to move one of them: a scan
    of 8 ms on two threads took 14 (benchmarks/NOTES.md). Each thread that has woken should let itself go anywhere
    again, by `os.sched_setaffinity(0, allowed)`.
    """
    current = _current_cpu()
    others = allowed - {current}
    if current is None or not others:
        return
    for thread in threads:
        with contextlib.suppress(OSError):  # a thread that has ended, a system that forbids it
            os.sched_setaffinity(thread, others)


def _current_cpu() -> int | None:
    ask = _sched_getcpu()
    return None if ask is None else ask()


@functools.cache
def _sched_getcpu() -> Callable[[], int] | None:
    try:
        found: Callable[[], int] = ctypes.CDLL(None).sched_getcpu
    except (OSError, TypeError, AttributeError):  # a system without a C library of that kind
        return None
    return found
