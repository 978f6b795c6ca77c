"""What pooling tokens costs: fixed neighbours and Ward's clusters, against a row a token, all rows int8; with
`--rows int4` pooled rows are int4, as an index of compact rows has them.

    python3 run.py bench pool --data DIR --cache DIR --json benchmarks/results/pool.jsonl

Ranked by exact MaxSim. Neighbours are runs of 2 (3, 4) tokens from the first on, their mean of unit length: the least
that a pool can be. Of highlights it counts words, of the best document of each question: which of those that rows a
token show in bold the pooled ones show, too, and which of theirs are among those.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Literal

import click
import numpy as np

from colibri import TokenVectors
from colibri.explain import highlights, matches
from colibri.pooling import merged_rows, merged_spans, spans_within
from colibri.scoring import maxsim_batch
from quality import retrieval
from quality.bench_int4 import bound, by_query
from quality.bench_quality import SETS, load_models
from quality.encoded import token_vectors
from quality.retrieval import DEPTH, Collection, Floats
from quality.stored import overlap
from report import machine

_AMONG = 100
_SHOWN = 200  # questions of a set whose highlights are compared


@dataclass(frozen=True)
class Pooled:
    """One set, pooled one way, against a row a token, int8.

    rows             what pooled rows are stored as: int8, int4
    unpooled, ndcg   nDCG@10
    bound            of what is gained at a question, the mean is at least this with 95 % confidence
    overlap          share of the best 10 that are among the best 10 of the pooled rows
    among_100        and among their best 100
    bytes_a_token    of rows and scales, tokens before pooling
    ms_a_document    CPU time of pooling
    shown, kept      of the words in bold: those of pooled rows that are bold without, too; those without that stay
    """

    set: str
    dim: int
    way: str
    pool: int
    rows: str
    queries: int
    documents: int
    tokens: int
    unpooled: float
    ndcg: float
    bound: float
    overlap: float
    among_100: float
    bytes_a_token: float
    ms_a_document: float
    shown: float | None
    kept: float | None


def neighbours(docs: TokenVectors, pool: int) -> TokenVectors:
    """Each `pool` tokens that follow each other as one row."""
    place = np.arange(len(docs.rows)) - np.repeat(docs.starts[:-1], np.diff(docs.starts))
    firsts = np.arange(len(docs.rows)) - place % pool
    assert docs.spans is not None
    spans, more = merged_spans(docs.spans, firsts)
    starts = np.searchsorted(np.unique(firsts), docs.starts).astype(np.int64)
    return replace(docs, rows=merged_rows(docs.rows, firsts), starts=starts, spans=spans, more_spans=more)


WAYS: dict[str, Callable[[TokenVectors, int], TokenVectors]] = {
    "neighbours": neighbours,
    "ward": lambda docs, pool: docs.pooled(pool),
}


def among(exact: Floats, near: Floats, depth: int) -> float:
    """Share of the best 10 by one score that are among the best `depth` by another, mean over queries."""
    best = np.argsort(-exact, axis=1, kind="stable")[:, :DEPTH]
    found = np.argsort(-near, axis=1, kind="stable")[:, :depth]
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in zip(best, found, strict=True)]))


def bold(collection: Collection, queries: TokenVectors, docs: TokenVectors, places: Sequence[int]) -> list[set[str]]:
    """The words in bold of document places[i] for query i."""
    found = []
    for i, place in enumerate(places):
        own = slice(queries.starts[i], queries.starts[i + 1])
        one = TokenVectors(
            queries.rows[own],
            np.array([0, own.stop - own.start], np.int64),
            None if queries.spans is None else queries.spans[own],
            None if queries.weights is None else queries.weights[own],
        )
        first, last = docs.starts[place : place + 2].tolist()
        assert docs.spans is not None
        why = matches(one, docs, place, docs.spans[first:last], spans_within(docs.more_spans, first, last))
        text = collection.documents[place]
        found.append({text[start:end].lower() for start, end in highlights(why, text)})
    return found


def compare(
    collection: Collection,
    queries: TokenVectors,
    docs: TokenVectors,
    ways: Sequence[tuple[str, int]],
    kind: Literal["int8", "int4"],
    *,
    shown: bool,
) -> list[Pooled]:
    """All ways of one set. kind: of pooled rows. shown: whether to compare highlights."""
    exact = docs.quantize()
    wide = maxsim_batch(queries, exact)
    before = by_query(collection, wide)
    best = wide.argmax(axis=1)[:_SHOWN].tolist()
    words = bold(collection, queries, exact, best) if shown else []
    results = []
    for way, pool in ways:
        begun = time.process_time()
        floats = WAYS[way](docs, pool)
        spent = time.process_time() - begun
        small = floats.quantize(kind)
        narrow = maxsim_batch(queries, small)
        after = by_query(collection, narrow)
        own = bold(collection, queries, small, best) if shown else []
        same = sum(len(a & b) for a, b in zip(words, own, strict=True))
        assert small.scales is not None
        results.append(
            Pooled(
                set=collection.name,
                dim=docs.dim,
                way=way,
                pool=pool,
                rows=kind,
                queries=len(collection.queries),
                documents=len(docs),
                tokens=len(docs.rows),
                unpooled=float(before.mean()),
                ndcg=float(after.mean()),
                bound=bound(after - before),
                overlap=overlap(wide, narrow),
                among_100=among(wide, narrow, _AMONG),
                bytes_a_token=(small.rows.nbytes + small.scales.nbytes) / len(docs.rows),
                ms_a_document=1_000 * spent / len(docs),
                shown=same / max(sum(map(len, own)), 1) if shown else None,
                kept=same / max(sum(map(len, words)), 1) if shown else None,
            )
        )
    return results


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--sets", default=",".join(SETS), show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Questions of a set; default: all.")
@click.option("--dims", help="Widths, such as 64,128; default: all of the artefact.")
@click.option("--ways", default="neighbours 2,ward 2,ward 3", show_default=True)
@click.option("--rows", "kind", type=click.Choice(["int8", "int4"]), default="int8", show_default=True)
@click.option("--artefact", "name", metavar="NAME|FOLDER", help="Default: the one that comes with the package.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Keep encoded collections here.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a set, dim and way.")
def main(
    data: Path,
    sets: str,
    limit: int | None,
    dims: str | None,
    ways: str,
    kind: Literal["int8", "int4"],
    name: str | None,
    cache: Path | None,
    lines: IO[str] | None,
) -> None:
    """Print nDCG@10, the best ten kept, bytes, time and highlights of each way of pooling."""
    (model,) = load_models(name, "cpu-int8").values()
    wanted = [(way, int(pool)) for way, pool in (one.split() for one in ways.split(","))]
    widths = [int(dim) for dim in dims.split(",")] if dims else list(model.dims)
    for one in sets.split(","):
        collection = retrieval.load(data / one, limit)
        queries, docs = (token_vectors(model, collection, role, cache) for role in ("query", "document"))
        for dim in widths:
            for found in compare(collection, queries[dim], docs[dim], wanted, kind, shown=dim == min(widths)):
                bolded = "" if found.shown is None else f"  bold {found.shown:.2f} of its, {found.kept:.2f} of those"
                gain = found.ndcg - found.unpooled
                click.echo(
                    f"{one:12} {dim:4} {found.way:10} {found.pool}  {found.unpooled:.4f} {gain:+.4f} "
                    f"(at least {found.bound:+.4f})  same {found.overlap:.3f}, of 100 {found.among_100:.3f}  "
                    f"{found.bytes_a_token:.1f} bytes a token  {found.ms_a_document:.2f} ms a document{bolded}"
                )
                if lines:
                    print(json.dumps(asdict(found) | {"machine": machine.describe()}), file=lines, flush=True)


if __name__ == "__main__":
    main()
