"""`scores`: MaxSim of rows that were encoded before. Answers come as `colibri.compat.arrays` says."""

from typing import TYPE_CHECKING, Any, NoReturn

from colibri.compat.bare_rows import matrix, packed, pairwise, separate
from colibri.compat.handing import handed, taken
from colibri.compat.not_here import not_here
from colibri.compat.options import without_effect
from colibri.errors import InputError, ShapeError

if TYPE_CHECKING:
    from colibri.vectors import TokenVectors

__all__ = ["colbert_kd_scores", "colbert_scores", "colbert_scores_pairwise"]


def colbert_scores(
    queries_embeddings: Any,
    documents_embeddings: Any,
    queries_mask: Any = None,
    documents_mask: Any = None,
    backend: str | None = None,
) -> Any:
    """MaxSim of every query with every document: (queries, documents) float32.

    Rows come as a list of (tokens, dim) arrays or tensors, or padded (n, tokens, dim); masks (n, tokens) are 0 or False
    where a row does not count. Rows of zeros never do: in PyLate such a one scores 0, which is more than a bad match.
    """
    without_effect("scores.colbert_scores", backend=backend)
    queries = _masked(queries_embeddings, queries_mask, "queries")
    return handed(matrix(queries, _masked(documents_embeddings, documents_mask, "documents")))


def colbert_scores_pairwise(queries_embeddings: Any, documents_embeddings: Any, backend: str | None = None) -> Any:
    """MaxSim of each query with the document at its place: (n,) float32."""
    without_effect("scores.colbert_scores_pairwise", backend=backend)
    queries = packed(queries_embeddings, "queries_embeddings", drop_padding=False)
    return handed(pairwise(queries, packed(documents_embeddings, "documents_embeddings", drop_padding=True)))


def colbert_kd_scores(
    queries_embeddings: Any,
    documents_embeddings: Any,
    queries_mask: Any = None,
    documents_mask: Any = None,
    backend: str | None = None,
) -> Any:
    """MaxSim of each query with documents of its own, as many for each: (queries, documents) float32.

    documents_embeddings: (n, documents, tokens, dim), or for each query a list of rows.
    """
    import numpy as np

    without_effect("scores.colbert_kd_scores", backend=backend)
    queries = separate(queries_embeddings, "queries_embeddings")
    groups = [documents_embeddings[i] for i in range(len(documents_embeddings))]
    if len(queries) != len(groups):
        raise ShapeError(f"found {len(queries)} queries and documents for {len(groups)}, wanted as many of each")
    rows = [
        matrix(
            _masked([query], None if queries_mask is None else taken(queries_mask)[i : i + 1], "queries"),
            _masked(group, None if documents_mask is None else taken(documents_mask)[i], "documents"),
        )[0]
        for i, (query, group) in enumerate(zip(queries, groups, strict=True))
    ]
    return handed(np.stack(rows))


def _masked(given: Any, mask: Any, name: str) -> "TokenVectors":
    """Rows whose mask is not zero. A query none of whose rows counts keeps rows of zeros, and scores 0."""
    parts = separate(given, f"{name}_embeddings")
    if mask is not None:
        kept = taken(mask)
        if len(kept) != len(parts):
            raise InputError(f"{name}_mask: has {len(kept)} rows for {len(parts)} {name}")
        # Zeros count for nothing in a document (they are dropped) and add 0 in a query.
        arrays = [taken(part, "float32") for part in parts]
        flat = [(row.reshape(-1) != 0)[:, None] for row in kept]
        for i, (part, row) in enumerate(zip(arrays, flat, strict=True)):
            if len(row) not in (1, len(part)):
                raise ShapeError(f"{name}_mask {i}: has {len(row)} entries for {len(part)} rows")
        parts = [part * row for part, row in zip(arrays, flat, strict=True)]
    return packed(parts, f"{name}_embeddings", drop_padding=name == "documents")


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__") or not (name.endswith(("Scores", "Function")) or name.startswith("xtr")):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    not_here(f"pylate.scores.{name}", "it serves training or another kind of model", "use colbert_scores")
