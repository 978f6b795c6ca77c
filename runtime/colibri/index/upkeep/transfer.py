"""An index as plain files that other programs read, and back: for backups, moving, and other stores.

index.json              format, space_id, model, dim, and pool where tokens were pooled
documents.jsonl         a line a document: id, text, payload, passages ([start, end] in the text), in order
vectors-000001.safetensors
                        the rows of their passages as the index keeps them, int8 or int4, with scales, starts, spans
                        and more_spans (`colibri.TokenVectors.load`);
                        index.json says how many documents each of these files has
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from colibri.errors import ArtefactError, ColibriError, InputError, StoreError
from colibri.index.core import Core
from colibri.index.document import Document
from colibri.index.ready import Given
from colibri.index.storage import reading
from colibri.pooling import spans_within
from colibri.vectors import Span, TokenVectors

_FORMAT = "colibri-export-1"
_FILE_TOKENS = 1 << 20  # 68 MB at 64 dims


def export(core: Core, path: Path) -> int:
    """Write every document of one commit into a new folder; how many. The folder gets its name when it is whole."""
    if path.exists():
        raise InputError(f"{path}: is there already; name a new folder")
    partial = path.with_name(f".{path.name}.partial")
    if partial.exists():
        _remove(partial)
    try:
        partial.mkdir(parents=True)
        count = _write(core, partial)
        partial.rename(path)
    except OSError as error:
        if isinstance(error, ColibriError):
            raise
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        if partial.exists():
            _remove(partial)
    return count


def _write(core: Core, folder: Path) -> int:
    files: list[dict[str, Any]] = []
    parts: list[reading.PassageRow] = []
    documents = count = tokens = 0
    with core.reading() as (connection, snapshot), (folder / "documents.jsonl").open("w", encoding="utf-8") as lines:

        def save() -> None:
            nonlocal parts, documents, tokens
            if documents:
                name = f"vectors-{len(files) + 1:06d}.safetensors"
                reading.packed_vectors(parts, snapshot).save(folder / name)
                files.append({"name": name, "documents": documents})
            parts, documents, tokens = [], 0, 0

        for row in reading.all_rows(connection):
            passages = reading.all_passages(connection, snapshot, row)
            spans = [[passage.start, passage.end] for passage in passages]
            entry = {"id": row.id, "text": row.shown_text, "payload": row.shown_payload, "passages": spans}
            lines.write(json.dumps(entry) + "\n")  # ASCII, so that lone surrogates are kept
            parts += passages
            documents, count = documents + 1, count + 1
            tokens += sum(len(passage.segment.docs[passage.place]) for passage in passages)
            if tokens >= _FILE_TOKENS:
                save()
        save()
        lines.flush()
        os.fsync(lines.fileno())
    facts = {name: core.facts[name] for name in ("space_id", "model")}
    pool = {"pool": core.pool} if core.pool > 1 else {}
    whole = {"format": _FORMAT, **facts, "dim": core.dim, **pool, "documents": count, "files": files}
    (folder / "index.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
    return count


def exported(path: Path, dim: int, space_id: str, pool: int) -> Iterator[tuple[Document, Given, tuple[Span, ...]]]:
    """The documents of an export, with their rows, pooled where the index's are and the export's are not. Raises
    InputError for another space or pool, or what is no whole export."""
    try:
        facts = json.loads((path / "index.json").read_text(encoding="utf-8"))
        if facts.get("format") != _FORMAT:
            raise InputError(f"{path}: no export of an index (format {facts.get('format')!r})")
        if (facts["dim"], facts["space_id"]) != (dim, space_id):
            raise InputError(
                f"{path}: holds {facts['dim']} dims of space {facts['space_id'][:16]!r}, "
                f"this index {dim} of {space_id[:16]!r}"
            )
        own = facts.get("pool", 1)
        if own not in (1, pool):
            raise InputError(
                f"{path}: holds tokens pooled by {own}, this index pools by {pool}; wanted an export of that pool, or "
                "one that pools none"
            )
        with (path / "documents.jsonl").open(encoding="utf-8") as lines:
            for file in facts["files"]:
                vectors = TokenVectors.load(path / Path(file["name"]).name, mmap=True)
                yield from _documents(lines, vectors, file["documents"], pool if own == 1 else 1)
            if lines.readline():
                raise ValueError("more documents than vectors")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ColibriError) and not isinstance(error, ArtefactError):
            raise
        raise InputError(f"{path}: cannot be read as an export ({error})") from error


def _documents(
    lines: Iterator[str], vectors: TokenVectors, count: int, pool: int
) -> Iterator[tuple[Document, Given, tuple[Span, ...]]]:
    entry = 0
    for _ in range(count):
        line = json.loads(next(lines, "null"))
        spans = tuple(Span(int(start), int(end)) for start, end in line["passages"])
        starts = vectors.starts[entry : entry + len(spans) + 1]
        if len(starts) <= len(spans):
            raise ValueError("fewer vectors than documents")
        own = slice(int(starts[0]), int(starts[-1]))
        entry += len(spans)
        found = TokenVectors(
            vectors.rows[own],
            starts - starts[0],
            None if vectors.spans is None else vectors.spans[own],
            scales=None if vectors.scales is None else vectors.scales[own],
            more_spans=spans_within(vectors.more_spans, own.start, own.stop),
        ).pooled(pool)
        given = Given(found.rows, np.diff(found.starts).tolist(), found.scales, found.spans, found.more_spans)
        yield Document(id=line["id"], text=line["text"], payload=line["payload"]), given, spans
    if entry != len(vectors):
        raise ValueError("more vectors than documents")


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
