"""Qdrant Edge in its forms beside the flat index: ingest, p50, recall of the best ten and hundred, RSS, disk.

    python3 run.py test-qdrant -k nothing             makes .venv-qdrant, where all of them run
    python3 run.py bench stores --work DIR --passages 10000 --json benchmarks/results/stores.jsonl

Each store is a process of its own; they take turns on the same question. Rows are synthetic: words (4,096 directions,
Zipf), a topic a passage, noise; a question is 32 noisy tokens of one passage. Recall is against the float32 plain scan.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import click
import numpy as np
from numpy.typing import NDArray

from report import machine

ROOT = Path(__file__).parents[2]
DIM, WORDS, QUERIES = 64, 4_096, 32
NAMES = ["index", "edge, float32", "edge, float16", "edge, turbo8", "edge, two widths", "edge, centroids"]


def unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Rows of length 1."""
    found: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def make_data(work: Path, passages: int) -> None:
    """Rows, where each passage begins, and questions; always the same for a number of passages."""
    if (work / "queries.npy").exists():
        if len(np.load(work / "starts.npy")) != passages + 1:
            sys.exit(f"{work} holds another number of passages; name another folder")
        return
    work.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    words = unit(rng.standard_normal((WORDS, DIM)))
    shares = 1 / np.arange(1, WORDS + 1)
    starts = np.concatenate([[0], np.cumsum(rng.integers(20, 61, passages))])
    rows = np.lib.format.open_memmap(work / "rows.npy", "w+", np.float32, (int(starts[-1]), DIM))
    for i in range(passages):
        count = int(starts[i + 1] - starts[i])
        chosen = words[rng.choice(WORDS, count, p=shares / shares.sum())]
        topic = unit(rng.standard_normal((1, DIM)))
        rows[starts[i] : starts[i + 1]] = unit(chosen + 0.4 * topic + 0.05 * rng.standard_normal((count, DIM)))
    queries = np.empty((QUERIES, 32, DIM), np.float32)
    for query, passage in zip(queries, rng.integers(0, passages, QUERIES), strict=True):
        own = rows[rng.integers(starts[passage], starts[passage + 1], 32)]
        query[:] = unit(own + 0.1 * rng.standard_normal(own.shape))
    np.save(work / "starts.npy", starts)
    np.save(work / "queries.npy", queries)  # the last one, which tells that all are there


def truth(work: Path) -> list[list[str]]:
    """The best hundred of each question by the float32 scan."""
    rows, starts = np.load(work / "rows.npy", mmap_mode="r"), np.load(work / "starts.npy")
    found = []
    for query in np.load(work / "queries.npy"):
        scores = np.maximum.reduceat(query @ rows.T, starts[:-1], axis=1).sum(0)
        found.append([str(i) for i in np.argsort(-scores, kind="stable")[:100]])
    return found


class Contestant:
    """A store in its process."""

    def __init__(self, name: str, work: Path) -> None:
        python = ROOT / ".venv-qdrant" / "bin" / "python"
        command = [str(python), str(Path(__file__).with_name("store_engines.py")), name, str(work)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line: str) -> dict[str, Any]:
        """One answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def end(self) -> None:
        """Let it close."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def recall(answers: list[list[str]], wanted: list[list[str]], depth: int) -> float:
    """Share of the best so many that were found."""
    shares = [len(set(a[:depth]) & set(w[:depth])) / depth for a, w in zip(answers, wanted, strict=True)]
    return float(np.mean(shares))


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Folder for rows and stores.")
@click.option("--passages", type=click.IntRange(min=200), default=10_000, show_default=True)
@click.option(
    "--rounds", type=click.IntRange(min=1), default=3, show_default=True, help="Times each question is asked."
)
@click.option("--json", "lines", type=click.File("a"), help="Append results, one line each.")
def main(work: Path, passages: int, rounds: int, lines: IO[str] | None) -> None:
    make_data(work, passages)
    wanted = truth(work)
    python = ROOT / ".venv-qdrant" / "bin" / "python"
    if not python.exists():
        sys.exit("no .venv-qdrant: python3 run.py test-qdrant makes it")
    # An index without a kernel is scored by NumPy, ten times slower: `warmup` fails where none can be had.
    subprocess.run([str(python), "-m", "colibri", "warmup", "--kind", "int8"], check=True, stdout=subprocess.DEVNULL)
    stores, facts = {}, {}
    for name in NAMES:
        stores[name] = Contestant(name, work)
        facts[name] = stores[name].ask("make")
        print(name, json.dumps(facts[name]), flush=True)
    times: dict[str, list[float]] = {name: [] for name in NAMES}
    answers: dict[str, list[list[str]]] = {name: [] for name in NAMES}
    for turn in range(rounds + 1):
        for number in range(QUERIES):
            for name, store in stores.items():
                found = store.ask(str(number))
                if turn == 0:  # the first round warms up, and says what is found
                    answers[name].append(found["ids"])
                else:
                    times[name].append(found["seconds"])
    for name, store in stores.items():
        told = {
            "store": name,
            "passages": passages,
            **{key: round(value, 2) for key, value in facts[name].items()},
            **{key: round(value, 1) for key, value in store.ask("memory").items()},
            "p50_ms": round(1_000 * statistics.median(times[name]), 2),
            "recall_10": round(recall(answers[name], wanted, 10), 4),
            "recall_100": round(recall(answers[name], wanted, 100), 4),
            "machine": machine.describe(),
        }
        print(json.dumps(told), flush=True)
        if lines is not None:
            lines.write(json.dumps(told) + "\n")
        store.end()


if __name__ == "__main__":
    main()
