"""What scoring asks of a query and of documents, looked at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.machine import available_cores
from colibri.vectors import Kind, Offsets, Rows, TokenVectors

Floats = NDArray[np.float32]

_ONE = np.ones(1, np.float32)
_VALUES_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Collection:
    """Documents as every way of scoring takes them: contiguous, of this machine's byte order, each with a row, finite.

    rows (tokens, dim), of int4 (tokens, dim / 2); scales (tokens,), or (1,) for all of them; starts (n + 1,). Addresses
    are those of the arrays.
    ordinary_scales: each is 0 or between 2^-60 and 2^60, so that no product with one comes near a float's limits.
    """

    kind: Kind
    dim: int
    rows: Rows
    scales: Floats
    starts: Offsets
    rows_address: int
    scales_address: int
    starts_address: int
    ordinary_scales: bool

    @property
    def scale_stride(self) -> int:
        """Bytes from one token's scale to the next one's."""
        return 0 if self.scales is _ONE else 4


_known: WeakKeyDictionary[TokenVectors, Collection] = WeakKeyDictionary()
_unlooked: WeakKeyDictionary[TokenVectors, Collection] = WeakKeyDictionary()  # laid out, and no scale looked at


def collection(docs: TokenVectors) -> Collection:
    """The documents, checked and laid out. What was found is remembered as long as `docs` lives.

    float rows are read once to see that they are finite, integers never. Raises ShapeError for a document without
    rows, InputError for rows or scales that are not finite.
    """
    found = _known.get(docs)
    if found is None:
        found = _known[docs] = _collection(docs)
    return found


def unlooked(docs: TokenVectors) -> Collection:
    """The same of integer rows where nothing is looked at, not one scale: for some of very many documents, each with a
    row. Scales that are not finite give scores that are not."""
    found = _known.get(docs) or _unlooked.get(docs)
    if found is None:
        found = _unlooked[docs] = _laid_out(docs)
    return found


def _collection(docs: TokenVectors) -> Collection:
    lengths = np.diff(docs.starts)
    if lengths.size and lengths.min() == 0:
        raise ShapeError(f"document {int(lengths.argmin())} has no rows")
    found = _laid_out(docs)
    if docs.kind in ("int8", "int4"):
        _refuse_infinite(found.scales[:, None], "scales", found.starts)
    else:
        _refuse_infinite(found.rows, "rows", found.starts)
    scales = found.scales
    ordinary = bool(((scales == 0) | ((scales >= 2.0**-60) & (scales <= 2.0**60))).all())
    return replace(found, ordinary_scales=ordinary)


def _laid_out(docs: TokenVectors) -> Collection:
    rows = np.ascontiguousarray(docs.rows, docs.rows.dtype.newbyteorder("="))
    starts = np.ascontiguousarray(docs.starts)
    scales = _ONE if docs.scales is None else np.ascontiguousarray(docs.scales)
    places = (address(rows), address(scales), address(starts))
    return Collection(docs.kind, docs.dim, rows, scales, starts, *places, ordinary_scales=False)


def _refuse_infinite(rows: Rows, what: str, starts: Offsets) -> None:
    step = max(1, _VALUES_AT_ONCE // max(1, rows.shape[1]))
    for first in range(0, len(rows), step):
        part = rows[first : first + step]
        with np.errstate(all="ignore"):
            # Not finite values make their sum so, too; the reverse can also be an overflow, so look again.
            if np.isfinite(part.sum(dtype=np.float32)):
                continue
        bad = ~np.isfinite(part).all(axis=1)
        if bad.any():
            token = first + int(bad.argmax())
            document = int(np.searchsorted(starts, token, side="right")) - 1
            raise InputError(f"{what} of document {document} are not finite (token {token - int(starts[document])})")


def query_rows(query: ArrayLike, dim: int) -> Floats:
    """A query of documents' dim as contiguous float32 rows. Raises InputTypeError, ShapeError or InputError."""
    rows = np.asarray(query)
    if rows.dtype.kind != "f":
        raise InputTypeError(f"query is {rows.dtype}, wanted float32 rows")
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise ShapeError(f"query is {rows.shape}, documents have dim {dim}")
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(rows, np.float32)
    if not np.isfinite(rows).all():
        raise InputError(f"query token {int((~np.isfinite(rows).all(axis=1)).argmax())} is not finite")
    return rows


def token_weights(weights: ArrayLike | None, tokens: int) -> Floats | None:
    """Weights of a query's tokens as contiguous float32. Raises as `query_rows` does."""
    if weights is None:
        return None
    given = np.asarray(weights)
    if given.dtype.kind not in "fiu":
        raise InputTypeError(f"weights are {given.dtype}, wanted float32")
    if given.shape != (tokens,):
        raise ShapeError(f"weights are {given.shape}, the query has {tokens} tokens")
    given = np.ascontiguousarray(given, np.float32)
    if not np.isfinite(given).all():
        raise InputError("weights are not finite")
    return given


def document_ids(doc_ids: ArrayLike | Sequence[int], count: int) -> Offsets:
    """Places of documents as (n,) int64. Raises InputTypeError, ShapeError, or InputError for a place there is not."""
    ids = np.asarray(doc_ids)
    if ids.size == 0:
        ids = ids.astype(np.int64)
    if ids.dtype.kind not in "iu":
        raise InputTypeError(f"doc_ids are {ids.dtype}, wanted whole numbers")
    if ids.ndim != 1:
        raise ShapeError(f"doc_ids are {ids.shape}, wanted one dimension")
    if ids.size and (ids.min() < 0 or ids.max() >= count):
        bad = ids[(ids < 0) | (ids >= count)][0]
        raise InputError(f"doc_ids: found {int(bad)}, there are documents 0 to {count - 1}")
    return np.ascontiguousarray(ids, np.int64)


def cores(threads: int | None) -> int:
    """How many threads to use; None: one for each core. Raises InputError for what is no number of them."""
    if threads is None:
        return available_cores()
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise InputError(f"threads: found {threads!r}, wanted a whole number from 1, or None")
    return int(threads)


def address(array: NDArray[Any]) -> int:
    """Where an array's first value lies."""
    found: int = array.__array_interface__["data"][0]
    return found
