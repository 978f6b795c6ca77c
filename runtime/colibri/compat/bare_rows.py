"""Rows as others hand them about: bare arrays, one a text, query weights folded in; and MaxSim over such.

`packed` is the way back to TokenVectors, `colibri.scoring` says what a score is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from colibri.compat.handing import is_tensor, taken
from colibri.errors import InputError, InputTypeError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from colibri.artefact import RoleName
    from colibri.model import Colibri
    from colibri.vectors import TokenVectors


def encoded(
    model: "Colibri",
    texts: Sequence[str],
    role: "RoleName",
    *,
    dim: int | None = None,
    progress: bool = False,
    max_tokens: int | None = None,
) -> "list[NDArray[Any]]":
    """One (tokens, dim) float32 array a text, in their order; of a query's rows each is as long as it weighs.

    dim: width of the rows; None: the model's own.
    max_tokens: the longest a text may be, markers included; None: what the manifest says. Raises as
    `Colibri.encode_documents`.
    """
    if not len(texts):
        return []
    length: dict[str, Any] = {} if max_tokens is None else {"max_tokens": max_tokens}
    if role == "query":
        if max_tokens is not None and model.manifest.query.expansion is not None:
            length["expand_to"] = max_tokens
        return list(model.encode_queries(texts, dim, progress=progress, **length).weighted())
    return list(model.encode_documents(texts, dim, progress=progress, **length))


def packed(given: Any, name: str, *, drop_padding: bool) -> "TokenVectors":
    """TokenVectors of rows in any of the forms in use: a list of (tokens, dim) arrays or tensors, one padded
    (n, tokens, dim), or (tokens, dim) for one text.

    drop_padding: leave out rows of zeros. In a document they are padding, and a document must not gain by them: a
    score of 0 is more than a bad match has. In a query they add exactly 0.

    Raises InputError for what is none of these, ShapeError for unequal widths or a document without rows.
    """
    import numpy as np

    from colibri.vectors import TokenVectors

    arrays = [taken(part, "float32") for part in separate(given, name)]
    parts = [part[0] if part.ndim == 3 and len(part) == 1 else part for part in arrays]  # PyLate's padding=True: such
    for i, part in enumerate(parts):
        if part.ndim != 2 or part.shape[1] != parts[0].shape[-1]:
            raise ShapeError(f"{name} {i}: shape {part.shape}, wanted (tokens, {parts[0].shape[-1]})")
    if drop_padding:
        parts = [part[(part != 0).any(axis=1)] for part in parts]
    empty = next((i for i, part in enumerate(parts) if not len(part)), None)
    if empty is not None:
        raise ShapeError(f"{name} {empty}: has no rows but zeros; leave it out")
    if not parts:
        raise InputError(f"{name}: an empty list has no width; give at least one")
    return TokenVectors.from_arrays([np.ascontiguousarray(part) for part in parts])


def separate(given: Any, name: str) -> list[Any]:
    """One array a text. Raises InputTypeError for what is no array and no list of arrays."""
    if isinstance(given, list | tuple):
        listed = list(given)
        is_matrix = listed and all(isinstance(part, list | tuple) for part in listed) and _depth(listed) == 2
        return [listed] if is_matrix else listed
    if is_tensor(given) or hasattr(given, "shape"):
        if len(given.shape) not in (2, 3):
            raise ShapeError(f"{name}: shape {tuple(given.shape)}, wanted (tokens, dim) or (n, tokens, dim)")
        return [given] if len(given.shape) == 2 else [given[i] for i in range(given.shape[0])]
    raise InputTypeError(f"{name}: found {type(given).__name__}, wanted rows: arrays or tensors of (tokens, dim)")


def _depth(given: Any) -> int:
    """How deep lists are nested, by their first entries."""
    return 1 + _depth(given[0]) if isinstance(given, list | tuple) and given else 0


def matrix(queries: "TokenVectors", documents: "TokenVectors") -> "NDArray[Any]":
    """MaxSim of every query with every document: (queries, documents) float32."""
    from colibri.scoring import maxsim_batch

    return maxsim_batch(queries, documents)


def pairwise(queries: "TokenVectors", documents: "TokenVectors") -> "NDArray[Any]":
    """MaxSim of each query with the document at its place: (n,) float32. Raises ShapeError for unequal numbers."""
    import numpy as np

    from colibri.scoring import maxsim
    from colibri.vectors import TokenVectors

    if len(queries) != len(documents):
        raise ShapeError(f"found {len(queries)} queries and {len(documents)} documents, wanted as many of each")
    scores = [
        maxsim(rows, TokenVectors.from_arrays([other]))[0] for rows, other in zip(queries, documents, strict=True)
    ]
    return np.array(scores, np.float32)
