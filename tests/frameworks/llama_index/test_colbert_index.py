"""The index without an embedding model: made, asked, changed, kept and loaded."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import Document, Settings
from llama_index.core.llms import MockLLM
from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters

import colibri
from colibri.compat.llama_index import ColbertIndex, ColbertRerank
from colibri.errors import StoreError

QUERY = "how many people live in Berlin?"
TEXTS = ["Bread is baked in an oven.", "Berlin has 3.7 million inhabitants.", "A hummingbird beats its wings."]


def documents(texts: list[str] = TEXTS) -> list[Document]:
    return [Document(text=text, id_=f"d{i}", metadata={"number": i}) for i, text in enumerate(texts)]


@pytest.fixture
def index(tmp_path: Path, mini: colibri.Colibri) -> Any:
    return ColbertIndex.from_documents(documents(), model_name=mini, index_root=tmp_path / "root")


def texts(found: Any) -> list[str]:
    return [one.node.get_content() for one in found]


def test_no_embedding_model_is_asked_for(index: Any, mini: colibri.Colibri) -> None:
    assert Settings._embed_model is None
    found = index.query(QUERY, top_k=2)
    hits = index.store.client.search(QUERY, 2)
    assert texts(found)[0] == TEXTS[1]
    assert [one.score for one in found] == [hit.normalised for hit in hits]
    assert found[0].node.metadata["colibri"]["matches"]
    assert index.store.client.dim == mini.dim
    assert sorted(index.ref_doc_info) == ["d0", "d1", "d2"]


def test_a_query_engine_answers(index: Any, mini: colibri.Colibri) -> None:
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[ColbertRerank(top_n=1, model=mini)]
    )
    answer = engine.query(QUERY)
    assert texts(answer.source_nodes) == [TEXTS[1]]
    assert TEXTS[1] in str(answer)
    assert asyncio.run(engine.aquery(QUERY)).source_nodes == answer.source_nodes
    assert "Berlin" in str(index.as_chat_engine(llm=MockLLM(), chat_mode="context", similarity_top_k=1).chat(QUERY))


def test_retrievers_are_narrowed(index: Any) -> None:
    few = MetadataFilters(filters=[MetadataFilter(key="number", value=1, operator="!=")])
    assert sorted(texts(index.as_retriever(filters=few).retrieve(QUERY))) == sorted([TEXTS[0], TEXTS[2]])
    assert texts(index.as_retriever(doc_ids=["d2"]).retrieve(QUERY)) == [TEXTS[2]]
    assert texts(index.as_retriever(doc_ids=["d2"], filters={"number": {"$lt": 2}}).retrieve(QUERY)) == []
    assert texts(index.query(QUERY, filters={"number": 0})) == [TEXTS[0]]


def test_documents_come_and_go(index: Any) -> None:
    index.insert(Document(text="Munich has 1.5 million inhabitants.", id_="d9"))
    assert "Munich has 1.5 million inhabitants." in texts(index.query(QUERY))
    index.delete_ref_doc("d1", delete_from_docstore=True)
    assert texts(index.query(QUERY, 1)) == ["Munich has 1.5 million inhabitants."]
    assert sorted(index.ref_doc_info) == ["d0", "d2", "d9"]
    changed = [*documents()[:1], Document(text="Berlin is a city.", id_="d2", metadata={"number": 2})]
    assert index.refresh_ref_docs(changed) == [False, True]
    assert sorted(texts(index.query(QUERY))) == sorted(
        [TEXTS[0], "Berlin is a city.", "Munich has 1.5 million inhabitants."]
    )
    index.delete_nodes(["unknown"])
    assert len(index.store.client) == 3


@pytest.mark.parametrize("name", ["", "cities"])
def test_it_is_kept_and_loaded(name: str, tmp_path: Path, mini: colibri.Colibri) -> None:
    index = ColbertIndex.from_documents(
        documents(), model_name=mini, index_name=name, index_root=tmp_path / "root", nbits=2, gpus=0
    )
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine.txt").write_text("mine")
    for _ in range(2):
        index.persist(tmp_path / "kept")
    loaded = ColbertIndex.load_from_disk(tmp_path / "kept", name)
    assert loaded.query(QUERY) == index.query(QUERY)
    assert (tmp_path / "kept" / "mine.txt").read_text() == "mine"
    loaded.insert(Document(text="Birds fly.", id_="d9"))
    assert (len(loaded.store.client), len(index.store.client)) == (4, 3)
    loaded.persist(tmp_path / "kept")  # where it is
    loaded.store.client.close()
    assert len(ColbertIndex.load_from_disk(tmp_path / "kept", name).query(QUERY)) == 4


def test_it_is_made_anew_but_never_in_place_of_anothers(tmp_path: Path, mini: colibri.Colibri) -> None:
    for count in (3, 1):
        index = ColbertIndex.from_documents(documents()[:count], model_name=mini, index_root=tmp_path)
        assert len(index.query(QUERY)) == count
        index.store.client.close()
    with colibri.Index.open(tmp_path / "notes", mini, mini.dim) as other:
        other.add([{"id": "a", "text": "mine"}])
    with pytest.raises(StoreError, match="holds an index that no ColbertIndex wrote"):
        ColbertIndex.from_documents(documents(), model_name=mini, index_root=tmp_path, index_name="notes")
    with colibri.Index.open(tmp_path / "notes", mini, mini.dim) as other:
        assert len(other) == 1
