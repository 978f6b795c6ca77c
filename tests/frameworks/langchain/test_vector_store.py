"""The vector store beyond what LangChain's own suite asks of one."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from langchain_core.documents import Document

import colibri
from colibri.compat import NotHere
from colibri.compat.langchain import ColibriVectorStore
from colibri.errors import InputError, InputTypeError

QUERY = "how many people live in Berlin?"
TEXTS = ["Bread is baked in an oven.", "Berlin has 3.7 million inhabitants.", "Ein Kolibri schlägt mit den Flügeln."]
METADATAS = [{"lang": "en", "year": 2020}, {"lang": "en", "year": 2024}, {"lang": "de", "year": 2024}]


@pytest.fixture
def store(place: Any) -> ColibriVectorStore:
    made = ColibriVectorStore(place)
    made.add_texts(TEXTS, METADATAS, ids=["a", "b", "c"])
    return made


def test_scores_are_the_indexes_own(store: ColibriVectorStore) -> None:
    hits = store.index.search(QUERY, 3)
    found = store.similarity_search_with_score(QUERY, 3)
    assert [(one.id, score) for one, score in found] == [(hit.id, hit.score) for hit in hits]
    relevant = store.similarity_search_with_relevance_scores(QUERY, 3)
    assert [(one.id, score) for one, score in relevant] == [(hit.id, min(max(hit.normalised, 0), 1)) for hit in hits]
    assert found[0][0] == Document(id="b", page_content=TEXTS[1], metadata=METADATAS[1])
    assert asyncio.run(store.asimilarity_search_with_score(QUERY, 3)) == found
    assert asyncio.run(store.asimilarity_search_with_relevance_scores(QUERY, 3)) == relevant


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({"lang": "en"}, "ab"),
        ({"year": {"$gte": 2021}}, "bc"),
        ({"$and": [{"lang": {"$in": ["en", "fr"]}}, {"year": {"$lt": 2021}}]}, "a"),
        ({"$not": {"lang": "en"}}, "c"),
        ({"nothing": 1}, ""),
    ],
)
def test_filters(where: dict[str, Any], ids: str, store: ColibriVectorStore) -> None:
    assert sorted(one.id for one in store.similarity_search(QUERY, filter=where)) == list(ids)
    retriever = store.as_retriever(search_kwargs={"filter": where})
    assert sorted(one.id for one in retriever.invoke(QUERY)) == list(ids)


def test_spans_come_when_asked_and_with_retrievers(store: ColibriVectorStore, place: Any) -> None:
    assert "colibri" not in store.similarity_search(QUERY)[0].metadata
    for best in (
        store.similarity_search(QUERY, 1, spans=True)[0],
        ColibriVectorStore(place, spans=True).similarity_search(QUERY, 1)[0],
        store.as_retriever().invoke(QUERY)[0],
        store.as_retriever(search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.1}).invoke(
            QUERY
        )[0],
    ):
        marked = [best.page_content[one["start"] : one["end"]] for one in best.metadata["colibri"]["matches"]]
        assert "Berlin" in marked
        assert best.metadata["lang"] == "en"
    plain = store.as_retriever(search_kwargs={"spans": False}).invoke(QUERY)[0]
    assert plain == store.similarity_search(QUERY)[0]


def test_deleting(store: ColibriVectorStore) -> None:
    store.delete(filter={"lang": "de"})
    assert [one.id for one in store.get_by_ids(["a", "b", "c"])] == ["a", "b"]
    store.delete(["b", "unknown"])
    assert len(store.index) == 1
    store.delete()
    assert len(store.index) == 0
    with pytest.raises(InputError, match="either ids or filter"):
        store.delete(["a"], filter={"lang": "en"})


def test_ids_are_made_where_none_are_given(place: Any) -> None:
    store = ColibriVectorStore(place)
    first, second = store.add_texts(["one", "two"], ids=["mine", None])
    assert first == "mine"
    assert UUID(second).version == 4
    assert [one.page_content for one in store.get_by_ids([first, second])] == ["one", "two"]
    assert store.add_texts([]) == []


def test_made_of_texts_and_documents(tmp_path: Path, mini: colibri.Colibri) -> None:
    store = ColibriVectorStore.from_texts(TEXTS, metadatas=METADATAS, ids=["a", "b", "c"], path=tmp_path, model=mini)
    assert store.embeddings is None
    store.index.close()
    again = ColibriVectorStore(tmp_path, mini)
    assert again.similarity_search(QUERY)[0].id == "b"
    again.index.close()
    documents = [Document(page_content=text, id=str(i)) for i, text in enumerate(TEXTS)]
    other = ColibriVectorStore.from_documents(documents, path=tmp_path / "other", model=mini)
    assert other.similarity_search(QUERY, 1) == [documents[1]]
    other.index.close()
    made = asyncio.run(ColibriVectorStore.afrom_texts(TEXTS, None, path=tmp_path / "third", model=mini))
    assert made.similarity_search(QUERY, 1)[0].page_content == TEXTS[1]
    made.index.close()


def test_langchains_indexing_keeps_it_in_step(place: Any) -> None:
    from langchain_core.indexing import InMemoryRecordManager, index

    records, store = InMemoryRecordManager("notes"), ColibriVectorStore(place)
    records.create_schema()
    given = [Document(page_content=text, metadata={"source": f"{i}.txt"}) for i, text in enumerate(TEXTS)]

    def indexed(documents: list[Document]) -> dict[str, Any]:
        words = {"cleanup": "full", "source_id_key": "source"}
        try:
            return dict(index(documents, records, store, key_encoder="sha256", **words))
        except TypeError:  # before 0.3.68 there was one encoder
            return dict(index(documents, records, store, **words))

    counted = {"num_added": 3, "num_updated": 0, "num_skipped": 0, "num_deleted": 0}
    assert indexed(given) == counted
    assert indexed(given) == counted | {"num_added": 0, "num_skipped": 3}
    assert indexed(given[:2]) == counted | {"num_added": 0, "num_skipped": 2, "num_deleted": 1}
    assert sorted(one.page_content for one in store.similarity_search(QUERY, 9)) == sorted(TEXTS[:2])


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ({"texts": "Berlin"}, InputTypeError, "texts: found str"),
        ({"texts": ["a"], "ids": []}, InputError, "ids: found 0 for 1 texts"),
        ({"texts": ["a"], "metadatas": [{}, {}]}, InputError, "metadatas: found 2 for 1 texts"),
        ({"texts": ["a"], "metadatas": [{"at": Path("b")}]}, InputError, r"payload.at is not JSON"),
        ({"texts": ["a"], "unheard_of": 1}, TypeError, "unheard_of"),
    ],
)
def test_bad_input_is_refused_and_nothing_added(
    words: dict[str, Any], kind: type[Exception], said: str, place: Any
) -> None:
    store = ColibriVectorStore(place)
    with pytest.raises(kind, match=said):
        store.add_texts(**words)
    assert len(place) == 0


def test_what_is_not_here_says_what_to_do(store: ColibriVectorStore, tmp_path: Path) -> None:
    with pytest.raises(NotHere, match="Search by one vector is not here, because"):
        store.similarity_search_by_vector([0.1])
    with pytest.raises(NotHere, match="Maximal marginal relevance is not here"):
        store.as_retriever(search_type="mmr").invoke(QUERY)
    with pytest.raises(InputError, match="embedding: found object, wanted None"):
        ColibriVectorStore.from_texts(TEXTS, object(), path=tmp_path)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="path: not given"):
        ColibriVectorStore.from_texts(TEXTS)
    with pytest.raises(InputError, match="model: found one beside an open index"):
        ColibriVectorStore(store.index, "colibri-mini")
