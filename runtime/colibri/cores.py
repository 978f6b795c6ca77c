"""How many cores there are for us: those this process may use, and how many of them are not two halves of one."""

import os
from collections.abc import Iterable
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def physical_cores() -> int:
    """Cores that compute at once: of those this process may use, one for each physical core (Linux), and no more than
    the container's CPU quota. Other systems: what `os.cpu_count` says.
    """
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    logical = sorted(os.sched_getaffinity(0))
    cores = len(set(_siblings(logical, _TOPOLOGY)))
    quota = _quota(_QUOTA)
    return cores if quota is None else max(1, min(cores, quota))


def _siblings(logical: Iterable[int], topology: Path) -> list[str]:
    """For each logical CPU the list of those that share its core, as the kernel writes it; itself where unknown."""
    found = []
    for cpu in logical:
        try:
            found.append((topology / f"cpu{cpu}/topology/thread_siblings_list").read_text(encoding="utf-8").strip())
        except OSError:
            found.append(str(cpu))
    return found


def _quota(path: Path) -> int | None:
    """Cores a cgroup allows (cgroup v2: "<microseconds> <period>" or "max <period>"), rounded up; None: no limit."""
    try:
        allowed, period = path.read_text(encoding="utf-8").split()
        return None if allowed == "max" else -(-int(allowed) // int(period))
    except (OSError, ValueError):
        return None
