"""Calls of RAGatouille 0.0.9.post2: an index in every form, what it finds, reranking, documents held in memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from originals.described import Calls
from originals.texts import QUERIES, passages

Modules = Callable[[str], Any]


def calls(modules: Modules, folder: Path) -> Calls:
    """Everything a RAGPretrainedModel does, in the working directory, one after the other."""
    kind = modules("ragatouille").RAGPretrainedModel
    rag = kind.from_pretrained(str(folder), verbose=0)
    collection = passages(120)
    ids = [f"doc-{i}" for i in range(len(collection))]
    notes = [{"n": i, "kind": "even" if i % 2 == 0 else "odd"} for i in range(len(collection))]
    state: dict[str, Any] = {}

    def indexed(**words: Any) -> Any:
        state["path"] = rag.index(**words)
        return state["path"]

    def shape(found: Any) -> Any:
        """Types, keys and ranks; which passages they are depends on PLAID's approximation."""
        if isinstance(found[0], list):
            return ["a list of lists", *map(shape, found)]
        kinds = {name: type(value).__name__ for name, value in found[0].items()}
        return [
            len(found),
            kinds,
            [row["rank"] for row in found],
            found == sorted(found, key=lambda row: -row["score"]),
        ]

    def search(query: Any = QUERIES[0], **words: Any) -> Any:
        return rag.search(query, **words)

    def rerank(query: Any = QUERIES[0], count: int = 6, **words: Any) -> Any:
        return rag.rerank(query, collection[:count], **words)

    def reopened(path: Any) -> Any:
        again = kind.from_index(path, verbose=0)
        return shape(again.search(QUERIES[0], k=3))

    def encoded(**words: Any) -> Any:
        return rag.encode(collection[:6], verbose=False, **words)

    def files() -> Any:
        where = Path(state["path"])
        names = ("collection.json", "pid_docid_map.json", "docid_metadata_map.json", "metadata.json")
        return {name: (where / name).is_file() for name in names}

    base: dict[str, Any] = {"collection": collection, "index_name": "golden", "split_documents": False}
    return {
        "ids of another number": lambda: indexed(**base, document_ids=ids[:3]),
        "ids twice": lambda: indexed(**base, document_ids=[*ids[:-1], ids[0]]),
        "an empty id": lambda: indexed(**base, document_ids=[*ids[:-1], " "]),
        "metadata of another number": lambda: indexed(**base, document_ids=ids, document_metadatas=notes[:3]),
        "unknown keyword": lambda: indexed(**base, unheard_of=1),
        "index": lambda: indexed(**base),
        "without ids: fields": lambda: shape(search(k=3)),
        "index with ids and metadata": lambda: indexed(**base, document_ids=ids, document_metadatas=notes),
        "files": files,
        "search": lambda: shape(search(k=5)),
        "search from zero": lambda: shape(search(k=5, zero_index_ranks=True)),
        "search, k over the size": lambda: [1 <= len(search(k=500)) <= 120],
        "search of a list": lambda: shape(search(QUERIES, k=2)),
        "search of a list of one": lambda: shape(search(QUERIES[:1], k=2)),
        "search in documents": lambda: sorted(row["document_id"] for row in search(k=3, doc_ids=["doc-4", "doc-7"])),
        "metadata comes back": lambda: search(k=1, doc_ids=["doc-4"])[0]["document_metadata"],
        "search, unknown keyword": lambda: search(unheard_of=1),
        "from_index": lambda: reopened(state["path"]),
        "from_index, Path": lambda: reopened(Path(state["path"])),
        "from_index, slash": lambda: reopened(state["path"] + "/"),
        "from_index, nothing there": lambda: reopened("nowhere/at-all"),
        "rerank": lambda: rerank(k=4),
        "rerank from zero": lambda: rerank(k=4, zero_index_ranks=True),
        "rerank of a list": lambda: rerank(QUERIES, k=2),
        "rerank of a list of one": lambda: rerank(QUERIES[:1], k=2),
        "rerank, k over the number": lambda: rerank(k=10),
        "rerank, unknown keyword": lambda: rerank(unheard_of=1),
        "encode": lambda: encoded(document_metadatas=notes[:6]),
        "search_encoded_docs": lambda: rag.search_encoded_docs(QUERIES[0], k=3),
        "encode more": lambda: encoded(document_metadatas=notes[:6]),
        "search_encoded_docs of more": lambda: [len(rag.search_encoded_docs(QUERIES[0], k=12))],
        "search_encoded_docs, k over the number": lambda: rag.search_encoded_docs(QUERIES[0], k=100),
        "search_encoded_docs of a list": lambda: shape(rag.search_encoded_docs(QUERIES, k=2)),
        "clear_encoded_docs": lambda: rag.clear_encoded_docs(force=True),
        "search_encoded_docs after that": lambda: rag.search_encoded_docs(QUERIES[0], k=3),
        "encode without metadata": encoded,
        "search_encoded_docs without metadata": lambda: rag.search_encoded_docs(QUERIES[0], k=2),
        "search_encoded_docs of a list, without metadata": lambda: rag.search_encoded_docs(QUERIES, k=2),
        "delete_from_index": lambda: rag.delete_from_index(["doc-4"]),
        "add_to_index": lambda: rag.add_to_index(["small fast bird"], ["doc-new"], [{"n": -1}], split_documents=False),
    }


def changed(modules: Modules, path: Path) -> Calls:
    """What a new process finds after the last two calls of `calls`."""
    again = modules("ragatouille").RAGPretrainedModel.from_index(str(path), verbose=0)
    return {
        "the new one": lambda: [row["document_id"] for row in again.search("small fast bird", k=120)].count("doc-new"),
        "the deleted one": lambda: [row["document_id"] for row in again.search(QUERIES[0], k=120)].count("doc-4"),
    }
