"""Long texts to passages: windows of tokens that overlap, cut between paragraphs or sentences where possible."""

import re
from collections.abc import Callable, Iterator

import numpy as np

from colibri.vectors import Span, Spans

Offsets = Callable[[str], Spans]
"""The characters behind each token of a text, (tokens, 2)."""

PASSAGE_TOKENS = 180
OVERLAP_TOKENS = 24

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")
_SENTENCE = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*\s+)|(?:[。！？｡]+[」』）”]*)|(?:[؟۔।॥]+\s*)|(?:\n\s*)")
_BLOCK = 1 << 18  # characters tokenised at once: offsets take 16 bytes a token


def split(text: str, offsets: Offsets, size: int = PASSAGE_TOKENS, overlap: int = OVERLAP_TOKENS) -> list[Span]:
    """Where the passages of a text lie, in order; at least one.

    size     tokens of a passage at most, as counted in the whole text
    overlap  tokens that a passage shares with the one before it, at most, unless that one ended with a paragraph

    Together they hold every character that is not white space. A text that fits is one passage, white space included.
    """
    if len(text) <= size:  # a token has a character at least, nearly always
        return [Span(0, len(text))]
    found = [span for start, end in _blocks(text) for span in _passages(text[start:end], start, offsets, size, overlap)]
    if len(found) <= 1:
        return [Span(0, len(text))]
    return found


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """A very long text in parts, cut where a paragraph, a sentence or at least a word ends."""
    at = 0
    while len(text) - at > _BLOCK:
        end = at + _BLOCK
        for border in (_PARAGRAPH, _SENTENCE, re.compile(r"\s+")):
            borders = [m.end() for m in border.finditer(text, at + _BLOCK // 2, end)]
            if borders:
                end = borders[-1]
                break
        yield at, end
        at = end
    yield at, len(text)


def _passages(text: str, shift: int, offsets: Offsets, size: int, overlap: int) -> Iterator[Span]:
    tokens = offsets(text)
    count = len(tokens)
    begins = tokens[:, 0].astype(np.int64)
    paragraphs = _token_borders(_PARAGRAPH, text, begins)
    sentences = _token_borders(_SENTENCE, text, begins)
    words = _token_borders(re.compile(r"\s+"), text, begins)
    first = 0
    while True:
        last, paragraph = count, False
        if count - first > size:
            last, paragraph = _cut(first, first + size, paragraphs, sentences, words)
        start = int(begins[first]) if first else 0
        end = int(begins[last]) if last < count else len(text)
        trimmed = _trimmed(text, start, end)
        if trimmed.end > trimmed.start:
            yield Span(trimmed.start + shift, trimmed.end + shift)
        if last >= count:
            return
        # From half of a passage on at the latest, so that each goes further than the one before.
        first = (
            last if paragraph else _back(last, max(last - overlap, first + (last - first + 1) // 2), sentences, words)
        )


def _cut(first: int, most: int, paragraphs: list[int], sentences: list[int], words: list[int]) -> tuple[int, bool]:
    """Where a passage from token `first` ends, at most at `most`; whether a paragraph ends there."""
    for borders, least in ((paragraphs, (most + first) // 2), (sentences, (most + first) // 2), (words, first)):
        at = int(np.searchsorted(borders, most, side="right")) - 1
        if at >= 0 and borders[at] > least:
            return borders[at], borders is paragraphs
    return most, False


def _back(last: int, least: int, sentences: list[int], words: list[int]) -> int:
    """Where the next passage begins: with the first sentence, or word, between `least` and `last`."""
    for borders in (sentences, words):
        at = int(np.searchsorted(borders, least, side="left"))
        if at < len(borders) and borders[at] < last:
            return borders[at]
    return last


def _token_borders(border: re.Pattern[str], text: str, begins: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """Tokens that begin what comes after a border."""
    ends = np.array([match.end() for match in border.finditer(text)], np.int64)
    found = np.unique(np.searchsorted(begins, ends, side="left"))
    return [int(token) for token in found if 0 < token < len(begins)]


def _trimmed(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return Span(start + left, max(start + len(piece.rstrip()), start + left))
