"""What MaxSim of a model's heads is compared with: BM25, one vector a text, whole rows; measured, or known already."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from colibri import Colibri
from colibri.scoring import maxsim_batch
from quality import retrieval
from quality.crosslingual import PARALLEL, Known
from quality.dense import DenseEncoder
from quality.encoded import dense_vectors, token_vectors
from quality.retrieval import Collection, Floats


@dataclass(frozen=True)
class Yardsticks:
    """What MaxSim of the model's heads is compared with."""

    dense: DenseEncoder | None
    """None: all is known."""
    raw: Colibri | None
    known: Known
    """Set -> its line of an earlier run, whose figures are taken."""

    def of(self, collection: Collection, cache: Path | None) -> tuple[float, float, float | None]:
        """BM25, dense, raw."""
        if self.dense is None:
            line = self.known[collection.name]
            return line["bm25"], line["dense"], line["raw"]
        return (
            retrieval.mean_ndcg(collection, retrieval.bm25_scores(collection)),
            retrieval.mean_ndcg(collection, dense_scores(self.dense, collection, cache)),
            None if self.raw is None else raw_ndcg(self.raw, collection, cache),
        )


def raw_ndcg(raw: Colibri, collection: Collection, cache: Path | None) -> float:
    """MaxSim of an artefact's widest rows, as they are."""
    queries, documents = (token_vectors(raw, collection, role, cache)[raw.dims[0]] for role in ("query", "document"))
    return retrieval.mean_ndcg(collection, maxsim_batch(queries, documents))


def dense_scores(dense: DenseEncoder, collection: Collection, cache: Path | None) -> Floats:
    """Cosine of every query's vector with every document's: (queries, documents) float32."""
    queries, documents = (dense_vectors(dense, collection, role, cache) for role in ("query", "document"))
    scores: Floats = queries.rows @ documents.rows.T
    return scores


def known_figures(lines: IO[str], folders: Sequence[Path], queries: int | None) -> Known:
    """Lines of an earlier run by set. Raises UsageError when it had other sets or other queries than these."""
    known = {line["set"]: line for line in map(json.loads, lines) if "dense" in line}
    languages = [folder.name.removeprefix(PARALLEL) for folder in folders if folder.name.startswith(PARALLEL)]
    pairs = {f"{asked}>{answered}" for asked in languages for answered in languages if asked != answered}
    if missing := ({folder.name for folder in folders} | pairs) - known.keys():
        raise click.UsageError(f"--known: has no line of {', '.join(sorted(missing))}")
    for folder in folders:
        found, wanted = known[folder.name]["queries"], len(retrieval.load(folder, queries).queries)
        if found != wanted:
            raise click.UsageError(f"--known: {folder.name} with {found} queries, wanted {wanted}")
    return known
