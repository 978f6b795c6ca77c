"""A line on a terminal that is drawn over itself: what the work is, how much of it is done, and what else is known."""

import shutil
import time
from collections.abc import Callable
from os import get_terminal_size
from typing import TextIO

_EVERY = 0.1  # seconds between two drawings
_WIDEST = 40  # characters of the bar itself
_NARROWEST = 4  # below it there is none
_BLOCKS = " ▏▎▍▌▋▊▉█"
_PLAIN = " #"


class Bar:
    """Draws on a stream until it is cleared. A line never wraps, whatever the terminal's width is by then."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._drawn_at = -_EVERY
        self._length = 0
        self._glyphs = _BLOCKS if _can_write(out, _BLOCKS) else _PLAIN

    def draw(self, fraction: float | None, before: str, after: str) -> None:
        """before, the bar and its share, after. fraction: how full it is, 0 to 1; None: nobody knows, so no bar.

        What comes sooner than a tenth of a second after the last one is left out.
        """
        now = self._clock()
        if now - self._drawn_at < _EVERY:
            return
        self._drawn_at = now
        self._write(self._line(fraction, before, after, _columns(self._out)))

    def clear(self) -> None:
        """Leave an empty line, the cursor at its beginning."""
        self._write("")
        self._out.write("\r")
        self._out.flush()

    def _line(self, fraction: float | None, before: str, after: str, columns: int) -> str:
        # The last column stays free: terminals wrap a line that fills it, and some consoles of Windows do at once.
        room = columns - 1
        if fraction is None:
            return f"{before}: {after}"[:room]
        left, right = f"{before}: {int(fraction * 100):3d}%|", f"| {after}"
        width = min(room - len(left) - len(right), _WIDEST)
        full = self._full(fraction, width) if width >= _NARROWEST else ""
        return f"{left}{full}{right}"[:room]

    def _full(self, fraction: float, width: int) -> str:
        steps = len(self._glyphs) - 1
        whole, part = divmod(int(min(max(fraction, 0.0), 1.0) * width * steps), steps)
        return (self._glyphs[-1] * whole + (self._glyphs[part] if part else "")).ljust(width)

    def _write(self, line: str) -> None:
        # Blanks in place of an escape sequence, which not every console understands.
        self._out.write(f"\r{line.ljust(self._length)}")
        self._out.flush()
        self._length = len(line)


def _columns(out: TextIO) -> int:
    """The terminal's width. One that does not know its own (a container's, a serial line's, some editors') has what
    COLUMNS says, else 80."""
    try:
        known = get_terminal_size(out.fileno()).columns
    except (OSError, ValueError):  # no terminal; a stream without a file
        known = 0
    return known or shutil.get_terminal_size().columns


def _can_write(out: TextIO, text: str) -> bool:
    try:
        text.encode(out.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
