"""One fresh process of `bench_kernels.py`: searches rows in a file and prints one JSON object.

    python kernels_parts.py FOLDER first|steady ROUNDS

first   wall and CPU milliseconds from the interpreter's start to the first result, and of the search alone
steady  CPU milliseconds of each search once the kernel is there
"""

import json
import sys
import time
from pathlib import Path

import numpy as np


def main(folder: Path, what: str, rounds: int) -> None:
    """Print what was measured. Imports nothing of what it does not measure."""
    from colibri.scoring import engine, top_k  # noqa: PLC0415
    from colibri.vectors import TokenVectors  # noqa: PLC0415

    rows, scales, starts = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("rows", "scales", "starts"))
    query = np.load(folder / "query.npy")
    docs = TokenVectors(rows, np.asarray(starts), scales=np.asarray(scales))
    if what == "steady":
        engine.compile_now("int8")
        top_k(query, docs, 10, threads=1)
    spent = []
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        found = top_k(query, docs, 10, threads=1)
        spent.append([(time.perf_counter() - began) * 1e3, (time.process_time() - cpu) * 1e3])
    kernel = engine._state.ready.get("int8")
    print(
        json.dumps(
            {
                "searches": spent,
                "process_cpu_ms": time.process_time() * 1e3,
                "kernel": kernel.cached if kernel else "numpy",
                "best": found.ids.tolist(),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
