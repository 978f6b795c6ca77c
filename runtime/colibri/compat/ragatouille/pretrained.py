"""RAGPretrainedModel: an index, and documents in memory, in RAGatouille's words."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from colibri.compat.colbert import index_folder
from colibri.compat.colbert.asserted import NotThere, said_as
from colibri.compat.colbert.infra.config.config import ColBERTConfig
from colibri.compat.colbert.modeling.checkpoint import Checkpoint
from colibri.compat.not_here import not_here
from colibri.compat.options import without_effect
from colibri.compat.ragatouille import in_memory
from colibri.compat.ragatouille.data.preprocessors import llama_index_sentence_splitter
from colibri.compat.ragatouille.open_index import OpenIndex
from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.index import Hit
    from colibri.vectors import TokenVectors

Splitter = Callable[..., Any] | None
Preprocess = Callable[..., Any] | list[Callable[..., Any]] | None

_SHORTEST_QUERY = 32
_TOKENS_A_WORD = 1.35
_KEPT_BACK = 4
"""RAGatouille leaves so many of the graph's positions unused."""
_IN_A_FILTER = 20_000


class RAGPretrainedModel:
    """Made by `from_pretrained` or `from_index`.

    A passage is a result of its own: one document may fill a list. Searches are exact; what `add_to_index` and
    `delete_from_index` did is seen by the next one.
    """

    model_name: str | None = None
    corpus_processor: Any = None

    def __init__(self, checkpoint: Checkpoint, folder: Path) -> None:
        """checkpoint: what encodes. folder: where its indexes lie."""
        self._checkpoint = checkpoint
        self._open = OpenIndex(checkpoint, folder)
        self._held = in_memory.Held()

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str],
        n_gpu: int = -1,
        verbose: int = 1,
        index_root: str | os.PathLike[str] | None = None,
        *,
        variant: str | None = None,
    ) -> Self:
        """Load a model by any name that `colibri.load` takes; indexes go below `index_root` (".ragatouille/").

        Raises as `colibri.load`.
        """
        without_effect("RAGPretrainedModel", n_gpu=None if n_gpu == -1 else n_gpu)
        checkpoint = Checkpoint(pretrained_model_name_or_path, verbose=verbose, variant=variant)
        return cls(checkpoint, Path(index_root or ".ragatouille/") / "colbert" / "indexes")

    @classmethod
    def from_index(
        cls, index_path: str | os.PathLike[str], n_gpu: int = -1, verbose: int = 1, *, variant: str | None = None
    ) -> Self:
        """Open an index by its path, wherever it was moved to, with the model it was made with. What RAGatouille itself
        wrote is encoded anew from its collection.json, once, into a folder of the same name and ".colibri".

        Raises NotThere (also a FileNotFoundError) where there is none, and as `colibri.load`.
        """
        without_effect("RAGPretrainedModel", n_gpu=None if n_gpu == -1 else n_gpu)
        folder = Path(index_folder.checked_name(index_path, "index_path"))
        index_folder.restored(folder)
        if not folder.is_dir():
            raise NotThere(2, "no index there; RAGPretrainedModel.index makes one", os.fspath(index_path))
        config = ColBERTConfig.load_from_index(folder)
        lengths = index_folder.lengths_of(config)
        made = cls(Checkpoint(config.checkpoint, lengths, verbose=verbose, variant=variant), folder.parent)
        made._open.open(folder.name)
        return made

    def index(
        self,
        collection: list[str],
        document_ids: Sequence[str] | None = None,
        document_metadatas: Sequence[Mapping[str, Any] | None] | None = None,
        index_name: str | None = None,
        overwrite_index: bool | str = True,
        max_document_length: int = 256,
        split_documents: bool = True,
        document_splitter_fn: Splitter = llama_index_sentence_splitter,
        preprocessing_fn: Preprocess = None,
        bsize: int = 32,
        use_faiss: bool = False,
    ) -> str:
        """Make an index of documents; its path, relative where `index_root` is.

        document_ids          one a document, unique; None: made up
        document_metadatas    JSON objects, given back with results
        index_name            None: the checkpoint's name and "new_index"
        overwrite_index       True: replaces what is there when the new one is complete; False: Refused where it is
                              there; "reuse": opens it as it is; "resume": adds the documents it lacks
        max_document_length   tokens of a passage; longer documents are split by the model's own tokens, with 64 shared
        document_splitter_fn  fn(documents, document_ids, chunk_size) -> [{"document_id", "content"}]
        preprocessing_fn      fn(passages, document_ids), or several

        Raises InputError (ValueError) for ids, metadata and lengths that cannot be, before any work.
        """
        without_effect("RAGPretrainedModel.index", bsize=None if bsize == 32 else bsize, use_faiss=use_faiss or None)
        splitter = document_splitter_fn if split_documents else None
        return self._open.build(
            index_name,
            overwrite_index,
            max_document_length,
            lambda: self._open.passages(collection, document_ids, document_metadatas, splitter, preprocessing_fn),
        )

    def add_to_index(
        self,
        new_collection: list[str],
        new_document_ids: Sequence[str] | None = None,
        new_document_metadatas: Sequence[Mapping[str, Any] | None] | None = None,
        index_name: str | None = None,
        split_documents: bool = True,
        document_splitter_fn: Splitter = llama_index_sentence_splitter,
        preprocessing_fn: Preprocess = None,
        bsize: int = 32,
        use_faiss: bool = False,
    ) -> None:
        """Add documents, all or none; those whose ids are there are left out. The next search sees them."""
        without_effect(
            "RAGPretrainedModel.add_to_index", bsize=None if bsize == 32 else bsize, use_faiss=use_faiss or None
        )
        self._open.opened(index_name)
        splitter = document_splitter_fn if split_documents else None
        ids, metadatas = new_document_ids, new_document_metadatas
        self._open.add(self._open.passages(new_collection, ids, metadatas, splitter, preprocessing_fn))

    def delete_from_index(self, document_ids: str | Sequence[str], index_name: str | None = None) -> None:
        """Delete documents by id; ids that are not there are no error."""
        self._open.opened(index_name)
        self._open.delete(_ids(document_ids, "document_ids"))

    def search(
        self,
        query: str | Sequence[str],
        index_name: str | None = None,
        k: int = 10,
        force_fast: bool = False,
        zero_index_ranks: bool = False,
        doc_ids: Sequence[str] | None = None,
    ) -> Any:
        """The k best passages, best first: dicts with content, score (raw MaxSim), rank (from 1, or from 0),
        document_id, passage_id and, where the document has some, document_metadata.

        A list of queries gives a list of lists; a list of one gives the inner list, as in RAGatouille. doc_ids: search
        among these documents alone. Raises StoreError where no index is open or of that name.
        """
        without_effect("RAGPretrainedModel.search", force_fast=force_fast or None)
        index = self._open.opened(index_name)
        queries = self._queries(query)
        where, ids = None, None
        among = None if doc_ids is None else _ids(doc_ids, "doc_ids")
        if among is not None and len(among) <= _IN_A_FILTER:
            where = {"document_id": {"$in": among}}
        elif among is not None:
            ids = self._open.pids_of(among)
        first = 0 if zero_index_ranks else 1
        found = [
            [_result(hit, first + place) for place, hit in enumerate(hits)]
            for hits in index.search_batch(queries, k, where, ids=ids, passages=1)
        ]
        return found[0] if len(found) == 1 else found

    def rerank(
        self,
        query: str | Sequence[str],
        documents: Sequence[str],
        k: int = 10,
        zero_index_ranks: bool = False,
        bsize: int | str = "auto",
    ) -> Any:
        """The k best of documents that are in no index: dicts with content, score, rank and result_index, their place
        in `documents`. Ranks count from 0, and from -1 with zero_index_ranks, as RAGatouille's do.

        A list of queries gives a list of lists, a list of one the inner list. k may be more than there are.
        """
        without_effect("RAGPretrainedModel.rerank", bsize=None if bsize == "auto" else bsize)
        texts = _listed(documents, "documents")
        in_memory.check_k(k)
        vectors = self._encoded(texts, "auto")
        found = in_memory.reranked(self._queries(query), vectors, texts, k, -1 if zero_index_ranks else 0)
        return found[0] if len(found) == 1 else found

    def encode(
        self,
        documents: Sequence[str],
        bsize: int | str = "auto",
        document_metadatas: Sequence[Any] | None = None,
        verbose: bool = True,
        max_document_length: int | str = "auto",
    ) -> None:
        """Add documents to those held in memory, for `search_encoded_docs`. They are cut at max_document_length tokens;
        "auto": at what the graph takes."""
        without_effect("RAGPretrainedModel.encode", bsize=None if bsize == "auto" else bsize)
        texts = _listed(documents, "documents")
        in_memory.check_metadatas(document_metadatas, len(texts))
        self._held.add(texts, self._encoded(texts, max_document_length), document_metadatas)

    def search_encoded_docs(self, query: str | Sequence[str], k: int = 10, bsize: int = 32) -> Any:
        """As `rerank`, of the documents held in memory; with document_metadata where some were given.

        Raises InputError where none are held.
        """
        without_effect("RAGPretrainedModel.search_encoded_docs", bsize=None if bsize == 32 else bsize)
        if not self._held.texts:
            raise InputError("no documents are encoded in memory; call encode(documents) before")
        in_memory.check_k(k)
        found = self._held.search(self._queries(query), k)
        return found[0] if len(found) == 1 else found

    def clear_encoded_docs(self, force: bool = False) -> None:
        """Let go of the documents held in memory, at once."""
        self._held = in_memory.Held()

    def as_langchain_retriever(self, **kwargs: Any) -> Any:
        """A LangChain retriever; kwargs go to `search`. Needs the extra [langchain], else MissingExtra."""
        from colibri.compat.ragatouille.integrations import RAGatouilleLangChainRetriever

        return RAGatouilleLangChainRetriever(model=self, kwargs=kwargs)

    def as_langchain_document_compressor(self, k: int = 5, **kwargs: Any) -> Any:
        """A LangChain document compressor that keeps the k best; kwargs go to `rerank`. Needs the extra [langchain]."""
        from colibri.compat.ragatouille.integrations import RAGatouilleLangChainCompressor

        return RAGatouilleLangChainCompressor(model=self, k=k, kwargs=kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in ("model", "train"):
            why = "there is no torch module and no Stanford searcher behind it"
            not_here(f"RAGPretrainedModel.{name}", why, "use the methods of RAGPretrainedModel, or colibri.load")
        raise AttributeError(f"'RAGPretrainedModel' object has no attribute {name!r}")

    def _queries(self, query: str | Sequence[str]) -> "TokenVectors":
        """Queries expanded to 32 tokens, or more where one of them has more words, as RAGatouille guesses them. A model
        that does not expand takes them as it always does."""
        texts = _listed(query, "query")
        manifest = self._checkpoint.colibri.manifest
        if manifest.query.expansion is None:
            return self._checkpoint.query_vectors(texts)
        words = max((len(text.split(" ")) for text in texts), default=0)
        most = manifest.architecture.max_positions - _KEPT_BACK
        length = min(max(int(words * _TOKENS_A_WORD), _SHORTEST_QUERY), most)
        return self._checkpoint.query_vectors(texts, length=length)

    def _encoded(self, texts: list[str], length: int | str) -> "TokenVectors":
        manifest = self._checkpoint.colibri.manifest
        if length == "auto":
            most = manifest.architecture.max_positions - _KEPT_BACK
            length = max(manifest.document.max_tokens, most)
        limit = None if length == manifest.document.max_tokens else length
        with said_as("max_tokens", "max_document_length"):
            return self._checkpoint.colibri.encode_documents(texts, self._checkpoint.dim, max_tokens=limit)  # type: ignore[arg-type]


def _ids(given: Any, what: str) -> list[str]:
    """One id, or several."""
    from colibri import checks

    return [given] if isinstance(given, str) else checks.listed_texts(given, what)


def _listed(texts: str | Sequence[str], what: str) -> list[str]:
    from colibri import checks

    return [texts] if isinstance(texts, str) else checks.listed_texts(texts, what)


def _result(hit: "Hit", rank: int) -> dict[str, Any]:
    payload = hit.payload or {}
    found = {
        "content": hit.text,
        "score": hit.score,
        "rank": rank,
        "document_id": payload.get("document_id"),
        "passage_id": int(hit.id),
    }
    return found | ({"document_metadata": payload["metadata"]} if "metadata" in payload else {})
