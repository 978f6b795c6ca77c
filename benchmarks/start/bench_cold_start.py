"""How long a user waits for the first ranking: fresh processes, from start to the first line of `colibri rerank`.

    python3 run.py bench cold_start
    python3 run.py bench cold_start --against REVISION    another build beside this one, and this one beside itself

One unmeasured round first, so files are in the page cache and modules are compiled; each round then runs the command,
a bare interpreter, and a process that times the command's steps.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import click

from report import builds, machine
from start.cold_start_parts import Steps, peak_megabytes

QUERY = "how many people live in Berlin?"
DOCUMENTS = (
    "Berlin has about 3.7 million inhabitants.",
    "Bread is baked from flour, water, salt and yeast.",
    "Hamburg lies on the river Elbe, not far from the sea.",
    "The museum island in Berlin is open from ten to six.",
    "Paris is the capital of France.",
    "A hummingbird beats its wings up to eighty times a second.",
    "Die Einwohnerzahl Berlins ist seit dem Jahr 2000 gestiegen.",
    "Trains to Munich leave every hour from the main station.",
)
PARTS = Path(__file__).with_name("cold_start_parts.py")


class Run(NamedTuple):
    """One process from outside: milliseconds from its start, of its cores' work, and peak resident megabytes."""

    first_line_ms: float
    exit_ms: float
    peak_mb: float
    output: str
    cpu_ms: float


def measure(executable: Sequence[str], name: str | None) -> Steps:
    """One round: every case's milliseconds and peak resident megabytes."""
    chosen = ["--model", name] if name else []
    command = [*executable, "rerank", QUERY, *DOCUMENTS, *chosen]
    whole = run(command)
    bare = run([sys.executable, "-c", "pass"])
    parts: Steps = json.loads(run([sys.executable, str(PARTS), name or "", QUERY, *DOCUMENTS]).output)
    return {
        "command: first line": (whole.first_line_ms, whole.peak_mb),
        "command: exit": (whole.exit_ms, whole.peak_mb),
        "interpreter alone": (bare.exit_ms, bare.peak_mb),
        **parts,
    }


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run one process to its end. Raises ClickException with what it said when it fails.

    A child's peak is never below this process' own when it forks, so nothing large may be imported here.
    """
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment)
        assert process.stdout is not None
        with process.stdout as stdout:
            line = stdout.readline()
            first = time.perf_counter()
            output = line + stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        exited = time.perf_counter()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            raise click.ClickException(f"{command[0]} exited with {process.returncode}: {said[-2000:]}")
    worked = (usage.ru_utime + usage.ru_stime) * 1e3
    return Run((first - start) * 1e3, (exited - start) * 1e3, peak_megabytes(usage), output.decode(), worked)


STARTS = {
    "import colibri": ["-c", "import colibri"],
    "import of the index": ["-c", "from colibri import Index"],
    "rerank": ["-m", "colibri", "rerank", QUERY, *DOCUMENTS],
}


def measure_builds(contestants: Mapping[str, Path]) -> Steps:
    """One round of every start by every build, in turns. A build that stands there twice shows what luck does."""
    found: Steps = {}
    for start, words in STARTS.items():
        for name, root in contestants.items():
            done = run([sys.executable, *words], builds.environment(root))
            found[f"{start}: {name}"] = (done.exit_ms, done.peak_mb)
            found[f"{start}, CPU: {name}"] = (done.cpu_ms, done.peak_mb)
    return found


def rows(rounds: Sequence[Steps]) -> dict[str, dict[str, float]]:
    """Case -> median, least and most milliseconds and median peak megabytes over the rounds."""
    return {
        case: {
            "median_ms": round(statistics.median(one[case][0] for one in rounds), 1),
            "min_ms": round(min(one[case][0] for one in rounds), 1),
            "max_ms": round(max(one[case][0] for one in rounds), 1),
            "peak_rss_mb": round(statistics.median(one[case][1] for one in rounds), 1),
        }
        for case in rounds[0]
    }


def print_table(cases: dict[str, dict[str, float]]) -> None:
    """One line a case."""
    print(f"{'':34}{'median ms':>10}{'min':>8}{'max':>8}{'peak RSS MB':>13}")
    for case, found in cases.items():
        times = f"{found['median_ms']:10.0f}{found['min_ms']:8.0f}{found['max_ms']:8.0f}"
        print(f"{case:34}{times}{found['peak_rss_mb']:13.0f}")


def _found(executable: str) -> str:
    path = shutil.which(executable)
    if path is None:
        raise click.UsageError(f"--colibri: there is no executable {executable}")
    return path


@click.command()
@click.option("--artefact", "name", metavar="NAME|FOLDER", help="Default: the one that comes with the package.")
@click.option("--runs", type=click.IntRange(min=1), default=9, show_default=True, help="Rounds; the median counts.")
@click.option("--colibri", "executable", help="The command to measure. Default: this Python with -m colibri.")
@click.option("--against", metavar="REVISION", help="Time whole starts of that build and of this one, in turns.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(name: str | None, runs: int, executable: str | None, against: str | None, lines: IO[str] | None) -> None:
    """Time `colibri rerank` with 8 short documents, and its steps, in fresh processes."""
    if against is not None:
        with builds.checkout(against) as other:
            contestants = {against: other, "this": builds.ROOT, "this again": builds.ROOT}
            measure_builds(contestants)
            cases = rows([measure_builds(contestants) for _ in range(runs)])
    else:
        command = [_found(executable)] if executable else [sys.executable, "-m", "colibri"]
        measure(command, name)
        cases = rows([measure(command, name) for _ in range(runs)])
    print_table(cases)
    for case, found in cases.items() if lines else ():
        print(
            json.dumps({"case": case, "runs": runs, "artefact": name, **found, "machine": machine.describe()}),
            file=lines,
        )


if __name__ == "__main__":
    main()
