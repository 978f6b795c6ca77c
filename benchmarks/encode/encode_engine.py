"""One process of bench_encode: a model of ours or FastEmbed's, which encodes when its stdin says so.

    python encode_engine.py ENGINE FOLDER TEXTS.json      ENGINE: colibri:VARIANT or fastembed:BATCH

Its first line is what its start took; then each line read ("documents", "queries", "long TOKENS") is answered by one.
Only what an engine needs is imported.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Engine(NamedTuple):
    """documents: texts -> how many rows each got. query: a text -> rows of it."""

    documents: Callable[[list[str]], list[int]]
    query: Callable[[str], int]


def colibri_engine(folder: Path, variant: str, laps: dict[str, float]) -> Engine:
    """Ours: as many workers as cores, a query on all of them."""
    start = time.perf_counter()
    import colibri  # noqa: PLC0415 - timed
    import colibri.encoding.encoder  # noqa: PLC0415

    laps["imports"] = time.perf_counter() - start
    start = time.perf_counter()
    model = colibri.load(folder, variant=variant, workers=CORES, threads=CORES)
    laps["load"] = time.perf_counter() - start

    def documents(texts: list[str]) -> list[int]:
        return [len(rows) for rows in model.encode_documents(texts)]

    return Engine(documents, lambda text: len(model.encode_queries([text]).rows))


def fastembed_engine(folder: Path, batch: str, laps: dict[str, float]) -> Engine:
    """FastEmbed on as many threads."""
    start = time.perf_counter()
    from fastembed import LateInteractionTextEmbedding  # noqa: PLC0415 - timed

    laps["imports"] = time.perf_counter() - start
    start = time.perf_counter()
    model = LateInteractionTextEmbedding("jinaai/jina-colbert-v2", specific_model_path=str(folder), threads=CORES)
    laps["load"] = time.perf_counter() - start

    def documents(texts: list[str]) -> list[int]:
        return [len(rows) for rows in model.embed(texts, batch_size=int(batch))]

    return Engine(documents, lambda text: sum(len(rows) for rows in model.query_embed([text])))


def memory() -> dict[str, float]:
    """Resident now and at most so far, in MB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    found = {line.partition(":")[0]: line.split()[1] for line in status if line.startswith(("VmRSS", "VmHWM"))}
    return {"rss_mb": int(found["VmRSS"]) * 1.024e-3, "peak_mb": int(found["VmHWM"]) * 1.024e-3}


def answer(command: str, engine: Engine, texts: dict[str, list[str]]) -> dict[str, Any]:
    """Do what a line says."""
    what, _, number = command.partition(" ")
    if what == "documents":
        wanted = texts["documents"][: int(number) if number else None]
        start, cpu = time.perf_counter(), time.process_time()
        rows = engine.documents(wanted)
        took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
        return {**took, "texts": len(wanted), "rows": sum(rows)}
    if what == "queries":
        times, rows = [], []
        for query in texts["queries"]:
            start = time.perf_counter()
            rows.append(engine.query(query))
            times.append((time.perf_counter() - start) * 1e3)
        return {"ms": times, "rows": sum(rows)}
    for warm in ("a bird", "a bird " * 100, "a bird " * 300):
        engine.documents([warm])
    before = memory()["rss_mb"]
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak counts from here
    start = time.perf_counter()
    rows = engine.documents(["water " * int(number)])
    seconds = time.perf_counter() - start
    after = memory()
    return {
        "seconds": seconds,
        "rows": sum(rows),
        "before_mb": before,
        "peak_mb": after["peak_mb"],
        "after_mb": after["rss_mb"],
    }


def main() -> None:
    """Load, then answer until stdin ends."""
    name, folder, texts_file = sys.argv[1:]
    texts: dict[str, list[str]] = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    laps: dict[str, float] = {}
    kind, _, option = name.partition(":")
    make = {"colibri": colibri_engine, "fastembed": fastembed_engine}[kind]
    engine = make(Path(folder), option, laps)
    start = time.perf_counter()
    engine.query(texts["queries"][0])
    laps["first query"] = time.perf_counter() - start
    print(json.dumps({"laps_ms": {lap: seconds * 1e3 for lap, seconds in laps.items()}, **memory()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(line.strip(), engine, texts)), flush=True)


if __name__ == "__main__":
    main()
