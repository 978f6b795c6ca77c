"""The reranker: `Colibri.rerank` over LangChain's documents."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.documents import Document

import colibri
from colibri.compat.highlighting import highlighted
from colibri.compat.langchain import ColibriReranker, ColibriRetriever, ColibriVectorStore
from colibri.errors import ArtefactNotFound, InputError
from reference import ARTEFACTS

QUERY = "how many people live in Berlin?"
TEXTS = ["Bread is baked in an oven.", "Berlin has 3.7 million inhabitants.", "A hummingbird beats its wings."]


def documents(texts: list[str]) -> list[Document]:
    return [Document(id=str(i), page_content=text, metadata={"n": i}) for i, text in enumerate(texts)]


@pytest.mark.parametrize("name", ["colibri-mini", str(ARTEFACTS / "tiny-random-bert")])
def test_scores_are_those_of_rerank(name: str) -> None:
    reranker = ColibriReranker(model=name, top_n=None)
    given = documents(TEXTS)
    kept = reranker.compress_documents(given, QUERY)
    wanted = reranker.model.rerank(QUERY, TEXTS)
    assert [one.metadata["n"] for one in kept] == [one.index for one in wanted]
    assert [one.metadata["relevance_score"] for one in kept] == pytest.approx([one.score for one in wanted], rel=1e-6)
    assert given == documents(TEXTS)  # copies


def test_the_best_are_kept_and_their_words_marked(mini: colibri.Colibri) -> None:
    (best,) = ColibriReranker(model=mini, top_n=1).compress_documents(documents(TEXTS), QUERY)
    assert best.id == "1"
    assert ">Berlin</mark>" in highlighted(best.page_content, best.metadata["colibri"]["matches"])
    least = best.metadata["colibri"]["normalised"]
    assert len(ColibriReranker(model=mini, min_score=least).compress_documents(documents(TEXTS), QUERY)) == 1
    assert ColibriReranker(model=mini).compress_documents([], QUERY) == []
    assert len(ColibriReranker(model=mini).compress_documents(documents(TEXTS * 2), QUERY)) == 3


def test_asyncio_keeps_the_same(mini: colibri.Colibri) -> None:
    reranker = ColibriReranker(model=mini)
    assert asyncio.run(reranker.acompress_documents(documents(TEXTS), QUERY)) == reranker.compress_documents(
        documents(TEXTS), QUERY
    )


def test_a_thousand_documents_in_threads() -> None:
    chance = random.Random(1)
    words = ["bird", "bread", "Berlin", "oven", "flour", "people", "city", "wing", "river", "seven", "million"]
    texts = [" ".join(chance.choices(words, k=4)) for _ in range(1000)]
    parts = [documents(texts)[first : first + 125] for first in range(0, 1000, 125)]
    reranker = ColibriReranker(model=str(ARTEFACTS / "tiny-random-bert"), top_n=None)
    wanted = {one.index: one.score for one in reranker.model.rerank(QUERY, texts)}
    with ThreadPoolExecutor(4) as pool:
        kept = [one for part in pool.map(lambda part: reranker.compress_documents(part, QUERY), parts) for one in part]
    scores = {one.metadata["n"]: one.metadata["relevance_score"] for one in kept}
    assert scores == pytest.approx(wanted, rel=1e-6)


def test_langchains_own_retrievers_take_ours(place: Any, mini: colibri.Colibri) -> None:
    """They moved to langchain-classic when langchain became 1."""
    try:
        from langchain_classic.retrievers import ContextualCompressionRetriever, EnsembleRetriever
    except ImportError:
        from langchain.retrievers import ContextualCompressionRetriever, EnsembleRetriever
    store = ColibriVectorStore(place)
    store.add_documents(documents(TEXTS))
    ours = ColibriRetriever(index=place, k=3)
    both = EnsembleRetriever(retrievers=[ours, store.as_retriever()], id_key="n")
    compressed = ContextualCompressionRetriever(
        base_compressor=ColibriReranker(model=mini, top_n=2), base_retriever=both
    )
    kept = compressed.invoke(QUERY)
    assert [one.id for one in kept] == [str(one.index) for one in mini.rerank(QUERY, TEXTS, 2)]
    assert asyncio.run(compressed.ainvoke(QUERY)) == kept


def test_bad_words_are_refused(mini: colibri.Colibri) -> None:
    with pytest.raises(InputError, match="k: found 0"):
        ColibriReranker(model=mini, top_n=0).compress_documents(documents(TEXTS), QUERY)
    with pytest.raises(ValueError, match="unheard_of"):
        ColibriReranker(model=mini, unheard_of=1)
    with pytest.raises(ArtefactNotFound, match="no-such-model"):
        ColibriReranker(model="./no-such-model")
