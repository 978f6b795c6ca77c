"""Locks on files that the system drops when a process dies: the one writer's, and those that say a file is in use.

flock belongs to an open file, so two objects in one process exclude each other, and a forked child would go on holding
what its parent held: it lets go of all of it when it begins.
"""

import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from colibri.errors import StoreError, StoreLocked
from colibri.index.storage.sharing import open_shared
from colibri.machine import try_lock, unlock

FIRST_WAIT, LONGEST_WAIT = 0.001, 0.05
_GAP_SECONDS = 0.5  # whoever replaces the folder renames two, and between them its name is nobody's
"""Seconds between two tries: no system call waits for a lock with an end."""


class HeldFile:
    """An open file that this process holds the lock on, until it is closed or the process dies. Made by `held` or
    `taken_over`."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        found = os.fstat(number)
        self.file = (found.st_dev, found.st_ino)
        _held.add(self)

    def close(self) -> None:
        """Let go, once. In a forked child, whose parent goes on, nothing happens."""
        if self in _held:
            _held.discard(self)
            unlock(self.number)
            os.close(self.number)


_held: set[HeldFile] = set()


def held(path: Path) -> HeldFile | None:
    """Make a file and hold it; None: somebody took it for a dead one's before it was locked, so another has to be made.
    Raises OSError."""
    number = open_shared(path)
    own = _locked(path, number)
    if own is None:
        os.close(number)
    elif not _is_still(path, number):
        own.close()
        own = None
    return own


def taken_over(path: Path) -> HeldFile | None:
    """Hold a file that nobody holds, which is one of somebody who is dead; None: it is held, or nobody can know.

    Raises FileNotFoundError.
    """
    try:
        found = path.stat()
        # Not even opened: where locks belong to processes, as over NFS, closing it would let go of our own.
        if any(one.file == (found.st_dev, found.st_ino) for one in list(_held)):
            return None
        number = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise
    except OSError:
        return None
    try:
        own = _locked(path, number)
    except OSError:  # a file system without locks
        own = None
    if own is None:
        os.close(number)
    return own


class WriterLock:
    """Held while one call writes."""

    def __init__(self, path: Path, seconds: float) -> None:
        """seconds: how long to wait for another writer."""
        self._path = path
        self.seconds = seconds
        self._thread = threading.Lock()
        _writer_locks.add(self)

    @contextmanager
    def held(self, seconds: float | None = None) -> Iterator[None]:
        """Wait for it, hold it. seconds: how long, where not as usual.

        Raises StoreLocked after so long, StoreError where the folder is read-only.
        """
        seconds = self.seconds if seconds is None else seconds
        until = time.monotonic() + seconds
        thread = self._thread
        if not thread.acquire(timeout=max(seconds, 0)):
            raise self._late(seconds)
        try:
            own = self._taken(until, seconds)
            try:
                yield
            finally:
                own.close()
        finally:
            thread.release()

    def _taken(self, until: float, seconds: float) -> HeldFile:
        while True:
            number = self._opened()
            try:
                own = self._awaited(number, until, seconds)
            except BaseException:
                os.close(number)
                raise
            if _is_still(self._path, number):
                return own
            own.close()  # the folder was replaced while this one waited: the lock of the new one counts

    def _awaited(self, number: int, until: float, seconds: float) -> HeldFile:
        wait = FIRST_WAIT
        while (own := _locked(self._path, number)) is None:
            if time.monotonic() >= until:
                raise self._late(seconds)
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        return own

    @contextmanager
    def held_if_writable(self) -> Iterator[None]:
        """Hold it where the folder can be written; a read-only one has no writer of this account's."""
        if not os.access(self._path.parent, os.W_OK):
            yield
            return
        with self.held():
            yield

    def check(self) -> None:
        """Raise StoreError where it could never be held, before any work."""
        os.close(self._opened())

    def forget_thread(self) -> None:
        """In a forked child: whoever held it is a thread of the parent's."""
        self._thread = threading.Lock()

    def _opened(self) -> int:
        until = time.monotonic() + _GAP_SECONDS
        while True:
            try:
                return open_shared(self._path)
            except FileNotFoundError as error:
                if time.monotonic() >= until:
                    raise self._unwritable(error) from error
            except OSError as error:
                raise self._unwritable(error) from error
            time.sleep(FIRST_WAIT)

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(f"{self._path.parent}: cannot be written ({error.strerror})")

    def _late(self, seconds: float) -> StoreLocked:
        return StoreLocked(
            f"{self._path.parent}: another writer was busy for {seconds:g} s; "
            "try again later, or wait longer (lock_seconds)"
        )


_writer_locks: "weakref.WeakSet[WriterLock]" = weakref.WeakSet()


def _is_still(path: Path, number: int) -> bool:
    """Whether an open file still has its name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except FileNotFoundError:
        return False


def _locked(path: Path, number: int) -> HeldFile | None:
    return HeldFile(path, number) if try_lock(number) else None


def _in_child() -> None:
    for one in _held:
        with suppress(OSError):
            os.close(one.number)
    _held.clear()
    for lock in list(_writer_locks):
        lock.forget_thread()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
