"""Bytes that an index takes a token, file by file and table by table: int8 and int4 rows, with and without sign bits.

    python3 run.py bench bytes --data DIR
    python3 run.py bench bytes --data DIR --json benchmarks/results/bytes.jsonl

Texts of the dev sets, cut into passages by the model's tokenizer as `Index.add` cuts them, once as whole texts and once
as pieces of 40 tokens; rows are random, since what they hold costs nothing here. Texts are kept, and counted apart; so
are their words, which a search by meaning does not read. SQLite must have been built with dbstat (Debian's is).
"""

import itertools
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import click
import numpy as np

import colibri
from colibri import Colibri, Document, Index, TokenVectors
from colibri.index import RowKind
from colibri.tokens import OVERLAP_TOKENS, PASSAGE_TOKENS, split
from colibri.vectors import Span
from report import machine
from search import screen_data

DIM = 64
KINDS: tuple[RowKind, ...] = ("int8", "int4")


def documents(model: Colibri, texts: Iterator[str], count: int) -> Iterator[Document]:
    """So many documents with random rows and the spans of their texts' tokens."""
    rng = np.random.default_rng(0)
    for number, text in enumerate(itertools.islice(texts, count)):
        spans = [span for span in _passages(model, text) if len(span)]
        rows = rng.standard_normal((sum(map(len, spans)), DIM), np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        starts = np.cumsum([0, *map(len, spans)], dtype=np.int64)
        yield Document(id=f"doc-{number}", text=text, vectors=TokenVectors(rows, starts, np.concatenate(spans)))


def _passages(model: Colibri, text: str) -> Iterator[np.ndarray]:
    offsets = model.token_offsets(text)
    for start, end in split(text, model.token_offsets, PASSAGE_TOKENS, OVERLAP_TOKENS) or [Span(0, len(text))]:
        yield offsets[(offsets[:, 0] >= start) & (offsets[:, 1] <= end)]


def counted(place: Path) -> dict[str, int]:
    """Bytes by file of the segments and by table, pages as they lie on the disk (SQLite's dbstat)."""
    found: dict[str, int] = {}
    for path in (place / "segments").iterdir():
        found[path.suffix[1:]] = found.get(path.suffix[1:], 0) + path.stat().st_size
    with closing(sqlite3.connect(place / "index.sqlite")) as connection:
        tables = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
        (offsets,) = connection.execute("SELECT coalesce(sum(length(spans)), 0) FROM passages").fetchone()
    found["token offsets"] = offsets
    found |= {f"table {name}": size for name, size in tables}
    found["all"] = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    return found


def summed(found: dict[str, int], tokens: int) -> dict[str, float]:
    """Bytes a token of all but texts, with words or without, and with sign bits or without."""
    words = sum(size for name, size in found.items() if name.startswith("table words"))
    but_text = found["all"] - found["table texts"]
    return {
        "all but texts and words, no screen": (but_text - words - found["signs"]) / tokens,
        "all but texts and words": (but_text - words) / tokens,
        "all but texts, no screen": (but_text - found["signs"]) / tokens,
        "all but texts": but_text / tokens,
        "token offsets": found["token offsets"] / tokens,
    }


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--documents", "count", type=click.IntRange(min=100), default=5_000, show_default=True)
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a case.")
def main(data: Path, count: int, lines: IO[str] | None) -> None:
    """Print bytes a token."""
    model = colibri.load()
    whole = list(itertools.islice(screen_data.texts(data), count))
    pieces = itertools.islice(screen_data.windows(model, screen_data.texts(data)), count)
    for name, texts in (("whole", whole), ("pieces of 40", list(pieces))):
        made = list(documents(model, iter(texts), count))
        for kind in KINDS:
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder) / "index"
                with Index.open(place, dim=DIM, space_id="bench", rows=kind) as index:
                    index.add(made)
                    stats = index.stats()
                own = counted(place)
                line = {
                    "texts": name,
                    "rows": kind,
                    "documents": len(made),
                    "tokens": stats.tokens,
                    "tokens_a_passage": stats.tokens / stats.passages,
                    "bytes_a_token": summed(own, stats.tokens),
                    "by_part": {part: size / stats.tokens for part, size in sorted(own.items())},
                }
                click.echo(json.dumps(line))
                if lines:
                    print(json.dumps(line | {"machine": machine.describe()}), file=lines, flush=True)


if __name__ == "__main__":
    main()
