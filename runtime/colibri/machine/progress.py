"""How far work is that takes long, on stderr: a bar on a terminal, elsewhere a line every half minute.

What is done is counted twice: in the units that the total is known in (texts, files, bytes, characters), and in
tokens, which are what takes the time and arrive while a unit is under way. How many units a token is, is learned.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from colibri.machine.bar import Bar

LINE_SECONDS = 30.0  # between two lines where nothing can be drawn
_GUESSED_TOKENS = 1_000  # that many tokens outweigh the first guess of how many units a token is


class Progress:
    """What was done of some work. `show` is called after every change; without it nothing is seen."""

    def __init__(
        self,
        total: float | None,
        what: str,
        *,
        unit: str = "",
        units_a_token: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """total: units in all; None: nobody knows. what: the work, in a word. unit: what the units are called where
        they are worth showing. units_a_token: a first guess, as 4 bytes; None: what is finished tells."""
        self.total = total
        self.what = what
        self.unit = unit
        self.units = 0.0
        self.tokens = 0
        self.show: Callable[[], object] = lambda: None
        self._clock = clock
        self._begun = clock()
        self._guess = units_a_token
        self._of_finished = 0
        self._measured = (0.0, 0)
        self._fraction = 0.0
        self._first: tuple[float, float] | None = None  # when something came first, and how far it was then

    def __call__(self, tokens: int) -> None:
        """One more unit is finished, of so many tokens."""
        self.tokens += tokens
        self.finished(1, tokens)

    def encoded(self, tokens: int) -> None:
        """So many tokens more, of a unit that is not finished."""
        self.tokens += tokens
        self._note()

    def finished(self, units: float, tokens: int) -> None:
        """So many units more are finished; their tokens were counted by `encoded`."""
        self.units += units
        self._of_finished += tokens
        self._note()

    def measured(self, units: float, tokens: int) -> None:
        """So many units that are to come were found to be about so many tokens, as when a long text is cut."""
        self._measured = (self._measured[0] + units, self._measured[1] + tokens)

    def _note(self) -> None:
        if self.total:
            under_way = max(self.tokens - self._of_finished, 0) * self._units_a_token()
            self._fraction = max(self._fraction, min((self.units + under_way) / self.total, 1.0))
        if self._first is None:
            self._first = (self._clock(), self._fraction)
        self.show()

    def _units_a_token(self) -> float:
        if self._guess is None:
            return self.units / self._of_finished if self._of_finished else 0.0
        units, tokens = self._measured if self._measured[1] > self._of_finished else (self.units, self._of_finished)
        return (units + self._guess * _GUESSED_TOKENS) / (tokens + _GUESSED_TOKENS)

    @property
    def fraction(self) -> float | None:
        """How much of the work is done, 0 to 1; None where nobody knows. It never falls."""
        return self._fraction if self.total else None

    @property
    def seconds(self) -> float:
        """Since the work began."""
        return self._clock() - self._begun

    @property
    def tokens_a_second(self) -> float:
        """So far."""
        return self.tokens / max(self.seconds, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """By what was done since something came first: what is loaded before that is loaded once. None: unknown."""
        if not self.total or self._first is None:
            return None
        since, before = self._first
        gained = self._fraction - before
        return (self._clock() - since) * (1 - self._fraction) / gained if gained > 0 else None

    def words(self) -> str:
        """Tokens, tokens a second and the time that is left."""
        left = self.seconds_left
        rest = "" if left is None else f", about {_minutes(left)} left"
        return f"{self.tokens:,} tokens, {self.tokens_a_second:,.0f} tokens/s{rest}"

    def line(self) -> str:
        """All of it."""
        share = "" if self.fraction is None else f"{self.fraction:.0%}, "
        units = f"{self.units:,.0f} of {self.total:,.0f} {self.unit}, " if self.unit and self.total else ""
        return f"{self.what}: {share}{units}{self.words()}"


@contextmanager
def progress_bar(
    total: float | None,
    what: str,
    show: bool,
    *,
    unit: str = "texts",
    units_a_token: float | None = None,
    terminal_only: bool = True,
    clock: Callable[[], float] = time.monotonic,
    stream: TextIO | None = None,
) -> Iterator[Progress]:
    """A `Progress` to call after each text with its tokens: it moves a bar, or does nothing where `show` is False.

    total, unit, units_a_token  see `Progress`
    terminal_only               a stream that is no terminal gets a line every LINE_SECONDS; False: it is drawn on too
    clock, stream               for tests; the stream is stderr
    """
    progress = Progress(total, what, unit=unit, units_a_token=units_a_token, clock=clock)
    out = sys.stderr if stream is None else stream
    if not show or out is None:  # a program without a console has no stderr
        yield progress
    elif terminal_only and not out.isatty():
        progress.show = _lines(progress, out, clock)
        yield progress
    else:
        with _bar(progress, out, clock):
            yield progress


def _lines(progress: Progress, out: TextIO, clock: Callable[[], float]) -> Callable[[], object]:
    last = clock()

    def show() -> None:
        nonlocal last
        if clock() - last >= LINE_SECONDS:
            last = clock()
            out.write(f"{progress.line()}\n")
            out.flush()

    return show


@contextmanager
def _bar(progress: Progress, out: TextIO, clock: Callable[[], float]) -> Iterator[None]:
    bar = Bar(out, clock)

    def show() -> None:
        done, units = progress.fraction, ""
        if done is not None and progress.total and progress.unit:
            units = f"{done * progress.total:,.0f} of {progress.total:,.0f} {progress.unit}, "
        bar.draw(progress.what, done, f"{units}{_minutes(progress.seconds)}, {progress.words()}")

    progress.show = show
    show()
    try:
        yield
    finally:
        bar.clear()


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    hours, rest = divmod(whole, 3_600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
