"""A vector store over an index or store of ours, without embeddings: one row a token, made by Colibri itself."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self
from uuid import uuid4

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from colibri.checks import listed_texts
from colibri.compat.langchain.documents import as_found, as_put
from colibri.compat.not_here import not_here
from colibri.compat.opened import opened
from colibri.compat.options import without_effect
from colibri.errors import InputError
from colibri.index import Hit


class ColibriVectorStore(VectorStore):  # type: ignore[misc]  # no extra is where types are checked
    """Texts with metadata by id in a `colibri.Index` or any `colibri.stores.Store`.

    index  one of those, or a folder, where an index is made if there is none
    model  what encodes texts there, as `colibri.Index.open` takes it; None: the index's own, of a new one the default
    spans  whether documents that are found carry "score" and "colibri" in their metadata (`colibri.compat.found`).
           False: they are what was put in, as other stores have it; `as_retriever()` asks for spans unless told not to

    Adding replaces what is there by the same id. Filters are `colibri.index.where`. Scores are raw MaxSim, relevance
    scores `normalised`, cut to 0 to 1. Where an index is of documents that something else put in, such as
    `Index.sync`, ids, texts and payloads are theirs.
    """

    def __init__(self, index: Any, model: Any = None, *, spans: bool = False) -> None:
        self.index = opened(index, model, create=True)
        """What is behind it, for all that Colibri can do."""
        self.spans = spans

    @property
    def embeddings(self) -> None:
        """None: there is no embedding model; Colibri encodes."""

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
    ) -> list[str]:
        """Add or replace; their ids, new ones (uuid4) where none are given. All in one transaction, or none.

        batch_size has no effect. Raises InputError for metadatas or ids of another number than texts, and for metadata
        that JSON has no word for, naming its key.
        """
        without_effect("ColibriVectorStore", batch_size=batch_size)
        listed = listed_texts(texts, "texts")
        for name, given in (("metadatas", metadatas), ("ids", ids)):
            if given is not None and len(given) != len(listed):
                raise InputError(f"{name}: found {len(given)} for {len(listed)} texts, wanted one each")
        names = [str(uuid4()) if one is None else one for one in ids or [None] * len(listed)]
        payloads = metadatas or [{}] * len(listed)
        self.index.upsert(
            {"id": name, "text": text, "payload": payload}
            for name, text, payload in zip(names, listed, payloads, strict=True)
        )
        return names

    def delete(self, ids: Sequence[str] | None = None, *, filter: Mapping[str, Any] | None = None) -> bool:
        """Delete by id, or those a filter keeps; without either all. Unknown ids are no error."""
        if ids is not None and filter is not None:
            raise InputError("delete: either ids or filter")
        if ids is None:
            self.index.delete(where={} if filter is None else filter)
        else:
            self.index.delete(list(ids))
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Documents as they were put in, in the order of ids; those that are not there are left out."""
        return [as_put(stored) for stored in self.index.get(list(ids)) if stored is not None]

    def similarity_search(self, query: str, k: int = 4, **given: Any) -> list[Document]:
        """The k best documents, best first. given: as `similarity_search_with_score` takes it."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **given)]

    async def asimilarity_search(self, query: str, k: int = 4, **given: Any) -> list[Document]:
        """`similarity_search` for asyncio."""
        return [document for document, _ in await self.asimilarity_search_with_score(query, k, **given)]

    def similarity_search_with_score(self, query: str, k: int = 4, **given: Any) -> list[tuple[Document, float]]:
        """With their raw MaxSim.

        given: `filter`, a `colibri.index.where`; `min_score`, the least `normalised` of what is returned; `spans`, as
        the store's, for this call. Raises as `Index.search` does, before any work, and TypeError for other words.
        """
        asked = self._asked(query, k, **given)
        return [(_document(hit, asked), hit.score) for hit in self.index.search(**asked)]

    async def asimilarity_search_with_score(self, query: str, k: int = 4, **given: Any) -> list[tuple[Document, float]]:
        """`similarity_search_with_score` for asyncio: the event loop stays free, cancelling ends the search."""
        asked = self._asked(query, k, **given)
        return [(_document(hit, asked), hit.score) for hit in await self.index.asearch(**asked)]

    def _similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **given: Any
    ) -> list[tuple[Document, float]]:
        asked = self._asked(query, k, **given)
        return [(_document(hit, asked), _relevance(hit)) for hit in self.index.search(**asked)]

    async def _asimilarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **given: Any
    ) -> list[tuple[Document, float]]:
        asked = self._asked(query, k, **given)
        return [(_document(hit, asked), _relevance(hit)) for hit in await self.index.asearch(**asked)]

    def as_retriever(self, **given: Any) -> Any:
        """LangChain's own retriever over this store; its documents carry spans unless `search_kwargs` has them off."""
        words = {"spans": True} | (given.pop("search_kwargs", None) or {})
        return super().as_retriever(search_kwargs=words, **given)

    def similarity_search_by_vector(self, *_: Any, **__: Any) -> list[Document]:
        """NotHere."""
        not_here(
            "Search by one vector",
            "a text has a row for each of its tokens here",
            "search by text, or call `store.index.search` with rows (tokens, dim)",
        )

    def max_marginal_relevance_search(self, *_: Any, **__: Any) -> list[Document]:
        """NotHere."""
        not_here(
            "Maximal marginal relevance",
            "it compares documents by one vector each, and a text has a row for each of its tokens here",
            'use search_type="similarity"',
        )

    max_marginal_relevance_search_by_vector = max_marginal_relevance_search

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        embedding: None = None,
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        path: str | os.PathLike[str] | None = None,
        model: Any = None,
        spans: bool = False,
    ) -> Self:
        """A store in the folder `path` with these texts added. Raises InputError without one, and for an embedding."""
        if embedding is not None:
            raise InputError(
                f"embedding: found {type(embedding).__name__}, wanted None; Colibri encodes with the index's own model"
            )
        if path is None:
            raise InputError("path: not given; wanted the index's folder, which is made if it is not there")
        store = cls(path, model, spans=spans)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @classmethod
    def from_documents(cls, documents: Sequence[Document], embedding: None = None, **given: Any) -> Self:
        """`from_texts` of documents, with their ids where they have some."""
        given.setdefault("ids", [document.id for document in documents])
        texts, metadatas = [one.page_content for one in documents], [one.metadata for one in documents]
        return cls.from_texts(texts, embedding, metadatas, **given)

    def _asked(
        self,
        query: str,
        k: int,
        filter: Mapping[str, Any] | None = None,
        min_score: float | None = None,
        spans: bool | None = None,
    ) -> dict[str, Any]:
        explain = self.spans if spans is None else spans
        return {"query": query, "k": k, "where": filter, "min_score": min_score, "explain": explain}


def _document(hit: Hit, asked: Mapping[str, Any]) -> Document:
    return as_found(hit, "document") if asked["explain"] else as_put(hit)


def _relevance(hit: Hit) -> float:
    return min(max(hit.normalised, 0.0), 1.0)
