"""`colbert_score` and its kin: MaxSim of rows that the caller holds."""

from typing import TYPE_CHECKING, Any

from colibri.compat.colbert.asserted import check
from colibri.compat.handing import handed, taken
from colibri.compat.not_here import absent, not_here

if TYPE_CHECKING:
    from numpy.typing import NDArray

ColBERT = absent("ColBERT", "there is no torch module", "use colbert.modeling.checkpoint.Checkpoint")

_MASKED = -9999.0


def colbert_score(Q: Any, D_padded: Any, D_mask: Any, config: Any = None) -> Any:
    """MaxSim of one query with n documents, or of n queries with the document at the same place: (n,) float32.

    Q         (1 or n, q, dim)
    D_padded  (n, d, dim)
    D_mask    (n, d) or (n, d, 1), of any dtype: which rows count. A document without one scores -9999 a query row

    Arrays, `Rows` and tensors on any device; tensors come back where torch is imported. Raises Refused (AssertionError)
    for other shapes, NotHere for an interaction other than "colbert".
    """
    import numpy as np

    from colibri.scoring import maxsim

    _check_interaction(config)
    queries, documents, mask = taken(Q, "float32"), taken(D_padded, "float32"), taken(D_mask)
    check(queries.ndim == 3, f"Q: {queries.shape}, wanted three axes")
    check(documents.ndim == 3, f"D_padded: {documents.shape}, wanted three axes")
    check(len(queries) in (1, len(documents)), f"Q has {len(queries)} queries, D_padded {len(documents)} documents")
    check(mask.size == documents.shape[0] * documents.shape[1], f"D_mask: {mask.shape} for D_padded {documents.shape}")
    check(queries.shape[2] == documents.shape[2], f"Q has dim {queries.shape[2]}, D_padded {documents.shape[2]}")
    counts = mask.reshape(documents.shape[:2]).astype(bool)
    scores = np.full(len(documents), _MASKED * queries.shape[1], np.float32)
    held = np.flatnonzero(counts.any(axis=1))
    if len(queries) == 1 and len(held):
        scores[held] = maxsim(queries[0], _packed([documents[i][counts[i]] for i in held]))
    elif len(held):
        for i in held:
            scores[i] = maxsim(queries[i], _packed([documents[i][counts[i]]]))[0]
    return handed(scores)


def colbert_score_packed(Q: Any, D_packed: Any, D_lengths: Any, config: Any = None) -> Any:
    """MaxSim of one query with documents end to end: (n,) float32.

    Q          (q, dim) or (1, q, dim)
    D_packed   (rows of all, dim)
    D_lengths  (n,) whole numbers from 1
    """
    import numpy as np

    from colibri.scoring import maxsim
    from colibri.vectors import TokenVectors

    _check_interaction(config)
    query, rows, lengths = taken(Q, "float32"), taken(D_packed, "float32"), taken(D_lengths, "int64")
    query = query[0] if query.ndim == 3 and len(query) == 1 else query
    check(query.ndim == 2, f"Q: {query.shape}, wanted one query")
    check(rows.ndim == 2, f"D_packed: {rows.shape}, wanted two axes")
    return handed(maxsim(query, TokenVectors(rows, np.cumsum([0, *lengths.reshape(-1)], dtype=np.int64))))


def _packed(documents: "list[NDArray[Any]]") -> Any:
    from colibri.vectors import TokenVectors

    return TokenVectors.from_arrays(documents)


def _check_interaction(config: Any) -> None:
    interaction = getattr(config, "interaction", "colbert")
    if interaction != "colbert":
        not_here(f"interaction {interaction!r}", "scores are MaxSim", 'leave it at "colbert"')
