"""RAGatouille's LangChain classes; needs the extra [langchain]."""

from collections.abc import Sequence
from typing import Any

from colibri.errors import MissingExtra
from colibri.machine import install_command

try:
    from langchain_core.documents import BaseDocumentCompressor, Document
    from langchain_core.retrievers import BaseRetriever
except ImportError as error:
    raise MissingExtra(
        "LangChain's retriever and compressor need langchain-core (colibri-edge[langchain]): "
        + install_command("langchain")
    ) from error


class RAGatouilleLangChainRetriever(BaseRetriever):  # type: ignore[misc]
    """Passages as documents: page_content, and the document's metadata. `kwargs` go to `search`."""

    model: Any
    kwargs: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it for every object

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return [
            Document(page_content=found["content"], metadata=found.get("document_metadata", {}))
            for found in self.model.search(query, **self.kwargs)
        ]


class RAGatouilleLangChainCompressor(BaseDocumentCompressor):  # type: ignore[misc]
    """The k best of the given documents, which get `metadata["relevance_score"]`. `kwargs` go to `rerank`."""

    model: Any
    kwargs: dict[str, Any] = {}  # noqa: RUF012 - as above
    k: int = 5

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Any = None, **kwargs: Any
    ) -> Sequence[Document]:
        """The best, best first."""
        given = list(documents)
        texts = [document.page_content for document in given]
        ranked = []
        for found in self.model.rerank(query=query, documents=texts, k=kwargs.get("k", self.k), **self.kwargs):
            document = given[found["result_index"]]
            document.metadata["relevance_score"] = found["score"]
            ranked.append(document)
        return ranked
