"""What storing rows as int4 costs against int8: the same rows, the same questions, paired.

    python3 run.py bench int4 --data DIR --cache DIR --json benchmarks/results/int4.jsonl

Ranked by exact MaxSim; the mean loss is bounded by a paired bootstrap over all questions (10,000 draws, 95 %).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import click
import numpy as np
from numpy.typing import NDArray

from colibri import TokenVectors
from colibri.scoring import maxsim_batch
from quality import retrieval
from quality.bench_quality import SETS, load_models
from quality.encoded import token_vectors
from quality.retrieval import DEPTH, Collection, Floats
from quality.stored import overlap
from report import machine

MOST_LOST, MOST_LOST_IN_A_SET, LEAST_OVERLAP = 0.003, 0.005, 0.97
"""Wanted: the 95 % bound of the mean loss; the loss of a set of at least 200 questions; best 10 that int8 has, too."""
_LARGE = 200
_DRAWS = 10_000


@dataclass(frozen=True)
class Int4:
    """One set at one dim: nDCG@10 by how rows are stored, and the share of the best 10 that both have."""

    set: str
    dim: int
    queries: int
    int8: float
    int4: float
    overlap: float


def by_query(collection: Collection, scores: Floats) -> NDArray[np.float64]:
    """nDCG@10 of each query."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
    named = ([collection.document_ids[i] for i in row] for row in best)
    return np.array([retrieval.ndcg(row, gains) for row, gains in zip(named, collection.gains, strict=True)])


def compare(collection: Collection, queries: TokenVectors, docs: TokenVectors) -> tuple[Int4, NDArray[np.float64]]:
    """One set's figures, and what int4 gains at each question."""
    wide, narrow = (maxsim_batch(queries, docs.quantize(kind)) for kind in ("int8", "int4"))
    before, after = (by_query(collection, scores) for scores in (wide, narrow))
    size, shared = len(collection.queries), overlap(wide, narrow)
    return Int4(collection.name, docs.dim, size, before.mean(), after.mean(), shared), after - before


def bound(gains: NDArray[np.float64]) -> float:
    """What the mean gain is at least, with 95 % confidence."""
    rng = np.random.default_rng(0)
    means = [rng.choice(gains, len(gains)).mean() for _ in range(_DRAWS)]
    return float(np.quantile(means, 0.05))


def summed_up(dim: int, sets: Sequence[Int4], gains: NDArray[np.float64]) -> dict[str, float | int | bool]:
    """All sets of a dim together, and whether they are what is wanted."""
    large = [one.int4 - one.int8 for one in sets if one.queries >= _LARGE]
    shared = float(np.average([one.overlap for one in sets], weights=[one.queries for one in sets]))
    least, worst = bound(gains), float(min(large, default=0.0))
    return {
        "dim": dim,
        "queries": len(gains),
        "gain": float(gains.mean()),
        "bound": least,
        "worst_large_set": worst,
        "overlap": shared,
        "no_worse": least >= -MOST_LOST and worst >= -MOST_LOST_IN_A_SET,
        "same_best": shared >= LEAST_OVERLAP,
    }


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--sets", default=",".join(SETS), show_default=True)
@click.option("--artefact", "name", metavar="NAME|FOLDER", help="Default: the one that comes with the package.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Keep encoded collections here.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a set and dim.")
def main(data: Path, sets: str, name: str | None, cache: Path | None, lines: IO[str] | None) -> None:
    """Print nDCG@10 of int8 and int4 rows, and whether the loss can be told."""
    (model,) = load_models(name, "cpu-int8").values()
    found: dict[int, list[tuple[Int4, NDArray[np.float64]]]] = {dim: [] for dim in model.dims}
    for one in sets.split(","):
        collection = retrieval.load(data / one)
        queries, docs = (token_vectors(model, collection, role, cache) for role in ("query", "document"))
        for dim in model.dims:
            own, gains = compare(collection, queries[dim], docs[dim])
            found[dim].append((own, gains))
            click.echo(
                f"{one:12} {dim:4}  int8 {own.int8:.4f}  int4 {own.int4 - own.int8:+.4f}  same {own.overlap:.3f}"
            )
            if lines:
                print(json.dumps(asdict(own) | {"machine": machine.describe()}), file=lines, flush=True)
    for dim, of_dim in found.items():
        total = summed_up(dim, [own for own, _ in of_dim], np.concatenate([gains for _, gains in of_dim]))
        click.echo(json.dumps(total))
        if lines:
            print(json.dumps(total | {"machine": machine.describe()}), file=lines, flush=True)


if __name__ == "__main__":
    main()
