"""Calls of rerankers 0.10.0 with its "colbert" kind: what goes in, what comes out, and in which order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from originals.described import Calls
from originals.texts import DOCUMENTS, QUERIES

Modules = Callable[[str], Any]


def calls(modules: Modules, folder: Path) -> Calls:
    """A ranker's `rank` and `score`, and the results' own ways to be read."""
    kind = modules("rerankers").Reranker
    ranker = kind(str(folder), model_type="colbert", verbose=0, device="cpu")
    docs = DOCUMENTS[:4]

    def rank(given: Any = docs, **words: Any) -> Any:
        return results(ranker.rank(QUERIES[0], given, **words))

    return {
        "kind": lambda: type(ranker).__name__,
        "rank": rank,
        "with ids": lambda: rank(doc_ids=["a", "b", "c", "d"]),
        "with ids and metadata": lambda: rank(doc_ids=[9, 8, 7, 6], metadata=[{"n": i} for i in range(4)]),
        "one string": lambda: rank(docs[0]),
        "nothing": lambda: rank([]),
        "top_k": lambda: [result.rank for result in ranker.rank(QUERIES[0], docs).top_k(2)],
        "by id": lambda: type(ranker.rank(QUERIES[0], docs, doc_ids=list("abcd")).get_result_by_docid("b")).__name__,
        "iteration": lambda: [type(result).__name__ for result in ranker.rank(QUERIES[0], docs)],
        "score": lambda: type(ranker.score(QUERIES[0], docs[0])).__name__,
    }


def results(ranked: Any) -> dict[str, Any]:
    """What can be read off RankedResults."""
    rows = [
        {"id": each.doc_id, "rank": each.rank, "text": each.text, "score": each.score,
         "metadata": each.document.metadata, "type": each.document.document_type}
        for each in ranked.results
    ]  # fmt: skip
    return {"query": ranked.query, "has_scores": ranked.has_scores, "kind": type(ranked).__name__, "rows": rows}
