"""How fast MaxSim is: against what this core can do at best, against peers, on a whole collection, and on little.

    python3 run.py bench maxsim --json benchmarks/results/maxsim.jsonl

Each case is a fresh process in which all contestants take turns, so that they meet the same neighbours; the figures are
medians over rounds, and the best round in brackets. GOP/s counts a multiplication and an addition as two operations.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Any

import click
import numpy as np

from colibri import TokenVectors
from colibri.scoring import engine, maxsim, pool, top_k
from report import machine

Timings = dict[str, list[float]]  # contestant -> milliseconds a round

DIMS = (128, 96, 64)
QUERY_TOKENS = 32


def collection(documents: int, shortest: int, longest: int, dim: int) -> tuple[Any, TokenVectors]:
    """A query and documents of random unit rows, always the same."""
    rng = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(rng.integers(shortest, longest + 1, documents))])
    rows = rng.standard_normal((int(starts[-1]), dim), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    query = rng.standard_normal((QUERY_TOKENS, dim), np.float32)
    return query / np.linalg.norm(query, axis=1, keepdims=True), TokenVectors(rows, starts)


def take_turns(contestants: dict[str, Callable[[], object]], rounds: int, calls: int = 1) -> Timings:
    """Milliseconds a call of each contestant, one after the other in every round.

    Before it counts, a contestant waits until the one before is quiet (OpenBLAS's threads spin for 0.1 s after a
    product, on the core that whoever is next needs), awake as the caller of much work is, and is called once, so that
    its rows are in the caches and not the other's.
    """
    found: Timings = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            quiet = time.perf_counter() + 0.15
            while time.perf_counter() < quiet:
                pass
            contestant()
            began = time.perf_counter()
            for _ in range(calls):
                contestant()
            found[name].append((time.perf_counter() - began) / calls * 1e3)
    return found


def by(kernel: str, contestant: Callable[[], object]) -> Callable[[], object]:
    """The same with int8 scored by a kernel of that name, whichever is the fastest here."""
    from colibri.scoring.kernels.build import build

    chosen = build(kernel, "int8")

    def call() -> object:
        engine._state.ready["int8"] = chosen
        return contestant()

    return call


def int8_kernels() -> list[str]:
    """The one that answers here; before AMX also the fastest without, which most machines have."""
    fastest = engine.compile_now("int8").kernel
    return ["avx512-vnni", fastest] if fastest == "amx" else [fastest]


def peak(dim: int, rounds: int) -> dict[str, Any]:
    """One thread, 7.8 MB of rows (more int8 ones than float32 ones): the kernels and a loop over registers only."""
    from maxsim import peak as peaks

    documents = 333 * 128 // dim
    query, docs = collection(documents, 60, 300, dim)
    stored = docs.quantize()
    _, docs = collection(documents // 4, 60, 300, dim)
    names = int8_kernels()
    loops = {f"int8 {name} registers": peaks.register_loop(name, "int8") for name in names}
    loops["float32 registers"] = peaks.register_loop(engine.compile_now("float32").kernel, "float32")
    kernels = {f"int8 {name}": by(name, lambda: maxsim(query, stored, threads=1)) for name in names}
    kernels["float32"] = lambda: maxsim(query, docs, threads=1)
    work = {name: QUERY_TOKENS * dim * len((docs if "float32" in name else stored).rows) for name in [*loops, *kernels]}
    found: Timings = {name: [] for name in work}
    for _ in range(rounds):
        for name, loop in loops.items():
            found[name].append(work[name] / loop() * 1e3)
        for name, times in take_turns(kernels, 1, calls=8).items():  # 10 ms, as a loop
            found[name].extend(times)
    return _case("peak", found, dim=dim, threads=1, work=work)


def large(rounds: int) -> dict[str, Any]:
    """250 MB of int8 at 128 dims, from memory, on one thread and two; and NumPy that only reads them."""
    query, docs = collection(10_850, 60, 300, 128)
    stored = docs.quantize()
    work = QUERY_TOKENS * 128 * len(docs.rows)
    del docs
    words = stored.rows.reshape(-1).view(np.int64)
    parts = np.array_split(words, 64)
    contestants: dict[str, Callable[[], object]] = {}
    for kernel in int8_kernels():
        for n in (1, 2):
            contestants[f"int8 {kernel} on {n}"] = by(kernel, lambda n=n: maxsim(query, stored, threads=n))  # type: ignore[misc]
    # Two threads read what two threads score: the machine's share of the ratio.
    for n in (1, 2):
        contestants[f"reading on {n}"] = lambda n=n: pool.run(lambda i: parts[i].max(), len(parts), n)  # type: ignore[misc]
    return _case("large", take_turns(contestants, rounds), dim=128, threads=2, work=work, bytes=words.nbytes)


def peers(dim: int, threads: int, rounds: int) -> dict[str, Any]:
    """4,000 documents of 60 to 300 tokens: ours, and who else scores MaxSim on a CPU."""
    from maxsim.peers import maxsim_cpu, numkong, numpy_blas

    query, docs = collection(4_000, 60, 300, dim)
    stored = docs.quantize()
    work = QUERY_TOKENS * dim * len(docs.rows)
    engine.compile_now("float32")
    *others, fastest = int8_kernels()
    contestants: dict[str, Callable[[], Any]] = {
        "int8": by(fastest, lambda: maxsim(query, stored, threads=threads)),
        **{f"int8 {name}": by(name, lambda: maxsim(query, stored, threads=threads)) for name in others},
        "float32": lambda: maxsim(query, docs, threads=threads),
        "maxsim-cpu": maxsim_cpu.scorer(query, docs, threads),
        "NumKong": numkong.scorer(query, docs, threads),
        "NumPy": numpy_blas.scorer(query, docs, threads),
    }
    truth = contestants["NumPy"]()
    errors = {name: float(np.abs(contestant() - truth).max()) for name, contestant in contestants.items()}
    return _case("peers", take_turns(contestants, rounds, calls=2), dim=dim, threads=threads, work=work, errors=errors)


def scan(rounds: int) -> dict[str, Any]:
    """100,000 documents of 20 to 60 tokens at 64 dims: the best 100, exactly, on two threads."""
    query, docs = collection(100_000, 20, 60, 64)
    stored = docs.quantize()
    engine.compile_now("int8")
    found = take_turns({"int8 top 100": lambda: top_k(query, stored, 100, threads=2)}, rounds)
    return _case("scan", found, dim=64, threads=2, work=QUERY_TOKENS * 64 * len(docs.rows))


def small(rounds: int) -> dict[str, Any]:
    """10 documents of 100 tokens at 128 dims, with all of Python."""
    query, docs = collection(10, 100, 100, 128)
    stored = docs.quantize()
    for kind in ("int8", "float32"):
        engine.compile_now(kind)
    contestants: dict[str, Callable[[], object]] = {
        "int8": lambda: maxsim(query, stored),
        "float32": lambda: maxsim(query, docs),
    }
    return _case("small", take_turns(contestants, rounds, calls=200), dim=128, threads=1, work=QUERY_TOKENS * 128_000)


def _case(
    case: str, found: Timings, *, dim: int, threads: int, work: int | dict[str, int], **more: Any
) -> dict[str, Any]:
    """work: multiply-adds of a call, the same for all contestants or one by one."""
    figures = {name: {"median_ms": statistics.median(times), "best_ms": min(times)} for name, times in found.items()}
    for name, figure in figures.items():
        of_this = work[name] if isinstance(work, dict) else work
        figure |= {f"{key}_gops": 2e-6 * of_this / figure[f"{key}_ms"] for key in ("median", "best")}
    return {"case": case, "dim": dim, "threads": threads, "figures": figures, **more}


# Case -> its arguments, and the threads that libraries get by their environment.
CASES: dict[str, tuple[Callable[..., dict[str, Any]], tuple[int, ...], int]] = {
    **{f"peak-{dim}": (peak, (dim,), 1) for dim in (128, 64)},
    "large": (large, (), 2),
    **{f"peers-{dim}-{threads}": (peers, (dim, threads), threads) for dim in DIMS for threads in (1, 2)},
    "scan": (scan, (), 2),
    "small": (small, (), 1),
}


def run(name: str, rounds: int) -> dict[str, Any]:
    """One case in a process of its own."""
    _, _, threads = CASES[name]
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS"), str(threads))
    command = [sys.executable, __file__, "--child", name, "--rounds", str(rounds)]
    done = subprocess.run(command, env={**os.environ, **limits}, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"{name} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def print_case(name: str, found: dict[str, Any]) -> None:
    """Milliseconds, GOP/s and how many times faster the first contestant is than each other."""
    print(f"\n{name}: dim {found['dim']}, {found['threads']} thread(s)")
    first = next(iter(found["figures"].values()))
    for who, figure in found["figures"].items():
        ratio = figure["median_ms"] / first["median_ms"]
        error = f"  off by {found['errors'][who]:.1e}" if "errors" in found else ""
        print(
            f"  {who:18}{figure['median_ms']:10.3f} ms ({figure['best_ms']:.3f})"
            f"{figure['median_gops']:9.1f} GOP/s ({figure['best_gops']:.1f}){ratio:8.2f} x{error}"
        )


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=25, show_default=True)
@click.option("--cases", default=",".join(CASES), show_default=True, help="Comma-separated.")
@click.option("--child", type=click.Choice(list(CASES)), hidden=True)
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(rounds: int, cases: str, child: str | None, lines: IO[str] | None) -> None:
    """Time MaxSim against this core's peak and against peers."""
    if child:
        measure, arguments, _ = CASES[child]
        print(json.dumps(measure(*arguments, rounds=rounds)))
        return
    if unknown := [name for name in cases.split(",") if name not in CASES]:
        raise click.UsageError(f"--cases: there is no {', '.join(unknown)}; there are {', '.join(CASES)}")
    for name in cases.split(","):
        found = run(name, rounds)
        print_case(name, found)
        if lines:
            print(json.dumps({"name": name, "rounds": rounds, **found, "machine": machine.describe()}), file=lines)


if __name__ == "__main__":
    main()
