"""How fast texts become vectors, beside FastEmbed on the same weights, and what that takes in memory.

    python benchmarks/bench_encode.py --data DIR --checkpoint FOLDER

Every engine is a process of its own (encode_engine.py); all are loaded at once and take turns, round by round.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, Self

import click
from tokenizers import Tokenizer

import machine
from encode_models import JINA, LONG, MINI, build
from retrieval import Collection, load

ROOT = Path(__file__).parents[1]
SETS = ("medline", "lohelp-en", "jaquad")
OURS = ("colibri:cpu-int8", "colibri:cpu-fp32")
BATCHES = (1, 4, 16, 64)
DEFAULT_BATCH = 256
SEEN_FOR_BATCHES = 64  # documents that choose FastEmbed's best batch size
LONG_TOKENS = 8192


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


def mixed_texts(data: Path, documents: int, queries: int, tokenizer: Tokenizer) -> dict[str, list[str]]:
    """As many of each set, taking turns; short ones and long ones as they come.

    Queries have at most 29 tokens: FastEmbed does not cut longer ones, and both shall run the same 32 ids.
    """

    def fitting(one: Collection) -> list[str]:
        return [query for query in one.queries if len(tokenizer.encode(query, add_special_tokens=False).ids) <= 29]

    sets = [load(data / name) for name in SETS]
    found = {
        "documents": _in_turn([one.documents for one in sets]),
        "queries": _in_turn([fitting(one) for one in sets]),
    }
    wanted = {"documents": documents, "queries": queries}
    for what, texts in found.items():
        if len(texts) < wanted[what]:
            raise click.ClickException(f"--{what}: there are {len(texts)}")
    return {what: texts[: wanted[what]] for what, texts in found.items()}


def _in_turn(lists: Sequence[list[str]]) -> list[str]:
    """One of each as long as it has any."""
    return [text for texts in zip_longest(*lists) for text in texts if text is not None]


def throughput(model: Path, python: Path, texts: Path, rounds: int) -> list[dict[str, Any]]:
    """Documents a second and milliseconds a query of every engine, with the ratios to FastEmbed."""
    with Child(python, f"fastembed:{DEFAULT_BATCH}", model, texts) as probe:
        probe.ask("documents 8")
    found: dict[int, float] = {}
    for batch in BATCHES:
        with Child(python, f"fastembed:{batch}", model, texts) as probe:
            found[batch] = probe.ask(f"documents {SEEN_FOR_BATCHES}")["seconds"]
    best = min(found, key=found.__getitem__)
    click.echo(f"{model.name}: FastEmbed's best batch size is {best} of {', '.join(map(str, BATCHES))}", err=True)
    names = [*OURS, f"fastembed:{DEFAULT_BATCH}", f"fastembed:{best}"]
    children: list[Child] = []
    try:
        children += [Child(Path(sys.executable) if name in OURS else python, name, model, texts) for name in names]
        return _rounds(children, rounds)
    finally:
        for child in children:
            child.__exit__()


def _rounds(children: Sequence[Child], rounds: int) -> list[dict[str, Any]]:
    speeds: dict[str, list[float]] = {child.engine: [] for child in children}
    times: dict[str, list[float]] = {child.engine: [] for child in children}
    cpu: dict[str, list[float]] = {child.engine: [] for child in children}
    rows: dict[str, tuple[int, int]] = {}
    for child in children:
        child.ask("documents 8")
    for done in range(rounds):
        for child in children:
            documents, queries = child.ask("documents"), child.ask("queries")
            speeds[child.engine].append(documents["texts"] / documents["seconds"])
            times[child.engine] += queries["ms"]
            cpu[child.engine].append(documents["cpu_seconds"] / documents["texts"] * 1e3)
            rows[child.engine] = (documents["rows"], queries["rows"])
        click.echo(f"round {done + 1} of {rounds}", err=True)
    if len(set(rows.values())) != 1:
        raise click.ClickException(f"the engines gave different numbers of rows: {rows}")
    default, best = (statistics.median(speeds[child.engine]) for child in children[-2:])
    slow = statistics.median(times[children[-2].engine])
    return [
        {
            "engine": engine,
            "documents_per_second": round(statistics.median(speed), 2),
            "documents_per_second_all": [round(one, 2) for one in speed],
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


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="colibri-mini's, left by `colibri build-mini --keep-checkpoint`. Not given: random weights only.",
)
@click.option(
    "--work", type=click.Path(path_type=Path), default=ROOT / "build/bench-encode", help="Where models are made."
)
@click.option(
    "--peer-python",
    type=click.Path(exists=True, path_type=Path),
    default=ROOT / ".venv-peers/bin/python",
    help="A Python with FastEmbed; `python3 run.py peers` makes this one.",
)
@click.option("--documents", type=click.IntRange(min=SEEN_FOR_BATCHES), default=1_000, show_default=True)
@click.option("--queries", type=click.IntRange(min=2), default=100, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line an engine and model."
)
def main(
    data: Path,
    checkpoint: Path | None,
    work: Path,
    peer_python: Path,
    documents: int,
    queries: int,
    rounds: int,
    lines: IO[str] | None,
) -> None:
    """Encode documents and queries with both, start both, and encode one document of 8,192 tokens."""
    about = {"documents": documents, "queries": queries, "rounds": rounds, "machine": machine.describe()}
    with tempfile.TemporaryDirectory() as place:
        names = [*([MINI] if checkpoint else []), JINA]
        models = {name: build(name, work, checkpoint) for name in [*names, LONG]}
        tokenizer = Tokenizer.from_file(str(models[JINA] / "artefact/tokenizer.json"))
        texts = Path(place) / "texts.json"
        texts.write_text(json.dumps(mixed_texts(data, documents, queries, tokenizer)), encoding="utf-8")
        for name in names:
            _tell("throughput", name, throughput(models[name], peer_python, texts, rounds), about, lines)
            _tell("cold start", name, cold_starts(models[name], peer_python, texts, rounds), about, lines)
        _tell("long document", LONG, long_document(models[LONG], texts), about, lines)


def _tell(case: str, model: str, rows: list[dict[str, Any]], about: dict[str, Any], lines: IO[str] | None) -> None:
    print(f"{case}, {model}")
    for row in rows:
        print("  " + "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
        if lines:
            print(json.dumps({"case": case, "model": model, **row, **about}), file=lines, flush=True)


if __name__ == "__main__":
    main()
