"""Published rows and scores of a model, and how far an artefact's are from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from colibri.artefact import GoldenRow, GoldenScores
from colibri.model import Colibri
from colibri.scoring import maxsim


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


@dataclass(frozen=True)
class ScoreDeviation:
    """One published score beside ours."""

    golden: GoldenScores
    document: int
    score: float
    """Ours."""

    @property
    def published(self) -> float:
        """Theirs."""
        return self.golden.scores[self.document]

    @property
    def difference(self) -> float:
        """Ours and theirs apart, at least 0."""
        return abs(self.score - self.published)

    @property
    def within(self) -> bool:
        """Whether the score is what was published."""
        allowed = self.golden.tolerance + self.golden.relative_tolerance * abs(self.published)
        return self.difference <= allowed


def score_deviations(model: Colibri, published: Sequence[GoldenScores]) -> list[ScoreDeviation]:
    """Encode every query and its documents, score them in float32 and compare. Weights of query tokens do not count:
    no published score has any."""
    found = []
    for golden in published:
        query = model.encode_queries([golden.query], golden.dim)[0]
        scores = maxsim(query, model.encode_documents(golden.documents, golden.dim))
        divisor = len(query) if golden.mean else 1
        found += [ScoreDeviation(golden, n, float(score) / divisor) for n, score in enumerate(scores)]
    return found
