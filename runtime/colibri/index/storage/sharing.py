"""Files of an index for all who may write its folder: they take the folder's group, and its permissions to read and
write, whatever the umask and the primary group of whoever makes them.

SQLite makes a database 0644 under any umask, and its log like the database, so that of two users of a group with umask
002 the second could not write. Only what is new is shared: what a user has set otherwise stays.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path


def make_folders(folder: Path, inner: Path) -> None:
    """Make an index's folder and the one in it, where they are not there. What a group may write has its group handed
    on to whatever is made in it, as git does for shared repositories. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if os.name != "nt" and mode & stat.S_IWGRP and not mode & stat.S_ISGID:
        with suppress(PermissionError):  # somebody else's folder, to be used as it is
            folder.chmod(mode | stat.S_ISGID)
    with suppress(FileExistsError):
        inner.mkdir()
        _share(inner, 0o2777)


def open_shared(path: Path) -> int:
    """Open a file for reading and writing, made and shared if it is not there. Raises OSError."""
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return os.open(path, flags | os.O_CREAT, 0o666)
    share(path)
    return number


def share(path: Path) -> None:
    """Give a file that was just made the group of its folder, and what that allows but to execute."""
    _share(path, 0o666)


def _share(path: Path, kept: int) -> None:
    if os.name == "nt":
        return
    folder, own = path.parent.stat(), path.stat()
    mode = folder.st_mode & kept
    with suppress(PermissionError):  # a group that its maker is not in
        if own.st_gid != folder.st_gid:
            os.chown(path, -1, folder.st_gid)
    with suppress(PermissionError):  # made by somebody else meanwhile
        if stat.S_IMODE(own.st_mode) != mode:
            path.chmod(mode)
