"""When the words of documents are cut: seen from outside, as a profiler sees calls."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from colibri import Index
from colibri.index.storage import passage_words


@contextmanager
def cuts(index: Index) -> Iterator[list[bool]]:
    """Of each document whose words this thread cuts meanwhile, whether somebody held the writer's lock."""
    found: list[bool] = []

    def look(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code is passage_words.cut.__code__:
            found.append(index._core.lock._thread.locked())

    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(None)
