"""The retriever's answers are the index's own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from haystack import Document
from haystack.components.retrievers.types import TextRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import FilterPolicy

from colibri.compat.haystack import ColibriDocumentStore, ColibriRetriever
from colibri.compat.highlighting import highlighted
from colibri.errors import InputError, InputTypeError
from colibri.model import Colibri

TEXTS = {
    "berlin": ("Berlin has 3.7 million inhabitants.", "en"),
    "brot": ("Brot wird im Ofen gebacken.", "de"),
    "bird": ("A hummingbird beats its wings.", "en"),
    "paris": ("Paris compte deux millions d'habitants.", "fr"),
}
QUERY = "how many people live in Berlin?"


@pytest.fixture
def filled(document_store: ColibriDocumentStore) -> ColibriDocumentStore:
    document_store.write_documents(
        [Document(id=name, content=text, meta={"lang": lang}) for name, (text, lang) in TEXTS.items()]
    )
    document_store.write_documents([Document(id="picture", meta={"lang": "en"})])
    return document_store


@pytest.mark.parametrize("scale", [False, True])
def test_hits_are_the_indexs(filled: ColibriDocumentStore, scale: bool) -> None:
    found = ColibriRetriever(filled, top_k=3, scale_score=scale).run(QUERY)["documents"]
    wanted = [hit for hit in filled.index.search(QUERY, k=5) if hit.id != "picture"][:3]
    assert [one.id for one in found] == [hit.id for hit in wanted]
    assert [one.score for one in found] == [hit.normalised if scale else hit.score for hit in wanted]
    for one, hit in zip(found, wanted, strict=True):
        assert (one.content, one.meta["lang"]) == TEXTS[one.id]
        note = one.meta["colibri"]
        assert (note["score"], note["normalised"], note["fit"]) == (hit.score, hit.normalised, hit.fit)
    assert ">Berlin</mark>" in highlighted(TEXTS["berlin"][0], found[0].meta["colibri"]["matches"])


def test_a_long_document_gives_its_best_passage(document_store: ColibriDocumentStore) -> None:
    bread = "".join(f"Paragraph {n} is about bread, ovens and flour, in detail.\n\n" for n in range(200))
    text = f"{bread}Berlin has 3.7 million inhabitants.\n\n{bread}"
    document_store.write_documents([Document(id="long", content=text, meta={"a": 1})])
    (part,) = ColibriRetriever(document_store).run(QUERY)["documents"]
    (whole,) = ColibriRetriever(document_store, content="document").run(QUERY)["documents"]
    place = part.meta["colibri"]["passage"]
    assert part.content == text[place["start"] : place["end"]]
    assert len(part.content) < len(text) / 2
    assert (whole.content, whole.id, whole.meta["a"], whole.score) == (text, "long", 1, part.score)
    for one in (part, whole):
        words = [one.content[match["start"] : match["end"]] for match in one.meta["colibri"]["matches"]]
        assert "Berlin" in words


def test_filters_and_their_policies(filled: ColibriDocumentStore) -> None:
    english = {"field": "meta.lang", "operator": "==", "value": "en"}
    berlin = {"field": "id", "operator": "==", "value": "berlin"}
    german = {"field": "meta.lang", "operator": "==", "value": "de"}

    def ids(retriever: ColibriRetriever, **words: Any) -> list[str]:
        return sorted(one.id for one in retriever.run(QUERY, **words)["documents"])

    replaced = ColibriRetriever(filled, filters=english)
    assert ids(replaced) == ["berlin", "bird"]
    assert ids(replaced, filters=german) == ["brot"]
    assert ids(replaced, top_k=1) == ["berlin"]
    merged = ColibriRetriever(filled, filters=english, filter_policy=FilterPolicy.MERGE)
    assert ids(merged) == ["berlin", "bird"]
    assert ids(merged, filters=berlin) == ["berlin"]
    assert ids(merged, filters=german) == [], "the same field, of which the first must hold, too"
    assert ids(merged, filters={"operator": "OR", "conditions": [german, english]}) == ["berlin", "bird"]
    assert ids(merged, filters={"operator": "NOT", "conditions": [berlin]}) == ["bird"]
    assert ids(ColibriRetriever(filled)) == sorted(TEXTS)


@pytest.mark.parametrize("query", ["", " \n"])
def test_blanks_ask_nothing(query: str, filled: ColibriDocumentStore) -> None:
    assert ColibriRetriever(filled).run(query) == {"documents": []}


@pytest.mark.parametrize(
    "words", [{"top_k": 0}, {"top_k": -1}, {"top_k": True}, {"content": "page"}, {"filter_policy": "x"}]
)
def test_options_that_are_none(words: dict[str, Any], document_store: ColibriDocumentStore) -> None:
    with pytest.raises(ValueError, match=r"top_k|content|FilterPolicy"):
        ColibriRetriever(document_store, **words)


def test_calls_that_are_none(filled: ColibriDocumentStore) -> None:
    retriever = ColibriRetriever(filled)
    with pytest.raises(InputError, match="top_k"):
        retriever.run(QUERY, top_k=0)
    with pytest.raises(InputTypeError, match="query: found int"):
        retriever.run(3)
    with pytest.raises(InputTypeError, match="wanted a ColibriDocumentStore"):
        ColibriRetriever(InMemoryDocumentStore())


def test_its_twin_and_its_protocol(filled: ColibriDocumentStore, tmp_path: Path, mini: Colibri) -> None:
    retriever: TextRetriever = ColibriRetriever(filled)
    assert asyncio.run(retriever.run_async(QUERY, top_k=2)) == retriever.run(QUERY, top_k=2)
    ColibriRetriever(filled).close()
    asyncio.run(ColibriRetriever(filled).close_async())


def test_it_is_saved_with_its_store(filled: ColibriDocumentStore) -> None:
    made = ColibriRetriever(
        filled, 3, {"field": "meta.lang", "operator": "==", "value": "en"}, True, FilterPolicy.MERGE, "document"
    )
    again = ColibriRetriever.from_dict(made.to_dict())
    assert again.to_dict() == made.to_dict()
    assert again.run(QUERY) == made.run(QUERY)
