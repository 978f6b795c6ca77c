"""Unigram segmentation in NumPy: the pieces that `tokenizers` would choose, down to ties, and quickly loaded.

A word becomes the pieces whose scores sum to the most (Kudo, arXiv 1804.10959). Sums are float64 and the earlier start
wins a tie, as in `tokenizers`; sentencepiece sums in float32 over a whole text and decides near ties otherwise.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD_START = "▁"
_UNKNOWN_PENALTY = 10.0  # of an unknown character, below the lowest score; sentencepiece's and tokenizers' constant
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # any odd number with well mixed bits
_FILTER_BITS = 22  # 4 MB, of which XLM-R's prefixes set one byte in nine

_WIDE = 32  # edges in a round from which NumPy is faster than a loop

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Segments:
    """Words in pieces, one word after the other.

    ids     (n,)         int64; vocabulary ids
    starts  (n,)         int64; first character of the piece in its word, the word start mark counted
    ends    (n,)         int64; character after its last
    words   (words + 1,) int64; word i has pieces words[i]:words[i + 1]
    """

    ids: Ints
    starts: Ints
    ends: Ints
    words: Ints


class Unigram:
    """Pieces with scores. Never changed after it is made, so threads may share it."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """arrays: what `vocabulary_arrays` makes. Raises ValueError or LookupError for anything else."""
        text = arrays["pieces"].tobytes().decode()
        self._codes = code_points(text)
        breaks = np.flatnonzero(self._codes == ord("\n"))
        self._starts = np.concatenate([[0], breaks + 1])
        self._lengths = np.concatenate([breaks, [self._codes.size]]) - self._starts
        self._scores = arrays["scores"].astype(np.float64)
        self._scores[arrays["exact_ids"]] = arrays["exact_scores"]
        self._order = arrays["order"].astype(np.int64)
        if not self._scores.size == self._order.size == self._starts.size:
            raise ValueError(f"{self._starts.size} pieces, {self._scores.size} scores, {self._order.size} places")
        self._unknown = int(arrays["unknown_id"])
        self._unknown_score = float(self._scores.min()) - _UNKNOWN_PENALTY
        self._longest = int(self._lengths.max())
        hashes, self._is_prefix = hash_pieces(self._codes, self._starts, self._lengths)
        self._hashes = hashes[self._order]
        if (self._hashes[1:] <= self._hashes[:-1]).any():
            raise ValueError("its pieces are not in the order of their hashes")

    def piece(self, i: int) -> str | None:
        """The piece of an id; None outside the vocabulary."""
        if not 0 <= i < self._starts.size:
            return None
        start = self._starts[i]
        return self._codes[start : start + self._lengths[i]].tobytes().decode("utf-32-le")

    def vocabulary(self) -> list[tuple[str, float]]:
        """Every piece with its score, by id."""
        pieces = self._codes.tobytes().decode("utf-32-le").split("\n")
        return list(zip(pieces, self._scores.tolist(), strict=True))

    def segment(self, words: Sequence[str]) -> Segments:
        """Split words, none of which holds white space or the word start mark, each as if it were alone."""
        codes = code_points("".join([WORD_START + word for word in words]))
        lengths = np.fromiter((len(word) + 1 for word in words), np.int64, len(words))
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        starts, ends, ids = self._edges(codes)
        # Starts of all words first, then all second characters...: each round then needs only the rounds before.
        firsts = np.repeat(bounds[:-1], lengths)
        depth = starts - firsts[starts]
        by_depth = np.argsort(depth, kind="stable")
        starts, ends, ids = starts[by_depth], ends[by_depth], ids[by_depth]
        scores = np.where(ids < 0, self._unknown_score, self._scores[ids])
        rounds = np.cumsum(np.bincount(depth))
        if starts.size < _WIDE * rounds.size:
            picked = self._best_path_of_few(starts, ends, scores, bounds)
        else:
            picked = self._best_paths(starts, self._best_edges(starts, ends, scores, rounds, codes.size), bounds)
        picked = picked[np.argsort(starts[picked], kind="stable")]
        starts, ends, ids = starts[picked], ends[picked], ids[picked]
        return self._joined_unknown(starts, ends, np.where(ids < 0, self._unknown, ids), bounds, firsts)

    def _edges(self, codes: NDArray[np.uint32]) -> tuple[Ints, Ints, Ints]:
        """Every piece at every place: start, end, id; id -1 for a character that is no piece of its own."""
        found: list[tuple[Ints, Ints, Ints]] = []
        wide = codes.astype(np.uint64)
        at = np.arange(codes.size)
        state = np.zeros(codes.size, np.uint64)
        for length in range(1, self._longest + 1):
            inside = at + length <= codes.size
            at, state = at[inside], state[inside]
            state = (state + wide[at + length - 1] + np.uint64(1)) * _FACTOR
            passed = self._is_prefix[state >> np.uint64(64 - _FILTER_BITS)]
            at, state = at[passed], state[passed]
            if not at.size:
                break
            place = np.minimum(np.searchsorted(self._hashes, state), self._hashes.size - 1)
            hit = self._hashes[place] == state
            starts, ids = at[hit], self._order[place[hit]]
            # The hash only proposes.
            offsets = np.arange(length)
            same = self._lengths[ids] == length
            starts, ids = starts[same], ids[same]
            theirs = self._codes[self._starts[ids][:, None] + offsets]
            same = (codes[starts[:, None] + offsets] == theirs).all(axis=1)
            found.append((starts[same], starts[same] + length, ids[same]))
        single = np.zeros(codes.size, np.bool_)
        if found:
            single[found[0][0]] = True
        unknown = np.flatnonzero(~single)
        found.append((unknown, unknown + 1, np.full(unknown.size, -1, np.int64)))
        starts, ends, ids = (np.concatenate(column) for column in zip(*found, strict=True))
        return starts, ends, ids

    @staticmethod
    def _best_edges(starts: Ints, ends: Ints, scores: NDArray[np.float64], rounds: Ints, size: int) -> Ints:
        """For every end the edge of the best path to it (Viterbi); `rounds` says where each depth's edges end."""
        best = np.full(size + 1, -np.inf)
        arrived = np.full(size + 1, -1, np.int64)
        first = 0
        for depth, last in enumerate(rounds.tolist()):
            sources, targets = starts[first:last], ends[first:last]
            # A word's first place is also the end of the word before it.
            totals = scores[first:last] + (best[sources] if depth else 0.0)
            better = totals > best[targets]
            targets = targets[better]
            best[targets] = totals[better]
            arrived[targets] = first + np.flatnonzero(better)
            first = last
        return arrived

    @staticmethod
    def _best_paths(starts: Ints, arrived: Ints, bounds: Ints) -> Ints:
        """The edges of every word's best path, from its end back to its beginning."""
        chosen = []
        at, begin = bounds[1:], bounds[:-1]
        while at.size:
            edges = arrived[at]
            chosen.append(edges)
            going = starts[edges] > begin
            at, begin = starts[edges][going], begin[going]
        return np.concatenate([np.zeros(0, np.int64), *chosen])

    @staticmethod
    def _best_path_of_few(starts: Ints, ends: Ints, scores: NDArray[np.float64], bounds: Ints) -> Ints:
        """The same sums edge by edge: where few words are long, a round has less to do than NumPy takes to begin it."""
        size, begins = int(bounds[-1]), set(bounds[:-1].tolist())
        best, arrived = [-math.inf] * (size + 1), [-1] * (size + 1)
        first = starts.tolist()
        for edge, (start, end, score) in enumerate(zip(first, ends.tolist(), scores.tolist(), strict=True)):
            total = score if start in begins else score + best[start]
            if total > best[end]:
                best[end], arrived[end] = total, edge
        picked = []
        for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            at = end
            while at > begin:
                picked.append(arrived[at])
                at = first[arrived[at]]
        return np.array(picked, np.int64)

    def _joined_unknown(self, starts: Ints, ends: Ints, ids: Ints, bounds: Ints, firsts: Ints) -> Segments:
        """Unknown characters side by side in a word are one piece."""
        unknown = ids == self._unknown
        follows = np.zeros(ids.size, np.bool_)
        follows[1:] = unknown[1:] & unknown[:-1] & (firsts[starts[1:]] == firsts[starts[:-1]])
        last = np.ones(ids.size, np.bool_)
        last[:-1] = ~follows[1:]
        starts, ends, ids = starts[~follows], ends[last], ids[~follows]
        begin = firsts[starts]
        return Segments(ids, starts - begin, ends - begin, np.searchsorted(starts, bounds))


def vocabulary_arrays(pieces: Sequence[tuple[str, float]], unknown_id: int) -> dict[str, NDArray[Any]]:
    """What `Unigram` loads, from (piece, score) by id. Raises ValueError for pieces it cannot hold."""
    if any(not piece or "\n" in piece or WORD_START in piece[1:] for piece, _ in pieces):
        raise ValueError("a piece is empty, or has a line break or a word start inside")
    text = "\n".join(piece for piece, _ in pieces)
    lengths = np.array([len(piece) for piece, _ in pieces], np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths + 1)[:-1]])
    hashes, _ = hash_pieces(code_points(text), starts, lengths)
    order = np.argsort(hashes, kind="stable")
    if (np.diff(hashes[order]) == 0).any():
        raise ValueError("two pieces are equal, or have one hash")
    exact = np.array([score for _, score in pieces], np.float64)
    scores = exact.astype(np.float32)
    inexact = np.flatnonzero(scores != exact)
    return {
        "pieces": np.frombuffer(text.encode(), np.uint8),
        "scores": scores,
        "exact_ids": inexact,
        "exact_scores": exact[inexact],
        "order": order.astype(np.uint32),
        "unknown_id": np.array(unknown_id),
    }


def hash_pieces(codes: NDArray[np.uint32], starts: Ints, lengths: Ints) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """A hash for each piece codes[start:start + length], and a filter that lets every prefix of one through."""
    longest = int(lengths.max(initial=0))
    # The longest first: those that have another character are then a slice, half the time of picking them.
    short = np.uint16 if longest < 1 << 16 else np.int64  # sorted by its bytes, 2 ms and not 14
    order = np.argsort((longest - lengths).astype(short), kind="stable")
    left = starts.size - np.cumsum(np.bincount(lengths, minlength=longest + 1))
    at, states = starts[order], np.zeros(starts.size, np.uint64)
    is_prefix = np.zeros(1 << _FILTER_BITS, np.bool_)
    for length in range(longest):
        own = states[: left[length]]
        own += codes[at[: own.size] + length]
        own += np.uint64(1)
        own *= _FACTOR
        is_prefix[(own >> np.uint64(64 - _FILTER_BITS)).view(np.int64)] = True
    hashes = np.empty_like(states)
    hashes[order] = states
    return hashes, is_prefix


def code_points(text: str) -> NDArray[np.uint32]:
    """(len(text),) uint32."""
    return np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.uint32, copy=False)
