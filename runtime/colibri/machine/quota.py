"""How many cores the control groups of this process allow (Linux): the tightest of all levels, of v1 and v2.

A process may lie in a group within a group, each with a limit of its own; which ones, /proc/self/cgroup says, and where
they are mounted, /proc/self/mountinfo. In a container both may be hidden: then what lies at the usual places counts.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

_PROCESS = Path("/proc/self")
_GROUPS = Path("/sys/fs/cgroup")


def cpu_quota() -> int | None:
    """Cores, rounded up, at least 1; None: no limit that can be seen."""
    return _tightest(_PROCESS, _GROUPS)


@functools.cache  # a search asks each time, and it takes 0.2 ms
def _tightest(process: Path, groups: Path) -> int | None:
    found = [allowed for folder in _folders(process, groups) if (allowed := _allowed(folder)) is not None]
    return min(found, default=None)


def _folders(process: Path, groups: Path) -> Iterator[Path]:
    """Each group that this process is in, from its own up to the mount, as far as they can be seen from here."""
    yield from (groups, groups / "unified", groups / "cpu", groups / "cpu,cpuacct")
    own = _own_groups(process)
    for version, root, mounted in _mounts(process):
        group = own.get(version, "/")
        # A mount shows its root and what is below: in a container without a namespace of its own that is /docker/ID.
        below = group.removeprefix(root) if root != "/" and f"{group}/".startswith(f"{root}/") else group
        names = [name for name in below.split("/") if name]
        if ".." not in names:  # above what this namespace shows
            yield from (mounted.joinpath(*names[:depth]) for depth in range(len(names), -1, -1))


def _own_groups(process: Path) -> dict[int, str]:
    """Version -> path of the group, of those that may limit CPU time ("0::/path", "4:cpu,cpuacct:/path")."""
    found = {}
    for line in (_text(process / "cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            found[2] = path
        elif "cpu" in controllers.split(","):
            found[1] = path
    return found


def _mounts(process: Path) -> Iterator[tuple[int, str, Path]]:
    """Version, root and place of what is mounted of control groups for CPU time."""
    for line in (_text(process / "mountinfo") or "").splitlines():
        mount, _, kind = line.partition(" - ")
        words, (system, *options) = mount.split(" "), kind.split(" ")
        if len(words) < 5:
            continue
        root, place = (word.replace("\\040", " ") for word in words[3:5])
        if system == "cgroup2":
            yield 2, root, Path(place)
        elif system == "cgroup" and options and "cpu" in options[-1].split(","):
            yield 1, root, Path(place)


def _allowed(folder: Path) -> int | None:
    """Cores one group allows: "<microseconds> <period>" or "max <period>" in v2, in v1 two files (-1: no limit)."""
    said = _text(folder / "cpu.max")
    if said is None:
        said = f"{_text(folder / 'cpu.cfs_quota_us')} {_text(folder / 'cpu.cfs_period_us')}"
    try:
        allowed, period = map(int, said.split())
        return max(1, -(-allowed // period)) if allowed > 0 else None
    except (ValueError, ZeroDivisionError):  # "max", or no such file: no limit
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
