"""Where a system's telling of changes ends: how many folders one may watch, and drives whose changes nobody tells."""

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

_INOTIFY = Path("/proc/sys/fs/inotify")
_MOUNTS = Path("/proc/self/mountinfo")
_IN_ATTRIB, _IN_CLOEXEC = 0x4, 0x80000
_QUEUED = 16_384
_SOME = 524_288

_FUSE = (
    "davfs2 gcsfuse glusterfs goofys google-drive-ocamlfuse gvfsd-fuse juicefs onedriver rclone s3fs smbnetfs sshfs "
    "vmhgfs-fuse"
)
_OTHERS = (
    "9p afs afpfs beegfs ceph cifs coda davfs drvfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs prl_fs "
    "smb2 smb3 smbfs vboxsf virtiofs vmhgfs webdav"
)
_REMOTE = frozenset(_OTHERS.split()) | {f"fuse.{name}" for name in _FUSE.split()}
"""File systems that others change as well: other machines, or the host of a virtual one."""


def explained(error: BaseException) -> str:
    """Why nothing is told any more, with the number and what to do where a limit was reached."""
    said = str(error)
    if "watch limit reached" in said or "os error 28" in said:
        return watches_reached()
    if "os error 24" in said:
        most = _number("max_user_instances", "max_inotify_instances")
        return (
            f"all {most} programs that may be told of changes are there (fs.inotify.max_user_instances); "
            "`sudo sysctl fs.inotify.max_user_instances=1024` lets more"
        )
    return f"the system tells of no changes ({said})"


def is_reached(why: str) -> bool:
    """Whether it was a limit, as `explained`, that a moment later is the same."""
    return "fs.inotify." in why


def watches_reached() -> str:
    """In words."""
    most = _number("max_user_watches", "max_inotify_watches")
    number = int(most.replace(",", "") or 0)
    return (
        f"all {most} folders that may be watched are (fs.inotify.max_user_watches), and there are more; "
        f"`sudo sysctl fs.inotify.max_user_watches={max(2 * number, _SOME)}` lets more"
    )


def watches_are_used_up() -> bool:
    """Whether no more folder can be watched, by trying: watchfiles does not say so of folders that come as it runs."""
    if sys.platform != "linux":
        return False
    try:
        system = ctypes.CDLL(None, use_errno=True)
        number = system.inotify_init1(_IN_CLOEXEC)
    except (OSError, AttributeError):
        return False
    if number < 0:
        return False
    try:
        return bool(system.inotify_add_watch(number, b"/", _IN_ATTRIB) < 0)
    finally:
        os.close(number)


def queued() -> int:
    """Changes that wait to be told before others are lost, which nobody says."""
    found = _read(_INOTIFY / "max_queued_events")
    return _QUEUED if found is None else found


def remote(path: str, mounts: Path = _MOUNTS) -> str:
    """The kind of drive that a path lies on, where other machines change it as well; "" it is one of this machine.

    mounts: the system's list of what is mounted (Linux)
    """
    if sys.platform == "win32":
        drive = os.path.splitdrive(os.path.abspath(path))[0]  # noqa: PTH100
        away = drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == 4
        return "network" if away else ""
    kind = _kind_of(path, _mounts(mounts))
    return kind if kind in _REMOTE else ""


def _kind_of(path: str, mounts: Mapping[str, str]) -> str:
    """Of the deepest mount that a path lies in."""
    here = path
    while here not in mounts:
        if here in {"/", ""}:
            return ""
        here = os.path.dirname(here)  # noqa: PTH120
    return mounts[here]


def _mounts(listed: Path) -> dict[str, str]:
    """Where file systems are mounted, and their kinds (proc_pid_mountinfo(5)); of one place the last counts."""
    found = {}
    try:
        lines = listed.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # no Linux
        return {}
    for line in lines:
        own, _, rest = line.partition(" - ")
        place = own.split(" ")[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
        found[place.encode("latin-1").decode("utf-8", "surrogateescape")] = rest.split(" ")[0]
    return found


def _number(*names: str) -> str:
    """The smallest of some limits: of the machine, of what this user may have in it."""
    places = (_INOTIFY / names[0], Path("/proc/sys/user") / names[1])
    known = [one for place in places if (one := _read(place)) is not None]
    return f"{min(known):,}" if known else ""


def _read(place: Path) -> int | None:
    try:
        return int(place.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
