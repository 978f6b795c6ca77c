"""The ranker's scores are `Colibri.rerank`'s."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from haystack import Document
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.compat.haystack import ColibriRanker
from colibri.compat.highlighting import highlighted
from colibri.errors import ArtefactNotFound, InputError, InputTypeError
from colibri.model import Colibri
from reference import ARTEFACTS

BERT = str(ARTEFACTS / "tiny-random-bert")
TEXTS = ["Bread is baked in an oven.", "Berlin has 3.7 million inhabitants.", "A hummingbird beats its wings.", ""]
QUERY = "how many people live in Berlin?"


def documents(texts: list[str]) -> list[Document]:
    return [Document(id=str(n), content=text, meta={"n": n}) for n, text in enumerate(texts)]


@pytest.mark.parametrize("name", [None, "colibri-mini", BERT])
@pytest.mark.parametrize("scale", [False, True])
def test_scores_and_order_are_reranks(name: str | None, scale: bool) -> None:
    model = colibri.load(name)
    wanted = model.rerank(QUERY, TEXTS)
    total = model.encode_queries([QUERY]).weight if scale else 1.0
    found = ColibriRanker(name, scale_score=scale).run(QUERY, documents(TEXTS))["documents"]
    assert [one.id for one in found] == [str(one.index) for one in wanted]
    assert [one.score for one in found] == pytest.approx([one.score / total for one in wanted], rel=1e-6)
    for one, result in zip(found, wanted, strict=True):
        note = one.meta["colibri"]
        assert (one.content, one.meta["n"]) == (TEXTS[result.index], result.index)
        assert (note["score"], note["fit"]) == (pytest.approx(result.score, rel=1e-6), result.fit)


def test_a_thousand_documents_in_threads(mini: Colibri) -> None:
    texts = [f"{word} {n}" for n in range(250) for word in ("Berlin", "bread", "a bird", "population")]
    ranker = ColibriRanker(top_k=1_000)
    queries = [QUERY, "what is baked?"]
    with ThreadPoolExecutor(len(queries)) as pool:  # all of them load the model
        found = list(pool.map(lambda query: ranker.run(query, documents(texts))["documents"], queries))
    for query, ranked in zip(queries, found, strict=True):
        wanted = mini.rerank(query, texts)
        assert [one.id for one in ranked] == [str(one.index) for one in wanted]
        assert [one.score for one in ranked] == pytest.approx([one.score for one in wanted], rel=1e-6)


def test_what_was_given_stays_as_it_was() -> None:
    given_all = documents(TEXTS)
    before = [one.to_dict() for one in given_all]
    ColibriRanker().run(QUERY, given_all)
    assert [one.to_dict() for one in given_all] == before


def test_the_best_above_a_threshold(mini: Colibri) -> None:
    wanted = mini.rerank(QUERY, TEXTS)
    best = ColibriRanker(top_k=2).run(QUERY, documents(TEXTS))["documents"]
    assert [one.id for one in best] == [str(one.index) for one in wanted[:2]]
    assert len(ColibriRanker().run(QUERY, documents(TEXTS), top_k=1)["documents"]) == 1
    least = (wanted[0].score + wanted[1].score) / 2
    above = ColibriRanker(score_threshold=least).run(QUERY, documents(TEXTS))["documents"]
    assert [one.id for one in above] == [str(wanted[0].index)]
    assert ColibriRanker(score_threshold=0.99, scale_score=True).run(QUERY, documents(TEXTS)) == {"documents": []}


def test_fields_of_meta_are_read_before_the_content(mini: Colibri) -> None:
    given_all = [
        Document(id="a", content="3.7 million inhabitants", meta={"title": "Berlin", "year": 2024}),
        Document(id="b", content="Bread is baked.", meta={"title": None}),
        Document(id="c", meta={"title": "A picture of Berlin"}),
    ]
    ranker = ColibriRanker(meta_fields_to_embed=["title", "year", "none"], meta_data_separator=" | ")
    found = {one.id: one for one in ranker.run(QUERY, given_all)["documents"]}
    read = ["Berlin | 2024 | 3.7 million inhabitants", "Bread is baked.", "A picture of Berlin | "]
    wanted = {given_all[one.index].id: one.score for one in mini.rerank(QUERY, read)}
    assert {name: one.score for name, one in found.items()} == pytest.approx(wanted, rel=1e-6)
    for one in found.values():
        note = one.meta["colibri"]
        highlighted(one.content or "", note["matches"])  # which refuses characters beyond it
    assert found["c"].meta["colibri"]["matches"] == []
    assert found["c"].meta["colibri"]["passage"] is None
    assert found["a"].meta["colibri"]["passage"] == {"start": 0, "end": len("3.7 million inhabitants")}


TITLES = st.sampled_from(["", "Berlin", "Berlin:", "🙂 how many", "x" * 30])


@given(st.lists(st.tuples(TITLES, st.sampled_from([*TEXTS, "Berlin", " people live ", "🙂"])), max_size=4))
def test_characters_count_in_the_content(pairs: list[tuple[str, str]]) -> None:
    given_all = [Document(id=str(n), content=text, meta={"t": title}) for n, (title, text) in enumerate(pairs)]
    for separator in ("", "\n"):
        ranker = ColibriRanker(meta_fields_to_embed=["t"], meta_data_separator=separator)
        for one in ranker.run("how many people live in Berlin?", given_all)["documents"]:
            note, length = one.meta["colibri"], len(one.content or "")
            assert all(0 <= match["start"] < match["end"] <= length for match in note["matches"])
            if note["passage"] is not None:
                assert 0 <= note["passage"]["start"] <= note["passage"]["end"] <= length


def test_of_one_id_given_twice_the_first_counts() -> None:
    given_all = [Document(id="a", content="Berlin"), Document(id="b", content="b"), Document(id="a", content="again")]
    found = ColibriRanker().run("Berlin", given_all)["documents"]
    assert [(one.id, one.content) for one in found] == [("a", "Berlin"), ("b", "b")]


def test_of_nothing_nothing_and_no_model_is_loaded() -> None:
    assert ColibriRanker("no-such-model").run(QUERY, []) == {"documents": []}
    with pytest.raises(ArtefactNotFound):
        ColibriRanker("no-such-model").warm_up()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ({"query": ""}, InputError),
        ({"query": 3}, InputTypeError),
        ({"documents": "text"}, InputTypeError),
        ({"documents": ["text"]}, InputTypeError),
        ({"documents": [Document(content="a"), None]}, InputTypeError),
        ({"top_k": 0}, InputError),
        ({"top_k": -3}, InputError),
        ({"top_k": 1.5}, InputError),
        ({"top_k": True}, InputError),
    ],
)
def test_calls_that_are_none(words: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind) as raised:
        ColibriRanker("no-such-model").run(**{"query": QUERY, "documents": documents(TEXTS), **words})
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("words", [{"top_k": 0}, {"score_threshold": float("nan")}, {"unheard_of": 1}])
def test_options_that_are_none(words: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError), match=r"top_k|score_threshold|unheard_of"):
        ColibriRanker(**words)


def test_its_twin() -> None:
    ranker = ColibriRanker()
    assert asyncio.run(ranker.run_async(QUERY, documents(TEXTS), 2)) == ranker.run(QUERY, documents(TEXTS), 2)


def test_it_is_saved_by_its_words() -> None:
    made = ColibriRanker(Path(BERT), 3, ["title"], " - ", 0.5, True)
    said = made.to_dict()
    assert said["type"] == "haystack_integrations.components.rankers.colibri.ranker.ColibriRanker"
    assert said["init_parameters"] == {
        "model": BERT,
        "top_k": 3,
        "meta_fields_to_embed": ["title"],
        "meta_data_separator": " - ",
        "score_threshold": 0.5,
        "scale_score": True,
    }
    assert ColibriRanker.from_dict(said).to_dict() == said


def test_rankers_of_one_model_share_it() -> None:
    first, second = ColibriRanker(BERT), ColibriRanker(BERT)
    first.warm_up()
    second.warm_up()
    assert first._loaded is second._loaded
