"""What `ColBERTRanker.as_langchain_compressor` gives. Importing this needs langchain-core.

rerankers' own imports `langchain.retrievers`, which langchain 1 no longer has.
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.documents import Document
from langchain_core.documents.compressor import BaseDocumentCompressor


class Compressor(BaseDocumentCompressor):  # type: ignore[misc]  # no extra is where types are checked
    """The k best of some documents, with metadata["relevance_score"], set in the objects that were given."""

    ranker: Any
    k: int = 10

    def compress_documents(self, documents: Sequence[Document], query: str, callbacks: Any = None) -> list[Document]:
        """Best first; of none, none."""
        given = list(documents)
        results = self.ranker.rank(query, [document.page_content for document in given]).results[: self.k]
        for result in results:
            given[result.doc_id].metadata["relevance_score"] = result.score
        return [given[result.doc_id] for result in results]
