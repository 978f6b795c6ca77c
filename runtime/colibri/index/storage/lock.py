"""One writer at a time, across processes and threads: a lock on a file that the system drops when a process dies."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from colibri.errors import StoreError, StoreLocked
from colibri.index.storage.sharing import open_shared

_FIRST_WAIT, _LONGEST_WAIT = 0.001, 0.05  # seconds between two tries: no system call waits for a lock with an end


class WriterLock:
    """Held while one call writes. flock belongs to an open file, so two objects in one process exclude each other."""

    def __init__(self, path: Path, seconds: float) -> None:
        """seconds: how long to wait for another writer."""
        self._path = path
        self._seconds = seconds
        self._thread = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for it, hold it. Raises StoreLocked after `seconds`, StoreError where the folder is read-only."""
        until = time.monotonic() + self._seconds
        if not self._thread.acquire(timeout=max(self._seconds, 0)):
            raise self._late()
        try:
            try:
                number = open_shared(self._path)
            except OSError as error:
                raise StoreError(f"{self._path.parent}: cannot be written ({error.strerror})") from error
            try:
                wait = _FIRST_WAIT
                while not _try_lock(number):
                    if time.monotonic() >= until:
                        raise self._late()
                    time.sleep(wait)
                    wait = min(2 * wait, _LONGEST_WAIT)
                try:
                    yield
                finally:
                    _unlock(number)
            finally:
                os.close(number)
        finally:
            self._thread.release()

    @contextmanager
    def held_if_writable(self) -> Iterator[None]:
        """Hold it where the folder can be written; a read-only one has no writer of this account's."""
        if not os.access(self._path.parent, os.W_OK):
            yield
            return
        with self.held():
            yield

    def _late(self) -> StoreLocked:
        return StoreLocked(
            f"{self._path.parent}: another writer was busy for {self._seconds:g} s; "
            "try again later, or wait longer (lock_seconds)"
        )


if sys.platform == "win32":
    import msvcrt

    def _try_lock(number: int) -> bool:
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(number: int) -> None:
        with suppress(OSError):
            os.lseek(number, 0, os.SEEK_SET)
            msvcrt.locking(number, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(number: int) -> bool:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(number: int) -> None:
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_UN)
