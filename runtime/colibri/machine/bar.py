"""One line of a terminal that is drawn again and again: words, a bar, words."""

import os
import shutil
import time
from collections.abc import Callable
from typing import TextIO

_SECONDS = 0.1  # between two drawings; what lies between is not seen, and a drawing takes 20 to 40 us
_BLOCKS = " ▏▎▍▌▋▊▉█"  # eighths


class Bar:
    """It has the line until `clear`. What else is written to the stream meanwhile stands behind it."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream: TextIO | None = stream
        self._clock = clock
        self._drawn = float("-inf")
        self._blocks = _BLOCKS if _has(stream, _BLOCKS) else " #"

    def draw(self, before: str, share: float | None, after: str) -> None:
        """Ten times a second at most, and the first time. share: 0 to 1; None: nobody knows, and no bar is drawn."""
        if self._clock() - self._drawn < _SECONDS:
            return
        self._drawn = self._clock()
        width = _columns(self._stream) - 1  # with the last column filled, some terminals begin a new line
        line = f"{before}: {after}"
        if share is not None:
            start, end = f"{before}: {share:4.0%}|", f"| {after}"
            line = f"{start}{self._filled(share, max(width - len(start) - len(end), 1))}{end}"
        self._write("\r" + line[:width].ljust(width))

    def clear(self) -> None:
        """Leave the line empty."""
        self._write("\r" + " " * (_columns(self._stream) - 1) + "\r")

    def _filled(self, share: float, columns: int) -> str:
        steps = len(self._blocks) - 1
        whole, part = divmod(int(min(share, 1) * columns * steps), steps)
        return (self._blocks[-1] * whole + self._blocks[part])[:columns].ljust(columns)

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone, the stream is closed: work goes on, nobody looks
            self._stream = None


def _has(stream: TextIO, characters: str) -> bool:
    try:
        characters.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _columns(stream: TextIO | None) -> int:
    """How wide it is now. One that does not know (a container's, a serial line's, some editors'), or is no terminal:
    $COLUMNS, else 80."""
    try:
        known = os.get_terminal_size(stream.fileno()).columns if stream is not None else 0
    except (OSError, ValueError, AttributeError):  # no terminal; a stream without a file
        known = 0
    return known or shutil.get_terminal_size().columns
