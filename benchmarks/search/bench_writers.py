"""What writing to the local index costs: one document, 200, and 40,000 in a call; wall and processor time.

    python3 run.py bench writers
    python3 run.py bench writers --against REVISION    another build beside this one, in turns

Documents are ready rows of 20 to 60 tokens, 64 wide, so that what is measured is the index. Each build and round is a
process and a folder of its own, below --work.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import numpy as np

from colibri import Index
from report import builds

DIM = 64
ONE, MANY, BULK = 300, 200, 40_000


def documents(name: str, count: int, rows: list[Any]) -> list[dict[str, Any]]:
    """So many, of ids of their own."""
    return [{"id": f"{name}{i}", "vectors": rows[i % len(rows)], "text": "x" * 200} for i in range(count)]


def measure(place: str) -> dict[str, float]:
    """Every case once, in a new index at `place`."""
    rng = np.random.default_rng(0)
    rows = []
    for length in rng.integers(20, 61, 2_000):
        some = rng.standard_normal((int(length), DIM), np.float32)
        rows.append(some / np.linalg.norm(some, axis=1, keepdims=True))
    found: dict[str, float] = {}
    with Index.open(place, dim=DIM, space_id="bench") as index:
        index.add(documents("first", 500, rows))
        wall, processor = [], []
        for one in documents("first", ONE, rows):
            began, work = time.perf_counter(), time.process_time()
            index.upsert([one])
            wall.append((time.perf_counter() - began) * 1e3)
            processor.append((time.process_time() - work) * 1e3)
        found["upsert 1: ms"] = statistics.median(wall)
        found["upsert 1: processor ms"] = statistics.median(processor)
        for name, count in (("many", MANY), ("bulk", BULK)):
            given = documents(name, count, rows)
            began, work = time.perf_counter(), time.process_time()
            index.add(given)
            found[f"add {count:,}: ms"] = (time.perf_counter() - began) * 1e3
            found[f"add {count:,}: processor ms"] = (time.process_time() - work) * 1e3
        found["segments"] = index.stats().segments
    return found


@click.command()
@click.option(
    "--work", type=click.Path(path_type=Path), help="A folder of the disk to measure. Default: a temporary one."
)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--against", metavar="REVISION", help="Another build, in turns with this one.")
@click.option("--child", hidden=True)
def main(work: Path | None, rounds: int, against: str | None, child: str | None) -> None:
    """Time writers of this build, and of another."""
    if child:
        print(json.dumps(measure(child)))
        return
    with ExitStack() as stack:
        contestants = {"this": builds.ROOT}
        if against:
            contestants = {against: stack.enter_context(builds.checkout(against)), **contestants}
        rows: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
        for _ in range(rounds):
            for name, root in contestants.items():
                with tempfile.TemporaryDirectory(dir=work) as scratch:
                    command = [sys.executable, __file__, "--child", f"{scratch}/index"]
                    paths = builds.environment(root)
                    paths["PYTHONPATH"] += f":{builds.ROOT / 'benchmarks'}"
                    done = subprocess.run(command, env=paths, stdout=subprocess.PIPE, text=True, check=True)
                rows[name].append(json.loads(done.stdout))
    for case in rows["this"][0]:
        figures = "".join(f"{statistics.median(one[case] for one in own):14,.1f}" for own in rows.values())
        print(f"{case:28}{figures}")
    print(f"{'':28}{''.join(f'{name:>14}' for name in rows)}")


if __name__ == "__main__":
    main()
