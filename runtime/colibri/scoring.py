"""MaxSim: late interaction's score (Khattab and Zaharia, ColBERT, arXiv 2004.12832, equation 3)."""

import numpy as np
from numpy.typing import NDArray

from colibri.errors import ShapeError
from colibri.vectors import Offsets, TokenVectors

Floats = NDArray[np.float32]

# Documents' tokens in one product: at 32 query tokens the similarities take 4 MB and stay in cache.
_TOKENS_AT_ONCE = 32_768


def maxsim(query: Floats, docs: TokenVectors, weights: Floats | None = None) -> Floats:
    """Score every document against one query: for each query token its best match among the document's, summed.

    query    (q, dim)  float32, unit rows
    docs     n documents of the same dim, none without rows
    weights  (q,)      float32, how much each query token counts; None: 1 each

    Returns (n,) float32. Raises ShapeError when dims differ or a document has no rows.
    """
    if query.ndim != 2 or query.shape[1] != docs.dim:
        raise ShapeError(f"query is {query.shape}, documents have dim {docs.dim}")
    lengths = np.diff(docs.starts)
    if lengths.size and lengths.min() == 0:
        raise ShapeError(f"document {int(lengths.argmin())} has no rows")
    if weights is not None and weights.shape != (len(query),):
        raise ShapeError(f"weights are {weights.shape}, the query has {len(query)} tokens")
    scores = np.empty(len(docs), np.float32)
    # A matrix product sums in another order at its edges, and with some BLAS from one group of columns to the next, so
    # equal documents would score unequal bits. In float64 that is below what float32 keeps of a similarity.
    wide_query = query.astype(np.float64)
    for first, last in _runs(docs.starts):
        rows = docs.rows[docs.starts[first] : docs.starts[last]].astype(np.float64)
        similarities = (wide_query @ rows.T).astype(np.float32)
        # reduceat gives a wrong value for an empty segment; documents without rows are refused above.
        best = np.maximum.reduceat(similarities, docs.starts[first:last] - docs.starts[first], axis=1)
        scores[first:last] = (best if weights is None else best * weights[:, None]).sum(axis=0)
    return scores


def _runs(starts: Offsets) -> list[tuple[int, int]]:
    """Split documents into runs of at most _TOKENS_AT_ONCE tokens, or one longer document."""
    runs = []
    first = 0
    while first < starts.size - 1:
        last = int(np.searchsorted(starts, starts[first] + _TOKENS_AT_ONCE, side="right")) - 1
        last = max(last, first + 1)
        runs.append((first, last))
        first = last
    return runs
