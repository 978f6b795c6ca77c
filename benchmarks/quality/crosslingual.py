"""Queries in one language over documents in another, where sets ask the same questions (xquad-r)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from colibri import Colibri, TokenVectors
from colibri.scoring import maxsim_batch
from quality import retrieval
from quality.dense import DenseEncoder
from quality.encoded import dense_vectors, token_vectors

PARALLEL = "xquad-r-"
Known = Mapping[str, Mapping[str, Any]]
"""Set, or queries>documents -> its line of an earlier run."""


@dataclass(frozen=True)
class CrossResult:
    """nDCG@10 of one pair of sets, named queries>documents.

    maxsim  dim -> figure, document rows stored as int8
    """

    set: str
    queries: int
    dense: float
    maxsim: dict[int, float]


def judge(
    folders: Sequence[Path],
    queries: int | None,
    model: Colibri,
    dense: DenseEncoder | None,
    known: Known,
    cache: Path | None,
) -> Iterator[CrossResult]:
    """All ordered pairs of the parallel sets among `folders`; nothing where there are not two. Without `dense`, its
    figures are those of `known`."""
    sets = [retrieval.load(folder, queries) for folder in folders if folder.name.startswith(PARALLEL)]
    if len(sets) < 2:
        return
    asked = {one.name: token_vectors(model, one, "query", cache) for one in sets}
    single = {one.name: dense_vectors(dense, one, "query", cache) for one in sets if dense}
    for answered in sets:
        documents = {dim: rows.quantize() for dim, rows in token_vectors(model, answered, "document", cache).items()}
        vectors = dense_vectors(dense, answered, "document", cache).rows if dense else None
        for other in (one for one in sets if one is not answered):
            both, which = retrieval.crossed(other, answered)
            name = both.name.replace(PARALLEL, "")
            yield CrossResult(
                set=name,
                queries=len(which),
                dense=known[name]["dense"]
                if vectors is None
                else retrieval.mean_ndcg(both, single[other.name].rows[which] @ vectors.T),
                maxsim={
                    dim: retrieval.mean_ndcg(both, maxsim_batch(chosen(asked[other.name][dim], which), rows))
                    for dim, rows in documents.items()
                },
            )


def chosen(vectors: TokenVectors, which: Sequence[int]) -> TokenVectors:
    """Some of the texts."""
    places = np.concatenate([np.arange(vectors.starts[i], vectors.starts[i + 1]) for i in which])
    starts = np.concatenate([[0], np.cumsum(np.diff(vectors.starts)[list(which)])])
    weights = None if vectors.weights is None else vectors.weights[places]
    return TokenVectors(vectors.rows[places], starts, weights=weights, space_id=vectors.space_id)


def columns(result: CrossResult) -> dict[str, float]:
    """The figures of one row by column title."""
    return {"dense": result.dense} | {f"MaxSim {dim}": value for dim, value in result.maxsim.items()}


def averages(results: Sequence[CrossResult]) -> dict[str, float]:
    """Every column's mean."""
    rows = [columns(result) for result in results]
    return {title: float(np.mean([row[title] for row in rows])) for title in rows[0]}
