"""From ten thousand passages to ten million: time of a search, the first one, memory, bytes read, and adding.

    python3 run.py bench growth --data DIR --work DIR --json benchmarks/results/growth.jsonl

Passages are 20 to 40 rows of 64 dims, made of runs of real rows as `screen_data` does. A row is in 20 passages at most
where there are real ones enough, and else in as many as it takes, which is printed. Each index is made and asked by a
process of its own, which empties the system's cache of its files first. DIR takes 2.5 GB a million passages, and loses
each index after its turn but with `--keep`. Encoding the real passages takes an hour of two cores once, and is kept.

Beside the times stand, for as many made passages as there are real ones, how far the score falls from the 10th to the
100th, as a share of the 10th: where made passages crowd together more than real ones, a search of them is harder.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import click
import numpy as np

from colibri import TokenVectors
from colibri.scoring import maxsim_batch
from report import machine
from report.builds import ROOT
from search import screen_data
from search.bench_screen import at_once, one_of

_ENGINE = Path(__file__).with_name("growth_engine.py")
_MEAN, _CUT = 30, 5  # tokens of a made passage, and of its last run that are cut off


def times_for(real: TokenVectors, passages: int) -> int:
    """In how many passages a row is, at most: 20, or as many as it takes."""
    return max(screen_data.MOST_TIMES, -(-passages * (_MEAN + _CUT) * 10 // (9 * len(real.rows))))


def gaps(real: TokenVectors, questions: TokenVectors, count: int) -> dict[str, Any]:
    """Median fall of the score from the 10th to the 100th best, as a share of the 10th, of real and of made passages:
    as many of the same rows, scored exactly."""
    assert real.scales is not None
    made = list(screen_data.made(real, len(real) - 1, 2))
    starts = np.cumsum([0, *(len(rows) for rows, _ in made)], dtype=np.int64)
    rows, scales = (np.concatenate(parts) for parts in zip(*made, strict=True))
    pools = {"real": real, "made": TokenVectors(rows, starts, scales=scales)}
    found = {}
    for name, pool in pools.items():
        falls = []
        for number in range(min(count, len(questions))):
            best = np.sort(maxsim_batch(one_of(questions, number), pool)[0])[::-1]
            falls.append(float((best[9] - best[99]) / best[9]))
        found[name] = float(np.median(falls))
    return {"passages": len(made), "questions": min(count, len(questions)), "fall": found}


def step(*words: str) -> dict[str, Any]:
    """What a process of its own found."""
    own = at_once(ROOT)
    own["PYTHONPATH"] += os.pathsep + str(ROOT / "benchmarks")
    done = subprocess.run(
        [sys.executable, str(_ENGINE), *words], stdout=subprocess.PIPE, text=True, check=True, env=own
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--sizes", default="10000,100000,1000000,10000000", show_default=True, help="Passages.")
@click.option("--real", "real_count", type=click.IntRange(min=100), default=60_000, show_default=True)
@click.option("--rows", "kind", type=click.Choice(["int8", "int4"]), default="int8", show_default=True)
@click.option("--questions", type=click.IntRange(min=10), default=100, show_default=True, help="Of each length.")
@click.option("--keep", is_flag=True, help="Leave each index where it is, and use what is there.")
@click.option("--json", "lines", type=click.File("a", encoding="utf-8"), help="Add one JSON line a size.")
def main(
    data: Path, work: Path, sizes: str, real_count: int, kind: str, questions: int, keep: bool, lines: IO[str] | None
) -> None:
    """Print a curve."""
    work.mkdir(parents=True, exist_ok=True)
    asked = screen_data.asked(data, work, 1_500)
    real = screen_data.real(data, work, real_count)

    def tell(case: str, found: dict[str, Any]) -> None:
        click.echo(json.dumps({"case": case, **found}))
        if lines:
            print(json.dumps({"case": case, **found, "machine": machine.describe()}), file=lines, flush=True)

    tell("gap", gaps(real, asked, questions))
    for passages in map(int, sizes.split(",")):
        place, times = work / f"growth-{kind}-{passages}", times_for(real, passages)
        found: dict[str, Any] = {"passages": passages, "rows": kind, "real": len(real), "times": times}
        if not (place.with_suffix(".json")).exists():
            shutil.rmtree(place, ignore_errors=True)
            made = step("build", str(work), str(place), str(passages), str(times), kind)
            place.with_suffix(".json").write_text(json.dumps(made), encoding="utf-8")
        found["built"] = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        tell("growth", found | step("search", str(work), str(place), str(questions)))
        if not keep:
            shutil.rmtree(place)
            place.with_suffix(".json").unlink()


if __name__ == "__main__":
    main()
