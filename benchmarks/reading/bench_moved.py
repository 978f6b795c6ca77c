"""A folder of 2,000 files: indexing it, looking at it again, and looking at it after it was renamed.

    python3 run.py bench moved [--files 2000] [--words 60] [--model FOLDER]

Each step is `colibri index` in a process of its own, start of Python included. The text is random words of a fixed
list, so that every file differs; the index is thrown away.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import click

from report import machine

WORDS = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8").split()


def make(folder: Path, files: int, words: int) -> None:
    """The same for the same numbers."""
    chances = random.Random(files)
    for number in range(files):
        place = folder / f"part {number // 100:02d}"
        place.mkdir(parents=True, exist_ok=True)
        text = " ".join(chances.choices(WORDS, k=words))
        (place / f"{number:05d}.txt").write_text(text, encoding="utf-8")


def run(*words: str) -> dict[str, Any]:
    """One process, and how long it took in all."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "colibri", "index", *words, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    kept = {name: found[name] for name in ("indexed", "unchanged", "moved", "removed", "tokens", "documents")}
    return {"seconds": round(time.monotonic() - begun, 2), **kept}


@click.command()
@click.option("--files", default=2_000, show_default=True)
@click.option("--words", default=60, show_default=True, help="Of each file.")
@click.option("--model", help="Another artefact than the shipped one.")
@click.option("--json", "out", type=click.File("a"), help="Append a line to a file.")
def main(files: int, words: int, model: str | None, out: IO[str] | None) -> None:
    """Print each step, and how much of the first one the others take."""
    with tempfile.TemporaryDirectory() as base:
        old, new, into = Path(base, "old"), Path(base, "new"), str(Path(base, "index"))
        make(old, files, words)
        chosen = [] if model is None else ["--model", model]
        steps = {"indexed": run(str(old), "--into", into, *chosen), "again": run("--into", into)}
        old.rename(new)
        steps["renamed, the new name given"] = run(str(new), "--into", into)
        inner = next(one for one in sorted(new.iterdir()) if one.is_dir())
        inner.rename(new / "another name")
        steps["a folder in it renamed"] = run("--into", into)
    assert steps["renamed, the new name given"]["tokens"] == 0
    assert steps["renamed, the new name given"]["moved"] == files
    first = steps["indexed"]["seconds"]
    for name, found in steps.items():
        print(f"{name:<30} {found['seconds']:8.2f} s  {found['seconds'] / first:6.3f}  {json.dumps(found)}")
    if out is not None:
        out.write(
            json.dumps({"files": files, "words": words, "model": model, **steps, "machine": machine.describe()}) + "\n"
        )


if __name__ == "__main__":
    main()
