"""`rank.rerank`: ids by falling score of rows that were encoded before."""

from collections.abc import Sequence
from typing import Any, TypedDict

from colibri.compat.bare_rows import matrix, packed, separate
from colibri.compat.options import without_effect
from colibri.errors import InputError

__all__ = ["RerankResult", "rerank"]


class RerankResult(TypedDict):
    """One document of a ranking."""

    id: int | str
    score: float
    """MaxSim."""


def rerank(
    documents_ids: Sequence[Sequence[int | str]], queries_embeddings: Any, documents_embeddings: Any, device: Any = None
) -> list[list[RerankResult]]:
    """Each query's own documents by falling score; equal scores keep their order.

    documents_ids         for each query the ids of its documents, given back as they are
    queries_embeddings    a list of (tokens, dim) arrays or tensors, or one padded (n, tokens, dim)
    documents_embeddings  for each query a list of such

    Raises InputError where the three do not go together, ShapeError for unequal widths.
    """
    without_effect("rank.rerank", device=device)
    queries, groups = separate(queries_embeddings, "queries_embeddings"), list(documents_embeddings)
    if not len(documents_ids) == len(queries) == len(groups):
        raise InputError(
            f"found documents_ids of {len(documents_ids)}, queries_embeddings of {len(queries)} and "
            f"documents_embeddings of {len(groups)}: wanted one entry of each a query"
        )
    return [_ranked(documents_ids[i], query, groups[i], i) for i, query in enumerate(queries)]


def _ranked(ids: Sequence[int | str], query: Any, group: Any, place: int) -> list[RerankResult]:
    documents = separate(group, f"documents_embeddings[{place}]")
    if len(ids) != len(documents):
        raise InputError(f"query {place}: found {len(ids)} documents_ids for {len(documents)} documents_embeddings")
    if not documents:
        return []
    scores = matrix(
        packed([query], "queries_embeddings", drop_padding=False),
        packed(documents, f"documents_embeddings[{place}]", drop_padding=True),
    )[0]
    order = (-scores).argsort(kind="stable")
    return [{"id": ids[int(i)], "score": float(scores[i])} for i in order]
