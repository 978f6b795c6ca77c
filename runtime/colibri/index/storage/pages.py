"""How the system reads mapped rows that are not in memory: ahead of a scan, or just what is asked for."""

import mmap
import threading
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

_RANDOM, _NORMAL = (getattr(mmap, name, None) for name in ("MADV_RANDOM", "MADV_NORMAL"))


class Pages:
    """Those of a segment's files. A fault reads 128 KB about its page and more, which a scan wants: a screened search
    of a million passages, that had wanted 12 MB of rows, read all 2,300 MB of them (Linux 6.18)."""

    def __init__(self, arrays: Sequence[NDArray[Any]]) -> None:
        """arrays: memory maps of whole files"""
        bases: list[Any] = [array.base for array in arrays]
        self._maps = [base for base in bases if isinstance(base, mmap.mmap)]
        self._picked = False
        self._lock = threading.Lock()

    def pick(self) -> None:
        """Few of them will be asked for, here and there."""
        self._advise(picked=True)

    def scan(self) -> None:
        """All of them will be, in order."""
        self._advise(picked=False)

    def _advise(self, *, picked: bool) -> None:
        advice = _RANDOM if picked else _NORMAL
        if advice is None or picked == self._picked:  # Windows has no such call, and reads no more than a cluster
            return
        with self._lock:
            for one in self._maps:
                one.madvise(advice)
            self._picked = picked
