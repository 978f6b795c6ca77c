"""The vector store, and the retriever over indexes that other programs filled."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Document, MockEmbedding, StorageContext, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

import colibri
from colibri.compat import NotHere
from colibri.compat.highlighting import highlighted
from colibri.compat.llama_index import ColibriRetriever, ColibriVectorStore
from colibri.errors import InputError, InputTypeError, StoreError

QUERY = "how many people live in Berlin?"
TEXTS = ["Bread is baked in an oven.", "Berlin has 3.7 million inhabitants.", "Ein Kolibri schlägt mit den Flügeln."]


def node(number: int, source: str = "doc") -> TextNode:
    made = TextNode(id_=f"n{number}", text=TEXTS[number], metadata={"number": number, "id": "theirs"})
    made.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=source)
    return made


@pytest.fixture
def store(place: Any) -> ColibriVectorStore:
    made = ColibriVectorStore(place)
    assert made.add([node(0, "a"), node(1, "a"), node(2, "b")]) == ["n0", "n1", "n2"]
    return made


def ids(found: Any) -> list[str]:
    return [one.node_id for one in found]


def test_a_query_finds_what_search_finds(store: ColibriVectorStore) -> None:
    query = VectorStoreQuery(query_str=QUERY, similarity_top_k=3)
    found = store.query(query)
    hits = store.client.search(QUERY, 3)
    assert found.ids == ids(found.nodes) == [hit.id for hit in hits]
    assert found.similarities == [hit.normalised for hit in hits]
    best = found.nodes[0]
    assert best.metadata["colibri"]["score"] == hits[0].score
    assert best.get_content() == TEXTS[1]
    assert ">Berlin</mark>" in highlighted(best.get_content(), best.metadata["colibri"]["matches"])
    assert asyncio.run(store.aquery(query)) == found


def test_a_query_is_narrowed(store: ColibriVectorStore) -> None:
    def found(**words: Any) -> list[str]:
        return sorted(store.query(VectorStoreQuery(query_str=QUERY, similarity_top_k=9, **words)).ids or [])

    few = MetadataFilters(filters=[MetadataFilter(key="number", value=[1, 2], operator="in")])
    assert found(filters=few) == ["n1", "n2"]
    assert found(doc_ids=["a"]) == ["n0", "n1"]
    assert found(filters=few, doc_ids=["a"]) == ["n1"]
    assert found(node_ids=[]) == ["n0", "n1", "n2"]
    assert found(filters=MetadataFilters(filters=[])) == ["n0", "n1", "n2"]


def test_node_ids_narrow_it_too(place: Any) -> None:
    store = ColibriVectorStore(place)
    store.add([TextNode(id_=f"n{i}", text=text) for i, text in enumerate(TEXTS)])
    asked = VectorStoreQuery(query_str=QUERY, similarity_top_k=9, node_ids=["n2", "n0", "none"])
    assert sorted(store.query(asked).ids or []) == ["n0", "n2"]


def test_deleting_and_getting(store: ColibriVectorStore) -> None:
    few = MetadataFilters(filters=[MetadataFilter(key="number", value=1, operator=">=")])
    assert ids(store.get_nodes(["n2", "none", "n0"])) == ["n2", "n0"]
    assert ids(store.get_nodes(["n0", "n2"], few)) == ["n2"]
    assert store.get_nodes(["n1"])[0].to_dict() == node(1, "a").to_dict()
    store.delete_nodes(["n0", "n2"], few)
    assert sorted(ids(store.get_nodes())) == ["n0", "n1"]
    store.delete("a")
    assert store.get_nodes() == []
    store.add([node(0), node(1), node(2)])
    store.delete_nodes(filters=few)
    assert ids(store.get_nodes()) == ["n0"]
    store.clear()
    assert len(store.client) == 0


def test_a_vector_store_index_runs_on_it(place: Any) -> None:
    store = ColibriVectorStore(place)
    index = VectorStoreIndex.from_documents(
        [Document(text=text, id_=f"d{i}", metadata={"number": i}) for i, text in enumerate(TEXTS)],
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=MockEmbedding(embed_dim=1),
    )
    assert [one.get_content() for one in index.as_retriever(similarity_top_k=1).retrieve(QUERY)] == [TEXTS[1]]
    answer = index.as_query_engine(llm=MockLLM(), similarity_top_k=1).query(QUERY)
    assert TEXTS[1] in str(answer)
    assert "colibri" not in str(answer)
    assert answer.source_nodes[0].node.metadata["colibri"]["fit"] in {"likely", "maybe"}
    again = VectorStoreIndex.from_vector_store(store, embed_model=MockEmbedding(embed_dim=1))
    assert [one.get_content() for one in again.as_retriever(similarity_top_k=1).retrieve(QUERY)] == [TEXTS[1]]
    index.delete_ref_doc("d1")
    assert len(place) == 2
    found = asyncio.run(index.as_retriever(similarity_top_k=9).aretrieve(QUERY))
    assert TEXTS[1] not in [one.get_content() for one in found]


def test_the_retriever_reads_any_index(tmp_path: Path, mini: colibri.Colibri) -> None:
    (tmp_path / "notes").mkdir()
    for i, text in enumerate(TEXTS):
        (tmp_path / "notes" / f"{i}.md").write_text(f"{text}\n", encoding="utf-8")
    with colibri.Index.open(tmp_path / "index", mini) as index:
        index.sync(tmp_path / "notes")
        wanted = index.search(QUERY, 2)
    retriever = ColibriRetriever(tmp_path / "index", similarity_top_k=2)
    found = retriever.retrieve(QUERY)
    assert [(one.node.node_id, one.score) for one in found] == [(hit.id, hit.normalised) for hit in wanted]
    assert found[0].node.get_content().strip() == TEXTS[1]
    assert asyncio.run(retriever.aretrieve(QUERY)) == found
    answer = RetrieverQueryEngine.from_args(retriever, llm=MockLLM()).query(QUERY)
    assert "mtime" not in str(answer)
    assert TEXTS[1] in str(answer)
    only = ColibriRetriever(retriever.index, filters={"id": {"$prefix": wanted[1].id}}).retrieve(QUERY)
    assert [one.node.node_id for one in only] == [wanted[1].id]
    assert len(ColibriRetriever(retriever.index, min_score=wanted[0].normalised).retrieve(QUERY)) == 1
    retriever.index.close()


def test_bad_input_is_refused(store: ColibriVectorStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither node_ids nor filters"):
        store.delete_nodes()
    with pytest.raises(NotHere, match="Mode hybrid is not here, because"):
        store.query(VectorStoreQuery(query_str=QUERY, mode=VectorStoreQueryMode.HYBRID))
    with pytest.raises(InputError, match="query_str: not given"):
        store.query(VectorStoreQuery(query_embedding=[0.5]))
    with pytest.raises(InputError, match="k: found 0"):
        store.query(VectorStoreQuery(query_str=QUERY, similarity_top_k=0))
    with pytest.raises(InputTypeError, match="index: found int"):
        ColibriVectorStore(3)
    with pytest.raises(StoreError):
        ColibriRetriever(tmp_path / "not-there")
    with pytest.raises(InputTypeError, match="filters: found list"):
        ColibriRetriever(store.client, filters=[])


def test_what_json_cannot_hold_comes_back_as_llamaindex_writes_it(store: ColibriVectorStore) -> None:
    """Its own form for stores makes a datetime a text; so it is a text to filter by, too."""
    store.add([TextNode(id_="n9", text="a", metadata={"at": datetime(2026, 12, 1)})])
    assert store.get_nodes(["n9"])[0].metadata == {"at": "2026-12-01T00:00:00"}
