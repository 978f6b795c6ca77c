"""Which characters of a passage are shown: those around what answers, from the beginning of a line or a word on."""

import re
import unicodedata
from collections.abc import Sequence

Spans = Sequence[tuple[int, int]]

_SHOWN = 320  # characters
_BEFORE = 40  # of them before what is marked
_BACK = 160  # more, so that a long word is whole that the first of them would cut
_AFTER = 24  # of them that may be left out so that the last word is whole
_LINE = re.compile(r"\n[ \t]*(?=[^ \t\n])")
_WORD = re.compile(r"\s+(?=\S)")
_LAST_WORD = re.compile(r"\s+\S*\Z")


def window(text: str, start: int, end: int, marked: Spans, number: int | None) -> tuple[int, int]:
    """Of characters start to end - 1 the ones that show most of what is marked; where that begins within them, with the
    first word of a line or with a word.

    number  the line, from 1, of which some is shown
    """
    if end - start <= _SHOWN:
        return start, end
    line = _extent(text, number)
    begins = [
        min(max(at - _BEFORE, start), end - _SHOWN) for at in (*(first for first, _ in marked), *(line or ())[:1])
    ]
    best = max(
        begins or [start],
        key=lambda b: (
            line is None or (b < line[1] and line[0] < b + _SHOWN),
            sum(b <= first and last <= b + _SHOWN for first, last in marked),
            -b,
        ),
    )
    inside = [span for span in marked if best <= span[0] and span[1] <= best + _SHOWN]
    shown = max((last for _, last in inside), default=start)
    last = min(best + _SHOWN, end)  # a line that begins before it adds to it, or what stands last would be cut off
    if best > start:
        needed = [first for first, _ in inside]
        needed += [] if line is None else [line[0] if line[0] >= best else line[1] - 1]
        best = _word_or_line(text, start, best, min(needed, default=end - 1))
    last = max(last, min(best + _SHOWN, end))
    if last < end and text[last - 1].isalnum() and text[last].isalnum():
        found = _LAST_WORD.search(text, max(last - _AFTER, shown), last)
        last = last if found is None else found.start()
    return best, best + len(text[best:last].rstrip()) if last < end else last


def _extent(text: str, number: int | None) -> tuple[int, int] | None:
    """The characters of a line."""
    if number is None:
        return None
    start = 0
    for _ in range(number - 1):
        start = text.find("\n", start) + 1
    end = text.find("\n", start)
    return start, len(text) if end < 0 else end


def _word_or_line(text: str, start: int, best: int, needed: int) -> int:
    """The first word of a line that begins near `best`; else the next word; else, where all up to `needed` is one, its
    beginning, as far as that is not too far away."""
    for gap, first in ((_LINE, max(start, best - _BEFORE)), (_WORD, best - 1)):
        found = gap.search(text, first, min(best + _BEFORE, needed) + 1)  # with the character behind the gap
        if found:
            return found.end()
    if not (_of_a_word(text[best - 1]) and _of_a_word(text[best])):
        return best
    at = best
    while at > start and not text[at - 1].isspace():
        at -= 1
    if best - at <= _BACK:
        return at
    return next((at for at in range(best, needed + 1) if not _of_a_word(text[at - 1])), best)


def _of_a_word(character: str) -> bool:
    """Whether it is one word with such neighbours. Wide ones are not: their scripts have no blanks between words."""
    return unicodedata.category(character)[0] in "LNM" and unicodedata.east_asian_width(character) != "W"
