"""Which characters of a document are read: the passages that were asked for and their neighbours, in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from colibri.errors import InputError
from colibri.vectors import Span

MOST_CHARACTERS = 12_000
"""Of one reading: some 3,000 tokens of the assistant's model."""


@dataclass(frozen=True)
class Window:
    """[start, end) of the text, and the passages that lie in it, in whole or in part."""

    start: int
    end: int
    passages: tuple[Span, ...]


def window(passages: Sequence[Span], length: int, start: int | None, end: int | None, neighbours: int) -> Window:
    """The characters of the passages that [start, end) touches and of `neighbours` on either side.

    length  of the whole text
    start   None: its beginning; end None: one character, so the passage in which `start` lies

    At most MOST_CHARACTERS, beginning with the first neighbour; where `start` would lie behind that, with what was
    asked for. Raises InputError for a place outside the text.
    """
    first = 0 if start is None else start
    last = min(first + 1, length) if end is None else end
    if not 0 <= first <= last or (first >= length and length):
        raise InputError(f"start {first}, end {last}: wanted 0 <= start <= end, and a start below {length:,}")
    last = min(last, length)
    known = sorted(one for one in set(passages) if one.end > one.start)
    if not known:
        return Window(first, min(max(last, first), first + MOST_CHARACTERS), ())
    touched = [i for i, one in enumerate(known) if one.start < max(last, first + 1) and one.end > first]
    if not touched:  # between two passages
        touched = [min(range(len(known)), key=lambda i: min(abs(known[i].start - first), abs(known[i].end - first)))]
    chosen = known[max(0, touched[0] - neighbours) : touched[-1] + 1 + neighbours]
    begin, stop = min(chosen[0].start, first), max(last, *(one.end for one in chosen))
    if first - begin >= MOST_CHARACTERS:
        begin = first
    stop = min(stop, begin + MOST_CHARACTERS, length)
    return Window(begin, stop, tuple(one for one in known if one.start < stop and one.end > begin))


def whole(text: str) -> str:
    """The text as it can be sent: UTF-8 has no lone surrogates, and a text may hold what its file had."""
    return text.encode("utf-8", "replace").decode("utf-8")
