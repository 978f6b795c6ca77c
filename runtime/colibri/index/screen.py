"""How many passages a screened search scores by their rows: until those left out can hardly be among the best.

A score by sign bits is about as large as the exact one. What exact scores are like where bits are of a certain size is
seen in the passages that were scored: a line through them, and how far they lie about it (`Line`); those that are alike
in both count once (`Told`), so that ten copies of a row are no ten observations of how bits err. From that follows, for
each passage that waits, how likely it is to beat the k-th best so far. Passages are scored, those of the largest
bits first, until the sum of that over all that wait is below `MISSED` of k.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colibri.scoring import Floats

FIRST = 256
"""Passages that tell something new and are scored before anything is asked of them, at least; 8 times k."""
MISSED = 0.005
"""Of k, that may be expected to be left out. Fewer are (benchmarks/NOTES.md): the largest bits overstate the spread."""
ONE_IN = 16
_TIMES_K = 8
_FAR = 9.0
"""Standard deviations that nothing is expected beyond: of ten million passages 1e-12 of one. Most are as far,
and what they would be given took 4 ms of a million's search."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """What exact scores are about, by bits: level + slope * bits, with a standard deviation of `spread`."""

    level: float
    slope: float
    spread: float

    @classmethod
    def through(cls, bits: Floats, exact: Floats) -> "Line":
        """Of passages that were scored; those whose score is no number are no part of it."""
        fine = np.isfinite(bits) & np.isfinite(exact)
        x, y = bits[fine].astype(np.float64), exact[fine].astype(np.float64)
        if not x.size:
            return cls(0.0, 1.0, 0.0)
        across = x - x.mean()
        # Not by `@`: BLAS may wake threads of its own for some ten thousand values, and waits for a busy core.
        square = float(np.square(across).sum())
        slope = max(float((across * y).sum()) / square, 0.0) if square > 0 else 1.0
        level = float(y.mean() - slope * x.mean())
        off = y - (level + slope * x)
        return cls(level, slope, float(np.sqrt(np.square(off).mean())))

    def chances(self, bits: Floats, least: float) -> Doubles:
        """How likely passages are to score `least` or more."""
        beyond = np.maximum(least - (self.level + self.slope * bits.astype(np.float64)), 0.0)
        away = beyond / max(self.spread, 1e-9)
        found = np.zeros(len(bits))
        near = np.flatnonzero(away < _FAR)
        found[near] = _tail(away[near])
        return found

    def near(self, bits: Floats, least: float) -> Floats:
        """Those that may be expected to score `least` or more at all, and a few beside; falling. Of a million's bits
        that are some hundred: to put all in order before took a millisecond."""
        if self.slope > 0:
            bits = bits[bits >= (least - 1.01 * _FAR * max(self.spread, 1e-9) - self.level) / self.slope]
        return np.sort(bits)[::-1]


@dataclass(frozen=True, eq=False)
class Told:
    """What passages that were scored both ways say: the pairs of both scores that occur, each once.

    Passages that share what answers a short query, copies of a text or of a line in it, have the same two scores. Of
    the largest bits of a query of one token 256 were 42 pairs, six a row that is in so many passages: a line through
    them said that the rest was out of reach, with all of the best ten in it.

    pairs   (n,) uint64, rising: two float32 each
    """

    pairs: NDArray[np.uint64]

    @classmethod
    def nothing(cls) -> "Told":
        """Before any passage."""
        return cls(np.zeros(0, np.uint64))

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.pairs)

    def with_more(self, bits: Floats, exact: Floats) -> "Told":
        """And what others say: (passages,) scores both ways."""
        pairs = np.stack([bits, exact], axis=1).view(np.uint64)[:, 0]
        return Told(np.unique(np.concatenate([self.pairs, pairs])))

    def line(self) -> Line:
        """What exact scores are about."""
        bits, exact = self.pairs.view(np.float32).reshape(-1, 2).T
        return Line.through(bits, exact)


def _tail(away: Doubles) -> Doubles:
    """How likely a normal variable is to be so many standard deviations above its mean; away: from 0.

    Within a tenth of it: Karagiannidis and Lioumpas, IEEE Communications Letters 11(8), 2007.
    """
    some = np.maximum(away, 0.01)
    found: Doubles = (1 - np.exp(-1.4 * some)) * np.exp(-some * some / 2) / (1.135 * np.sqrt(2 * np.pi) * some)
    return found


def first(count: int) -> int:
    """Passages that are scored at once for the best `count`."""
    return max(FIRST, _TIMES_K * count)


def more(line: Line, least: float, count: int, waiting: Floats, others: Floats) -> int:
    """How many of those that wait are scored next; 0: none. Beyond the largest it is an estimate.

    least    the `count`-th best exact score so far
    waiting  bits of those that wait: the largest of them
    others   bits of one in `ONE_IN` of those that wait beside these
    """
    beside = line.chances(line.near(others, least), least)
    rest = float(ONE_IN * beside.sum())
    if rest <= MISSED * count:
        near = line.chances(line.near(waiting, least), least)
        return int((np.cumsum(near[::-1]) + rest > MISSED * count).sum())
    return len(waiting) + ONE_IN * int((ONE_IN * np.cumsum(beside[::-1]) > MISSED * count).sum())
