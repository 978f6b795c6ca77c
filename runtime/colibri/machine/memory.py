"""Memory that is free in this process goes back to the system."""

import ctypes
import functools
from collections.abc import Callable


def give_back() -> None:
    """Let go of what was freed (glibc; nothing elsewhere). It takes 1 to 3 ms where 50 MB are free.

    glibc keeps a heap for each of many threads, and gives back only what lies at a heap's end: short-lived threads
    leave one after the other half empty: one stream of 60 texts left 58 MB of colibri-mini's 566 (benchmarks/NOTES.md).
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # another C library, another system
        return None
    return found
