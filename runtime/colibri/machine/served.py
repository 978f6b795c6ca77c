"""Which indexes are being served on this machine, by this user: a file for each, which its server holds a lock on.

A search asks the server that has model and index in memory already, and a second `colibri ui` opens the first's page.
The file holds the token that lets its reader in, so it belongs to one user alone, and so must the folder it lies in. It
counts while its lock is held: a number of a process, or a port, may be somebody else's by now.
"""

import json
import logging
import os
import stat
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from colibri.machine.homes import can_be, user_data, user_number

log = logging.getLogger(__name__)

_LARGEST = 1 << 16  # bytes of a file; ours have a few hundred
_NEW_SECONDS = 60  # an empty file is one that is being made, or of whoever was killed then


@dataclass(frozen=True, kw_only=True)
class Served:
    """A process of this user's that answers from an index.

    url    where it listens, without a path: http://127.0.0.1:8123
    token  what lets one in: of a page, for X-Colibri-Token; else a key; None where none is asked for
    page   whether /ui is there; else only the API of `colibri serve`
    """

    url: str
    token: str | None = field(default=None, repr=False)
    pid: int
    page: bool


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """What a file says."""

    index: str
    url: str
    token: str | None
    pid: int
    page: bool
    machine: str
    since: int

    def __post_init__(self) -> None:
        """Raises TypeError or ValueError for what nobody of ours writes."""
        texts, numbers = (self.index, self.url, self.machine, self.token or ""), (self.pid, self.since)
        if not all(type(text) is str for text in texts) or not all(type(number) is int for number in numbers):
            raise TypeError
        if type(self.page) is not bool or not self.url.startswith("http://"):
            raise ValueError


@contextmanager
def announce(index: Path, url: str, token: str | None = None, *, page: bool = True) -> Iterator[None]:
    """Have `find` name this process for an index while the context lasts. See `Served` for url, token and page.

    Where no file can be kept, that is logged, and nobody finds it.
    """
    entry = _Entry(
        index=_real(index),
        url=url.rstrip("/"),
        token=token,
        pid=os.getpid(),
        page=page,
        machine=_machine(),
        since=time.time_ns(),
    )
    kept = None
    for folder in _folders():
        try:
            kept = _keep(folder, entry)
            break
        except OSError as error:
            reason = f"{folder}: {error.strerror or error}"
    else:
        log.warning("searches in other terminals will not ask this process: it cannot be announced (%s)", reason)
    try:
        yield
    finally:
        if kept is not None:
            _drop(*kept)


def find(index: Path, *, page: bool = False) -> Served | None:
    """Who serves an index now: of several the one that began first, so that of two that begin at once both know which
    is to go on. page: look only for one that has a page.

    None where there is none, or where the file, or its folder, could have been written by somebody else.
    """
    real = _real(index)
    found = [
        entry
        for folder in _folders()
        for path in _listed(folder, _key(real))
        if (entry := _living(path)) is not None and entry.index == real and (entry.page or not page)
    ]
    if not found:
        return None
    first = min(found, key=lambda entry: (entry.since, entry.pid))
    return Served(url=first.url, token=first.token, pid=first.pid, page=first.page)


def _real(index: Path) -> str:
    return os.path.normcase(os.path.realpath(index))


def _key(real: str) -> str:
    """The beginning of a file's name; which index it is of, the file says itself."""
    return f"{zlib.crc32(os.fsencode(real)):08x}"


def _machine() -> str:
    """This one, as long as it runs: a home folder may be shared by several, and its locks with them."""
    booted = ""
    with suppress(OSError):
        booted = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return f"{_name()} {booted}"


def _name() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename
    return os.environ.get("COMPUTERNAME", "")


def _folders() -> list[Path]:
    """Where such files may lie, first what ends with the session. A service and a terminal may know different ones, so
    whoever looks for a file looks in all."""
    kept = user_data()
    folders = [*_session_folders(), *([] if kept is None else [kept])]
    if kept is not None and can_be(kept):
        return [folder / "served" for folder in folders]
    import tempfile  # noqa: PLC0415 - 10 ms, and hardly ever needed

    # The last is only named, not made: to look changes nothing, and of what somebody else made nothing is believed.
    folders.append(Path(tempfile.gettempdir()) / f"colibri-{user_number()}")
    return [folder / "served" for folder in folders]


def _session_folders() -> list[Path]:
    said = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    folders = [said] if said.is_absolute() else []
    if sys.platform == "linux" and (own := Path(f"/run/user/{user_number()}")) not in folders:
        folders.append(own)
    return [folder / "colibri" for folder in folders if os.path.isdir(folder)]  # noqa: PTH112 - Path.is_dir raises where it may not look


def _keep(folder: Path, entry: _Entry) -> tuple[Path, int]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _ours_alone(folder.lstat(), stat.S_ISDIR):
        raise PermissionError(0, "others may write there")
    path = folder / f"{_key(entry.index)}-{os.urandom(16).hex()}.json"
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        _hold(number)
        os.write(number, json.dumps(asdict(entry)).encode("ascii"))
    except BaseException:
        os.close(number)
        path.unlink(missing_ok=True)
        raise
    _held.add(number)
    return path, number


def _drop(path: Path, number: int) -> None:
    if number not in _held:  # a forked child, whose parent goes on
        return
    _held.discard(number)
    if os.name == "nt":  # where an open file has a name that stays
        os.close(number)
    with suppress(OSError):
        path.unlink()
    if os.name != "nt":
        os.close(number)


def _listed(folder: Path, key: str) -> list[Path]:
    try:
        if not _ours_alone(folder.lstat(), stat.S_ISDIR):
            return []
        return [Path(one.path) for one in os.scandir(folder) if one.name.startswith(f"{key}-")]
    except OSError:
        return []


def _living(path: Path) -> _Entry | None:
    """What a file says whose lock is held. One that nobody holds is of somebody who was killed, and is taken away."""
    try:
        number = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        found = os.fstat(number)
        if not _ours_alone(found, stat.S_ISREG) or found.st_size > _LARGEST:
            return None
        left = not _is_held(number)
        said = b"" if left else os.read(number, _LARGEST)
    except OSError:
        return None
    finally:
        os.close(number)
    if left:
        if found.st_size or time.time() - found.st_mtime > _NEW_SECONDS:
            with suppress(OSError):
                path.unlink()
        return None
    return _entry(said)


def _entry(said: bytes) -> _Entry | None:
    """What was written; None: not by a Colibri like this one, or on another machine."""
    try:
        values: Any = json.loads(said)
        entry = _Entry(**values)
    except (ValueError, TypeError, RecursionError):
        return None
    return entry if entry.machine == _machine() else None


def _ours_alone(found: os.stat_result, kind: Any) -> bool:
    """Of this user, and nobody else may write it; a file nobody else may even read."""
    if not kind(found.st_mode):
        return False
    if not hasattr(os, "getuid"):  # Windows, where the folders of a user are closed to others
        return True
    others = 0o077 if stat.S_ISREG(found.st_mode) else 0o022
    return found.st_uid == os.getuid() and not found.st_mode & others


_held: set[int] = set()


def _in_child() -> None:
    for number in _held:
        with suppress(OSError):
            os.close(number)
    _held.clear()


if sys.platform == "win32":
    import msvcrt

    def _hold(number: int) -> None:
        """A byte behind the text, which stays readable."""
        os.lseek(number, _LARGEST, os.SEEK_SET)
        msvcrt.locking(number, msvcrt.LK_LOCK, 1)
        os.lseek(number, 0, os.SEEK_SET)

    def _is_held(number: int) -> bool:
        os.lseek(number, _LARGEST, os.SEEK_SET)
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return True
        finally:
            os.lseek(number, 0, os.SEEK_SET)
        return False

else:
    import fcntl

    def _hold(number: int) -> None:
        fcntl.flock(number, fcntl.LOCK_EX)

    def _is_held(number: int) -> bool:
        """Others may ask at the same time, and none of them takes another for the server."""
        try:
            fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False

    os.register_at_fork(after_in_child=_in_child)
