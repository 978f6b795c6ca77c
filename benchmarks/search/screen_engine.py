"""One process of `bench_screen`, of this build or of another one: builds an index, answers questions, tells its memory.

python screen_engine.py build WORK PLACE PASSAGES [KIND]   one JSON line; KIND of rows: int8, int4
python screen_engine.py serve PLACE                        a JSON line for each on stdin
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from colibri import Document, Index, TokenVectors
from colibri.index import ranking

_AT_ONCE = 20_000  # passages of one call that adds


def documents(work: Path, first: int, last: int) -> Iterator[Document]:
    """Passages of `pool`, each a document."""
    starts = np.load(work / "starts.npy", mmap_mode="r")
    rows, scales = np.load(work / "rows.npy", mmap_mode="r"), np.load(work / "scales.npy", mmap_mode="r")
    for number in range(first, last):
        own = slice(int(starts[number]), int(starts[number + 1]))
        ends = np.array([0, own.stop - own.start], np.int64)
        vectors = TokenVectors(np.array(rows[own]), ends, scales=np.array(scales[own]))
        yield Document(id=str(number), vectors=vectors)


def build(work: Path, place: Path, passages: int, **kind: Any) -> dict[str, Any]:
    """Add passages to a new index: rows a second of time and of this process's CPU, making documents apart.

    kind: `rows` as `Index.open` takes it, which builds before int4 do not
    """
    with Index.open(place, dim=64, space_id="", **kind) as index:
        wall = cpu = 0.0
        for first in range(0, passages, _AT_ONCE):
            some = list(documents(work, first, min(first + _AT_ONCE, passages)))
            began, used = time.perf_counter(), time.process_time()
            index.add(some)
            wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - used
        held = index.stats()
    sizes = {path.suffix[1:]: 0 for path in (place / "segments").iterdir()}
    for path in (place / "segments").iterdir():
        sizes[path.suffix[1:]] += path.stat().st_size
    return {
        "passages": held.passages,
        "tokens": held.tokens,
        "rows_per_s": held.tokens / wall,
        "rows_per_cpu_s": held.tokens / cpu,
        "bytes_a_token": held.disk_bytes / held.tokens,
        "bytes_a_token_by_file": {kind: size / held.tokens for kind, size in sorted(sizes.items())},
    }


def touched() -> dict[str, float]:
    """MB of each kind of a segment's files that this process has mapped and looked at (Linux)."""
    found: dict[str, float] = {}
    kind = ""
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            path = words[5] if len(words) > 5 else ""
            kind = path.rpartition(".")[2] if "/segments/" in path else ""
        elif words[0] == "Rss:" and kind:
            found[kind] = found.get(kind, 0.0) + int(words[1]) * 1024 / 1e6
    return found


class Looked:
    """Pages of 4 KB of rows and scales that screened searches look at, which `touched` cannot tell: Linux maps 64 KB
    about each page that is read, and all of the block of files' pages that it lies in, up to 1 MB (6.18)."""

    def __init__(self) -> None:
        self._pages: set[tuple[str, int, int]] = set()
        self._left = ranking._left
        ranking._left = self._counting

    def _counting(self, query: TokenVectors, some: Any, **options: Any) -> Any:
        for segment, places in some:
            starts = segment.docs.starts
            for kind, size in (("rows", segment.docs.rows.shape[1]), ("scales", 4)):
                for first, last in zip(starts[places].tolist(), starts[places + 1].tolist(), strict=True):
                    pages = range(first * size // 4096, (last * size - 1) // 4096 + 1)
                    self._pages.update((kind, segment.number, page) for page in pages)
        return self._left(query, some, **options)

    def mb(self) -> dict[str, float]:
        """Of each kind of file."""
        kinds = [kind for kind, _, _ in self._pages]
        return {kind: kinds.count(kind) * 4096 / 1e6 for kind in sorted(set(kinds))}


def serve(place: Path) -> None:
    """Answers: how long, which documents, their scores, which way was taken, and what was touched so far."""
    looked: Looked | None = None
    with Index.open(place, create=False) as index:
        for line in sys.stdin:
            asked = json.loads(line)
            query = TokenVectors(
                np.array(asked["rows"], np.float32),
                np.array([0, len(asked["rows"])], np.int64),
                weights=np.array(asked["weights"], np.float32),
            )
            if asked["touched"] and looked is None:
                looked = Looked()
            began, used = time.perf_counter(), time.process_time()
            hits = index.search(query, asked["k"], passages=1, threads=asked["threads"], **asked["options"])
            said = {
                "ms": (time.perf_counter() - began) * 1e3,
                "cpu_ms": (time.process_time() - used) * 1e3,
                "ids": [int(hit.id) for hit in hits],
                "scores": [hit.score for hit in hits],
                "screened": bool(hits) and getattr(hits[0], "screened", False),
                "touched_mb": touched() if asked["touched"] else {},
                "looked_mb": looked.mb() if looked is not None else {},
            }
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "build":
        kind = {"rows": sys.argv[5]} if len(sys.argv) > 5 else {}
        print(json.dumps(build(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), **kind)))
    else:
        serve(Path(sys.argv[2]))
