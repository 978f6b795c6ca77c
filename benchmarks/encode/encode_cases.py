"""The cases of bench_encode: processes that take turns, and what is made of their answers."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import click

OURS = ("colibri:cpu-int8", "colibri:cpu-fp32")
BATCHES = (1, 4, 16, 64)
DEFAULT_BATCH = 256
SEEN_FOR_BATCHES = 64  # documents that choose FastEmbed's best batch size
LONG_TOKENS = 8192
_QUERY_TURNS = 5  # a round: a turn of queries is over in a second, which one disturbance can fill
_SETTLE_SECONDS = 0.25  # before each turn: FastEmbed's threads spin on for 40 ms when it has answered


class Child:
    """An engine's process."""

    def __init__(self, python: Path, engine: str, model: Path, texts: Path) -> None:
        folder = model / ("artefact" if engine.startswith("colibri") else "fastembed")
        self.engine = engine
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            [python, Path(__file__).with_name("encode_engine.py"), engine, folder, texts],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.start = self._read()
        self.start["total_ms"] = (time.perf_counter() - begun) * 1e3

    def ask(self, command: str) -> dict[str, Any]:
        """One command, and its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"{self.engine} ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def throughput(
    model: Path, python: Path, texts: Path, rounds: int, shared: int, best: int | None
) -> list[dict[str, Any]]:
    """Documents a second and milliseconds a query of every engine, with the ratios to FastEmbed.

    shared  how many documents, the first ones, all engines encode in each round, which is what ratios are of; in the
            first round ours then encode all of them as well
    best    FastEmbed's best batch size; None: to be found
    """
    best = best or _best_batch(model, python, texts)
    names = [*OURS, f"fastembed:{DEFAULT_BATCH}", f"fastembed:{best}"]
    children: list[Child] = []
    try:
        children += [Child(Path(sys.executable) if name in OURS else python, name, model, texts) for name in names]
        return _rounds(children, rounds, shared)
    finally:
        for child in children:
            child.__exit__()


def _best_batch(model: Path, python: Path, texts: Path) -> int:
    with Child(python, f"fastembed:{DEFAULT_BATCH}", model, texts) as probe:
        probe.ask("documents 8")
    found: dict[int, float] = {}
    for batch in BATCHES:
        with Child(python, f"fastembed:{batch}", model, texts) as probe:
            found[batch] = probe.ask(f"documents {SEEN_FOR_BATCHES}")["seconds"]
    best = min(found, key=found.__getitem__)
    click.echo(f"{model.name}: FastEmbed's best batch size is {best} of {', '.join(map(str, BATCHES))}", err=True)
    return best


def _rounds(children: Sequence[Child], rounds: int, shared: int) -> list[dict[str, Any]]:
    whole: dict[str, list[float]] = {child.engine: [] for child in children}
    speeds: dict[str, list[float]] = {child.engine: [] for child in children}
    times: dict[str, list[float]] = {child.engine: [] for child in children}
    cpu: dict[str, list[float]] = {child.engine: [] for child in children}
    rows: dict[str, tuple[int, int]] = {}
    for child in children:
        child.ask("documents 8")
    for done in range(rounds):
        given: dict[str, int] = {}
        for child in children:
            time.sleep(_SETTLE_SECONDS)
            documents = child.ask(f"documents {shared}")
            speeds[child.engine].append(documents["texts"] / documents["seconds"])
            cpu[child.engine].append(documents["cpu_seconds"] / documents["texts"] * 1e3)
            given[child.engine] = documents["rows"]
            click.echo(
                f"round {done + 1} of {rounds}: {child.engine} {speeds[child.engine][-1]:.1f} documents/s", err=True
            )
            if child.engine in OURS and not done:
                everything = child.ask("documents")
                whole[child.engine].append(everything["texts"] / everything["seconds"])
        for _ in range(_QUERY_TURNS):
            for child in children:
                time.sleep(_SETTLE_SECONDS)
                queries = child.ask("queries")
                times[child.engine] += queries["ms"]
                rows[child.engine] = (given[child.engine], queries["rows"])
                took = f"{statistics.median(queries['ms']):.1f} ms a query"
                click.echo(f"round {done + 1} of {rounds}: {child.engine} {took}", err=True)
    if len(set(rows.values())) != 1:
        raise click.ClickException(f"the engines gave different numbers of rows: {rows}")
    default, best = (statistics.median(speeds[child.engine]) for child in children[-2:])
    slow = statistics.median(times[children[-2].engine])
    return [
        {
            "engine": engine,
            "documents_per_second": round(statistics.median(speed), 2),
            "documents_per_second_all": [round(one, 2) for one in speed],
            "of_all_documents": round(whole[engine][0], 2) if whole[engine] else None,
            "cpu_ms_per_document": round(statistics.median(cpu[engine]), 1),
            "ratio_default_batch": round(statistics.median(speed) / default, 2),
            "ratio_best_batch": round(statistics.median(speed) / best, 2),
            "query_p50_ms": round(statistics.median(times[engine]), 2),
            "query_p99_ms": round(statistics.quantiles(times[engine], n=100)[98], 2),
            "query_ratio": round(slow / statistics.median(times[engine]), 2),
        }
        for engine, speed in speeds.items()
    ]


def cold_starts(model: Path, python: Path, texts: Path, rounds: int) -> list[dict[str, Any]]:
    """Process start to the first query's vectors, in fresh processes that take turns; files in the page cache."""
    names = (*OURS, f"fastembed:{DEFAULT_BATCH}")
    starts: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for done in range(rounds + 1):
        for name in names:
            with Child(Path(sys.executable) if name in OURS else python, name, model, texts) as child:
                if done:  # the first round fills the page cache
                    starts[name].append(child.start)

    def median(name: str, pick: str) -> float:
        return float(statistics.median(one[pick] for one in starts[name]))

    return [
        {
            "engine": name,
            "total_ms": round(median(name, "total_ms")),
            "parts_ms": {
                lap: round(statistics.median(one["laps_ms"][lap] for one in starts[name]))
                for lap in starts[name][0]["laps_ms"]
            },
            "rss_mb": round(median(name, "rss_mb")),
            "peak_mb": round(median(name, "peak_mb")),
            "ratio": round(median(names[-1], "total_ms") / median(name, "total_ms"), 2),
        }
        for name in names
    ]


def long_document(model: Path, texts: Path) -> list[dict[str, Any]]:
    """Memory above the loaded model while 8,192 tokens are encoded, and after."""
    found = []
    for engine in OURS:
        with Child(Path(sys.executable), engine, model, texts) as child:
            one = child.ask(f"long {LONG_TOKENS}")
        found.append(
            {
                "engine": engine,
                "seconds": round(one["seconds"], 1),
                "rows": one["rows"],
                "before_mb": round(one["before_mb"]),
                "above_mb": round(one["peak_mb"] - one["before_mb"]),
                "after_mb": round(one["after_mb"]),
                "after_ratio": round(one["after_mb"] / one["before_mb"], 3),
            }
        )
    return found


def products(model: Path) -> list[dict[str, Any]]:
    """Where the time of cpu-int8 goes, beside the core's measured peak."""
    command = [sys.executable, str(Path(__file__).with_name("encode_products.py")), str(model / "artefact")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(done.stdout)]
