"""Calls of sentence-transformers 6.2.0's MultiVectorEncoder: queries, documents, similarity."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from originals.described import Calls
from originals.texts import DOCUMENTS, QUERIES

Modules = Callable[[str], Any]


def calls(modules: Modules, folder: Path) -> Calls:
    """A model's three ways to encode, and what it makes of two lists of rows."""
    kind = modules("sentence_transformers").MultiVectorEncoder
    model = kind(str(folder), device="cpu")
    docs = DOCUMENTS[:4]

    def both(count: int | None = None) -> tuple[Any, Any]:
        return model.encode_query(QUERIES[:count]), model.encode_document(docs[:count])

    def mean() -> Any:
        model.similarity_fn_name = "meanmaxsim"
        try:
            return [model.similarity_fn_name, model.similarity(*both())]
        finally:
            model.similarity_fn_name = "maxsim"

    def another_similarity() -> Any:
        model.similarity_fn_name = "cosine"
        return model.similarity_fn_name

    return {
        "queries": lambda: model.encode_query(QUERIES),
        "queries in a tuple": lambda: model.encode_query(tuple(QUERIES)),
        "one query": lambda: model.encode_query(QUERIES[0]),
        "queries, numpy": lambda: model.encode_query(QUERIES, convert_to_numpy=True),
        "queries, batch_size 1": lambda: model.encode_query(QUERIES, batch_size=1),
        "queries, normalised": lambda: model.encode_query(QUERIES, normalize_embeddings=True),
        "documents": lambda: model.encode_document(docs),
        "one document": lambda: model.encode_document(docs[0]),
        "documents, numpy": lambda: model.encode_document(docs, convert_to_numpy=True),
        "one document, numpy": lambda: model.encode_document(docs[0], convert_to_numpy=True),
        "encode, task query": lambda: model.encode(QUERIES, task="query"),
        "encode, task document": lambda: model.encode(docs, task="document"),
        "nothing": lambda: model.encode_document([]),
        "convert_to_tensor": lambda: model.encode_query(QUERIES, convert_to_tensor=True),
        "unknown keyword": lambda: model.encode_query(QUERIES, unheard_of=1),
        "output_value of another kind": lambda: model.encode_query(QUERIES, output_value="sentence_embedding"),
        "prompt_name that is not there": lambda: model.encode_query(QUERIES, prompt_name="nothing"),
        "unknown keyword of the model": lambda: kind(str(folder), device="cpu", unheard_of=1),
        "similarity": lambda: model.similarity(*both()),
        "similarity of one and one": lambda: model.similarity(
            model.encode_query(QUERIES[0]), model.encode_document(docs[0])
        ),
        "similarity of arrays": lambda: model.similarity(
            model.encode_query(QUERIES, convert_to_numpy=True), model.encode_document(docs, convert_to_numpy=True)
        ),
        "similarity_pairwise": lambda: model.similarity_pairwise(*both(2)),
        "similarity_pairwise of unequal numbers": lambda: model.similarity_pairwise(*both()),
        "meanmaxsim": mean,
        "another similarity": another_similarity,
        "name of the similarity": lambda: kind(str(folder), device="cpu").similarity_fn_name,
        "width": model.get_embedding_dimension,
        "prompts": lambda: model.prompts,
        "chained": lambda: type(model.eval().to("cpu")).__name__,
    }
