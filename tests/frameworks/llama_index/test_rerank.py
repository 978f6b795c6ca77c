"""The reranker: `Colibri.rerank` over nodes, in LlamaIndex's own scale."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode

import colibri
from colibri.compat.highlighting import highlighted
from colibri.compat.llama_index import ColbertRerank
from colibri.errors import ArtefactNotFound, InputError
from reference import ARTEFACTS

QUERY = "how many people live in Berlin?"
TEXTS = ["Bread is baked in an oven.", "Berlin has 3.7 million inhabitants.", "A hummingbird beats its wings."]


def nodes(texts: list[str], **metadata: Any) -> list[NodeWithScore]:
    return [
        NodeWithScore(node=TextNode(id_=str(i), text=text, metadata=metadata), score=i / 10)
        for i, text in enumerate(texts)
    ]


@pytest.mark.parametrize("name", ["colibri-mini", str(ARTEFACTS / "tiny-random-bert")])
@pytest.mark.parametrize("metadata", [{}, {"title": "Berlin, a city"}])
def test_scores_are_normalised_and_raw_ones_those_of_rerank(name: str, metadata: dict[str, str]) -> None:
    rerank = ColbertRerank(top_n=3, model=name)
    given = nodes(TEXTS, **metadata)
    kept = rerank.postprocess_nodes(given, query_str=QUERY)
    contents = [one.node.get_content(metadata_mode=MetadataMode.EMBED) for one in given]
    wanted = rerank.colibri.rerank(QUERY, contents)
    weight = rerank.colibri.encode_queries([QUERY]).weight
    assert [one.node.node_id for one in kept] == [str(one.index) for one in wanted]
    assert [one.score for one in kept] == pytest.approx([one.score / weight for one in wanted], rel=1e-6)
    raw = [one.node.metadata["colibri"]["score"] for one in kept]
    assert raw == pytest.approx([one.score for one in wanted], rel=1e-6)
    assert given == nodes(TEXTS, **metadata)  # copies


def test_calls_of_llamaindexs_own_package(mini: colibri.Colibri) -> None:
    rerank = ColbertRerank(top_n=1, model="colibri-mini", tokenizer="colibri-mini", keep_retrieval_score=True)
    (best,) = rerank.postprocess_nodes(nodes(TEXTS, title="x"), QueryBundle(QUERY))
    assert (best.node.node_id, best.node.metadata["retrieval_score"]) == ("1", 0.1)
    assert ">Berlin</mark>" in highlighted(best.node.get_content(), best.node.metadata["colibri"]["matches"])
    assert best.node.get_content(metadata_mode=MetadataMode.LLM) == f"title: x\n\n{TEXTS[1]}"
    assert rerank.postprocess_nodes([], query_str=QUERY) == []
    with pytest.raises(ValueError, match=r"Missing query bundle in extra info\."):
        rerank.postprocess_nodes(nodes(TEXTS))
    assert ColbertRerank.class_name() == rerank.to_dict()["class_name"] == "ColbertRerank"
    assert rerank.to_dict()["model"] == "colibri-mini"
    assert ColbertRerank(model=mini).model == "colibri-mini"


def test_asyncio_keeps_the_same(mini: colibri.Colibri) -> None:
    rerank = ColbertRerank(model=mini)
    there = rerank.postprocess_nodes(nodes(TEXTS), query_str=QUERY)
    assert asyncio.run(rerank.apostprocess_nodes(nodes(TEXTS), query_str=QUERY)) == there


def test_a_thousand_nodes_in_threads() -> None:
    chance = random.Random(1)
    words = ["bird", "bread", "Berlin", "oven", "flour", "people", "city", "wing", "river", "seven", "million"]
    texts = [" ".join(chance.choices(words, k=4)) for _ in range(1000)]
    given = nodes(texts)
    rerank = ColbertRerank(top_n=1000, model=str(ARTEFACTS / "tiny-random-bert"))
    parts = [given[first : first + 125] for first in range(0, 1000, 125)]
    wanted = {str(one.index): one.score for one in rerank.colibri.rerank(QUERY, texts)}
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda part: rerank.postprocess_nodes(part, query_str=QUERY), parts)
        scores = {one.node.node_id: one.node.metadata["colibri"]["score"] for part in found for one in part}
    assert scores == pytest.approx(wanted, rel=1e-6)


def test_events_are_told(mini: colibri.Colibri) -> None:
    told: list[str] = []

    class Told(BaseEventHandler):
        def handle(self, event: Any, **_: Any) -> None:
            told.append(event.class_name())

    debug = LlamaDebugHandler(print_trace_on_end=False)
    rerank = ColbertRerank(model=mini, callback_manager=CallbackManager([debug]))
    dispatcher = get_dispatcher()
    dispatcher.add_event_handler(Told())
    try:
        rerank.postprocess_nodes(nodes(TEXTS), query_str=QUERY)
    finally:
        dispatcher.event_handlers.pop()
    assert [one for one in told if one.startswith("ReRank")] == ["ReRankStartEvent", "ReRankEndEvent"]
    ((started, ended),) = debug.get_event_pairs(CBEventType.RERANKING)
    assert started.payload["query_str"] == QUERY
    assert len(ended.payload["nodes"]) == 3


def test_bad_words_are_refused() -> None:
    with pytest.raises(InputError, match="top_n: found 0"):
        ColbertRerank(top_n=0)
    with pytest.raises(ArtefactNotFound, match="no-such-model"):
        ColbertRerank(model="./no-such-model")
