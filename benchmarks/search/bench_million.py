"""The index beside LanceDB and Qdrant Edge on the passages of `bench screen`: ingest, time, recall, bytes.

    python3 run.py bench screen --data DATA --work WORK      makes WORK/pool-1000000, and says how much is kept
    python3 run.py bench million --work WORK --json benchmarks/results/million.jsonl

Each store is made in a process of its own, one after the other, of the same float32 rows: the int8 rows of the pool
times their scales. Then all answer the same questions in turns, each with what threads it takes by itself. Recall is
against `exact=True` of the index over its stored rows. A store that is not made within --within minutes is said to be
so, and left out.
"""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click
import numpy as np

from colibri import TokenVectors
from report import machine
from report.builds import ROOT
from report.child import Child
from search import bench_search
from search.bench_screen import at_once

STORES = ("colibri", "lancedb, IVF_PQ", "lancedb, flat", "edge, float16", "edge, turbo8")
EXACT = "colibri, exact"
WAYS = {
    "colibri": ("colibri", EXACT),
    "lancedb, IVF_PQ": ("lancedb, IVF_PQ, 20 probes, 10 refined", "lancedb, IVF_PQ, 100 probes, 100 refined"),
}
"""Store -> how it is asked, where there is more than one way."""
K, TOKENS = 10, 32
_ENGINE = Path(__file__).with_name("million_engines.py")


def interpreter(store: str) -> str:
    """Whose packages a store wants."""
    return bench_search.interpreter(store.partition(",")[0])


def questions(work: Path, count: int) -> list[list[list[float]]]:
    """So many real questions, their rows over and over until there are TOKENS."""
    vectors = TokenVectors.load(next(iter(sorted(work.glob("questions-*.safetensors")))))
    return [vectors[i][np.arange(TOKENS) % len(vectors[i])].tolist() for i in range(min(count, len(vectors)))]


def made(store: str, pool: Path, minutes: float) -> dict[str, Any] | None:
    """A store, or what it said when it was made before; None: not made within so many minutes."""
    said = pool / f"{store}.json"
    if not said.exists():
        command = [interpreter(store), str(_ENGINE), "make", store, str(pool)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60 * minutes)
        except subprocess.TimeoutExpired:
            return None
        said.write_text(done.stdout.splitlines()[-1], encoding="utf-8")
    found: dict[str, Any] = json.loads(said.read_text(encoding="utf-8"))
    return found


def contestant(store: str, way: str, pool: Path) -> Child:
    """A store in its process, asked in one way: a question's rows for ids and ms, "memory" for MB."""
    command = [interpreter(store), str(_ENGINE), "serve", way, str(pool)]
    return Child(command, at_once(ROOT) if store == "colibri" else None)


def asked(ways: dict[str, Child], all_questions: list[Any]) -> Iterator[dict[str, Any]]:
    """What each way found, how long it took, and the memory it holds after; the first question warms up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, list[set[int]]] = {name: [] for name in ways}
    for number, question in enumerate(all_questions):
        for name, way in ways.items():
            answer = way.ask(question)
            found[name].append(set(answer["ids"]))
            if number:
                times[name].append(answer["ms"])
        click.echo(f"{number + 1} of {len(all_questions)} questions", err=True)
    for name, way in ways.items():
        kept = [len(own & wanted) / K for own, wanted in zip(found[name], found[EXACT], strict=True)]
        p50, most = statistics.median(times[name]), max(times[name])
        yield {"way": name, "p50_ms": p50, "max_ms": most, "kept": statistics.mean(kept), **way.ask("memory")}


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path, exists=True), required=True, help="Of `bench screen`.")
@click.option("--passages", type=click.IntRange(min=1_000), default=1_000_000, show_default=True)
@click.option("--count", type=click.IntRange(min=2), default=30, show_default=True, help="Questions.")
@click.option("--within", type=click.FloatRange(min=0), default=60, show_default=True, help="Minutes to make a store.")
@click.option("--stores", default="/".join(STORES), show_default=True, help="Which, with / between.")
@click.option("--json", "lines", type=click.File("a"), help="Append results, one line each.")
def main(work: Path, passages: int, count: int, within: float, stores: str, lines: IO[str] | None) -> None:
    pool = work / f"pool-{passages}"
    if not (pool / "rows.npy").exists():
        sys.exit(f"{pool} holds no rows; `run.py bench screen --work {work} --passages {passages}` makes them")
    chosen = stores.split("/")
    if unknown := [store for store in chosen if store not in STORES]:
        sys.exit(f"stores: found {unknown}, there are {', '.join(STORES)}")
    bench_search.have_peers()

    def tell(case: dict[str, Any]) -> None:
        line = json.dumps({"passages": passages, **case, "machine": machine.describe()})
        print(line, flush=True)
        if lines is not None:
            lines.write(line + "\n")
            lines.flush()

    ready = []
    for store in ("colibri", *(store for store in chosen if store != "colibri")):
        facts = made(store, pool, within)
        tell({"store": store, **({"not_within_minutes": within} if facts is None else facts)})
        if facts is not None:
            ready.append(store)
    ways = {way: contestant(store, way, pool) for store in ready for way in WAYS.get(store, (store,))}
    try:
        for found in asked(ways, questions(work, count)):
            tell({"questions": count, "tokens": TOKENS, **found})
    finally:
        for way in ways.values():
            way.end()


if __name__ == "__main__":
    main()
