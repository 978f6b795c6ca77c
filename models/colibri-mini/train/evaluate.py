"""nDCG@10 of any head on cached features: a product with its matrix, then MaxSim as the runtime scores it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colibri import TokenVectors
from colibri.scoring import maxsim_batch
from features import Features, cached
from quality import retrieval
from quality.retrieval import Collection
from samples import Pair

Floats = NDArray[np.float32]

EVERY = 4
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class JudgedSet:
    """A collection with the features of its texts."""

    collection: Collection
    queries: Features
    documents: Features


def load_set(folder: Path, raw: Path, cache: Path) -> JudgedSet:
    """A development set in BEIR's layout, encoded the first time."""
    collection = retrieval.load(folder)
    texts = {"query": collection.queries, "document": collection.documents}
    found = {
        role: cached(raw, texts[role], role, cache / folder.name)  # type: ignore[arg-type]
        for role in texts
    }
    return JudgedSet(collection, found["query"], found["document"])


def project(features: Features, heads: Mapping[int, Floats]) -> dict[int, TokenVectors]:
    """Unit rows (tokens, dim) float32 at every head's width, of the tokens whose rows the shipped roles keep."""
    keep, starts = features.text, features.vectors.starts
    kept_starts = np.concatenate([[0], np.cumsum(keep)])[starts].astype(np.int64)
    made = {dim: np.empty((kept_starts[-1], dim), np.float32) for dim in heads}
    at = 0
    for first in range(0, len(keep), _ROWS_AT_ONCE):
        own = keep[first : first + _ROWS_AT_ONCE]
        rows = features.vectors.rows[first : first + _ROWS_AT_ONCE][own].astype(np.float32)
        for dim, head in heads.items():
            out = rows @ head.T
            out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
            made[dim][at : at + len(rows)] = out
        at += len(rows)
    return {dim: TokenVectors(rows, kept_starts) for dim, rows in made.items()}


def ndcg(
    judged: JudgedSet, heads: Mapping[int, Floats], weights: Floats | None = None, *, int8: bool = True
) -> dict[int, float]:
    """nDCG@10 at every width. weights: of query tokens, one a token id; int8: how documents' rows are stored."""
    asked, documents = project(judged.queries, heads), project(judged.documents, heads)
    own = None if weights is None else weights[judged.queries.ids[judged.queries.text]]
    return {
        dim: retrieval.mean_ndcg(
            judged.collection,
            maxsim_batch(replace(asked[dim], weights=own), documents[dim].quantize() if int8 else documents[dim]),
        )
        for dim in heads
    }


def held_out_set(pairs: Sequence[Pair], places: NDArray[np.int64], queries: Features, passages: Features) -> JudgedSet:
    """One in EVERY of the held-out pairs' queries over the passages of all pairs. places (n, 2): query and passage of
    each pair."""
    gains: dict[int, dict[str, int]] = {}
    for pair, (query, _) in zip(pairs, places.tolist(), strict=True):
        if pair.held_out:
            gains.setdefault(query, {})
    for query, passage in places.tolist():
        if query in gains:
            gains[query][str(passage)] = 1
    gains = {query: gains[query] for query in list(gains)[::EVERY]}
    names = [str(i) for i in range(len(passages.vectors))]
    collection = Collection("held-out pairs", names, names, *_asked(gains))
    return JudgedSet(collection, _some(queries, list(gains)), passages)


def _asked(gains: Mapping[int, dict[str, int]]) -> tuple[list[str], list[dict[str, int]], list[str]]:
    names = [str(query) for query in gains]
    return names, list(gains.values()), names


def _some(features: Features, which: Sequence[int]) -> Features:
    starts = features.vectors.starts
    rows = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in which])
    own = np.concatenate([[0], np.cumsum(np.diff(starts)[list(which)])])
    return Features(TokenVectors(features.vectors.rows[rows], own), features.ids[rows], features.text[rows])
