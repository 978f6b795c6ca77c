"""The local index: search beside Qdrant Edge and LanceDB, and what opening, adding, deleting and compacting cost.

    python3 run.py bench search --work DIR --prepare      builds every store: minutes, 8 GB; nothing is quoted
    python3 run.py bench search --work DIR --json benchmarks/results/search.jsonl

Each engine and each case is a process of its own; engines take turns on the same query. All are exact (flat): Qdrant
Edge with m=0, float32 and Turbo8, LanceDB without an index. Peers run in .venv-search, of search-requirements.txt.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import click
import numpy as np

from report import machine
from search.search_engines import DIM, ENGINES, colibri_documents, data

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".venv-search"
PASSAGES = 100_000
QUERIES = 32
CASES = "engines,opening,writing,million"


def make_data(work: Path, passages: int, shortest: int, longest: int) -> None:
    """Random unit rows, and queries of 32 noisy tokens of one passage each; always the same."""
    if (work / "queries.npy").exists():
        return
    work.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(rng.integers(shortest, longest + 1, passages))])
    rows = np.lib.format.open_memmap(work / "rows.npy", "w+", np.float32, (int(starts[-1]), DIM))
    for first in range(0, len(rows), 1 << 18):
        some = rng.standard_normal((min(1 << 18, len(rows) - first), DIM), np.float32)
        rows[first : first + len(some)] = some / np.linalg.norm(some, axis=1, keepdims=True)
    chosen = rng.integers(0, passages, QUERIES)
    queries = np.empty((QUERIES, 32, DIM), np.float32)
    for query, passage in zip(queries, chosen, strict=True):
        own = rows[rng.integers(starts[passage], starts[passage + 1], 32)]
        noisy = own + 0.12 * rng.standard_normal(own.shape, np.float32)
        query[:] = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    np.save(work / "starts.npy", starts)
    np.save(work / "queries.npy", queries)  # the last one, which tells that all are there


class Contestant:
    """An engine in its process."""

    def __init__(self, engine: str, work: Path) -> None:
        command = [interpreter(engine), str(Path(__file__).with_name("search_engines.py")), engine, str(work)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def search(self, number: int) -> dict[str, Any]:
        """One query."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"search {number}\n")
        self._child.stdin.flush()
        found: dict[str, Any] = json.loads(self._child.stdout.readline())
        return found

    def end(self) -> None:
        """No more of them."""
        self._child.communicate()


def interpreter(engine: str) -> str:
    """Colibri's own Python, or the peers'."""
    return sys.executable if engine == "colibri" else str(PEERS / "bin" / "python")


def turns(work: Path, rounds: int) -> dict[str, Any]:
    """Every engine on the same query, one after the other; ours five times as often, for its tail."""
    contestants = {engine: Contestant(engine, work) for engine in ENGINES}
    times: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    answers: dict[str, list[list[int]]] = {engine: [] for engine in ENGINES}
    for number in range(-2, rounds):
        for engine, contestant in contestants.items():
            for repeat in range(5 if engine == "colibri" else 1):
                found = contestant.search(number + repeat * rounds if repeat else number)
                if number >= 0:
                    times[engine].append(found["ms"])
                    if not repeat:
                        answers[engine].append(found["ids"])
    for contestant in contestants.values():
        contestant.end()
    ours = statistics.median(times["colibri"])
    figures = {
        engine: {
            "p50_ms": statistics.median(own),
            "p99_ms": float(np.percentile(own, 99)),
            "x": statistics.median(own) / ours,
        }
        for engine, own in times.items()
    }
    return {"figures": figures, "rounds": rounds, **ranks(work, answers)}


def ranks(work: Path, answers: dict[str, list[list[int]]]) -> dict[str, Any]:
    """How each engine's ten best agree with a float32 scan by NumPy, and how far float32 scores of ours fall short."""
    rows, starts, queries = data(work)
    overlap: dict[str, list[float]] = {engine: [] for engine in answers}
    short, gap = 0.0, 0.0
    for number in range(min(len(answers["colibri"]), 8)):
        scores = np.concatenate(
            [
                np.maximum.reduceat(
                    np.asarray(rows[starts[a] : starts[b]]) @ queries[number].T, starts[a:b] - starts[a], axis=0
                ).sum(axis=1)
                for a, b in ((a, min(a + 5_000, len(starts) - 1)) for a in range(0, len(starts) - 1, 5_000))
            ]
        )
        best = np.argsort(-scores)[:10]
        for engine, own in answers.items():
            overlap[engine].append(len({*own[number]} & {*best.tolist()}) / 10)
        short = max(short, float(scores[best[-1]] - scores[answers["colibri"][number]].min()))
        gap = max(gap, float(np.abs(np.diff(scores[best])).mean()))
    return {
        "same_best_10": {engine: statistics.mean(own) for engine, own in overlap.items()},
        "furthest_short": short,
        "mean_gap": gap,
    }


def writing(work: Path) -> dict[str, Any]:
    """Add everything in one call; then delete 1,000 ids, five times; then half of all, and compact."""
    from colibri import Index
    from colibri.scoring import engine

    rows, starts, queries = data(work)
    documents = colibri_documents(np.array(rows), starts)
    engine.compile_now("int8")
    place = work / "written"
    shutil.rmtree(place, ignore_errors=True)
    found: dict[str, Any] = {}
    with Index.open(place, dim=DIM, space_id="bench") as index:
        began = time.perf_counter()
        index.add(documents)
        found["added_per_second"] = len(documents) / (time.perf_counter() - began)
        order = np.random.default_rng(1).permutation(len(documents))
        deletes = []
        for first in range(0, 5_000, 1_000):
            ids = [documents[i]["id"] for i in order[first : first + 1_000]]
            began = time.perf_counter()
            index.delete(ids)
            deletes.append((time.perf_counter() - began) * 1e3)
        found["delete_1000_ms"] = statistics.median(deletes)
        found["p50_ms"] = searches(index, queries)
        index.delete([documents[i]["id"] for i in order[: len(order) // 2]])
        found["half_p50_ms"] = searches(index, queries)
        began = time.perf_counter()
        index.compact()
        found["compact_s"] = time.perf_counter() - began
        found["compacted_p50_ms"] = searches(index, queries)
    shutil.rmtree(place)
    return found


def searches(index: Any, queries: Any) -> float:
    """Milliseconds of a search, median of 40 after two."""
    times = []
    for number in range(42):
        began = time.perf_counter()
        index.search(queries[number % len(queries)], 10)
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times[2:])


def child(case: str, work: Path) -> dict[str, Any]:
    """A case in a process of its own."""
    command = [sys.executable, __file__, "--work", str(work), "--child", case]
    if case == "opening":
        command = [sys.executable, str(Path(__file__).with_name("search_engines.py")), case, str(work)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"{case} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def median_of(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Of every figure."""
    return {name: statistics.median(result[name] for result in results) for name in results[0]}


def have_peers() -> None:
    """The peers' packages, installed once."""
    if not (PEERS / ".made").exists():
        venv.create(PEERS, with_pip=True, clear=PEERS.exists())
        wanted = Path(__file__).with_name("search-requirements.txt")
        subprocess.run([interpreter("peer"), "-m", "pip", "install", "--quiet", "-r", str(wanted)], check=True)
        (PEERS / ".made").touch()


def prepare(work: Path) -> None:
    """Data and stores that are not there yet."""
    have_peers()
    make_data(work / "100k", PASSAGES, 20, 60)
    make_data(work / "1m", 1_000_000, 20, 20)
    for engine, place in [*((engine, work / "100k") for engine in ENGINES), ("colibri", work / "1m")]:
        if not (place / f"{engine}.json").exists():
            script = str(Path(__file__).with_name("search_engines.py"))
            command = [interpreter(engine), script, engine, str(place), "prepare"]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            (place / f"{engine}.json").write_text(done.stdout.splitlines()[-1], encoding="utf-8")
            print(f"{engine}: {done.stdout.strip()}")


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Folder for data and stores (8 GB).")
@click.option("--prepare", "only_prepare", is_flag=True, help="Build what is missing, and measure nothing.")
@click.option("--rounds", type=click.IntRange(min=8), default=20, show_default=True)
@click.option("--cases", default=CASES, show_default=True, help="Comma-separated.")
@click.option("--child", "case", type=click.Choice(["writing"]), hidden=True)
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(work: Path, only_prepare: bool, rounds: int, cases: str, case: str | None, lines: IO[str] | None) -> None:
    """Time the local index and its peers."""
    if case:
        print(json.dumps(writing(work)))
        return
    prepare(work)
    if only_prepare:
        return
    small = work / "100k"
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "engines": lambda: turns(small, rounds),
        "opening": lambda: median_of([child("opening", small) for _ in range(5)]),
        "writing": lambda: child("writing", small),
        "million": lambda: child("opening", work / "1m"),
    }
    for name in cases.split(","):
        found = measures[name]()
        disk = {engine: json.loads((small / f"{engine}.json").read_text("utf-8"))["disk_mb"] for engine in ENGINES}
        extra = {"disk_mb": disk} if name == "engines" else {}
        line = {"case": name, **found, **extra, "machine": machine.describe()}
        print(json.dumps({key: value for key, value in line.items() if key != "machine"}, indent=1))
        if lines:
            print(json.dumps(line), file=lines, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("RUST_LOG", "error")
    main()
