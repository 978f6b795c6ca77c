"""TokenVectors: the rows of many texts end to end, and where each text begins."""

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colibri.errors import ArtefactError, InputError, ShapeError
from colibri.pooling import pooled
from colibri.quantised import nibble_rows, quantised_rows, unpacked_nibbles
from colibri.span import Span as Span  # noqa: PLC0414 - handed on to whoever has NumPy anyway

Offsets = NDArray[np.int64]
Spans = NDArray[np.int32]
Kind = Literal["int8", "int4", "float32", "float16"]
Rows = NDArray[Any]  # float32, float16, int8, or uint8: int4 two to a byte

_DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
}
_KINDS: dict[tuple[str, int], Kind] = {("i", 1): "int8", ("u", 1): "int4", ("f", 4): "float32", ("f", 2): "float16"}
_ROW_DTYPES = [_DTYPES[name] for name in ("F32", "F16", "I8", "U8")]
_FORMAT = "colibri-token-vectors-1"

_TOKENS_AT_ONCE = 16_384  # quantised together: 8 MB of float32 at 128 dims


@dataclass(frozen=True, eq=False)
class TokenVectors:
    """One row a token, of n texts.

    rows      (tokens, dim)  float32 (float16 and int8 are stored forms); unit rows when they come from a model.
              (tokens, dim / 2) uint8: int4, value j and value j + dim / 2 in byte j's lower and upper four bits, 8 more
    starts    (n + 1,)       int64; text i owns rows starts[i]:starts[i + 1]
    spans     (tokens, 2)    int32 or None; code points [start, end) of the original text behind each row, without
                             surrounding white space; (0, 0) for rows that stand for no text (markers, mask tokens)
    weights   (tokens,)      float32 or None; how much each query row counts in MaxSim
    space_id  which model made the rows ("" unknown); only rows of one space compare
    sources   (n,)           int64 or None; which text of those given each entry was made of, where that is not simply
                             the one at its place: long texts became several windows, failed ones were left out, or
                             this is a chunk of a stream
    scales    (tokens,)      float32 or None; of int8 and int4 rows: token t's vector is its integers * scales[t]
                             (None: its integers)
    more_spans (further, 3)  int32 or None; what else rows stand for, where tokens were pooled: which row, and code
                             points [start, end), rows ascending
    """

    rows: Rows
    starts: Offsets
    spans: Spans | None = None
    weights: NDArray[np.float32] | None = None
    space_id: str = ""
    sources: Offsets | None = None
    scales: NDArray[np.float32] | None = None
    more_spans: Spans | None = None

    def __post_init__(self) -> None:
        rows, starts = self.rows, self.starts
        if rows.ndim != 2 or rows.dtype.newbyteorder("<") not in _ROW_DTYPES:
            raise ShapeError(
                f"rows: {rows.dtype} {rows.shape}, wanted (tokens, dim) of float32, float16 or int8, "
                "or (tokens, dim / 2) of uint8, which is int4"
            )
        if (
            starts.ndim != 1
            or starts.dtype != np.int64
            or starts.size == 0
            or starts[0] != 0
            or starts[-1] != len(rows)
        ):
            raise ShapeError(f"starts: wanted int64 from 0 to {len(rows)}, one more than texts")
        if (np.diff(starts) < 0).any():
            raise ShapeError("starts: must not decrease")
        _expect("spans", self.spans, np.int32, (len(rows), 2))
        _expect("weights", self.weights, np.float32, (len(rows),))
        _expect("sources", self.sources, np.int64, (starts.size - 1,))
        _expect("scales", self.scales, np.float32, (len(rows),))
        if self.more_spans is not None:
            _expect("more_spans", self.more_spans, np.int32, (len(self.more_spans), 3))
            own = self.more_spans[:, 0]
            wrong = own.size > 0 and (own[0] < 0 or own[-1] >= len(rows) or (np.diff(own) < 0).any())
            if self.spans is None or wrong:
                raise ShapeError(f"more_spans: wanted spans, and rows from 0 to {len(rows) - 1} that do not decrease")
        if self.scales is not None and rows.dtype not in (np.int8, np.uint8):
            raise ShapeError(f"scales: belong to int8 and int4 rows, found {rows.dtype}")

    @property
    def dim(self) -> int:
        """Width of a row: how many values it has, of which a byte of int4 rows holds two."""
        return int(self.rows.shape[1]) * (2 if self.rows.dtype == np.uint8 else 1)

    @property
    def kind(self) -> Kind:
        """What the rows are: float32, float16, int8 or int4."""
        # The name of a dtype is made anew each time, 7 us of the 90 that an index takes for a document of 40 rows.
        return _KINDS[self.rows.dtype.kind, self.rows.dtype.itemsize]

    @property
    def weight(self) -> float:
        """What the rows weigh together; their number, where they have no weights."""
        return float(len(self.rows) if self.weights is None else self.weights.sum())

    def __len__(self) -> int:
        """How many texts."""
        return self.starts.size - 1

    def __getitem__(self, index: int) -> Rows:
        """Rows of text `index` as they are stored, (tokens of it, dim), a view."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"text {index} of {len(self)}")
        index %= len(self)
        return self.rows[self.starts[index] : self.starts[index + 1]]

    def __iter__(self) -> Iterator[Rows]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"TokenVectors({len(self)} texts, {len(self.rows)} tokens, dim {self.dim}, {self.kind})"

    def quantize(self, kind: Literal["int8", "int4"] = "int8") -> Self:
        """The same texts with integer rows and one float32 scale a token: int8, a quarter of float32's bytes and 4 a
        token; int4, an eighth and 4 a token.

        For a row x with largest magnitude a, and m = 127 (int4: 7): integers n = rint(x * (m / a)), each operation
        rounded to float32, ties to even. The scale is a / m; of int4 it is x . n / n . n, with which scale * n comes
        nearest to x (of the best ten it keeps a point more than a / 7, benchmarks/NOTES.md). Rows whose a is below
        1e-30 become zeros with scale 0. So no int8 value is off by more than half a scale (and float32's rounding),
        nothing is clipped, and nothing needs calibrating. Rows of that kind stay as they are; int8 to int4 quantises
        what `dequantize` gives, and int4 to int8 widens the integers, exactly. Raises InputError for rows that are not
        finite and for another kind, ShapeError for int4 of an odd dim.
        """
        if kind not in ("int8", "int4"):
            raise InputError(f"quantize: found {kind!r}, there are int8 and int4")
        if self.kind == kind:
            return self
        if kind == "int4" and self.dim % 2:
            raise ShapeError(f"int4 rows hold two values a byte: wanted an even dim, found {self.dim}")
        if self.rows.dtype == np.uint8:
            return replace(self, rows=unpacked_nibbles(self.rows))
        width, dtype = (self.dim // 2, np.uint8) if kind == "int4" else (self.dim, np.int8)
        rows, scales = np.empty((len(self.rows), width), dtype), np.empty(len(self.rows), np.float32)
        for first in range(0, len(rows), _TOKENS_AT_ONCE):
            part = slice(first, first + _TOKENS_AT_ONCE)
            floats = self._floats(part)
            rows[part], scales[part] = nibble_rows(floats) if kind == "int4" else quantised_rows(floats)
            if not np.isfinite(scales[part]).all():
                raise InputError(f"rows: token {first + int((~np.isfinite(scales[part])).argmax())} is not finite")
        return replace(self, rows=rows, scales=scales)

    def dequantize(self) -> Self:
        """The same texts with float32 rows: integers times scales, float16 widened, float32 as they are."""
        if self.rows.dtype == np.float32:
            return self
        return replace(self, rows=self._floats(slice(None)), scales=None)

    def _floats(self, part: slice) -> NDArray[np.float32]:
        """Some rows as float32, scales included."""
        own = self.rows[part]
        rows: NDArray[np.float32] = (unpacked_nibbles(own) if own.dtype == np.uint8 else own).astype(np.float32)
        if self.scales is not None:
            rows *= self.scales[part, None]
        return rows

    def pooled(self, pool: int) -> Self:
        """The same documents with fewer rows, one for `pool` tokens on average; 1: as they are.

        Of a text's m rows that stand for text ceil(m / pool) are left: the two whose merging loses least become one
        until it is so (Ward's clusters, `colibri.pooling`). The new row has the direction of their mean and is of unit
        length where they were; it stands for the characters of all of them: `spans` has the first, `more_spans` the
        others. Rows that stand for no text stay, as does the first row of each text where nobody knows the spans. Rows
        stay of their kind: integers are pooled by what they stand for and quantised anew. For documents, whose rows
        answer; a query's ask, each for itself.

        Raises InputError for a pool that is no whole number from 1, for rows with weights, which are a query's, for
        those that say by `more_spans` that they were pooled before, and for rows that are not finite.
        """
        if isinstance(pool, bool) or not isinstance(pool, int | np.integer) or pool < 1:
            raise InputError(f"pool: found {pool!r}, wanted a whole number from 1, which is as many rows as tokens")
        if self.weights is not None:
            raise InputError("pooled: rows with weights are a query's; pool those of documents")
        if pool == 1 or not len(self.rows):
            return self
        if self.more_spans is not None:
            raise InputError("pooled: these rows are pooled already; pool what a model gives")
        rows = self._floats(slice(None))
        if not (finite := np.isfinite(rows).all(axis=1)).all():
            raise InputError(f"rows: token {int((~finite).argmax())} is not finite")
        rows, starts, spans, more = pooled(rows, self.starts, self.spans, pool)
        if self.kind == "float16":
            rows = rows.astype(np.float16)
        found = replace(self, rows=rows, starts=starts, spans=spans, scales=None, more_spans=more)
        return found.quantize(self.kind) if self.kind in ("int8", "int4") else found

    def weighted(self) -> Self:
        """The same texts with their weights folded into the rows, and none beside them: row t times weights[t].

        For whoever takes bare rows: MaxSim of these without weights is MaxSim of those with them. Rows are then not of
        unit length, and a cosine of them undoes it. Without weights this is the same object. Rows become float32; int8
        and int4 rows stay, and their scales take the weights.
        """
        if self.weights is None:
            return self
        if self.kind in ("int8", "int4"):
            scales = self.weights if self.scales is None else self.scales * self.weights
            return replace(self, scales=scales, weights=None)
        return replace(self, rows=self.rows.astype(np.float32) * self.weights[:, None], weights=None)

    def padded(self) -> tuple[Rows, NDArray[np.bool_]]:
        """Rows of all texts as one array, with zero rows behind those of the shorter ones, and which rows count.

        Returns (n, longest, dim), float16 where the rows are and float32 otherwise, and (n, longest) bool. Weights are
        folded in, as in `weighted`. A zero row scores 0 with everything: add nothing where a query has it, and leave
        out those of documents by the mask, since 0 may be more than the best real row has.
        """
        vectors = self.weighted()
        if vectors.kind in ("int8", "int4"):
            vectors = vectors.dequantize()
        lengths = np.diff(vectors.starts)
        mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
        rows = np.zeros((*mask.shape, self.dim), vectors.rows.dtype.newbyteorder("="))
        rows[mask] = vectors.rows
        return rows, mask

    @classmethod
    def from_arrays(cls, arrays: Sequence[ArrayLike], *, space_id: str = "") -> Self:
        """Pack one (tokens, dim) array a text; all of one dim and one dtype (float64 becomes float32).

        Raises ShapeError when dims differ, an array is not two-dimensional, or the list is empty (no dim to take).
        """
        parts = [np.asarray(array) for array in arrays]
        if not parts:
            raise ShapeError("from_arrays: an empty list has no dim; build TokenVectors(rows, starts) instead")
        parts = [part.astype(np.float32) if part.dtype == np.float64 else part for part in parts]
        dim, dtype = parts[0].shape[-1:], parts[0].dtype
        for i, part in enumerate(parts):
            if part.ndim != 2 or part.shape[1:] != dim or part.dtype != dtype:
                raise ShapeError(f"array {i}: {part.dtype} {part.shape}, wanted {dtype} (tokens, {(*dim, 'dim')[0]})")
        starts = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        return cls(np.concatenate(parts), starts, space_id=space_id)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one file in the safetensors layout (any safetensors reader opens it). Replaces the file at once or
        not at all."""
        # The widest first, since the layout has no gaps: each array then starts at a multiple of its own item size.
        arrays = {"starts": self.starts, "sources": self.sources, "spans": self.spans, "weights": self.weights}
        arrays |= {"scales": self.scales, "more_spans": self.more_spans, "rows": self.rows}
        names = {dtype: name for name, dtype in _DTYPES.items()}
        header: dict[str, Any] = {"__metadata__": {"format": _FORMAT, "space_id": self.space_id}}
        at = 0
        kept = []
        for name, array in arrays.items():
            if array is not None:
                little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
                extent = [at, at + little.nbytes]
                header[name] = {"dtype": names[little.dtype], "shape": list(little.shape), "data_offsets": extent}
                kept.append(little)
                at = extent[1]
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        parts: list[bytes | memoryview] = [len(text).to_bytes(8, "little") + text]
        parts += [little.data for little in kept]
        target = Path(os.path.realpath(path))  # a link stays one: what it leads to is replaced
        if target.exists() and not target.is_file():  # a pipe or a device takes the bytes; root could replace it
            _write(target, parts)
            return
        # A name of its own: threads may save to one path at once, and each replaces it as a whole.
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
        try:
            _write(partial, parts)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, mmap: bool = False) -> Self:
        """Read a file that `save` wrote; with `mmap` the arrays are read-only views of the file.

        Raises ArtefactError when the file is not whole or not of this layout.
        """
        target = Path(path)
        try:
            header, base = _read_header(target)
            if header.get("__metadata__", {}).get("format") != _FORMAT:
                raise ValueError(f"not a {_FORMAT} file")
            mode = np.memmap(target, np.uint8, "r") if mmap else np.fromfile(target, np.uint8)
            space_id = header.pop("__metadata__").get("space_id", "")
            if not isinstance(space_id, str) or max(e["data_offsets"][1] for e in header.values()) != mode.size - base:
                raise ValueError("its header does not describe its bytes")
            return cls(**{name: _array(mode, base, entry) for name, entry in header.items()}, space_id=space_id)
        except FileNotFoundError:
            raise
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ArtefactError(f"{target}: cannot be read as token vectors ({error})") from error


def _expect(name: str, array: NDArray[Any] | None, dtype: type, shape: tuple[int, ...]) -> None:
    if array is not None and (array.dtype != dtype or array.shape != shape):
        raise ShapeError(f"{name}: {array.dtype} {array.shape}, wanted {np.dtype(dtype)} {shape}")


def _write(path: Path, parts: list[bytes | memoryview]) -> None:
    with path.open("wb") as file:
        for part in parts:
            file.write(part)


def _read_header(path: Path) -> tuple[dict[str, Any], int]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > 100_000:
            raise ValueError(f"header of {length} bytes")
        header: dict[str, Any] = json.loads(file.read(length))
        return header, 8 + length


def _array(data: NDArray[np.uint8], base: int, entry: dict[str, Any]) -> NDArray[Any]:
    start, stop = entry["data_offsets"]
    if not 0 <= start <= stop <= data.size - base:
        raise ValueError("the file ends early")
    dtype: np.dtype[Any] = _DTYPES[entry["dtype"]]
    return np.asarray(data[base + start : base + stop]).view(dtype).reshape(entry["shape"])
