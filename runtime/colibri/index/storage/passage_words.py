"""Which words of a document are which passage's."""

from collections.abc import Sequence
from itertools import pairwise

from colibri.index.storage.cutting import word_begin, word_end, words_in, words_of
from colibri.span import Span

SHARED = 8
"""Words of the next passage that a passage has as well: a phrase of up to one more is whole in one of two."""

_NEARBY = 200  # characters that hold so many words, but for long ones

WordRow = tuple[int, str, str]
"""A row's number, its words, and its words about the document."""


def cut(text: str | None, spans: Sequence[Span], said: str) -> list[WordRow]:
    """The words of a document's passages, by their places; those that have none are not there. Together they hold every
    word of the text, wherever passages lie.

    said  words about the document: of its last passage
    """
    parts: dict[int, str] = {}
    if text:
        parts = {place: words_of(text[start:end]) for place, start, end in _stretches(text, spans)}
    about_words = words_of(said)
    places = sorted({place for place, words in parts.items() if words} | ({len(spans) - 1} if about_words else set()))
    return [(place, parts.get(place, ""), about_words if place == len(spans) - 1 else "") for place in places]


def _stretches(text: str, spans: Sequence[Span]) -> list[tuple[int, int, int]]:
    """Place, start, end: of which characters the words are a passage's. Its own, the first words of the next one, and
    what lies between."""
    placed: dict[Span, int] = {}
    for place, span in enumerate(spans):
        if span.end > span.start:
            placed.setdefault(span, place)
    if not placed:
        return [(0, 0, len(text))]
    order = sorted(placed)
    begins = [0, *(word_begin(text, span.start) for span in order[1:])]
    ends = [max(word_end(text, one.end), _some_words(text, other.start)) for one, other in pairwise(order)]
    return [(placed[span], begin, end) for span, begin, end in zip(order, begins, [*ends, len(text)], strict=True)]


def _some_words(text: str, start: int) -> int:
    """Where so many words end."""
    found = words_in(text[start : start + _NEARBY])[:SHARED]
    return word_end(text, start + found[-1].end) if found else start
