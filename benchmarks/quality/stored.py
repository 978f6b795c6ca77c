"""What storing rows as int8 costs: the same rows in float32 and quantised, ranked by exact MaxSim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from colibri import TokenVectors
from colibri.scoring import maxsim_batch
from quality import retrieval
from quality.retrieval import DEPTH, Collection, Floats

MOST_NDCG_OFF = 0.002
LEAST_OVERLAP = 0.98


@dataclass(frozen=True)
class Stored:
    """One set at one dim.

    float32, int8  nDCG@10 by how rows are stored
    overlap        share of the best 10 documents that both have, mean over queries
    megabytes      of all rows and scales, float32 and int8
    """

    set: str
    dim: int
    queries: int
    float32: float
    int8: float
    overlap: float
    megabytes: tuple[float, float]

    def passed(self) -> bool:
        """Whether int8 is as close as it should be."""
        return abs(self.int8 - self.float32) <= MOST_NDCG_OFF and self.overlap >= LEAST_OVERLAP


def compare(
    collection: Collection, queries: Mapping[int, TokenVectors], documents: Mapping[int, TokenVectors]
) -> list[Stored]:
    """Figures of one set at every dim."""
    found = []
    for dim, docs in documents.items():
        small = docs.quantize()
        assert small.scales is not None
        exact, near = (maxsim_batch(queries[dim], each) for each in (docs, small))
        found.append(
            Stored(
                set=collection.name,
                dim=dim,
                queries=len(collection.queries),
                float32=retrieval.mean_ndcg(collection, exact),
                int8=retrieval.mean_ndcg(collection, near),
                overlap=overlap(exact, near),
                megabytes=(docs.rows.nbytes / 1e6, (small.rows.nbytes + small.scales.nbytes) / 1e6),
            )
        )
    return found


def overlap(first: Floats, second: Floats) -> float:
    """Share of the best 10 documents that two score matrices (queries, documents) have in common."""
    best = [np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH] for scores in (first, second)]
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in zip(*best, strict=True)]))


def print_stored(results: Sequence[Stored]) -> bool:
    """One line a set and dim; whether all of them passed."""
    for result in results:
        print(
            f"{result.set:12} {result.dim:4}  float32 {result.float32:.4f}  int8 {result.int8:.4f}"
            f"  ({result.int8 - result.float32:+.4f})  overlap {result.overlap:.4f}"
            f"  {'ok' if result.passed() else 'MISSED'}",
            flush=True,
        )
    return all(result.passed() for result in results)
