"""Whether this machine has the disk and the memory for an export, asked before the work and not in its middle."""

import shutil
from pathlib import Path

from colibri.errors import ExportError
from colibri_export.sizes import Sizes

_LIMIT = Path("/sys/fs/cgroup/memory.max")
_USED = Path("/sys/fs/cgroup/memory.current")
_STAT = Path("/sys/fs/cgroup/memory.stat")
_MEMINFO = Path("/proc/meminfo")


def require_space(sizes: Sizes, out: Path, done: int = 0) -> None:
    """Raise ExportError when the folder that gets `out`, or memory, has less than the export takes.

    done: bytes that are written already
    """
    disk, memory = free_disk(out), free_memory()
    wanted = max(sizes.disk - done, 0)
    if disk < wanted:
        raise ExportError(
            f"{out}: takes about {gigabytes(wanted)} while it is made, and {gigabytes(disk)} are free there; wanted "
            "another folder, or fewer --variants (--ignore-room tries it all the same)"
        )
    if memory is not None and memory < sizes.memory:
        raise ExportError(
            f"the export holds about {gigabytes(sizes.memory)} of memory, and {gigabytes(memory)} are free; wanted a "
            "larger machine (--ignore-room tries it all the same)"
        )


def free_disk(out: Path) -> int:
    """Bytes where `out` will lie."""
    there = next(parent for parent in out.absolute().parents if parent.exists())
    return shutil.disk_usage(there).free


def free_memory() -> int | None:
    """Bytes that a process may still take, without swap; None where the system does not say (not Linux)."""
    found = []
    if _MEMINFO.is_file():
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    if _LIMIT.is_file() and _USED.is_file():
        limit = _LIMIT.read_text(encoding="ascii").strip()
        if limit.isdecimal():
            used = int(_USED.read_text(encoding="ascii")) - _cached()
            found.append(max(int(limit) - used, 0))
    return min(found, default=None)


def _cached() -> int:
    """Of a control group's memory what is pages of files, which the system takes back when asked for more."""
    if not _STAT.is_file():
        return 0
    lines = (line.split() for line in _STAT.read_text(encoding="ascii").splitlines())
    return sum(int(value) for name, value in lines if name in {"active_file", "inactive_file"})


def gigabytes(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
