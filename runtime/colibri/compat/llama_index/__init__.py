"""LlamaIndex with Colibri in it: a reranker, a retriever, an index and a vector store. Needs the extra [llama-index].

    from colibri.compat.llama_index import ColbertIndex, ColbertRerank, ColibriRetriever, ColibriVectorStore

Scores are `normalised` everywhere: a mean of cosines, at most 1, which is what LlamaIndex's cutoffs mean; raw MaxSim is
in `metadata["colibri"]` (`colibri.compat.found`), with the matched characters of a node's text. Both kinds of metadata
that are added here stay out of prompts and of what is encoded. docs/llama-index.md has it all in use.
"""

from colibri.compat.versions import require

require(__name__, "llama-index-core", "0.13.0", "0.15", "llama-index")

from colibri.compat.llama_index.colbert_index import ColbertIndex  # noqa: E402 - its error is better than theirs
from colibri.compat.llama_index.rerank import ColbertRerank  # noqa: E402
from colibri.compat.llama_index.retriever import ColibriRetriever  # noqa: E402
from colibri.compat.llama_index.vector_store import ColibriVectorStore  # noqa: E402

__all__ = ["ColbertIndex", "ColbertRerank", "ColibriRetriever", "ColibriVectorStore"]
