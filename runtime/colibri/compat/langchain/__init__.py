"""LangChain with Colibri in it: a retriever, a reranker and a vector store. Needs the extra [langchain].

    from colibri.compat.langchain import ColibriReranker, ColibriRetriever, ColibriVectorStore

Filters are Colibri's own (`colibri.index.where`). Results carry `metadata["colibri"]` (`colibri.compat.found`): scores,
the passage and the matched characters, which `colibri.compat.highlighting` shows. docs/langchain.md has it all in use.
"""

from colibri.compat.versions import require

require(__name__, "langchain-core", "0.3.86", "2", "langchain")

from colibri.compat.langchain.reranker import ColibriReranker  # noqa: E402 - its error is better than theirs
from colibri.compat.langchain.retriever import ColibriRetriever  # noqa: E402
from colibri.compat.langchain.vector_store import ColibriVectorStore  # noqa: E402

__all__ = ["ColibriReranker", "ColibriRetriever", "ColibriVectorStore"]
