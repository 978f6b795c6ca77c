"""Token vectors to one file as they are made, however many there are."""

import os
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from colibri.encoding.packing import without_rows
from colibri.errors import ShapeError
from colibri.vectors import Rows, TokenVectors


def save_stream(chunks: Iterable[TokenVectors], path: str | os.PathLike[str]) -> TokenVectors:
    """Write chunks, at least one, as one file that `TokenVectors.load` reads. Replaces the file at once or not at all.

    Rows go to disk as they come, first beside the file, where they take their space twice until the end. What tokens
    have beside their rows (8 bytes of span, 4 of weight, 4 of scale) stays in memory. Returns what was written, without
    its rows' values: the array has no more than its shape. `sources` are written where they are not simply 0, 1, 2...

    Raises ShapeError when chunks differ in dim, dtype or space, OSError when the disk is full.
    """
    target = Path(os.path.realpath(path))
    # A pipe or a device has no folder that could take them.
    folder = Path(tempfile.gettempdir()) if target.exists() and not target.is_file() else target.parent
    beside = folder / f".{target.name}.{uuid.uuid4().hex}.rows.partial"
    parts: list[TokenVectors] = []
    try:
        with beside.open("wb") as file:
            for chunk in chunks:
                first = parts[0] if parts else chunk
                if (chunk.dim, chunk.rows.dtype, chunk.space_id) != (first.dim, first.rows.dtype, first.space_id):
                    raise ShapeError(f"chunks differ: {first!r} and {chunk!r}")
                file.write(np.ascontiguousarray(chunk.rows).data)
                parts.append(without_rows([chunk]))
        if not parts:
            raise ShapeError("save_stream: no chunk, so no dim")
        whole = without_rows(parts)
        rows: Rows = whole.rows
        if len(rows):
            rows = np.memmap(beside, rows.dtype, "r", shape=rows.shape)
        in_order = whole.sources is None or np.array_equal(whole.sources, np.arange(len(whole)))
        replace(whole, rows=rows, sources=None if in_order else whole.sources).save(path)
        del rows  # Windows removes no file that is mapped
        return whole
    finally:
        beside.unlink(missing_ok=True)
