"""The tokenizer of XLM-R and its like, without `tokenizers`: the same ids and offsets, and loaded at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from colibri.errors import ArtefactError
from colibri.tokens.charsmap import Charsmap
from colibri.tokens.unigram import Ints, Segments, Unigram

_CODE_POINTS_AT_ONCE = 1 << 16  # 20 MB of arrays while their words are split
_REMEMBERED = 8_192  # words whose pieces are kept, some 2 MB: a query's are split in 0.02 instead of 0.4 ms
_LONGEST_REMEMBERED = 32  # characters


@dataclass(frozen=True)
class Pieces:
    """One text in pieces.

    ids      (n,)    int64
    offsets  (n, 2)  int64; code points of the text, from - to
    """

    ids: Ints
    offsets: Ints


class LightTokenizer:
    """Charsmap and Unigram one after the other, and what became of the last words. Threads may share it."""

    def __init__(self, path: Path) -> None:
        """path: an .npz file of the arrays that both want. Raises ArtefactError when it is not one."""
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                arrays = dict(file)
            self._charsmap, self._unigram = Charsmap(arrays), Unigram(arrays)
            self._remembered: dict[str, tuple[int, ...]] = {}
        except Exception as error:  # a damaged file ends in errors of zipfile, zlib, numpy and ours
            raise ArtefactError(f"{path}: cannot be read as a Unigram vocabulary ({error!r})") from error

    def piece(self, i: int) -> str | None:
        """The piece of an id; None outside the vocabulary."""
        return self._unigram.piece(i)

    def vocabulary(self) -> list[tuple[str, float]]:
        """Every piece with its score, by id."""
        return self._unigram.vocabulary()

    def encode(self, texts: Sequence[str]) -> list[Pieces | None]:
        """Pieces of every text. Texts hold no surrogates.

        None where only `tokenizers` can tell: of files that were written before they had rules for clusters.
        """
        return [pieces for group in _groups(texts) for pieces in self._encode(group)]

    def _encode(self, texts: Sequence[str]) -> Iterator[Pieces | None]:
        normalised = self._charsmap.normalise(texts)
        inside = np.zeros(normalised.white.size + 2, np.int8)
        inside[1:-1] = ~normalised.white
        turns = np.diff(inside)
        word_starts, word_ends = np.flatnonzero(turns == 1), np.flatnonzero(turns == -1)
        text = normalised.codes.tobytes().decode("utf-32-le")
        # Most words come again and again: each is split once.
        seen: dict[str, int] = {}
        places = [
            seen.setdefault(text[start:end], len(seen))
            for start, end in zip(word_starts.tolist(), word_ends.tolist(), strict=True)
        ]
        which = np.array(places, np.int64)
        segments = self._segments(list(seen))
        counts = np.diff(segments.words)[which]
        tokens = _ranges(segments.words[which], counts)
        begin = np.repeat(word_starts, counts)
        # The word start mark in front is no character: a piece that is nothing else stands for the first one.
        first = begin + np.maximum(segments.starts[tokens] - 1, 0)
        last = begin + np.maximum(segments.ends[tokens] - 2, 0)
        offsets = np.stack([normalised.sources[first], normalised.sources[last] + 1], axis=1)
        ids = segments.ids[tokens]
        bounds = [*np.searchsorted(offsets[:, 0], normalised.starts).tolist(), ids.size]
        for i, unsure in enumerate(normalised.unsure.tolist()):
            rows = slice(bounds[i], bounds[i + 1])
            yield None if unsure else Pieces(ids[rows], offsets[rows] - normalised.starts[i])

    def _segments(self, words: list[str]) -> Segments:
        """As `Unigram.segment` says; words that were met before are not split again."""
        before = self._remembered  # never loses a word: when it is full another takes its place
        made: dict[str, tuple[int, ...]] = {}
        if new := [word for word in words if word not in before]:
            split = self._unigram.segment(new)
            # id, start, end of each piece of a word, one after the other.
            numbers = np.stack([split.ids, split.starts, split.ends], axis=1).ravel().tolist()
            bounds = (3 * split.words).tolist()
            made = {word: tuple(numbers[a:b]) for word, a, b in zip(new, bounds[:-1], bounds[1:], strict=True)}
            short = {word: pieces for word, pieces in made.items() if len(word) <= _LONGEST_REMEMBERED}
            if len(before) + len(short) <= _REMEMBERED:
                before.update(short)
            elif len(short) <= _REMEMBERED:
                self._remembered = short
        found = [made[word] if word in made else before[word] for word in words]
        table = np.fromiter(chain.from_iterable(found), np.int64).reshape(-1, 3)
        counts = np.fromiter(map(len, found), np.int64, len(found)) // 3
        return Segments(table[:, 0], table[:, 1], table[:, 2], np.concatenate([[0], np.cumsum(counts)]))


def _groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Consecutive texts with so many code points together, or one longer text."""
    first = size = 0
    for i, text in enumerate(texts):
        if i > first and size + len(text) > _CODE_POINTS_AT_ONCE:
            yield texts[first:i]
            first, size = i, 0
        size += len(text)
    if first < len(texts):
        yield texts[first:]


def _ranges(starts: Ints, counts: Ints) -> Ints:
    """start, start + 1, ... for each start, so many as its count says."""
    before = np.cumsum(counts) - counts
    steps: Ints = np.arange(int(counts.sum())) + np.repeat(starts - before, counts)
    return steps
