"""One store of `bench_million`, of the rows of a pool that `bench_screen` made.

python million_engines.py make STORE POOL     one JSON line
python million_engines.py serve WAY POOL      a JSON line for each on stdin
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Search = Callable[[NDArray[np.float32]], list[int]]
DIM, K = 64, 10
_AT_ONCE = 10_000  # passages


def parts(pool: Path) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.int64]]]:
    """The number of a passage, the rows of it and of the next ones, and where each begins among them."""
    starts = np.load(pool / "starts.npy")
    rows, scales = np.load(pool / "rows.npy", mmap_mode="r"), np.load(pool / "scales.npy", mmap_mode="r")
    for first in range(0, len(starts) - 1, _AT_ONCE):
        own = starts[first : first + _AT_ONCE + 1]
        some = slice(int(own[0]), int(own[-1]))
        yield first, rows[some].astype(np.float32) * scales[some, None], own - own[0]


def place_of(store: str, pool: Path) -> Path:
    """Where a store lies."""
    return pool / store.replace(", ", "-").lower()


def make(store: str, pool: Path) -> dict[str, float]:
    """Seconds of adding all passages and of what an index of them takes beside; MB on disk."""
    place = place_of(store, pool)
    shutil.rmtree(place, ignore_errors=True)
    if store == "colibri":
        seconds, after = _colibri(place, pool), 0.0
    elif store.startswith("lancedb"):
        seconds, after = _lancedb(place, pool, pq="IVF_PQ" in store)
    else:
        seconds, after = _edge(place, pool, "Turbo8" if "turbo8" in store else "Float16")
    size = sum(path.stat().st_blocks * 512 for path in place.rglob("*") if path.is_file())
    return {"ingest_s": seconds, "index_s": after, "disk_mb": size / 1e6}


def _colibri(place: Path, pool: Path) -> float:
    from colibri import Document, Index

    seconds = 0.0
    with Index.open(place, dim=DIM, space_id="") as index:
        for first, rows, starts in parts(pool):
            bounds = starts.tolist()
            began = time.perf_counter()
            index.add(
                Document(id=str(first + i), vectors=rows[bounds[i] : bounds[i + 1]]) for i in range(len(bounds) - 1)
            )
            seconds += time.perf_counter() - began
    return seconds


def _lancedb(place: Path, pool: Path, *, pq: bool) -> tuple[float, float]:
    import lancedb
    import pyarrow as pa
    from lancedb.index import IvfPq

    seconds, table = 0.0, None
    for first, rows, starts in parts(pool):
        began = time.perf_counter()
        flat = pa.FixedSizeListArray.from_arrays(pa.array(rows.astype(np.float16).reshape(-1)), DIM)
        vectors = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), flat)
        some = pa.table({"id": pa.array(range(first, first + len(starts) - 1)), "vector": vectors})
        if table is None:
            table = lancedb.connect(place).create_table("documents", some)
        else:
            table.add(some)
        seconds += time.perf_counter() - began
    began = time.perf_counter()
    if pq:
        assert table is not None
        table.create_index("vector", config=IvfPq(distance_type="cosine", num_sub_vectors=16))
    return seconds, time.perf_counter() - began if pq else 0.0


def _edge(place: Path, pool: Path, datatype: str) -> tuple[float, float]:
    import qdrant_edge as edge

    params = edge.EdgeVectorParams(
        DIM,
        edge.Distance.Dot,
        multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim),
        datatype=getattr(edge.VectorStorageDatatype, datatype),
        hnsw_config=edge.HnswIndexConfig(0, 100, 10),
        on_disk=True,
    )
    place.mkdir()
    shard = edge.EdgeShard.create(str(place), edge.EdgeConfig(vectors={"v": params}))
    seconds = 0.0
    for first, rows, starts in parts(pool):
        began = time.perf_counter()
        for at in range(0, len(starts) - 1, 2_000):
            some = range(at, min(at + 2_000, len(starts) - 1))
            points = [edge.Point(first + i, {"v": rows[starts[i] : starts[i + 1]]}) for i in some]
            shard.update(edge.UpdateOperation.upsert_points(points))
        seconds += time.perf_counter() - began
    began = time.perf_counter()
    shard.optimize()
    shard.flush()
    shard.close()
    return seconds, time.perf_counter() - began


def opened(way: str, pool: Path) -> Search:
    """What answers a question in this way with ids."""
    if way.startswith("colibri"):
        from colibri import Index

        index, exact = Index.open(place_of("colibri", pool), create=False), way.endswith("exact")
        return lambda query: [int(hit.id) for hit in index.search(query, K, exact=exact)]
    if way.startswith("lancedb"):
        import lancedb

        store, kind, *numbers = way.split(", ")
        table = lancedb.connect(place_of(f"{store}, {kind}", pool)).open_table("documents")

        def search(query: NDArray[np.float32]) -> list[int]:
            asked = table.search(query.astype(np.float16)).distance_type("cosine").select(["id", "_distance"]).limit(K)
            if numbers:
                probes, refined = (int(number.partition(" ")[0]) for number in numbers)
                asked = asked.nprobes(probes).refine_factor(refined)
            found: list[int] = asked.to_arrow()["id"].to_pylist()
            return found

        return search
    import qdrant_edge as edge

    shard = edge.EdgeShard.load(str(place_of(way, pool)))
    exact_way = edge.SearchParams(exact=True)
    return lambda query: [
        point.id
        for point in shard.query(edge.QueryRequest(K, query=edge.Query.Nearest(query, using="v"), params=exact_way))
    ]


def resident() -> float:
    """MB of this process, of files' pages too (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1e3


def serve(way: str, pool: Path) -> None:
    """Answer what comes."""
    search: Search | None = None
    for line in sys.stdin:
        asked: Any = json.loads(line)
        if asked == "memory":
            print(json.dumps({"rss_mb": resident()}), flush=True)
            continue
        search = search or opened(way, pool)
        query = np.array(asked, np.float32)
        began = time.perf_counter()
        found = search(query)
        print(json.dumps({"ids": found, "ms": 1e3 * (time.perf_counter() - began)}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        print(json.dumps(make(sys.argv[2], Path(sys.argv[3]))))
    else:
        serve(sys.argv[2], Path(sys.argv[3]))
