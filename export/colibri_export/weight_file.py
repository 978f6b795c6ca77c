"""Weight files: raw tensors end to end, written as a stream, referred to by graphs as ONNX external data."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

_ALIGNMENT = 64  # bytes; a cache line, and what onnxruntime's kernels want of a mapped weight


@dataclass(frozen=True)
class Stored:
    """Where one tensor lies."""

    path: Path
    name: str
    offset: int
    length: int
    dtype: ir.DataType
    shape: tuple[int, ...]

    def value(self, dtype: ir.DataType | None = None) -> ir.Value:
        """An initializer over these bytes, optionally read as another dtype of the same width."""
        tensor = ir.ExternalTensor(
            self.path.name,
            self.offset,
            self.length,
            dtype or self.dtype,
            shape=ir.Shape(self.shape),
            name=self.name,
            base_dir=self.path.parent,
        )
        return ir.Value(name=self.name, type=ir.TensorType(tensor.dtype), shape=tensor.shape, const_value=tensor)


class WeightFile:
    """An append-only weight file; `add` writes at once, so no more than one tensor is ever in memory.

    With a journal it can be gone on with: what was written whole, by the journal's lines, is not written again.
    """

    def __init__(self, path: Path, journal: Path | None = None) -> None:
        self.path = path
        self._journal = journal
        self._done: dict[str, dict[str, Stored]] = {}
        end = 0 if journal is None else self._read_journal(journal)
        self._file = path.open("r+b" if end else "xb" if journal is None else "wb")
        self._file.truncate(end)
        self._file.seek(end)

    def done(self, name: str) -> dict[str, Stored] | None:
        """What an earlier process wrote under this name; None: nothing, or not all of it."""
        return self._done.get(name)

    def finished(self, name: str, stored: Mapping[str, Stored]) -> None:
        """Note in the journal that all of this name is in the file."""
        if self._journal is None:
            return
        self._file.flush()
        parts = [[s.name, s.offset, s.length, int(s.dtype), s.shape] for s in stored.values()]
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, self._file.tell(), parts]) + "\n")

    def add(self, name: str, array: NDArray[np.generic]) -> Stored:
        """Append one tensor (any shape, C order, little endian) at the next aligned offset."""
        return self.add_rows(name, [array], array.shape)

    def add_rows(self, name: str, blocks: Iterable[NDArray[np.generic]], shape: tuple[int, ...]) -> Stored:
        """Append one tensor of `shape` whose rows come in blocks, all of one dtype."""
        self._file.write(b"\0" * (-self._file.tell() % _ALIGNMENT))
        offset = self._file.tell()
        dtype: np.dtype[np.generic] | None = None
        for block in blocks:
            self._file.write(np.ascontiguousarray(block).data)
            dtype = block.dtype
        assert dtype is not None
        length = self._file.tell() - offset
        return Stored(self.path, name, offset, length, ir.DataType.from_numpy(dtype), shape)

    def _read_journal(self, journal: Path) -> int:
        """Where the last tensor ends of which the file has every byte; a line that was cut off counts for nothing."""
        end, size = 0, self.path.stat().st_size if self.path.exists() else 0
        kept = []
        for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []:
            try:
                name, until, parts = json.loads(line)
            except ValueError:
                break
            if until > size:
                break
            self._done[name] = {
                part: Stored(self.path, part, offset, length, ir.DataType(dtype), tuple(shape))
                for part, offset, length, dtype, shape in parts
            }
            end = until
            kept.append(line)
        journal.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        return end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
