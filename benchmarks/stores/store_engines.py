"""One store in a process of its own: made on the first line of its input, asked on the others, a line of JSON each.

python store_engines.py NAME WORK      NAME: of STORES
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri import Document, Index
from colibri.stores import QdrantEdgeStore

DIM, NARROW = 64, 32
CANDIDATES = {"edge, two widths": 1_000, "edge, centroids": 2_000}

Store = Index | QdrantEdgeStore
STORES: Mapping[str, Callable[[Path], Store]] = {
    "index": lambda path: Index.open(path, space_id="", dim=DIM),
    "edge, float32": lambda path: QdrantEdgeStore(path, space_id="", dims=DIM),
    "edge, float16": lambda path: QdrantEdgeStore(path, space_id="", dims=DIM, datatype="float16"),
    "edge, turbo8": lambda path: QdrantEdgeStore(path, space_id="", dims=DIM, datatype="turbo8", on_disk=True),
    "edge, two widths": lambda path: QdrantEdgeStore(path, space_id="", dims=[DIM, NARROW]),
    "edge, centroids": lambda path: QdrantEdgeStore(path, space_id="", dims=DIM, datatype="turbo8", centroids=True),
}


def narrowed(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first half of each row, of length 1: as heads that are cut from a wider one."""
    cut = rows[:, :NARROW]
    found: NDArray[np.float32] = cut / np.linalg.norm(cut, axis=1, keepdims=True)
    return found


def documents(name: str, work: Path) -> list[Document]:
    """Every passage."""
    rows, starts = np.load(work / "rows.npy", mmap_mode="r"), np.load(work / "starts.npy")
    made = []
    for i in range(len(starts) - 1):
        own = np.asarray(rows[starts[i] : starts[i + 1]])
        both = {DIM: own, NARROW: narrowed(own)}
        made.append(Document(id=str(i), vectors=both if name == "edge, two widths" else own))
    return made


def resident(pid: str = "self") -> float:
    """MB, of rows in files' pages too (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def filled(name: str, work: Path) -> tuple[Store, dict[str, float]]:
    """The store with every passage, and what that cost."""
    path = work / name.replace(", ", "-").replace(" ", "-")
    store = STORES[name](path)
    began = time.perf_counter()
    made = documents(name, work)
    for first in range(0, len(made), 5_000):
        store.add(made[first : first + 5_000])
    facts = {"ingest_seconds": time.perf_counter() - began, "optimise_seconds": 0.0, "train_seconds": 0.0}
    if isinstance(store, QdrantEdgeStore):
        if name == "edge, centroids":
            began = time.perf_counter()
            store.train_centroids()
            facts["train_seconds"] = time.perf_counter() - began
        began = time.perf_counter()
        store.optimize()
        facts["optimise_seconds"] = time.perf_counter() - began
        store.close()
        store = QdrantEdgeStore(path)
    facts["disk_mb"] = sum(file.stat().st_blocks * 512 for file in path.rglob("*") if file.is_file()) / 1e6
    return store, facts


def asked(name: str, store: Store, query: NDArray[np.float32]) -> list[str]:
    """The best hundred."""
    if isinstance(store, Index):
        return [hit.id for hit in store.search(query, 100)]
    if name == "edge, two widths":
        both = {DIM: query, NARROW: narrowed(query)}
        return [hit.id for hit in store.search(both, 100, screen=NARROW, candidates=CANDIDATES[name])]
    if name == "edge, centroids":
        return [hit.id for hit in store.search(query, 100, screen="centroids", candidates=CANDIDATES[name])]
    return [hit.id for hit in store.search(query, 100)]


def main(name: str, work: Path) -> None:
    """Serve the benchmark."""
    queries = np.load(work / "queries.npy")
    store: Any = None
    for line in sys.stdin:
        if line == "make\n":
            store, facts = filled(name, work)
            print(json.dumps(facts), flush=True)
        elif line == "memory\n":
            worker = store._edge.worker if isinstance(store, QdrantEdgeStore) else None
            mb = resident() + (resident(str(worker)) if worker else 0.0)
            print(json.dumps({"rss_mb": mb}), flush=True)
        else:
            began = time.perf_counter()
            found = asked(name, store, queries[int(line)])
            print(json.dumps({"seconds": time.perf_counter() - began, "ids": found}), flush=True)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
