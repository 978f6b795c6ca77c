"""Freed memory goes back to the system."""

import ctypes
import platform

import pytest

import soaking
from colibri.memory import give_back

BLOCK, BLOCKS = 8_192, 12_800  # 105 MB


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries give back by themselves, or cannot")
def test_what_lies_between_blocks_in_use_goes_back() -> None:
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    blocks = [library.malloc(BLOCK) for _ in range(BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    last = blocks.pop()  # in use, so the heap's end stays where it is
    for block in blocks:
        library.free(block)
    held = soaking.rss_mb()
    give_back()
    assert soaking.rss_mb() < held - 80
    library.free(last)
