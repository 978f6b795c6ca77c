"""CPU time a document takes in every graph of an artefact that is right on this machine, in turns.

    python3 run.py bench graphs --data DIR --artefact FOLDER

FOLDER is an export with cpu-int8 and cpu-fp32 (`colibri build-mini --variants cpu-int8,cpu-fp32`). One worker, one
session each, all loaded at once; a round encodes every text in each of them. Prints a JSON line: of each graph the
median over the rounds, and how many times as long cpu-fp32 takes, by lengths of text and in all.
"""

import json
import statistics
import time
from pathlib import Path
from typing import IO

import click

from colibri.artefact import Artefact
from colibri.artefact import finding as artefact
from colibri.encoding import Encoder
from colibri.providers import CPU, Choice, cpu_features
from colibri.tokens import TextTokenizer
from quality.retrieval import load
from report import machine

SETS = ("medline", "lohelp-en", "jaquad", "xquad-r-ar")
REFERENCE = "cpu-fp32.onnx"
LENGTHS = {"to 64": (0, 64), "65 to 160": (65, 160), "161 and more": (161, 10**9)}  # tokens
FASTER_ONLY = {"avx2"}  # a graph that wants it is right without


def runnable(found: Artefact) -> dict[str, Choice]:
    """Graph file -> how it is run here."""
    features = {*cpu_features(), *FASTER_ONLY}
    return {
        graph.document: Choice(name, variant, graph, CPU)
        for name, variant in found.manifest.variants.items()
        for graph in variant.graphs
        if variant.providers == (CPU,) and (not graph.any_cpu_feature or features & set(graph.any_cpu_feature))
    }


def by_length(texts: list[str], tokenizer: TextTokenizer) -> dict[str, list[str]]:
    """Texts that have so many tokens; widths without any are left out."""
    counts = [len(tokenizer.ids(text)) for text in texts]
    sorted_out = {
        name: [text for text, count in zip(texts, counts, strict=True) if least <= count <= most]
        for name, (least, most) in LENGTHS.items()
    }
    return {name: some for name, some in sorted_out.items() if some}


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--artefact", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--documents", type=click.IntRange(min=4), default=64, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--json", "lines", type=click.File("a", encoding="utf-8"), help="Append the line here as well.")
def main(data: Path, folder: Path, documents: int, rounds: int, lines: IO[str] | None) -> None:
    """Encode the same texts in every graph and tell the CPU time."""
    found = artefact.find(folder)
    share = documents // len(SETS)
    texts = [text for name in SETS for text in load(data / name).documents[:share]]
    dims = [found.manifest.default_dim]
    lengths = by_length(texts, TextTokenizer(found))
    encoders = {
        name: Encoder(found, choice, lambda: TextTokenizer(found), workers=1)
        for name, choice in runnable(found).items()
    }
    spent: dict[str, dict[str, list[float]]] = {name: {width: [] for width in lengths} for name in encoders}
    for turn in range(rounds + 1):  # the first warms up
        for width, some in lengths.items():
            for name, encoder in encoders.items():
                began = time.process_time()
                encoder.encode(some, "document", dims)
                if turn:
                    spent[name][width].append(1e3 * (time.process_time() - began) / len(some))
    medians = {name: {width: statistics.median(all_) for width, all_ in of.items()} for name, of in spent.items()}
    for of in medians.values():
        of["all"] = sum(of[width] * len(some) for width, some in lengths.items()) / len(texts)
    line = {
        "documents": {width: len(some) for width, some in lengths.items()},
        "cpu_ms_a_document": {name: {w: round(ms, 1) for w, ms in of.items()} for name, of in medians.items()},
        "times_float32": {
            name: {width: round(medians[REFERENCE][width] / ms, 2) for width, ms in of.items()}
            for name, of in medians.items()
        },
        "rounds": rounds,
        "machine": machine.describe(),
    }
    click.echo(json.dumps(line))
    if lines:
        lines.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
