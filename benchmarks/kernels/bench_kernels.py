"""Kernels compiled ahead beside another build: a fresh process' first search, and searches once a kernel is there.

    python3 run.py bench kernels --libraries build/kernels --against fdb8e86

100,000 passages of 40 to 80 tokens, 64 dims, int8, a query of 32 tokens, one thread (NumPy's, too). Rounds alternate
between builds, each in a fresh process, after one that is not measured; medians of wall and of CPU time, which counts
where other work goes on.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from report import builds, machine

PARTS = Path(__file__).with_name("kernels_parts.py")
PASSAGES, DIM, QUERY_TOKENS = 100_000, 64, 32


def collection(folder: Path) -> None:
    """Write rows, scales, starts and a query as files that processes map."""
    rng = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(rng.integers(40, 81, PASSAGES))]).astype(np.int64)
    np.save(folder / "rows.npy", rng.integers(-127, 128, (int(starts[-1]), DIM), np.int8))
    np.save(folder / "scales.npy", rng.uniform(0.001, 0.01, int(starts[-1])).astype(np.float32))
    np.save(folder / "starts.npy", starts)
    np.save(folder / "query.npy", rng.standard_normal((QUERY_TOKENS, DIM), np.float32))


def run(environment: dict[str, str], *words: object) -> dict[str, Any]:
    """One process of `kernels_parts.py`."""
    command = [sys.executable, str(PARTS), *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _clean(build: Path) -> dict[str, str]:
    """Of a process that runs a build, on one thread, with nothing said about kernels or OpenBLAS."""
    said = {"COLIBRI_KERNEL", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    kept = {name: value for name, value in builds.environment(build).items() if name not in said}
    return kept | {"OPENBLAS_NUM_THREADS": "1"}


@click.command()
@click.option("--libraries", type=Path, required=True, help="What `python -m colibri_kernels build` made.")
@click.option("--against", default="fdb8e86", show_default=True, help="A revision, beside this one.")
@click.option("--rounds", default=5, show_default=True)
@click.option("--searches", default=10, show_default=True, help="Of a process, once the kernel is there.")
@click.option("--json", "to", type=Path, help="Write one JSON line.")
def main(libraries: Path, against: str, rounds: int, searches: int, to: Path | None) -> None:
    """Print both builds' medians."""
    with tempfile.TemporaryDirectory() as scratch, builds.checkout(against) as other:
        folder = Path(scratch)
        collection(folder)
        ours = _clean(builds.ROOT) | {"COLIBRI_KERNEL_LIBRARIES": str(libraries.resolve())}
        both = {against: _clean(other), "this": ours}
        spent: dict[str, dict[str, list[list[float]]]] = {}
        answers, kernels = set(), {}
        for what, count in (("first", 1), ("steady", searches)):
            for number in range(rounds + 1):
                for name, environment in both.items():
                    found = run(environment, folder, what, count)
                    answers.add(str(found["best"]))
                    kernels[f"{name}, {what}"] = found["kernel"]
                    if number:
                        spent.setdefault(what, {}).setdefault(name, []).extend(found["searches"])
    if len(answers) != 1:
        raise click.ClickException(f"builds differ: {answers}")
    result: dict[str, Any] = {"against": against, "kernels": kernels, **machine.describe()}
    for what, by in spent.items():
        for clock, place in (("wall", 0), ("cpu", 1)):
            medians = {name: statistics.median(each[place] for each in all_of) for name, all_of in by.items()}
            result[f"{what}_{clock}_ms"] = medians
            ratio = medians[against] / medians["this"]
            theirs, this = f"{medians[against]:.1f} ms", f"{medians['this']:.1f} ms"
            click.echo(f"{what:<7} {clock:<5} {against} {theirs:>12}, this {this:>12}: {ratio:.2f} x")
    if to:
        to.write_text(json.dumps(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
