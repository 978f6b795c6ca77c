"""The contestants of bench_search.py, each in a process of its own that answers one line with one line.

    python search_engines.py ENGINE WORK     then on stdin: `search 3` -> {"ms": ..., "ids": [...]}
    python search_engines.py opening WORK    what our index costs a process that does nothing else

WORK holds rows.npy (tokens, 64) float32, starts.npy, queries.npy (queries, 32, 64), and what `prepare` made of them.
Run with the Python that has the engine: colibri's own, or .venv-search.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Search = Callable[[Any, int], list[int]]
ENGINES = ("colibri", "edge-f32", "edge-turbo8", "lancedb")
DIM = 64
_AT_ONCE = 2_000


def data(work: Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """rows, starts, queries."""
    return (
        np.asarray(np.load(work / "rows.npy", mmap_mode="r")),
        np.load(work / "starts.npy"),
        np.load(work / "queries.npy"),
    )


def colibri_documents(rows: NDArray[Any], starts: NDArray[Any]) -> list[dict[str, Any]]:
    """As a user with vectors of his own gives them."""
    bounds = starts.tolist()
    return [{"id": f"doc-{i:07d}", "vectors": rows[bounds[i] : bounds[i + 1]]} for i in range(len(bounds) - 1)]


def prepare(engine: str, work: Path) -> dict[str, float]:
    """Build the engine's store of all rows; seconds and MB on disk."""
    rows, starts, _ = data(work)
    place = work / engine
    shutil.rmtree(place, ignore_errors=True)
    began = time.perf_counter()
    if engine == "colibri":
        from colibri import Index

        with Index.open(place, dim=DIM, space_id="bench") as index:
            index.add(colibri_documents(rows, starts))
    elif engine == "lancedb":
        import lancedb
        import pyarrow as pa

        flat = pa.FixedSizeListArray.from_arrays(pa.array(np.asarray(rows).reshape(-1)), DIM)
        vectors = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), flat)
        table = pa.table({"id": pa.array(range(len(starts) - 1)), "vector": vectors})
        lancedb.connect(place).create_table("documents", table)
    else:
        import qdrant_edge as edge

        kind = edge.VectorStorageDatatype.Turbo8 if engine == "edge-turbo8" else edge.VectorStorageDatatype.Float32
        params = edge.EdgeVectorParams(
            DIM,
            edge.Distance.Dot,
            multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim),
            datatype=kind,
            hnsw_config=edge.HnswIndexConfig(0, 100, 10),
        )
        place.mkdir()
        shard = edge.EdgeShard.create(str(place), edge.EdgeConfig(vectors={"v": params}))
        for first in range(0, len(starts) - 1, _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, len(starts) - 1))
            points = [edge.Point(i, {"v": np.asarray(rows[starts[i] : starts[i + 1]])}) for i in some]
            shard.update(edge.UpdateOperation.upsert_points(points))
        shard.optimize()
        shard.flush()
        shard.close()
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    return {"build_s": seconds, "disk_mb": size / 1e6}


def opened(engine: str, work: Path) -> Search:
    """The engine's exact search."""
    place = work / engine
    if engine == "colibri":
        from colibri import Index
        from colibri.scoring import engine as scoring

        scoring.compile_now("int8")
        index = Index.open(place)
        return lambda query, k: [int(hit.id[4:]) for hit in index.search(query, k)]
    if engine == "lancedb":
        import lancedb

        table = lancedb.connect(place).open_table("documents")
        return lambda query, k: (
            table.search(query).distance_type("dot").select(["id", "_distance"]).limit(k).to_arrow()["id"].to_pylist()
        )
    import qdrant_edge as edge

    shard = edge.EdgeShard.load(str(place))
    exact = edge.SearchParams(exact=True)
    return lambda query, k: [
        point.id
        for point in shard.query(edge.QueryRequest(k, query=edge.Query.Nearest(query, using="v"), params=exact))
    ]


def opening(work: Path) -> dict[str, Any]:
    """Open, and search, in a process that has loaded nothing but NumPy before."""
    from colibri import Index
    from colibri.scoring import engine

    queries = np.load(work / "queries.npy")
    began = time.perf_counter()
    index = Index.open(work / "colibri")
    count = index.count()
    open_ms = (time.perf_counter() - began) * 1e3
    engine.compile_now("int8")
    times = []
    for number in range(40):
        began = time.perf_counter()
        index.search(queries[number % len(queries)], 10)
        times.append((time.perf_counter() - began) * 1e3)
    memory = resident()
    size = sum(path.stat().st_size for path in (work / "colibri").rglob("*") if path.is_file())
    tokens = index.stats().tokens
    figures = {"open_ms": open_ms, "p50_ms": float(np.median(times)), "p99_ms": float(np.percentile(times, 99))}
    return {**figures, **memory, "index_mb": size / 1e6, "bytes_a_token": size / tokens, "passages": count}


def resident() -> dict[str, float]:
    """MB of this process: all of it, and what no file is behind."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return {"rss_mb": sizes["Rss"] * 1024 / 1e6, "anonymous_mb": sizes["Anonymous"] * 1024 / 1e6}


def main() -> None:
    engine, work = sys.argv[1], Path(sys.argv[2])
    if engine == "opening":
        print(json.dumps(opening(work)))
        return
    if len(sys.argv) > 3:
        print(json.dumps(prepare(engine, work)))
        return
    search = opened(engine, work)
    queries = data(work)[2]
    for line in sys.stdin:
        number = int(line.split()[1])
        began = time.perf_counter()
        ids = search(queries[number % len(queries)], 10)
        print(json.dumps({"ms": (time.perf_counter() - began) * 1e3, "ids": ids}), flush=True)


if __name__ == "__main__":
    main()
