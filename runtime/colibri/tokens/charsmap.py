"""sentencepiece's normalisation rules, applied code point by code point to many texts at once.

`tokenizers` applies them to whole grapheme clusters of up to five bytes, by the shortest rule that fits their
beginning. For nearly all text that is the same; where it may not be, `clusters` does as they do, text by text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.tokens.clusters import ARRAYS, CLUSTER_BYTES, ClusterRules, cluster_rules
from colibri.tokens.unigram import Ints, code_points

_CODE_POINTS = 0x110000
_LAST_CONTROL = 0x9F  # a cluster ends behind each of those up to here
# Unicode's White_Space, which `tokenizers` splits at.
_WHITE_SPACE = (*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)


@dataclass(frozen=True)
class Normalised:
    """Texts one after the other, a line break between two, as code points after the rules.

    codes    (n,)  uint32
    sources  (n,)  int64; place of the original code point each one comes from
    white    (n,)  bool; white space
    unsure   (texts,) bool; texts that `tokenizers` may normalise otherwise, where there are no rules for clusters
    starts   (texts,) int64; where the texts start among the original code points
    """

    codes: NDArray[np.uint32]
    sources: Ints
    white: NDArray[np.bool_]
    unsure: NDArray[np.bool_]
    starts: Ints


class Charsmap:
    """Rules by code point. Threads may share it."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """arrays (all uint32):

        mapped           code points with a rule of their own
        mapped_lengths   how many code points each becomes
        mapped_to        all of those, one after the other
        extending        code points that stay in one grapheme cluster with the one before them
        composing_first  first code points of rules for several
        composing_next   their other code points

        and, of newer files, the rules for several that fit a cluster (see `clusters`):
        several, several_lengths, several_becomes, several_becomes_lengths
        """
        self._of_clusters = {name: arrays[name] for name in ARRAYS if name in arrays}
        self._rules: ClusterRules | None = None
        mapped, lengths = arrays["mapped"].astype(np.int64), arrays["mapped_lengths"].astype(np.int64)
        if lengths.size != mapped.size or lengths.sum() != arrays["mapped_to"].size:
            raise ValueError("mapped, mapped_lengths and mapped_to do not belong together")
        self._targets = arrays["mapped_to"].astype(np.uint32)
        # Tables over all code points: zeros take memory only where something else is written.
        self._longer_by = np.zeros(_CODE_POINTS, np.int8)
        self._longer_by[mapped] = lengths - 1
        self._rule = np.zeros(_CODE_POINTS, np.int32)  # 1 + where the targets start; 0: no rule
        self._rule[mapped] = 1 + np.cumsum(lengths) - lengths
        # Two code points share a cluster with room for a rule when their sizes are at most CLUSTER_BYTES together.
        self._room = np.zeros((2, _CODE_POINTS), np.int8)
        self._fits = np.zeros((2, _CODE_POINTS), np.int8)
        pairs = [
            (mapped[mapped > _LAST_CONTROL], arrays["extending"]),
            (arrays["composing_first"], arrays["composing_next"]),
        ]
        for kind, (first, following) in enumerate(pairs):
            self._room[kind, first] = CLUSTER_BYTES - _utf8_sizes(first)
            self._fits[kind, following] = CLUSTER_BYTES - _utf8_sizes(following)
        self._white = np.zeros(_CODE_POINTS, np.bool_)
        self._white[list(_WHITE_SPACE)] = True

    def normalise(self, texts: Sequence[str]) -> Normalised:
        """Apply the rules. Texts hold no surrogates."""
        codes = code_points("\n".join(texts))
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        starts = np.cumsum(lengths + 1) - lengths - 1
        longer_by = self._longer_by[codes]
        unsure = np.zeros(len(texts), np.bool_)
        unsure[np.searchsorted(starts, self._doubts(codes, longer_by, starts, lengths), "right") - 1] = True

        sources = np.arange(codes.size)
        if longer_by.any():
            sources = np.repeat(sources, longer_by + 1)
        rule = self._rule[codes[sources]]
        ruled = np.flatnonzero(rule)
        within = np.zeros(0, np.int64)
        if ruled.size:
            first = np.searchsorted(sources, sources[ruled])
            within = ruled - first
        normal = codes[sources]
        normal[ruled] = self._targets[rule[ruled] - 1 + within]
        if "several" in self._of_clusters and unsure.any():
            normal, sources = self._exactly(texts, np.flatnonzero(unsure), normal, sources, starts)
            unsure[:] = False
        return Normalised(normal, sources, self._white[normal], unsure, starts)

    def _exactly(
        self, texts: Sequence[str], doubtful: Ints, normal: NDArray[np.uint32], sources: Ints, starts: Ints
    ) -> tuple[NDArray[np.uint32], Ints]:
        """The same code points and sources, those of the doubtful texts as their clusters make them."""
        rules = self._cluster_rules()
        codes, places = [], []
        done = 0
        for i in doubtful.tolist():
            first, last = np.searchsorted(sources, [starts[i], starts[i] + len(texts[i])]).tolist()
            text, behind = rules.apply(texts[i])
            codes += [normal[done:first], code_points(text)]
            places += [sources[done:first], starts[i] + np.array(behind, np.int64)]
            done = last
        return np.concatenate([*codes, normal[done:]]), np.concatenate([*places, sources[done:]])

    def _cluster_rules(self) -> ClusterRules:
        # Made when the first text needs them, 10 ms; two threads that do so at once make the same.
        if self._rules is None:
            self._rules = cluster_rules(self._of_clusters)
        return self._rules

    def _doubts(self, codes: NDArray[np.uint32], longer_by: NDArray[np.int8], starts: Ints, lengths: Ints) -> Ints:
        """Places where a rule may meet a cluster of several code points, or where `tokenizers` shifts offsets."""
        doubtful = np.zeros(codes.size, np.bool_)
        for room, fits in zip(self._room, self._fits, strict=True):
            # Room of 5 - a and fit of 5 - b bytes: a + b <= 5 is the same as a sum of at least 5.
            doubtful[:-1] |= (fits[codes[1:]] > 0) & (room[codes[:-1]] + fits[codes[1:]] >= CLUSTER_BYTES)
        # What is removed counts as part of the code point before it, so that one must be there and be one.
        removed = longer_by < 0
        if removed.any():
            doubtful[1:] |= removed[1:] & (longer_by[:-1] > 0)
            filled = starts[lengths > 0]
            doubtful[filled] |= removed[filled]
        return np.flatnonzero(doubtful)


def _utf8_sizes(codes: NDArray[Any]) -> NDArray[np.int8]:
    sizes = 1 + (codes >= 0x80).astype(np.int8) + (codes >= 0x800) + (codes >= 0x10000)
    return np.asarray(sizes, np.int8)
