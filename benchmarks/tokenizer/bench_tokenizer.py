"""The light tokenizer beside `tokenizers` and sentencepiece: loading, memory, speed, and whether they agree.

    python3 run.py bench tokenizer --data DIR

Every engine reads every document and query of DIR/*/*.jsonl, each time in a process of its own, one engine after the
other; medians over the rounds. The exit code is 1 when the light tokenizer's ids or offsets differ on any text.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import click

from report import machine

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests"))

from sentencepiece_model import model_proto  # noqa: E402 - beside the tests, not installed

PARTS = Path(__file__).with_name("tokenizer_parts.py")
MINI = ROOT / "models" / "colibri-mini"
REFERENCE = "tokenizers"
FIGURES = ("load_ms", "load_mb", "query_ms", "encode_s")


def measure(engine: str, folder: Path, data: Path) -> dict[str, Any]:
    """One process."""
    command = [sys.executable, str(PARTS), engine, str(folder), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise click.ClickException(f"{engine} exited with {done.returncode}: {done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def agreement(found: dict[str, Any], reference: dict[str, Any]) -> dict[str, int | None]:
    """How many texts were read, how many of those otherwise than the reference does."""
    pairs = list(zip(found["ids"], reference["ids"], found["offsets"], reference["offsets"], strict=True))
    left = sum(ours == "" != theirs for ours, theirs, _, _ in pairs)
    offsets = [(a, b) for ours, _, a, b in pairs if a is not None]
    return {
        "texts": len(pairs),
        "left_to_tokenizers": left,
        "other_ids": sum(ours != theirs for ours, theirs, _, _ in pairs) - left,
        "other_offsets": sum(a != b for a, b in offsets) if offsets else None,
    }


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--artefact", type=click.Path(path_type=Path, exists=True), default=MINI, show_default=True)
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Rounds; the median counts.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line an engine.")
def main(data: Path, artefact: Path, runs: int, lines: IO[str] | None) -> None:
    """Compare tokenizers on all texts of DATA's sets."""
    engines = [REFERENCE, "light", *(["sentencepiece"] if find_spec("sentencepiece") else [])]
    if "sentencepiece" not in engines:
        click.echo("sentencepiece is not installed: no row for it", err=True)
    rounds: dict[str, list[dict[str, Any]]] = {engine: [] for engine in engines}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("tokenizer.json", "unigram.npz"):
            (folder / name).symlink_to((artefact / name).resolve())
        text = (folder / "tokenizer.json").read_text(encoding="utf-8")
        (folder / "sentencepiece.model").write_bytes(model_proto(text))
        for _ in range(runs):
            for engine in engines:
                rounds[engine].append(measure(engine, folder, data))
    print(
        f"{'':15}{'load ms':>9}{'load MB':>9}{'query ms':>10}{'M char/s':>10}{'other ids':>11}{'offsets':>9}{'left':>6}"
    )
    failed = False
    for engine in engines:
        first = rounds[engine][0]
        row = {figure: round(statistics.median(one[figure] for one in rounds[engine]), 3) for figure in FIGURES}
        agreed = agreement(first, rounds[REFERENCE][0])
        speed = first["characters"] / row["encode_s"] / 1e6
        spans = "-" if agreed["other_offsets"] is None else agreed["other_offsets"]
        print(
            f"{engine:15}{row['load_ms']:9.0f}{row['load_mb']:9.0f}{row['query_ms']:10.2f}{speed:10.2f}"
            f"{agreed['other_ids']:11}{spans:>9}{agreed['left_to_tokenizers']:6}"
        )
        failed |= engine == "light" and bool(agreed["other_ids"] or agreed["other_offsets"])
        if lines:
            facts = {"engine": engine, "runs": runs, "tokens": first["tokens"], **row, **agreed}
            print(json.dumps(facts | {"machine": machine.describe()}), file=lines)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
