"""An index of LlamaIndex that needs no embedding model: a folder of Colibri's beside LlamaIndex's own storage.

It has the words of llama-index-indices-managed-colbert, which stands on colbert-ai, and can insert and delete as well.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from llama_index.core.callbacks import CallbackManager
from llama_index.core.data_structs.data_structs import IndexDict
from llama_index.core.indices.base import BaseIndex
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import BaseNode, IndexNode, NodeWithScore, QueryBundle
from llama_index.core.storage.docstore.types import RefDocInfo
from llama_index.core.storage.storage_context import StorageContext
from llama_index.core.vector_stores.types import MetadataFilters, VectorStoreQuery

from colibri.compat.llama_index.filters import as_where
from colibri.compat.llama_index.vector_store import ColibriVectorStore
from colibri.compat.options import loaded, without_effect
from colibri.errors import StoreError
from colibri.index import Index

if TYPE_CHECKING:
    from colibri.model import Colibri

_NOTE = "llama_index"
_FOLDER = "colbert_index"
"""Of an index without a name, in the folder it is kept in."""


class ColbertIndex(BaseIndex[IndexDict]):  # type: ignore[misc]  # no extra is where types are checked
    """Nodes found by MaxSim: `from_documents`, `as_retriever`, `as_query_engine`, `insert`, `delete_ref_doc` and so on.

    model_name  a `colibri.Colibri`, or what `colibri.load` takes; None: the one that comes along
    index_name  of its folder; index_root: the folder that one lies in
    dim         width of the rows; None: the model's default

    Of nodes it is made anew, as the original is: what the folder held before is gone, if a ColbertIndex wrote it, and
    an error otherwise. nbits, gpus, ranks, kmeans_niters, doc_maxlen and query_maxlen have no effect: rows are int8,
    every node is scored, and lengths are the model's own. Scores are `normalised`.
    """

    index_struct_cls = IndexDict

    def __init__(
        self,
        nodes: Sequence[BaseNode] | None = None,
        objects: Sequence[IndexNode] | None = None,
        index_struct: IndexDict | None = None,
        storage_context: StorageContext | None = None,
        model_name: Any = None,
        index_name: str = "",
        show_progress: bool = False,
        nbits: int | None = None,
        gpus: int | None = None,
        ranks: int | None = None,
        doc_maxlen: int | None = None,
        query_maxlen: int | None = None,
        kmeans_niters: int | None = None,
        *,
        index_root: str | os.PathLike[str] = "storage",
        dim: int | None = None,
        **given: Any,
    ) -> None:
        without_effect("ColbertIndex", nbits=nbits, gpus=gpus, ranks=ranks, kmeans_niters=kmeans_niters)
        without_effect("ColbertIndex", doc_maxlen=doc_maxlen, query_maxlen=query_maxlen)
        self.index_name = index_name
        folder = Path(index_root) / (index_name or _FOLDER)
        if index_struct is None:
            encoder = loaded(model_name)
            opened = _made(folder, encoder, encoder.dim if dim is None else dim)
        else:
            opened = Index.open(folder, model_name, dim, create=False)
        self.store = ColibriVectorStore(opened)
        """What it searches; `store.client` is the `colibri.Index`."""
        super().__init__(
            nodes=nodes,
            objects=objects,
            index_struct=index_struct,
            storage_context=storage_context,
            show_progress=show_progress,
            **given,
        )

    def query(self, query_str: str, top_k: int = 10, filters: Any = None) -> list[NodeWithScore]:
        """The top_k best nodes, best first; filters: MetadataFilters or a `colibri.index.where`."""
        found: list[NodeWithScore] = ColbertRetriever(self, top_k, filters).retrieve(query_str)
        return found

    def as_retriever(self, **given: Any) -> "ColbertRetriever":
        """A retriever: `similarity_top_k`, `filters`, `node_ids`, `doc_ids`."""
        words = {"callback_manager": self._callback_manager, "object_map": self._object_map} | given
        return ColbertRetriever(self, **words)

    def persist(self, persist_dir: str | os.PathLike[str]) -> None:
        """Keep it in a folder, for `load_from_disk`: LlamaIndex's storage as JSON, and the index beside it. Whatever
        else is in the folder stays. Raises StoreError where another index lies in the way."""
        target = Path(persist_dir) / (self.index_name or _FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        index: Index = self.store.client
        if target.resolve() != index.path.resolve():
            with tempfile.TemporaryDirectory(dir=target.parent) as room:
                exported = Path(room) / "export"
                index.export(exported)
                with _made(target, index.model_name, index.dim) as copy:
                    copy.import_(exported)
        self._storage_context.persist(persist_dir=str(persist_dir))

    @classmethod
    def load_from_disk(cls, persist_dir: str | os.PathLike[str], index_name: str = "", model_name: Any = None) -> Self:
        """What `persist` kept there. Raises StoreError, or LlamaIndex's own errors, where nothing is."""
        storage = StorageContext.from_defaults(persist_dir=str(persist_dir))
        struct = storage.index_store.index_structs()[0]
        return cls(
            index_struct=struct,
            storage_context=storage,
            index_root=persist_dir,
            index_name=index_name,
            model_name=model_name,
        )

    @property
    def ref_doc_info(self) -> dict[str, RefDocInfo]:
        """Documents and their nodes, as LlamaIndex's docstore knows them."""
        return self.docstore.get_all_ref_doc_info() or {}

    def _build_index_from_nodes(self, nodes: Sequence[BaseNode], **_: Any) -> IndexDict:
        struct = IndexDict()
        self._add(struct, nodes)
        return struct

    def _insert(self, nodes: Sequence[BaseNode], **_: Any) -> None:
        self._add(self._index_struct, nodes)

    def _add(self, struct: IndexDict, nodes: Sequence[BaseNode]) -> None:
        self.store.add(nodes)
        for node in nodes:
            struct.add_node(node, text_id=node.node_id)

    def _delete_node(self, node_id: str, **_: Any) -> None:
        self.store.delete_nodes([node_id])
        if node_id in self._index_struct.nodes_dict:
            self._index_struct.delete(node_id)


class ColbertRetriever(BaseRetriever):  # type: ignore[misc]  # as above
    """Nodes of a ColbertIndex, best first: among those of node_ids, of the documents of doc_ids, and that filters keep,
    where they are given; all of them must hold."""

    def __init__(
        self,
        index: ColbertIndex,
        similarity_top_k: int = 10,
        filters: MetadataFilters | Mapping[str, Any] | None = None,
        node_ids: list[str] | None = None,
        doc_ids: list[str] | None = None,
        callback_manager: CallbackManager | None = None,
        object_map: dict[str, Any] | None = None,
        verbose: bool = False,
        **_: Any,
    ) -> None:
        self._index = index
        self._asked = {"similarity_top_k": similarity_top_k, "node_ids": node_ids, "doc_ids": doc_ids}
        self._where = as_where(filters)
        super().__init__(callback_manager=callback_manager, object_map=object_map, verbose=verbose)

    def _query(self, query_bundle: QueryBundle) -> VectorStoreQuery:
        return VectorStoreQuery(query_str=query_bundle.query_str, filters=self._where, **self._asked)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _scored(self._index.store.query(self._query(query_bundle)))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _scored(await self._index.store.aquery(self._query(query_bundle)))


def _scored(found: Any) -> list[NodeWithScore]:
    return [NodeWithScore(node=node, score=score) for node, score in zip(found.nodes, found.similarities, strict=True)]


def _made(folder: Path, model: "Colibri | str", dim: int) -> Index:
    """An index of ours without documents in a folder. Raises StoreError where one is that another program filled."""
    index = Index.open(folder, model, dim)
    if index.note(_NOTE) is None and index.count():
        index.close()
        raise StoreError(f"{folder}: holds an index that no ColbertIndex wrote; give another index_name or index_root")
    index.set_note(_NOTE, lambda _: {"kind": "ColbertIndex"})
    index.delete(where={})
    return index
