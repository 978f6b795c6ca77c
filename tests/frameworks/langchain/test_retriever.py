"""The retriever: what `Index.search` finds, as documents with scores and spans."""

import asyncio
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri.compat.highlighting import highlighted
from colibri.compat.langchain import ColibriRetriever
from colibri.errors import InputError, InputTypeError, StoreError

QUERY = "how many people live in Berlin?"
NOTES: list[dict[str, Any]] = [
    {"id": "bread", "text": "Bread is baked in an oven.", "payload": {"lang": "en", "score": "sour"}},
    {"id": "berlin", "text": "Berlin has 3.7 million inhabitants.", "payload": {"lang": "en"}},
    {"id": "bird", "text": "Ein Kolibri schlägt schnell mit den Flügeln.", "payload": {"lang": "de"}},
]
LONG = "\n\n".join(f"Paragraph {n} is about bread, ovens and flour, at length." for n in range(40))


@pytest.fixture
def filled(place: Any) -> Any:
    place.add(NOTES)
    return place


def test_documents_are_hits(filled: Any) -> None:
    found = ColibriRetriever(index=filled).invoke(QUERY)
    hits = filled.search(QUERY, 4, explain=True)
    assert [one.id for one in found] == [hit.id for hit in hits]
    assert [one.metadata["colibri"]["score"] for one in found] == [hit.score for hit in hits]
    assert [one.metadata["colibri"]["normalised"] for one in found] == [hit.normalised for hit in hits]
    assert [one.page_content for one in found] == [hit.text for hit in hits]
    best = found[0]
    assert (best.id, best.metadata["score"], best.metadata["lang"]) == ("berlin", hits[0].score, "en")
    assert ">Berlin</mark>" in highlighted(best.page_content, best.metadata["colibri"]["matches"])
    json.dumps([one.metadata for one in found])
    # A payload's own field stays.
    assert next(one for one in found if one.id == "bread").metadata["score"] == "sour"


def test_what_a_call_says_counts(filled: Any) -> None:
    retriever = ColibriRetriever(index=filled, k=2, filter={"lang": "en"})
    assert [one.id for one in retriever.invoke(QUERY)] == ["berlin", "bread"]
    assert [one.id for one in retriever.invoke(QUERY, k=1)] == ["berlin"]
    assert [one.id for one in retriever.invoke(QUERY, filter={"lang": "de"})] == ["bird"]
    least = filled.search(QUERY)[0].normalised
    assert [one.id for one in retriever.invoke(QUERY, min_score=least)] == ["berlin"]
    assert [one.id for one in ColibriRetriever(index=filled, min_score=least).invoke(QUERY)] == ["berlin"]


def test_asyncio_finds_the_same(filled: Any) -> None:
    retriever = ColibriRetriever(index=filled, k=2)

    async def found() -> list[Any]:
        return await asyncio.gather(*(retriever.ainvoke(QUERY, k=k) for k in (1, 2, 3)))

    assert asyncio.run(found()) == [retriever.invoke(QUERY, k=k) for k in (1, 2, 3)]


def test_batches_and_chains_take_it(filled: Any) -> None:
    retriever = ColibriRetriever(index=filled, k=1)
    assert [found[0].id for found in retriever.batch([QUERY, "bread"])] == ["berlin", "bread"]
    chain = retriever | (lambda documents: documents[0].page_content)
    assert chain.invoke(QUERY) == NOTES[1]["text"]


def test_a_long_document_shows_its_best_passage_unless_asked(tmp_path: Path, mini: colibri.Colibri) -> None:
    with colibri.Index.open(tmp_path, mini) as index:
        index.add([{"id": "long", "text": f"{LONG}\n\n{NOTES[1]['text']}\n\n{LONG}"}], passage_tokens=48)
        retriever = ColibriRetriever(index=index, k=1)
        part, whole = retriever.invoke(QUERY)[0], retriever.invoke(QUERY, content="document")[0]
    place = part.metadata["colibri"]["passage"]
    assert part.page_content == whole.page_content[place["start"] : place["end"]]
    assert len(part.page_content) < len(LONG) / 4
    shown = [
        [one.page_content[match["start"] : match["end"]] for match in one.metadata["colibri"]["matches"]]
        for one in (part, whole)
    ]
    assert "Berlin" in shown[0]
    assert shown[0] == shown[1]


def test_a_folder_is_opened_and_never_made(tmp_path: Path, mini: colibri.Colibri) -> None:
    with colibri.Index.open(tmp_path / "there", mini) as index:
        index.add(NOTES)
    assert ColibriRetriever(index=str(tmp_path / "there")).invoke(QUERY)[0].id == "berlin"
    with pytest.raises(StoreError):
        ColibriRetriever(index=tmp_path / "not-there")
    assert not (tmp_path / "not-there").exists()


def test_a_pickle_opens_it_again(tmp_path: Path, mini: colibri.Colibri) -> None:
    with colibri.Index.open(tmp_path, mini) as index:
        index.add(NOTES)
        retriever = ColibriRetriever(index=index, k=2)
        again = pickle.loads(pickle.dumps(retriever))  # noqa: S301 - made in the line itself
        assert again.invoke(QUERY) == retriever.invoke(QUERY)
        again.index.close()


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        ({"k": 0}, InputError, "k: found 0"),
        ({"filter": {"lang": {"$like": "e"}}}, InputError, "unknown operator"),
        ({"filter": "en"}, InputTypeError, "where: found str"),
        ({"content": "page"}, InputError, "content: found 'page', wanted 'passage' or 'document'"),
        ({"unheard_of": 1}, TypeError, "unheard_of"),
    ],
)
def test_bad_words_are_refused(words: dict[str, Any], kind: type[Exception], said: str, filled: Any) -> None:
    with pytest.raises(kind, match=said):
        ColibriRetriever(index=filled).invoke(QUERY, **words)


def test_what_is_no_index_is_refused(filled: Any) -> None:
    with pytest.raises(InputTypeError, match=r"index: found dict, wanted a colibri.Index"):
        ColibriRetriever(index={})
    with pytest.raises(ValueError, match="unheard_of"):
        ColibriRetriever(index=filled, unheard_of=1)
