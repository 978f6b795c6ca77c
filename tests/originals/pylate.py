"""Calls of PyLate 1.6.0: `encode` in every form, `rank.rerank`, `scores`. Its indexes could not be run: Voyager's fails
with voyager 2.2.3, PLAID's wants an older torch."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from originals.described import Calls
from originals.texts import DOCUMENTS, QUERIES

Modules = Callable[[str], Any]


def calls(modules: Modules, folder: Path) -> Calls:
    """A model's `encode`, and what is made of the rows it gives."""
    models, rank, scores = modules("pylate.models"), modules("pylate.rank"), modules("pylate.scores")
    model = models.ColBERT(str(folder), device="cpu")
    docs = DOCUMENTS[:4]

    def encode(given: Any, **words: Any) -> Any:
        return model.encode(given, show_progress_bar=False, **words)

    def rerank(ids: Any, **words: Any) -> Any:
        queries = encode(QUERIES[:2], is_query=True, **words)
        documents = encode([docs, docs[:2]], is_query=False, **words)
        return rank.rerank(documents_ids=ids, queries_embeddings=queries, documents_embeddings=documents)

    def rerank_one_query() -> Any:
        query = encode(QUERIES[0], is_query=True)
        return rank.rerank([["a", "b"]], query, [encode(docs[:2], is_query=False)])

    def score(**words: Any) -> Any:
        queries = np.stack(encode(QUERIES, is_query=True))
        documents = np.concatenate(encode(docs, is_query=False, padding=True))
        return scores.colbert_scores(queries, documents, **words)

    def score_lists() -> Any:
        return scores.colbert_scores(encode(QUERIES, is_query=True), encode([docs[0]] * 2, is_query=False))

    def score_pairs() -> Any:
        queries = encode(QUERIES[:2], is_query=True, convert_to_tensor=True)
        return scores.colbert_scores_pairwise(queries, encode(docs[:2], is_query=False, convert_to_tensor=True))

    found: dict[str, Callable[[], Any]] = {}
    for role, is_query, texts in (("queries", True, QUERIES), ("documents", False, docs)):
        for name, words in FORMS.items():
            found[f"{role}{name}"] = partial(encode, texts, is_query=is_query, **words)
        found[f"{role}, one string"] = partial(encode, texts[0], is_query=is_query)
        found[f"{role}, lists of lists"] = partial(encode, [texts[:2], texts[2:]], is_query=is_query)
    return found | {
        "not normalised": lambda: [part.shape for part in encode(QUERIES, normalize_embeddings=False)],
        "queries is the default": lambda: encode(QUERIES[:1]),
        "nothing": lambda: encode([]),
        "a number": lambda: encode([3]),
        "output_value of another kind": lambda: encode(QUERIES, output_value="sentence_embedding"),
        "prompt_name that is not there": lambda: encode(QUERIES, prompt_name="nothing"),
        "unknown keyword": lambda: encode(QUERIES, unheard_of=1),
        "unknown keyword of the model": lambda: models.ColBERT(str(folder), device="cpu", unheard_of=1),
        "attributes": lambda: [model.query_length, model.document_length, model.similarity_fn_name],
        "width": model.get_sentence_embedding_dimension,
        "rerank": lambda: rerank([["a", "b", "c", "d"], ["x", "y"]]),
        "rerank of whole numbers": lambda: rerank([[1, 2, 3, 4], [5, 6]]),
        "rerank of tensors": lambda: rerank([["a", "b", "c", "d"], ["x", "y"]], convert_to_tensor=True),
        "rerank of one query of two dimensions": rerank_one_query,
        "scores": score,
        "scores of lists": score_lists,
        "scores with a mask": lambda: score(documents_mask=np.ones((len(docs), 1), np.float32)),
        "scores of pairs": score_pairs,
    }


FORMS: dict[str, dict[str, Any]] = {
    "": {},
    ", batch_size 1": {"batch_size": 1},
    ", convert_to_tensor": {"convert_to_tensor": True},
    ", no numpy": {"convert_to_numpy": False},
    ", padding": {"padding": True},
    ", padding and tensors": {"padding": True, "convert_to_tensor": True},
}
