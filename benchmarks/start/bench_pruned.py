"""What fewer pieces save: disk, peak memory and time of `colibri rerank` with two texts, artefacts in turns.

    python3 run.py bench pruned colibri-mini ./mini-en ./mini-de-fr

Each run is a fresh process; medians. nDCG is what `colibri prune --judge` says as it makes them.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from typing import IO

import click

from colibri.artefact import find
from report import machine

ASKED = ("how many people live in Berlin?", "Bread is baked.", "Berlin has 3.7 million inhabitants.")
RIGHT = "3.7 million"


def ranked(artefact: str) -> dict[str, float]:
    """Peak RSS in MB, milliseconds by the clock and of CPU, of one process from its start to its end."""
    command = [sys.executable, "-m", "colibri", "rerank", *ASKED, "--model", artefact]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        spent = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or RIGHT not in first:
        raise click.ClickException(f"{artefact}: exit code {process.returncode}, first: {first!r}")
    cpu = used.ru_utime + used.ru_stime
    return {"rss_mb": used.ru_maxrss * 1024 / 1e6, "ms": spent * 1e3, "cpu_ms": cpu * 1e3}


@click.command()
@click.argument("artefacts", nargs=-1, required=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="The median counts.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line an artefact.")
def main(artefacts: tuple[str, ...], rounds: int, lines: IO[str] | None) -> None:
    """Print what each artefact (a name or a folder) takes."""
    for artefact in artefacts:  # untimed: files come into the page cache
        ranked(artefact)
    taken: dict[str, list[dict[str, float]]] = {artefact: [] for artefact in artefacts}
    for _ in range(rounds):
        for artefact in artefacts:
            taken[artefact].append(ranked(artefact))
    print(f"{'MB':>7}{'RSS MB':>8}{'ms':>7}{'CPU ms':>8}  artefact")
    for artefact, found in taken.items():
        middle = {key: round(statistics.median(one[key] for one in found), 1) for key in found[0]}
        megabytes = sum(entry.size_bytes for entry in find(artefact).manifest.files.values()) / 1e6
        print(
            f"{megabytes:>7.1f}{middle['rss_mb']:>8.0f}{middle['ms']:>7.0f}{middle['cpu_ms']:>8.0f}  {artefact}",
            flush=True,
        )
        if lines:
            row = {"artefact": artefact, "mb": round(megabytes, 1), "rounds": rounds, **middle}
            print(json.dumps({**row, "machine": machine.describe()}), file=lines)


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
