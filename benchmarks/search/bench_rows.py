"""Searches over int4 rows beside int8 ones, in one run: time, which documents they find, and bytes.

    python3 run.py bench rows --data DIR --work DIR --json benchmarks/results/rows.jsonl

The pool is `bench_screen`'s, whose rows are int8: int4 is made of those. Each index is asked by two processes, one that
scores all and one that sign bits screen; all take turns on the same question.
"""

import json
import shutil
import statistics
from itertools import product
from pathlib import Path
from typing import IO, Any

import click

from colibri import TokenVectors
from report import machine
from report.builds import ROOT
from search import screen_data
from search.bench_screen import Contestant, built, of_length, one_of, pool

KINDS = ("int8", "int4")
WAYS: dict[str, dict[str, bool]] = {"exact": {"exact": True}, "screened": {}}


def timed(
    asked: dict[str, Contestant], questions: TokenVectors, tokens: int, threads: int, rounds: int
) -> dict[str, Any]:
    """Medians of milliseconds and of CPU, and of the CPU that int8 takes over what int4 takes for the same question."""
    wall: dict[str, list[float]] = {name: [] for name in asked}
    cpu: dict[str, list[float]] = {name: [] for name in asked}
    for number, query in zip(range(-2, rounds), of_length(questions, tokens), strict=False):
        for name, one in asked.items():
            found = one.search(query, threads)
            if number >= 0:
                wall[name].append(found["ms"])
                cpu[name].append(found["cpu_ms"])
    x = {
        way: statistics.median(a / b for a, b in zip(cpu[f"int8 {way}"], cpu[f"int4 {way}"], strict=True))
        for way in WAYS
    }
    return {
        "tokens": tokens,
        "threads": threads,
        "rounds": rounds,
        "p50_ms": {name: statistics.median(own) for name, own in wall.items()},
        "cpu_ms": {name: statistics.median(own) for name, own in cpu.items()},
        "int8_over_int4_cpu": x,
    }


def overlap(asked: dict[str, Contestant], questions: TokenVectors, count: int) -> dict[str, Any]:
    """Shares of one's ten that the other has, over so many questions."""
    pairs = {"int8 screened of int8 exact": ("int8 exact", "int8 screened")}
    pairs |= {"int4 screened of int4 exact": ("int4 exact", "int4 screened")}
    pairs |= {"int4 exact of int8 exact": ("int8 exact", "int4 exact")}
    shares: dict[str, list[float]] = {name: [] for name in pairs}
    screened = 0
    for number in range(min(count, len(questions))):
        found = {name: one.search(one_of(questions, number), 2) for name, one in asked.items()}
        screened += found["int4 screened"]["screened"]
        for name, (whole, part) in pairs.items():
            shares[name].append(len({*found[whole]["ids"]} & {*found[part]["ids"]}) / 10)
    kept = {name: statistics.mean(own) for name, own in shares.items()}
    return {"questions": len(next(iter(shares.values()))), "screened": screened, "kept": kept}


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--passages", type=click.IntRange(min=1_000), default=100_000, show_default=True)
@click.option("--real", "real_count", type=click.IntRange(min=100), default=9_000, show_default=True)
@click.option("--times", type=click.IntRange(min=1), default=20, show_default=True, help="Passages a real row is in.")
@click.option("--questions", "count", type=click.IntRange(min=1), default=200, show_default=True, help="For overlaps.")
@click.option("--rounds", type=click.IntRange(min=2), default=15, show_default=True)
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(
    data: Path,
    work: Path,
    passages: int,
    real_count: int,
    times: int,
    count: int,
    rounds: int,
    lines: IO[str] | None,
) -> None:
    """Print time, overlap and bytes of int4 rows beside int8 ones."""
    own = work / f"pool-{passages}"
    own.mkdir(parents=True, exist_ok=True)
    questions = screen_data.asked(data, work, 1_500)
    pool(own, screen_data.real(data, work, real_count), passages, times)

    def tell(case: str, found: dict[str, Any]) -> None:
        line = {"case": case, "passages": passages, "times": times, **found}
        click.echo(json.dumps(line))
        if lines:
            print(json.dumps(line | {"machine": machine.describe()}), file=lines, flush=True)

    for kind in KINDS:
        shutil.rmtree(own / kind, ignore_errors=True)
        tell("built", {"rows": kind} | built(own, own / kind, ROOT, passages, kind))
    asked = {f"{kind} {way}": Contestant(ROOT, own / kind, WAYS[way]) for kind, way in product(KINDS, WAYS)}
    for tokens, threads in ((10, 1), (32, 1), (32, 2)):
        tell("timed", timed(asked, questions, tokens, threads, rounds))
    tell("overlap", overlap(asked, questions, count))
    for one in asked.values():
        one.end()


if __name__ == "__main__":
    main()
