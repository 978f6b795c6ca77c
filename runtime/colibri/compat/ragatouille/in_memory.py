"""Documents encoded in memory, and ranking documents that are in no index."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from colibri.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from colibri.vectors import TokenVectors

Results = list[dict[str, Any]]


class Held:
    """Documents with their rows, as `RAGPretrainedModel.encode` adds them."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.metadatas: list[Any] | None = None
        self._parts: list[TokenVectors] = []

    def add(self, texts: Sequence[str], vectors: "TokenVectors", metadatas: Sequence[Any] | None) -> None:
        """Some more. metadatas: one a text, see `check_metadatas`."""
        if metadatas is not None and self.metadatas is None:
            self.metadatas = [None] * len(self.texts)
        if self.metadatas is not None:
            self.metadatas += [None] * len(texts) if metadatas is None else list(metadatas)
        self.texts += texts
        if texts:
            self._parts.append(vectors)

    def search(self, queries: "TokenVectors", k: int) -> list[Results]:
        """The k best for each query, best first, ranks from 0."""
        found = [ranked(scores, self.texts, k) for scores in _scores(queries, self._parts)]
        if self.metadatas is not None:
            for result in (result for results in found for result in results):
                result["document_metadata"] = self.metadatas[result["result_index"]]
        return found


def check_metadatas(metadatas: Sequence[Any] | None, count: int) -> None:
    """Refuse what is not one for each of so many documents."""
    if metadatas is None:
        return
    if isinstance(metadatas, str | Mapping) or not hasattr(metadatas, "__len__"):
        raise InputTypeError(f"document_metadatas: found {type(metadatas).__name__}, wanted a list of mappings")
    if len(metadatas) != count:
        raise InputError(f"document_metadatas: found {len(metadatas)}, wanted one for each of {count} documents")


def check_k(k: object) -> None:
    """Refuse what is no whole number from 1, before anything is encoded."""
    from colibri import checks

    if not checks.is_count(k):
        raise InputError(f"k: found {k!r}, wanted a whole number from 1")


def reranked(
    queries: "TokenVectors", documents: "TokenVectors", texts: Sequence[str], k: int, first: int
) -> list[Results]:
    """The k best of documents for each query, best first. first: the rank of the best."""
    return [ranked(scores, texts, k, first) for scores in _scores(queries, [documents] if len(texts) else [])]


def ranked(scores: Any, texts: Sequence[str], k: int, first: int = 0) -> Results:
    """By falling score; equal scores keep their order."""
    order = (-scores).argsort(kind="stable")[:k].tolist()
    return [
        {"content": texts[i], "score": float(scores[i]), "rank": first + place, "result_index": i}
        for place, i in enumerate(order)
    ]


def _scores(queries: "TokenVectors", parts: "Sequence[TokenVectors]") -> Any:
    """(queries, documents) MaxSim."""
    import numpy as np

    from colibri.scoring import maxsim

    empty = np.zeros(0, np.float32)
    for i, rows in enumerate(queries):
        own = slice(queries.starts[i], queries.starts[i + 1])
        weights = None if queries.weights is None else queries.weights[own]
        yield np.concatenate([empty, *(maxsim(rows, part, weights) for part in parts)])
