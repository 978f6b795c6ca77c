"""CorpusProcessor: documents through a splitter and preprocessing functions."""

from collections.abc import Callable, Sequence
from typing import Any

from colibri.compat.ragatouille.data.preprocessors import llama_index_sentence_splitter


class CorpusProcessor:
    """document_splitter_fn   fn(documents, document_ids, **splitter_kwargs) -> [{"document_id", "content"}]; None: none
    preprocessing_fn       fn(passages, document_ids) -> the same, or a list of such functions, one after the other
    """

    def __init__(
        self,
        document_splitter_fn: Callable[..., Any] | None = llama_index_sentence_splitter,
        preprocessing_fn: Callable[..., Any] | list[Callable[..., Any]] | None = None,
    ) -> None:
        self.document_splitter_fn = document_splitter_fn
        self.preprocessing_fn = preprocessing_fn

    def process_corpus(
        self, documents: Sequence[str], document_ids: Sequence[str] | None = None, **splitter_kwargs: Any
    ) -> list[Any]:
        """Passages of documents; ids are made where none are given."""
        from uuid import uuid4

        ids = [str(uuid4()) for _ in documents] if document_ids is None else list(document_ids)
        found: Any = list(documents)
        if self.document_splitter_fn is not None:
            found = self.document_splitter_fn(found, ids, **splitter_kwargs)
        functions = self.preprocessing_fn if isinstance(self.preprocessing_fn, list) else [self.preprocessing_fn]
        for function in functions:
            if function is not None:
                found = function(found, ids)
        return list(found)
