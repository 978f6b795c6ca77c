"""The first result by RAGatouille's own calls: ours beside the original, on the same checkpoints.

    python3 run.py bench switching --work DIR --theirs PYTHON --json benchmarks/results/switching.jsonl

Seconds by the wall and of CPU time, which a busy machine moves less. from_pretrained, index of 1,000 passages, search,
each side in fresh processes that take turns; what encoding takes is measured in processes of its own, and the rest of
`index` is what is left. `--theirs` is a Python with requirements.txt of this folder; without it only ours runs. What
colbert-ai compiles once is compiled before anything is measured. Also how long `import colibri.compat.X` takes beyond
`import colibri`.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click

from colibri_export.pipeline import export
from report import machine
from switching import checkpoints

CHILD = Path(__file__).with_name("first_result.py")
SHIMS = ("colbert", "ragatouille", "pylate", "sentence_transformers", "fastembed")
NAMES = {
    "colbert": "from colibri.compat.colbert.modeling.checkpoint import Checkpoint",
    "ragatouille": "from colibri.compat.ragatouille import RAGPretrainedModel",
    "pylate": "from colibri.compat.pylate import indexes, models, rank, retrieve",
    "sentence_transformers": "from colibri.compat.sentence_transformers import MultiVectorEncoder",
    "fastembed": "from colibri.compat.fastembed import LateInteractionTextEmbedding",
}
"""What a program imports of each."""


class Side:
    """Ours with a variant, or theirs."""

    def __init__(self, label: str, side: str, python: str, model: Path, variant: str = "-") -> None:
        self.label = label
        self._command = [python, "-W", "ignore", str(CHILD), side]
        self._rest = [str(model.resolve()), variant]

    def run(self, what: str, passages: Path) -> dict[str, Any]:
        """One process in an empty folder: its steps in seconds, "whole" from its start to its end, and its peak."""
        with tempfile.TemporaryDirectory() as empty:
            command = [*self._command, what, *self._rest, str(passages.resolve())]
            start = time.perf_counter()
            done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
            whole = time.perf_counter() - start
        if done.returncode:
            raise click.ClickException(f"{self.label}, {what}: {done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout)
        found["steps"] |= {"whole process": whole, "peak_gb": found["peak_gb"]}
        return found


def exported(checkpoint: Path, folder: Path) -> Path:
    """The artefact of a checkpoint."""
    if not (folder / "colibri.json").exists():
        export(checkpoint, folder, vocabulary_bits=8)
    return folder


def measure(sides: Sequence[Side], passages: Path, runs: int) -> dict[str, dict[str, float]]:
    """Medians by side and step, by the wall and of CPU time. Sides take turns."""
    found: dict[str, list[dict[str, float]]] = {side.label: [] for side in sides}
    for _ in range(runs):
        for side in sides:
            click.echo(f"  {side.label}", err=True)
            first, encode = side.run("first", passages)["steps"], side.run("encode", passages)["steps"]
            steps = dict(first)
            for clock in ("", ", CPU"):
                own = {name: (encode if name == "encode" else first)[name + clock] for name in (*WAY, "encode")}
                steps[f"encode{clock}"] = own["encode"]
                steps[f"index beyond encoding{clock}"] = max(0.0, own["index"] - own["encode"])
                steps[f"first result{clock}"] = sum(own[name] for name in WAY)
                steps[f"all but encoding{clock}"] = steps[f"first result{clock}"] - min(own["encode"], own["index"])
            found[side.label].append(steps)
    return {
        label: {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        for label, rounds in found.items()
    }


WAY = ("import", "load", "index", "search")
"""What a user waits for until his first result."""
STEPS = ("import", "load", "encode", "index beyond encoding", "search", "all but encoding", "first result")


def print_table(size: str, count: int, found: dict[str, dict[str, float]]) -> None:
    """One line a step."""
    print(f"\n{size}, {count:,} passages: seconds")
    print(f"{'':28}" + "".join(f"{label:>14}" for label in found))
    for step in (*STEPS, "second search"):
        for clock in ("", ", CPU"):
            print(f"{step + clock:28}" + "".join(f"{steps[step + clock]:14.3f}" for steps in found.values()))
    print(f"{'peak memory, GB':28}" + "".join(f"{steps['peak_gb']:14.2f}" for steps in found.values()))


def imports(runs: int) -> dict[str, float]:
    """Milliseconds of CPU time of each shim's import beyond that of colibri, by fresh interpreters."""
    statements = {"colibri": "import colibri"} | {name: f"import colibri; {NAMES[name]}" for name in SHIMS}
    times: dict[str, list[float]] = {name: [] for name in statements}
    for number in range(-1, runs):
        for name, statement in statements.items():
            timed = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
            done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
            if number >= 0:
                times[name].append(float(done.stdout) * 1e3)
    medians = {name: statistics.median(own) for name, own in times.items()}
    return {name: medians[name] - medians["colibri"] for name in SHIMS}


@click.command()
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path), required=True, help="For checkpoints, artefacts."
)
@click.option("--theirs", metavar="PYTHON", help="A Python that has RAGatouille (requirements.txt of this folder).")
@click.option("--passages", "count", type=click.IntRange(min=10), default=1000, show_default=True)
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds; the median counts.")
@click.option("--sizes", default=",".join(checkpoints.SIZES), show_default=True)
@click.option("--json", "lines", type=click.File("a", encoding="utf-8"), help="Append one JSON line a side and size.")
def main(work: Path, theirs: str | None, count: int, runs: int, sizes: str, lines: IO[str] | None) -> None:
    """Time the way to RAGatouille's first result."""
    work.mkdir(parents=True, exist_ok=True)
    file = work / f"passages-{count}.json"
    file.write_text(json.dumps(checkpoints.passages(count)), encoding="utf-8")
    over = imports(max(runs, 9))
    print("import beyond `import colibri`, ms of CPU: " + ", ".join(f"{name} {ms:.1f}" for name, ms in over.items()))
    if lines:
        print(json.dumps({"imports_ms": over, "machine": machine.describe()}), file=lines)
    for size in sizes.split(","):
        checkpoint = checkpoints.make(size, work / size.replace(" ", ""))
        artefact = exported(checkpoint, work / f"{checkpoint.name}-artefact")
        sides = [Side(f"ours {name}", "ours", sys.executable, artefact, f"cpu-{name}") for name in ("fp32", "int8")]
        if theirs:
            sides.append(Side("RAGatouille", "theirs", theirs, checkpoint))
        click.echo(f"{size}: once unmeasured", err=True)
        few = work / "passages-50.json"
        few.write_text(json.dumps(checkpoints.passages(50)), encoding="utf-8")
        for side in sides:
            side.run("first", few)
        found = measure(sides, file, runs)
        print_table(size, count, found)
        for label, steps in found.items() if lines else ():
            row = {"size": size, "passages": count, "side": label, "runs": runs, **steps, "machine": machine.describe()}
            print(json.dumps(row), file=lines, flush=True)


if __name__ == "__main__":
    main()
