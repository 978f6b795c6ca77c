"""Export at the size of jina-colbert-v2: seconds, memory and bytes, and what the artefact then needs.

    python3 run.py bench export --work DIR

DIR gets two checkpoints of the exact published layout with random weights (559,497,216 parameters with the head of 128
dims, and the sibling with the same backbone and a head of 64; 1.1 GB each, kept for the next time) and the artefact.
Every step runs in a process of its own. The exit code is 1 when a bound is missed.
"""

import json
import math
import os
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import click

from report import machine
from start.bench_cold_start import Run, run

ROOT = Path(__file__).parents[2]
PARTS = Path(__file__).with_name("export_parts.py")
LAYOUT = ROOT / "tests/jina_layout.py"
RECIPE = ROOT / "models/jina-colbert-v2.toml"

# What https://huggingface.co/jinaai/jina-colbert-v2 has: model.safetensors of 1,119,027,888 bytes.
PARAMETERS, HEADER_BYTES, FILE_BYTES = 559_497_216, 33_456, 1_119_027_888
DOCUMENT_TOKENS = 8192

Row = dict[str, Any]


class Bound(NamedTuple):
    """The most a figure of a case may be."""

    case: str
    figure: str
    most: float


BOUNDS = (
    Bound("export to cpu-int8", "seconds", 300),
    Bound("export to cpu-int8", "peak_rss_mb", 3000),
    Bound("export to cpu-int8", "artefact_mb", 480),
    Bound("export of both", "seconds", 600),
    Bound("export of both", "peak_rss_mb", 6000),
    Bound("one 8,192-token document", "above_loaded_mb", 700),
)


def checkpoint(folder: Path, dim: int) -> Iterator[Row]:
    """Write it unless it is there whole. Raises ClickException when its bytes are not the published ones."""
    weights = folder / "model.safetensors"
    if layout(weights)[2] == 0:
        written = step(f"writing {folder.name}", [sys.executable, str(LAYOUT), str(folder), str(dim)])
        if dim == 128:
            yield {"case": "write the checkpoint", **measured([written])}
    found, wanted = layout(weights), (PARAMETERS, HEADER_BYTES, FILE_BYTES)
    if dim == 128 and found != wanted:
        raise click.ClickException(f"{weights}: parameters, bytes of header and file {found}, wanted {wanted}")


def layout(weights: Path) -> tuple[int, int, int]:
    """Parameters, bytes of the header, bytes of the file: 0 of each when the file is not there or not whole."""
    if not weights.is_file():
        return 0, 0, 0
    with weights.open("rb") as file:
        header = 8 + int.from_bytes(file.read(8), "little")
        entries = json.loads(file.read(header - 8))
    del entries["__metadata__"]
    parameters = sum(math.prod(entry["shape"]) for entry in entries.values())
    size = weights.stat().st_size
    whole = header + max(entry["data_offsets"][1] for entry in entries.values()) == size
    return (parameters, header, size) if whole else (0, 0, 0)


def measure(work: Path, runs: int) -> Iterator[Row]:
    """Every case's figures; seconds and milliseconds are medians of the runs, memory is the most of any."""
    source, sibling, artefact = (work / f"random-jina-colbert-v2{end}" for end in ("", "-64", "-artefact"))
    yield from checkpoint(source, 128)
    yield from checkpoint(sibling, 64)
    words = [str(source), str(artefact), "--recipe", str(RECIPE), "--head", f"64={sibling}"]
    export = [sys.executable, "-m", "colibri", "export", *words, "--variants", "cpu-int8", "--replace"]
    exported = [step("exporting", export) for _ in range(runs)]
    size = sum(path.stat().st_size for path in artefact.iterdir())
    yield {"case": "export to cpu-int8", **measured(exported), "artefact_mb": round(size / 1e6, 1)}
    queries = [parts("a query", artefact, "query") for _ in range(runs)]
    yield {
        "case": "load",
        "seconds": round(statistics.median(one["load_ms"] for one in queries) / 1e3, 2),
        "loaded_mb": round(max(one["loaded_mb"] for one in queries), 1),
    }
    yield {
        "case": "one 32-token query",
        "seconds": round(statistics.median(one["median_ms"] for one in queries) / 1e3, 4),
        "first_seconds": round(statistics.median(one["first_ms"] for one in queries) / 1e3, 4),
        "peak_rss_mb": round(max(one["peak_mb"] for one in queries), 1),
        "tokens": queries[0]["tokens"],
    }
    document = parts("a long document", artefact, "document", str(DOCUMENT_TOKENS))
    yield {
        "case": "one 8,192-token document",
        "seconds": round(document["first_ms"] / 1e3, 1),
        "peak_rss_mb": round(document["peak_mb"], 1),
        "loaded_mb": round(document["loaded_mb"], 1),
        "above_loaded_mb": round(document["peak_mb"] - document["loaded_mb"], 1),
        "tokens": document["tokens"],
    }
    yield from beside(source, artefact.with_name(f"{artefact.name}-both"))


def beside(source: Path, artefact: Path) -> Iterator[Row]:
    """cpu-int8 and cpu-fp32 of the same weights, made in one export: MB, parity, tokens a second."""
    words = [str(source), str(artefact), "--recipe", str(RECIPE), "--dims", "128", "--replace"]
    export = [sys.executable, "-m", "colibri", "export", *words, "--variants", "cpu-int8,cpu-fp32"]
    yield {"case": "export of both", **measured([step("exporting both", export)])}
    manifest = json.loads((artefact / "colibri.json").read_text(encoding="utf-8"))
    for name, variant in manifest["variants"].items():
        row: Row = {"case": name, "mb": round(variant["size_bytes"] / 1e6, 1)}
        measured_here = [graph["parity"] for graph in variant["graphs"] if graph["parity"]]  # of those this CPU runs
        for parity in measured_here[0].values():
            row |= {"mean_cosine": parity["mean_cosine"], "min_cosine": parity["min_cosine"]}
        yield row | {
            "tokens_per_second": round(parts(f"documents, {name}", artefact, "rate", name)["tokens_per_second"], 1)
        }


def step(what: str, command: list[str]) -> Run:
    """Run one process, and say so: some take minutes."""
    print(f"{what} ...", file=sys.stderr, flush=True)
    return run(command)


def measured(done: list[Run]) -> Row:
    """Seconds and peak of whole processes."""
    seconds = statistics.median(one.exit_ms for one in done) / 1e3
    return {"seconds": round(seconds, 1), "peak_rss_mb": round(max(one.peak_mb for one in done), 1)}


def parts(what: str, artefact: Path, *words: str) -> dict[str, float]:
    """Figures of a process that loads the artefact."""
    found: dict[str, float] = json.loads(step(what, [sys.executable, str(PARTS), str(artefact), *words]).output)
    return found


def misses(rows: list[Row]) -> list[str]:
    """Bounds that do not hold, and rows that are not there."""
    figures = {(row["case"], figure): value for row in rows for figure, value in row.items()}
    found = [
        f"{bound.case}: {bound.figure} {figures[bound.case, bound.figure]}, at most {bound.most:g} wanted"
        for bound in BOUNDS
        if figures[bound.case, bound.figure] > bound.most
    ]
    for case, tokens in (("one 32-token query", 32), ("one 8,192-token document", DOCUMENT_TOKENS)):
        if figures[case, "tokens"] != tokens:
            found.append(f"{case}: {figures[case, 'tokens']} rows came back")
    return found


def print_table(rows: list[Row]) -> None:
    """One line a case."""
    for row in rows:
        rest = "  ".join(f"{figure} {value:,}" for figure, value in row.items() if figure != "case")
        print(f"{row['case']:28}{rest}")


@click.command()
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder with 4 GB to spare."
)
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Of the export and the queries.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(work: Path, runs: int, lines: IO[str] | None) -> None:
    """Export random weights of jina-colbert-v2's full size and run the artefact, in fresh processes."""
    os.chdir(ROOT)
    rows = list(measure(work.resolve(), runs))
    print_table(rows)
    for row in rows if lines else ():
        print(json.dumps({**row, "runs": runs, "machine": machine.describe()}), file=lines)
    if missed := misses(rows):
        raise click.ClickException("; ".join(missed))


if __name__ == "__main__":
    main()
