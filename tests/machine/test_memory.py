"""Freed memory goes back to the system, also while texts are encoded."""

import ctypes
import platform
from collections.abc import Iterator

import pytest

import colibri
import soaking
from colibri.machine.memory import give_back
from reference import ARTEFACTS

BLOCK, BLOCKS = 8_192, 12_800  # 105 MB

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries give back by themselves, or cannot"
)


@pytest.fixture
def model() -> colibri.Colibri:
    """Loaded and warm before anything is measured."""
    found = colibri.load(ARTEFACTS / "tiny-random-xlmr")
    found.encode_documents(["the small bird " * 200] * 50)
    return found


@pytest.fixture
def held(model: colibri.Colibri) -> Iterator[float]:
    """MB resident while 105 MB are free between blocks in use."""
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
    yield soaking.rss_mb()
    library.free(last)


def test_what_lies_between_blocks_in_use_goes_back(held: float) -> None:
    give_back()
    assert soaking.rss_mb() < held - 80


def test_encoding_gives_back(held: float, model: colibri.Colibri) -> None:
    report = colibri.Report()
    model.encode_documents(["the small bird " * 200] * 400, report=report)
    assert report.tokens > 20_000, "as many as it takes"
    assert soaking.rss_mb() < held - 60
