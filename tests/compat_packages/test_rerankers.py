"""rerankers with Colibri as its "colbert" kind."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import rerankers
from langchain_core.documents import Document as LangChainDocument

from colibri.compat.rerankers import ColBERTRanker, Document, Reranker, register
from colibri.errors import ArtefactNotFound, InputError, InputTypeError
from originals import rerankers as originals
from reference import ARTEFACTS, GOLDEN

BERT = ARTEFACTS / "tiny-random-bert"
DOCUMENTS = ["Berlin has 3.7 million inhabitants.", "Bread is baked in an oven.", "A hummingbird beats its wings."]
QUERY = "how many people live in Berlin?"


@pytest.fixture(scope="module")
def mini() -> ColBERTRanker:
    return ColBERTRanker("colibri-mini")


@pytest.mark.parametrize("name", ["colibri-mini", str(BERT)])
def test_scores_are_the_models_own_means(name: str) -> None:
    ranker = Reranker(name, model_type="colbert", verbose=0)
    results = ranker.rank(QUERY, DOCUMENTS)
    vectors = ranker.colibri.encode_queries([QUERY])
    total = len(vectors.rows) if vectors.weights is None else vectors.weights.sum()
    wanted = ranker.colibri.rerank(QUERY, DOCUMENTS)
    assert [result.doc_id for result in results] == [result.index for result in wanted]
    assert [result.score for result in results] == pytest.approx([one.score / total for one in wanted], rel=1e-6)
    assert [result.rank for result in results] == [1, 2, 3]
    assert ranker.score(QUERY, DOCUMENTS[1]) == pytest.approx(results.get_score_by_docid(1), rel=1e-6)


def test_calls_of_the_original(tmp_path: Path) -> None:
    """Kinds, keys, ranks and order; scores are means here."""
    import json

    pipeline = pytest.importorskip("colibri_export.pipeline", reason="making artefacts is an extra")
    pipeline.export(GOLDEN / "tiny-random-bert-512", tmp_path / "big", variant_names=["cpu-fp32", "portable"])
    document = json.loads((GOLDEN / "compat" / "rerankers.json").read_text(encoding="utf-8"))
    wanted = document["groups"]["tiny-random-bert-512"]

    from originals.described import outcomes

    register()
    found = outcomes(originals.calls(lambda name: rerankers, tmp_path / "big"), {})
    assert list(found) == list(wanted)
    for call in ("kind", "top_k", "by id", "iteration", "score"):
        assert found[call] == wanted[call], call
    assert found["nothing"]["dict"]["rows"] == {"list": []}  # IndexError there
    for call in ("rank", "with ids", "with ids and metadata", "one string"):
        ours, theirs = ([row["dict"] for row in part[call]["dict"]["rows"]["list"]] for part in (found, wanted))
        for row in (*ours, *theirs):
            assert isinstance(row.pop("score"), float)
        assert ours == theirs, call


def test_names_that_colibri_knows_need_no_model_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """rerankers sends whatever has "jina" in its name to that company's API."""
    assert isinstance(Reranker("jinaai/jina-colbert-v2", verbose=0), ColBERTRanker)
    assert isinstance(Reranker("colibri-mini", verbose=0), ColBERTRanker)
    assert isinstance(Reranker(str(BERT), verbose=0), ColBERTRanker)
    assert isinstance(Reranker("colbert", verbose=0), ColBERTRanker)
    monkeypatch.delenv("COLIBRI_ALIAS")
    with pytest.raises(ArtefactNotFound, match=r"colibri export colbert-ir/colbertv2.0"):
        Reranker("colbert", verbose=0)


def test_documents_keep_their_ids_and_take_metadata(mini: ColBERTRanker) -> None:
    given = [Document(text, doc_id=f"d{i}") for i, text in enumerate(DOCUMENTS)]
    results = mini.rank(QUERY, given, metadata=[{"n": i} for i in range(3)])
    assert (results[0].doc_id, results[0].document.metadata) == ("d0", {"n": 0})
    assert mini.rank(QUERY, given[0]).results[0].doc_id == "d0"
    assert [one.doc_id for one in mini.rank(QUERY, [Document(text) for text in DOCUMENTS])] != [None] * 3
    assert mini.rank(QUERY, []).results == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ({"docs": DOCUMENTS, "doc_ids": [1]}, InputError),
        ({"docs": DOCUMENTS, "metadata": [{}]}, InputError),
        ({"docs": ["a", 3]}, InputTypeError),
        ({"docs": DOCUMENTS, "unheard_of": 1}, TypeError),
    ],
)
def test_bad_input_is_refused(words: dict[str, Any], kind: type[Exception], mini: ColBERTRanker) -> None:
    with pytest.raises(kind):
        mini.rank(QUERY, **words)


def test_ranking_in_asyncio(mini: ColBERTRanker) -> None:
    results = asyncio.run(mini.rank_async(QUERY, DOCUMENTS, list("abc")))
    assert results[0].doc_id == "a"


def test_as_a_compressor_of_langchain(mini: ColBERTRanker) -> None:
    given = [LangChainDocument(page_content=text) for text in reversed(DOCUMENTS)]
    kept = mini.as_langchain_compressor(k=2).compress_documents(given, QUERY)
    assert kept[0].page_content == DOCUMENTS[0]
    assert len(kept) == 2
    assert kept[0] is given[2]
    assert kept[0].metadata["relevance_score"] > kept[1].metadata["relevance_score"]
    assert mini.as_langchain_compressor().compress_documents([], QUERY) == []
