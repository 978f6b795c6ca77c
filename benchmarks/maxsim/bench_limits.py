"""How near the kernels are to what a core can do, by CPU time, so that it can be asked beside other work.

    python3 run.py bench limits
    COLIBRI_KERNEL_LIBRARIES=build/kernels COLIBRI_KERNEL=avx2 python3 run.py bench limits --against OTHER

The limit is a loop over registers of the same steps (peak.py), in turns with the kernels; of all rounds the 95th
percentile counts, since whoever else uses the core or its caches only takes away, and the median stands beside it. A
query is filled up to a multiple of 16 tokens, and what is multiplied for that counts. `--against` names a folder with
a library of kernels that another build made: both take turns in one process, and must give the same bits.
"""

import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, pairwise
from pathlib import Path
from typing import IO

import click
import numpy as np

from colibri.scoring import collection as collections
from colibri.scoring import compiled, engine, library
from colibri.scoring.collection import Floats, address
from colibri.scoring.kernel import Compiled
from colibri.vectors import Kind, TokenVectors
from maxsim import peak
from maxsim.bench_maxsim import collection
from report import machine

SAMPLE_SECONDS = 0.0005  # shorter than a system's slice, so that most samples are whole
KINDS: tuple[Kind, ...] = ("int8", "float32")
CASES = [(dim, tokens) for dim in (64, 96, 128) for tokens in (10, 32)]


def sampler(
    kernel: Compiled, query: Floats, stored: TokenVectors, *, cold: bool, half: bool
) -> tuple[Callable[[], float], bytes]:
    """A function that gives GOP/s by CPU time of one thread over the next part of the documents; scores of all.

    cold: without a pass over the same part just before, so that rows come from beyond the caches.
    half: begin in the middle, so that no kernel meets what another has just brought into the caches.
    """
    tokens, dim = query.shape
    padded = -(-tokens // 16) * 16
    c = collections.collection(stored)
    packed = compiled.pack(kernel, query, None, c)
    stream = compiled.Stream(c.starts)
    arguments = compiled._arguments(packed, c, stream)
    scores = np.zeros(len(stored), np.float32)
    room = np.empty(kernel.room_bytes(dim, packed.groups), np.uint8)
    part_tokens = SAMPLE_SECONDS * 40e9 / (padded * dim)
    bounds = compiled.split(c.starts, max(1, round(len(stored.rows) / part_tokens)))
    repeats = max(1, round(part_tokens / len(stored.rows)))

    def scan(first: int, last: int) -> float:
        """Seconds of CPU."""
        began = time.thread_time()
        for _ in range(repeats):
            kernel.scan(*arguments, first, last, address(scores), 0, 0, address(room))
        return time.thread_time() - began

    scan(0, len(stored))
    parts = list(pairwise(bounds))
    first = len(parts) // 2 if half else 0
    turns, whole = cycle(parts[first:] + parts[:first]), scores.tobytes()

    def sample(*_: object) -> float:
        spent = 0.0
        while spent <= 0:  # a virtual machine's clock of threads stands still now and then
            first, last = next(turns)
            if not cold:
                scan(first, last)
            spent = scan(first, last)
        products: int = padded * dim * int(c.starts[last] - c.starts[first])
        return float(2e-9 * products * repeats / spent)

    return partial(sample, packed, stream), whole  # which `arguments` points into


def near_best(samples: list[float]) -> float:
    """The 95th percentile."""
    return float(np.percentile(samples, 95))


def kernels_of(kind: Kind, against: Path | None) -> dict[str, Compiled]:
    """What answers here, and the same of another build."""
    ours = engine.compile_now(kind)
    found = {"this": ours}
    if against is not None:
        other = library.look(against)
        if isinstance(other, str):
            raise click.ClickException(other)
        found["other"] = other.kernels[ours.kernel][kind]
    return found


@click.command()
@click.option("--rounds", default=300, show_default=True)
@click.option("--megabytes", default=7.8, show_default=True, help="Of rows: 0.3 stay in a core's own cache.")
@click.option("--cold", is_flag=True, help="Rows from beyond the caches; else each part is scored twice.")
@click.option("--against", type=click.Path(path_type=Path), help="A folder with another build's library.")
@click.option("--json", "to", type=click.File("w", encoding="utf-8"), help="Write one JSON line.")
def main(rounds: int, megabytes: float, cold: bool, against: Path | None, to: IO[str] | None) -> None:
    """Print GOP/s and the share of the limit, at 64, 96 and 128 dims and 10 and 32 query tokens."""
    lines = []
    for kind in KINDS:
        kernels = kernels_of(kind, against)
        name = kernels["this"].kernel
        loop = peak.register_loop(name, kind, time.thread_time)
        click.echo(f"{kind} {name} ({kernels['this'].cached})")
        for dim, tokens in CASES:
            width = 1 if kind == "int8" else 4
            query, docs = collection(max(1, round(megabytes * 1e6 / (180 * dim * width))), 60, 300, dim)
            stored = docs.quantize() if kind == "int8" else docs
            made = {
                who: sampler(kernel, query[:tokens], stored, cold=cold, half=who != "this")
                for who, kernel in kernels.items()
            }
            if len({scores for _, scores in made.values()}) != 1:
                raise click.ClickException(f"{kind}, {dim} dims, {tokens} tokens: the builds' scores differ")
            found: dict[str, list[float]] = {who: [] for who in ("limit", *made)}
            for _ in range(rounds):
                found["limit"].append(2e-9 * loop())
                for who, (sample, _) in made.items():
                    found[who].append(sample())
            best, median = near_best(found["limit"]), statistics.median(found["limit"])
            click.echo(f"  {dim:4} dims {tokens:3} tokens  limit {best:7.1f}        median {median:7.1f}")
            for who in made:
                top, middle = near_best(found[who]), statistics.median(found[who])
                click.echo(f"{who:>26} {top:7.1f} {top / best:5.0%}  median {middle:7.1f} {middle / median:5.0%}")
                figures = {"gops": top, "limit": best, "median_gops": middle, "median_limit": median}
                lines.append({"kind": kind, "kernel": name, "who": who, "dim": dim, "tokens": tokens, **figures})
    if to:
        print(
            json.dumps({"megabytes": megabytes, "cold": cold, "cases": lines, "machine": machine.describe()}), file=to
        )


if __name__ == "__main__":
    main()
