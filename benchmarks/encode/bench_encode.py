"""How fast texts become vectors, beside FastEmbed on the same weights, and what that takes in memory.

    python3 run.py bench encode --data DIR --checkpoint FOLDER

Every engine is a process of its own (encode_engine.py); all are loaded at once and take turns, round by round.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any

import click
from tokenizers import Tokenizer

from encode.encode_cases import SEEN_FOR_BATCHES, cold_starts, long_document, products, throughput
from encode.encode_models import JINA, LONG, MINI, build
from quality.retrieval import Collection, load
from report import machine

ROOT = Path(__file__).parents[2]
SETS = ("medline", "lohelp-en", "jaquad")
CASES = ("throughput", "cold start", "products", "long document")


def mixed_texts(data: Path, documents: int, queries: int, tokenizer: Tokenizer) -> dict[str, list[str]]:
    """As many of each set, taking turns; short ones and long ones as they come.

    Queries have at most 29 tokens: FastEmbed does not cut longer ones, and both shall run the same 32 ids.
    """

    def fitting(one: Collection) -> list[str]:
        return [query for query in one.queries if len(tokenizer.encode(query, add_special_tokens=False).ids) <= 29]

    sets = [load(data / name) for name in SETS]
    found = {
        "documents": _in_turn([one.documents for one in sets]),
        "queries": _in_turn([fitting(one) for one in sets]),
    }
    wanted = {"documents": documents, "queries": queries}
    for what, texts in found.items():
        if len(texts) < wanted[what]:
            raise click.ClickException(f"--{what}: there are {len(texts)}")
    return {what: texts[: wanted[what]] for what, texts in found.items()}


def _in_turn(lists: Sequence[list[str]]) -> list[str]:
    """One of each as long as it has any."""
    return [text for texts in zip_longest(*lists) for text in texts if text is not None]


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="colibri-mini's, left by `colibri build-mini --keep-checkpoint`. Not given: random weights only.",
)
@click.option(
    "--work", type=click.Path(path_type=Path), default=ROOT / "build/bench-encode", help="Where models are made."
)
@click.option(
    "--peer-python",
    type=click.Path(exists=True, path_type=Path),
    default=ROOT / ".venv-peers/bin/python",
    help="A Python with FastEmbed; `python3 run.py peers` makes this one.",
)
@click.option("--documents", type=click.IntRange(min=SEEN_FOR_BATCHES), default=1_000, show_default=True)
@click.option(
    "--shared",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Documents that FastEmbed encodes as well, in each round.",
)
@click.option("--best-batch", type=click.IntRange(min=1), help="FastEmbed's; not given: it is found.")
@click.option("--queries", type=click.IntRange(min=2), default=100, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--model", "chosen", type=click.Choice([MINI, JINA, LONG]), multiple=True, help="Only this one.")
@click.option("--case", "cases", type=click.Choice(CASES), multiple=True, help="Only this one.")
@click.option(
    "--json", "lines", type=click.File("a", encoding="utf-8"), help="Append one JSON line an engine and model."
)
def main(
    data: Path,
    checkpoint: Path | None,
    work: Path,
    peer_python: Path,
    documents: int,
    shared: int,
    best_batch: int | None,
    queries: int,
    rounds: int,
    chosen: tuple[str, ...],
    cases: tuple[str, ...],
    lines: IO[str] | None,
) -> None:
    """Encode with both, start both, tell where time goes, and encode one document of 8,192 tokens."""
    about = {
        "documents": documents,
        "shared": shared,
        "queries": queries,
        "rounds": rounds,
        "machine": machine.describe(),
    }
    with tempfile.TemporaryDirectory() as place:
        names = [name for name in (MINI, JINA, LONG) if name in (chosen or (MINI, JINA, LONG))]
        names = [name for name in names if name != MINI or checkpoint]
        models = {name: build(name, work, checkpoint) for name in names}
        if not models:
            raise click.ClickException(f"--model {MINI}: wanted --checkpoint, too")
        tokenizer = Tokenizer.from_file(str(next(iter(models.values())) / "artefact/tokenizer.json"))  # alike in all
        texts = Path(place) / "texts.json"
        texts.write_text(json.dumps(mixed_texts(data, documents, queries, tokenizer)), encoding="utf-8")
        for name, model in models.items():
            every: dict[str, Callable[[], list[dict[str, Any]]]] = {
                "throughput": partial(throughput, model, peer_python, texts, rounds, shared, best_batch),
                "cold start": partial(cold_starts, model, peer_python, texts, rounds),
                "products": partial(products, model),
                "long document": partial(long_document, model, texts),
            }
            for case, measure in every.items():
                if (case == "long document") == (name == LONG) and case in (cases or CASES):
                    _tell(case, name, measure(), about, lines)


def _tell(case: str, model: str, rows: list[dict[str, Any]], about: dict[str, Any], lines: IO[str] | None) -> None:
    print(f"{case}, {model}")
    for row in rows:
        print("  " + "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
        if lines:
            print(json.dumps({"case": case, "model": model, **row, **about}), file=lines, flush=True)


if __name__ == "__main__":
    main()
