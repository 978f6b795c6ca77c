"""What scoring by sign bits takes against int8, and which of the exact best ten it keeps among its own best.

    python3 run.py bench bits --json benchmarks/results/bits.jsonl
    python3 run.py bench bits --data DIR --cache DIR --json FILE       also the best ten, on real sets

Times are CPU time of one thread, and by the clock on two, of contestants that take turns: medians over rounds, and the
best in brackets. Rows are random: what is looked up, multiplied and read is the same for all rows.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import click
import numpy as np
from numpy.typing import NDArray

from colibri import TokenVectors
from colibri.scoring import Signs, maxsim, screened
from colibri.scoring.engine import compile_now
from colibri.vectors import Offsets
from quality import retrieval
from quality.bench_quality import load_models
from quality.encoded import token_vectors
from report import machine

ROWS = 40
QUERY_TOKENS = (10, 32)
DIMS = (64, 96, 128)
AMONG = (30, 100, 300, 1000)
BEST = 10


def collection(documents: int, dim: int) -> TokenVectors:
    """int8 documents of 40 rows, always the same."""
    rng = np.random.default_rng(0)
    rows = rng.integers(-127, 128, (ROWS * documents, dim), np.int8)
    scales = np.full(len(rows), 1 / (64 * np.sqrt(dim)), np.float32)
    return TokenVectors(rows, np.arange(documents + 1, dtype=np.int64) * ROWS, scales=scales)


def times(documents: int, dim: int, tokens: int, threads: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of a query: int8 and bits in turns, in CPU time of the one thread, or by the clock of several."""
    docs = collection(documents, dim)
    signs = Signs.of(docs)
    query = np.random.default_rng(1).standard_normal((tokens, dim)).astype(np.float32)
    ways: dict[str, Callable[[], object]] = {
        "int8": lambda: maxsim(query, docs, threads=threads),
        "bits": lambda: screened(query, signs, threads=threads),
    }
    clock = time.thread_time if threads == 1 else time.perf_counter
    found: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            began = clock()
            way()
            found[name].append(1e3 * (clock() - began))
    figures = {name: {"median_ms": statistics.median(own), "best_ms": min(own)} for name, own in found.items()}
    case = {"documents": documents, "dim": dim, "query_tokens": tokens, "threads": threads}
    return {"case": "times", **case, "clock": "CPU" if threads == 1 else "wall", "figures": figures}


def ranks(queries: TokenVectors, docs: TokenVectors) -> NDArray[np.int64]:
    """At which places bits have each query's exact best ten: (queries, 10)."""
    signs = Signs.of(docs)
    found = np.empty((len(queries), BEST), np.int64)
    for i, query in enumerate(queries.dequantize()):
        own = slice(queries.starts[i], queries.starts[i + 1])
        weights = None if queries.weights is None else queries.weights[own]
        best = np.argsort(-maxsim(query, docs, weights), kind="stable")[:BEST]
        order = np.argsort(-screened(query, signs, weights), kind="stable")
        places = np.empty(len(docs), np.int64)
        places[order] = np.arange(len(docs))
        found[i] = places[best]
    return found


def kept(places: NDArray[np.int64], dim: int, documents: int) -> dict[str, Any]:
    """The shares of the exact ten among so many of the best by bits, and how many hold 99.5 % of them."""
    shares = {str(count): float((places < count).mean()) for count in AMONG}
    enough = int(np.quantile(places, 0.995, method="higher")) + 1
    return {
        "case": "kept",
        "dim": dim,
        "documents": documents,
        "queries": len(places),
        "among": shares,
        "99.5%": enough,
    }


def joined(several: Sequence[TokenVectors]) -> TokenVectors:
    """Texts of several sets as one collection, int8."""
    stored = [some.quantize() for some in several]
    ends: list[Offsets] = [np.zeros(1, np.int64)]
    for some in stored:
        ends.append(some.starts[1:] + ends[-1][-1])
    rows = np.concatenate([some.rows for some in stored])
    scales = np.concatenate([np.asarray(some.scales) for some in stored])
    weights = None
    if all(some.weights is not None for some in stored):
        weights = np.concatenate([np.asarray(some.weights) for some in stored])
    return TokenVectors(rows, np.concatenate(ends), weights=weights, scales=scales)


def quality(data: Path, sets: str, limit: int, cache: Path | None) -> list[dict[str, Any]]:
    """`kept` at every dim, of all sets as one collection."""
    (model,) = load_models(None, "cpu-int8").values()
    loaded = [retrieval.load(data / name, limit) for name in sets.split(",")]
    queries, docs = ([token_vectors(model, one, role, cache) for one in loaded] for role in ("query", "document"))
    found = []
    for dim in model.dims:
        asked, stored = (joined([one[dim] for one in some]) for some in (queries, docs))
        found.append(kept(ranks(asked, stored), dim, len(stored)))
    return found


@click.command()
@click.option("--documents", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=15, show_default=True)
@click.option("--dims", default=",".join(map(str, DIMS)), show_default=True)
@click.option("--threads", default="1,2", show_default=True)
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Development sets.")
@click.option("--sets", default="xquad-r-en,xquad-r-de,xquad-r-zh,medline", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), default=300, show_default=True, help="Questions of a set.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Keep encoded collections here.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(
    documents: int,
    rounds: int,
    dims: str,
    threads: str,
    data: Path | None,
    sets: str,
    limit: int,
    cache: Path | None,
    lines: IO[str] | None,
) -> None:
    """Time sign bits against int8 rows, and count what they keep."""

    def tell(found: dict[str, Any], text: str) -> None:
        click.echo(text)
        if lines:
            print(json.dumps(found | {"machine": machine.describe()}), file=lines, flush=True)

    kernels = f"{compile_now('int8').kernel} and {compile_now('bits').kernel}"
    click.echo(f"{documents:,} documents of {ROWS} rows, kernels {kernels}")
    for dim in map(int, dims.split(",")):
        for count in map(int, threads.split(",")):
            for tokens in QUERY_TOKENS:
                found = times(documents, dim, tokens, count, rounds)
                int8, bits = (found["figures"][name] for name in ("int8", "bits"))
                own = [
                    f"{name} {one['median_ms']:.1f} ({one['best_ms']:.1f})" for name, one in found["figures"].items()
                ]
                ratio = f"{int8['median_ms'] / bits['median_ms']:.2f} x ({int8['best_ms'] / bits['best_ms']:.2f})"
                where = f"{dim} dims, {tokens} query tokens, {count} thread(s), {found['clock']} ms"
                tell(found, f"{where}: {', '.join(own)}, {ratio}")
    for found in quality(data, sets, limit, cache) if data else []:
        shares = ", ".join(f"{100 * share:.2f} % among {count}" for count, share in found["among"].items())
        size = f"{found['documents']:,} documents, {found['queries']} questions"
        tell(found, f"{found['dim']} dims, {size}: {shares}; 99.5 % among {found['99.5%']}")


if __name__ == "__main__":
    main()
