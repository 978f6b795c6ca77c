"""Locks on open files, which the system drops when the process that holds one dies."""

import os
import sys
from contextlib import suppress

if sys.platform == "win32":
    import msvcrt

    def try_lock(number: int) -> bool:
        """Lock an open file (its descriptor) for this process alone; False: another has it."""
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def unlock(number: int) -> None:
        """Let go of it, where it is held."""
        with suppress(OSError):
            os.lseek(number, 0, os.SEEK_SET)
            msvcrt.locking(number, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(number: int) -> bool:
        """Lock an open file (its descriptor) for this process alone; False: another has it. Raises OSError where the
        file system knows no locks."""
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def unlock(number: int) -> None:
        """Let go of it, where it is held."""
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_UN)
