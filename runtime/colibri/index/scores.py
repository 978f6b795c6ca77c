"""What one query's passages score: all of them, or those that sign bits leave, and any that is asked for beside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from colibri.index import screen
from colibri.index.storage.segments import Segment
from colibri.scoring import Floats
from colibri.vectors import Offsets

Some = Sequence[tuple[Segment, Offsets]]
"""Segments, and places of some of their passages."""
Exact = Callable[[Some], Sequence[Floats]]
"""Scores of such passages by their rows, for each segment; inf for what is no number."""

_HEAD = 4_096  # passages that are put in order at once; a search scores some hundred
_ALL_FROM = 0.2
"""Of all that count: when so many are to be scored, all are, by a scan. Picking takes 2 to 3 us of CPU a passage of 39
rows, a scan 1 (AVX2, 2 to 20 query tokens at 64 dims)."""
_TOLD_FROM = 1 / 32
"""Of all that count: when so many were scored, what they say of those that wait decides whether a scan is cheaper.
Fewer of the largest bits overstate how many are needed (benchmarks/NOTES.md)."""
_LEAST = np.float32(np.finfo(np.float32).min)


@dataclass(eq=False)
class Part:
    """The passages of a segment.

    scores   (passages,) by rows; -inf for those that do not count, and for those that wait
    waiting  (passages,) by bits, of those that were not scored by their rows yet, -inf for the others; None: all were
    """

    segment: Segment
    scores: Floats
    waiting: Floats | None = None


class Scores:
    """Of one query; threads may not share it.

    Bits put passages in an order, and `screen` says how many of the first are scored by their rows.
    """

    def __init__(self, parts: Sequence[Part], exact: Exact) -> None:
        """exact: what scores those that wait"""
        self._parts = parts
        self._exact = exact
        self.screened = any(part.waiting is not None for part in parts)
        """Whether sign bits chose which passages were scored."""
        counts = [int(((p.scores if p.waiting is None else p.waiting) > -np.inf).sum()) for p in parts]
        self.counted = sum(counts)
        """How many passages count."""
        self._waiting = sum(n for n, part in zip(counts, parts, strict=True) if part.waiting is not None)
        self._begins = np.cumsum([0, *(len(part.scores) for part in parts)])  # of parts among all places
        self._bits = self._lined_up() if self.screened else np.zeros(0, np.float32)
        self._head = _Head.none()
        self._others = np.zeros(0, np.float32)  # bits of some of those that wait behind the head
        self._seen = np.zeros(0, np.float32)  # by rows, of those that were scored by both
        self._told = screen.Told.nothing()

    def _lined_up(self) -> Floats:
        """What waits in all parts, one after the other; parts look into it from now on. A million are put in order at
        once in 4 ms, in fifty segments in 27."""
        bits = [np.full(len(p.scores), -np.inf, np.float32) if p.waiting is None else p.waiting for p in self._parts]
        found = np.concatenate(bits)
        for part, first, last in zip(self._parts, self._begins[:-1], self._begins[1:], strict=True):
            if part.waiting is not None:
                part.waiting = found[first:last]
        return found

    def best(self, count: int) -> list[tuple[float, int]]:
        """(score, slot) of the best passages, in order; of equal ones the earlier slot first."""
        if self.screened:
            self._settle(count)
        slots, scores = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for part in self._parts:
            places = np.flatnonzero(part.scores > -np.inf)
            own = part.scores[places]
            places = places[own >= _nth(own, count)]
            slots.append(places + part.segment.base)
            scores.append(part.scores[places])
        all_slots, all_scores = np.concatenate(slots), np.concatenate(scores)
        order = np.lexsort((all_slots, -all_scores))[:count]
        return list(zip(all_scores[order].tolist(), all_slots[order].tolist(), strict=True))

    def of(self, first: int, passages: int) -> Floats | None:
        """Scores of the passages from a slot on, all of one segment; None: no passage lies there."""
        for part in self._parts:
            begin = first - part.segment.base
            if 0 <= begin < len(part.scores):
                own = np.arange(begin, min(begin + passages, len(part.scores)))
                self._score([(part, own)])
                return part.scores[own]
        return None

    def know(self, slots: Offsets) -> None:
        """Score all of these at once, so that `of` has them."""
        some = [(part, slots - part.segment.base) for part in self._parts]
        self._score([(part, np.unique(places[(places >= 0) & (places < len(part.scores))])) for part, places in some])

    def _score(self, some: Sequence[tuple[Part, Offsets]]) -> None:
        """Those of some passages that wait, by their rows."""
        waiting = [(part, part.waiting, places) for part, places in some if part.waiting is not None and places.size]
        left = [(part, bits, places[bits[places] > -np.inf]) for part, bits, places in waiting]
        left = [(part, bits, places) for part, bits, places in left if places.size]
        if not left:
            return
        found = self._exact([(part.segment, places) for part, _, places in left])
        for (part, bits, places), scores in zip(left, found, strict=True):
            part.scores[places] = scores
            bits[places] = -np.inf
            self._waiting -= places.size

    def _settle(self, count: int) -> None:
        """Score passages by their rows until those that wait can hardly be among the best `count`."""
        wanted = screen.first(count) - len(self._told)
        while True:
            while wanted > 0 and self._refill():
                taken, self._head = self._head.split(wanted)
                self._take(taken)
                wanted -= len(taken.bits)
            if not self._refill():
                return
            seen, lacking = len(self._seen), screen.first(count) - len(self._told)
            if lacking > 0:
                # As if the rest were as much alike, but no more than twice as many: one line may stand in very many.
                wanted = max(lacking, min(seen, lacking * seen // max(1, len(self._told))))
            else:
                wanted = self._more(count)
            if wanted <= 0:
                return
            if seen < _TOLD_FROM * self.counted:
                wanted = min(wanted, len(self._head.bits))
            if seen + wanted > _ALL_FROM * self.counted:
                self._score([(p, np.flatnonzero(p.waiting > -np.inf)) for p in self._parts if p.waiting is not None])
                self._head = _Head.none()
                return

    def _more(self, count: int) -> int:
        """How many of those that wait are scored next."""
        best = [self._seen]
        for part in self._parts:
            if part.waiting is None:
                best.append(part.scores[part.scores >= _nth(part.scores, count)])
        least = float(_nth(np.concatenate(best), count))
        return screen.more(self._told.line(), least, count, self._head.bits, self._others)

    def _take(self, head: "_Head") -> None:
        """The passages of a head, by their rows."""
        order = np.argsort(head.places)
        places = head.places[order]
        ends = np.searchsorted(places, self._begins)
        own = [
            (part, places[first:last] - begin)
            for part, begin, first, last in zip(self._parts, self._begins[:-1], ends[:-1], ends[1:], strict=True)
        ]
        self._score(own)
        scores = np.concatenate([part.scores[some] for part, some in own])
        self._told = self._told.with_more(head.bits[order], scores)
        self._seen = np.concatenate([self._seen, scores])

    def _refill(self) -> bool:
        """Whether any passage waits; the largest bits are in order then, more of them each time."""
        if not len(self._head.bits) and self._waiting:
            self._head = _Head.of(self._bits, max(_HEAD, 4 * len(self._seen)))
            some = self._bits[:: screen.ONE_IN]
            self._others = some[(some < self._head.bits[-1]) & (some > -np.inf)]
        return len(self._head.bits) > 0


@dataclass(eq=False)
class _Head:
    """The largest bits of all that wait, falling (n,), and their places (n,)."""

    bits: Floats
    places: Offsets

    @classmethod
    def none(cls) -> "_Head":
        return cls(np.zeros(0, np.float32), np.zeros(0, np.int64))

    @classmethod
    def of(cls, bits: Floats, count: int) -> "_Head":
        """The first `count` or so, and all that are equal to the last of them."""
        places = np.flatnonzero(bits >= max(_about_nth(bits, count), _LEAST))
        if not count / 2 <= len(places) <= 2 * count:
            places = np.flatnonzero(bits >= max(_nth(bits, count), _LEAST))
        order = np.argsort(-bits[places])
        return cls(bits[places[order]], places[order])

    def split(self, count: int) -> "tuple[_Head, _Head]":
        """The first `count` and all that are equal to the last of them, and the rest."""
        last = len(self.bits)
        if count < last:
            last = int(np.searchsorted(-self.bits, -self.bits[count - 1], side="right"))
        return _Head(self.bits[:last], self.places[:last]), _Head(self.bits[last:], self.places[last:])


def _about_nth(values: Floats, count: int) -> np.float32:
    """The same of one in `screen.ONE_IN`, as many fewer of them: a sixteenth is put in order in a tenth of the time."""
    return _nth(values[:: screen.ONE_IN], max(1, count // screen.ONE_IN))


def _nth(values: Floats, count: int) -> np.float32:
    """The `count`-th largest; the least, where there are fewer."""
    at = max(len(values) - count, 0)
    return np.float32(np.partition(values, at)[at]) if len(values) else np.float32(-np.inf)
