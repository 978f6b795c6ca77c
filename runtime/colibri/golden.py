"""Published rows of a model, and how far an artefact's are from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from colibri.artefact import GoldenRow
from colibri.model import Colibri


@dataclass(frozen=True)
class Deviation:
    """One published row beside ours."""

    golden: GoldenRow
    difference: float
    """Largest absolute difference of the values that are published; infinity where we have no such row."""

    @property
    def within(self) -> bool:
        """Whether the row is what was published."""
        return self.difference <= self.golden.tolerance


def deviations(model: Colibri, rows: Sequence[GoldenRow]) -> list[Deviation]:
    """Encode every text of the rows and compare. Rows count as they leave the encoder, dropped ones not."""
    found = []
    for golden in rows:
        encode = model.encode_queries if golden.role == "query" else model.encode_documents
        ours = encode([golden.text], golden.dim)[0]
        difference = float("inf")
        if golden.row < len(ours):
            published = np.array(golden.values, np.float64)
            difference = float(np.abs(ours[golden.row, : len(published)] - published).max())
        found.append(Deviation(golden, difference))
    return found
