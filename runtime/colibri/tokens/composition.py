"""Text as its composed form has it, before it is tokenized: macOS writes names, and some programs texts, decomposed.

`tokenizers` applies a vocabulary's rules to grapheme clusters of five bytes at most and composes nothing, so that a
decomposed Korean, Japanese or Vietnamese text falls into pieces that no training saw: MaxSim of an answer fell from
4.49 to 1.90, near that of wrong ones (1.64). sentencepiece, with which Unigram models were trained, composes. Here a
text is put into NFC first (Unicode Standard Annex 15), so that NFC and NFD of it are one text; for Unigram models
also what sentencepiece's rules compose beside that: half-width kana with their marks, and Hangul of compatibility jamo.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from colibri.tokens.unigram import Ints

# Second code points of canonical compositions that are no combining marks (UnicodeData.txt, to Unicode 16); all others
# are known by their combining class.
_SECONDS = re.compile(
    "[\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e\u1161-\u1175\u11a8-\u11c2"
    "\u1b35\U00011127\U0001133e\U00011357\U000113b8\U000113bb\U000113c2\U000113c9\U000114b0\U000114ba\U000114bd"
    "\U000115af\U00011930\U0001611e-\U00016120\U00016129\U00016d67]"
)
# Half-width voicing marks, half-width and compatibility vowels of Hangul: what NFC leaves and NFKC composes.
_COMPATIBLE = re.compile("[\uff9e\uff9f\u314f-\u3163\uffc2-\uffc7\uffca-\uffcf\uffd2-\uffd7\uffda-\uffdc]")

# What is not ASCII, and the letter before it, which marks may join.
_RUNS = re.compile("[\x00-\x7f]?[^\x00-\x7f]+")


@dataclass(frozen=True)
class Composed:
    """A composed text.

    starts, ends  (code points,) where in the original each code point comes from: [start, end)
    """

    text: str
    starts: Ints
    ends: Ints


def compose(text: str, *, compatible: bool = False) -> Composed | None:
    """The text composed; None where it is so already, which a quick look tells nearly always.

    compatible: also what sentencepiece's nmt_nfkc rules compose
    """
    if text.isascii():
        return None
    if unicodedata.is_normalized("NFC", text) and not (compatible and _COMPATIBLE.search(text)):
        return None
    parts: list[str] = []
    places: list[tuple[Ints, Ints]] = []
    done = 0
    for run in _RUNS.finditer(text):
        made = _composed_run(run[0], run.start(), compatible)
        if made is not None:
            parts += [text[done : run.start()], made.text]
            places += [_as_it_is(done, run.start()), (made.starts, made.ends)]
            done = run.end()
    parts.append(text[done:])
    places.append(_as_it_is(done, len(text)))
    return Composed("".join(parts), *(np.concatenate(column) for column in zip(*places, strict=True)))


def _as_it_is(start: int, end: int) -> tuple[Ints, Ints]:
    places = np.arange(start, end + 1)
    return places[:-1], places[1:]


def _composed_run(run: str, at: int, compatible: bool) -> Composed | None:
    """A run that begins at character `at` of its text; None where nothing in it changes."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _segments(run):
        segment = run[start:end]
        made = unicodedata.normalize("NFC", segment)
        if compatible:
            made = _as_sentencepiece(made)
        parts.append(made)
        if made == segment:
            starts += range(at + start, at + end)
            ends += range(at + start + 1, at + end + 1)
        else:
            starts += [at + start] * len(made)
            ends += [at + end] * len(made)
    text = "".join(parts)
    return None if text == run else Composed(text, np.array(starts, np.int64), np.array(ends, np.int64))


def _segments(run: str) -> Iterator[tuple[int, int]]:
    """Stretches that normalise on their own: a code point, and those after it that may join it."""
    start = 0
    for at, character in enumerate(run):
        if at and not _follows(character):
            yield start, at
            start = at
    yield start, len(run)


@functools.lru_cache(maxsize=4_096)
def _follows(character: str) -> bool:
    first = unicodedata.normalize("NFD", character)[0]
    return bool(unicodedata.combining(first) or _SECONDS.match(first) or _COMPATIBLE.match(first))


def _as_sentencepiece(segment: str) -> str:
    """Its rules have sequences of code points that stand for one each, and of nothing that is composed itself."""
    if not _COMPATIBLE.search(segment) or any(len(unicodedata.normalize("NFKD", c)) > 1 for c in segment):
        return segment
    made = unicodedata.normalize("NFKC", segment)
    return made if len(made) < len(segment) else segment
