"""Bytes that an index takes a token, file by file and table by table: int8 and int4 rows, with and without sign bits.

    python3 run.py bench bytes --data DIR
    python3 run.py bench bytes --data DIR --json benchmarks/results/bytes.jsonl

Texts of the dev sets, cut into passages by the model's tokenizer as `Index.add` cuts them, once as whole texts and once
as pieces of 40 tokens; rows are random, since what they hold costs nothing here. A text is kept, and not counted.
"""

import itertools
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

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
_TABLES = {
    "spans": "SELECT sum(length(spans)) FROM passages",
    "texts": "SELECT sum(length(text)) FROM texts",
    "ids": "SELECT sum(length(CAST(id AS BLOB))) FROM documents",
}


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


def counted(place: Path) -> dict[str, float]:
    """Bytes by what they are for."""
    found = {path.suffix[1:]: 0 for path in (place / "segments").iterdir()}
    for path in (place / "segments").iterdir():
        found[path.suffix[1:]] += path.stat().st_size
    with closing(sqlite3.connect(place / "index.sqlite")) as connection:
        for name, query in _TABLES.items():
            found[name] = connection.execute(query).fetchone()[0] or 0
    found["sqlite"] = sum(path.stat().st_size for path in place.iterdir() if path.name.startswith("index."))
    return dict(found)


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
                found: dict[str, Any] = {"texts": name, "rows": kind, "documents": len(made), "tokens": stats.tokens}
                own = counted(place)
                found["tokens_a_passage"] = stats.tokens / stats.passages
                found["bytes_a_token"] = {part: size / stats.tokens for part, size in own.items()}
                found["words"] = stats.words_bytes / stats.tokens
                line = json.dumps(found)
                click.echo(line)
                if lines:
                    print(json.dumps(found | {"machine": machine.describe()}), file=lines, flush=True)


if __name__ == "__main__":
    main()
