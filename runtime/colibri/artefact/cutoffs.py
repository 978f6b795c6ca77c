"""Whether a text fits a query, by its score: what a manifest's cutoffs say of one query."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:  # its classes take 30 ms to make, and who shows what another process found needs none
    from colibri.artefact.manifest import Manifest


Fit = Literal["likely", "maybe", "unlikely"]
FITS: tuple[Fit, ...] = get_args(Fit)
"""Best first."""


@dataclass(frozen=True)
class Bounds:
    """Of one query: raw MaxSim from which on a text fits."""

    likely: float
    maybe: float

    def fit(self, score: float) -> Fit:
        """Of a text with this raw MaxSim."""
        if score >= self.likely:
            return "likely"
        return "maybe" if score >= self.maybe else "unlikely"


NOTHING_FITS = Bounds(math.inf, math.inf)
"""Of a query that asks nothing, whose markers alone would find much that is likely."""


def bounds(manifest: "Manifest | None", dim: int, weight: float) -> Bounds | None:
    """Of a query whose rows weigh so much together, at one width. None: nobody measured it."""
    cutoffs = None if manifest is None else manifest.cutoffs
    for row in () if cutoffs is None else cutoffs.rows:
        assert cutoffs is not None
        if row.dim == dim and row.min_weight <= weight and (row.max_weight is None or weight <= row.max_weight):
            times = weight if cutoffs.unit == "mean" else 1.0
            return Bounds(row.false_positives[cutoffs.likely] * times, row.false_positives[cutoffs.maybe] * times)
    return None


def fit_of(within: Bounds | None, score: float) -> Fit | None:
    """Of a text with this raw MaxSim; None where there are no cutoffs."""
    return None if within is None else within.fit(score)
