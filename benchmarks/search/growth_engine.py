"""One process of `bench_growth`: builds an index of a number of passages, or searches one from a cold cache.

python growth_engine.py build WORK PLACE PASSAGES TIMES KIND   one JSON line
python growth_engine.py search WORK PLACE QUESTIONS            one JSON line
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from colibri import Document, Index, TokenVectors
from search import screen_data
from search.bench_screen import LENGTHS, of_length

SHORTEST = 20
_AT_ONCE = 20_000  # passages of one call that adds


def documents(real: TokenVectors, count: int, times: int) -> Iterator[Document]:
    """Made passages of 20 to 40 tokens, each a document."""
    for number, (rows, scales) in enumerate(screen_data.made(real, count, times, shortest=SHORTEST)):
        yield Document(id=str(number), vectors=TokenVectors(rows, np.array([0, len(rows)], np.int64), scales=scales))


def build(work: Path, place: Path, passages: int, times: int, kind: Any) -> dict[str, Any]:
    """Add them in calls of 20,000: rows a second of time and of CPU, making them apart, and bytes.

    kind: of rows, as `Index.open` has it
    """
    real = screen_data.kept(work)
    wall = cpu = 0.0
    with Index.open(place, dim=screen_data.DIM, space_id="", rows=kind) as index:
        made = documents(real, passages, times)
        while some := list(islice(made, _AT_ONCE)):
            began, used = time.perf_counter(), time.process_time()
            index.add(some)
            wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - used
        held = index.stats()
    return {
        "tokens": held.tokens,
        "disk_mb": held.disk_bytes / 1e6,
        "rows_per_s": held.tokens / wall,
        "rows_per_cpu_s": held.tokens / cpu,
    }


def read_mb() -> float:
    """What this process has had read from disk (Linux)."""
    lines = Path("/proc/self/io").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes")) / 1e6


def memory_mb() -> dict[str, float]:
    """What this process holds: of its own, and of files it has mapped (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Rss")}
    return {"own": found["RssAnon"] * 1024 / 1e6, "files": found["RssFile"] * 1024 / 1e6}


def forgotten(place: Path) -> None:
    """The system keeps nothing of the index's files in memory, as after a start of the machine."""
    os.sync()
    for path in place.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def search(work: Path, place: Path, questions: int) -> dict[str, Any]:
    """Opening and the first search after the cache was emptied; then all others, which find what it had read."""
    asked = TokenVectors.load(next(work.glob("questions-*.safetensors")))
    forgotten(place)
    before, began = read_mb(), time.perf_counter()
    with Index.open(place, create=False) as index:
        opened = time.perf_counter() - began
        first = index.search(next(of_length(asked, LENGTHS[-1])), 10, passages=1, threads=2)
        cold = {"open_ms": opened * 1e3, "first_ms": (time.perf_counter() - began) * 1e3, "read_mb": read_mb() - before}
        found: dict[str, Any] = {"cold": cold, "screened": bool(first and first[0].screened)}
        for tokens in LENGTHS:
            times, cpu = [], time.process_time()
            before = read_mb()
            for query in islice(of_length(asked, tokens), questions):
                began = time.perf_counter()
                index.search(query, 10, passages=1, threads=2)
                times.append((time.perf_counter() - began) * 1e3)
            found[f"{tokens} tokens"] = {
                "p50_ms": float(np.percentile(times, 50)),
                "p99_ms": float(np.percentile(times, 99)),
                "cpu_ms": (time.process_time() - cpu) * 1e3 / questions,
                "read_mb_a_search": (read_mb() - before) / questions,
            }
        return found | {"questions": questions, "memory_mb": memory_mb()}


if __name__ == "__main__":
    if sys.argv[1] == "build":
        done = build(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), sys.argv[6])
    else:
        done = search(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    print(json.dumps(done))
