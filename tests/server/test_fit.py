"""`fit` in answers and `cutoffs` in /v1/models, with a model that has them and one that has none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cutoff_fixtures import with_cutoffs
from live_server import XLMR, LiveServer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    base = tmp_path_factory.mktemp("fit")
    model = with_cutoffs(base / "model", 0.9, -1.0)
    words = ("--artefact", str(model), "--index", str(base / "index"), "--normalise-scores")
    with LiveServer(*words, log=base / "log", artefacts=(XLMR,)) as running:
        yield running


def test_models_say_their_cutoffs(served: LiveServer) -> None:
    cards = {card["id"]: card for card in served.call("/v1/models").json["data"]}
    assert cards[XLMR]["cutoffs"] is None
    found = cards["tiny-random-bert"]["cutoffs"]
    assert (found["unit"], found["likely"], found["maybe"], found["source"]) == ("mean", "0.001", "0.01", "a test")
    assert {row["dimensions"] for row in found["rows"]} == {16, 32, 48}
    assert found["rows"][0]["false_positives"] == {"0.01": -1.0, "0.001": 0.9}


def test_rerank_says_whether_a_document_fits(served: LiveServer) -> None:
    """The scores of this server are divided by the query's weight, which changes no fit."""
    asked = {"query": "a bird", "documents": ["a bird", "a house"]}
    results = served.call("/v1/rerank", {"model": "tiny-random-bert", **asked}).json["results"]
    assert all(one["fit"] == ("likely" if one["relevance_score"] >= 0.9 else "maybe") for one in results)
    assert all("fit" not in one for one in served.call("/v1/rerank", {"model": XLMR, **asked}).json["results"])


def test_a_query_that_asks_nothing_is_ranked_and_fits_nothing(served: LiveServer) -> None:
    """Jina's API has a result for every document; the model's cutoffs here call any other query's at least a maybe."""
    asked = {"model": "tiny-random-bert", "query": " \n", "documents": ["a bird", ""]}
    assert [one["fit"] for one in served.call("/v1/rerank", asked).json["results"]] == ["unlikely"] * 2
    assert all("fit" not in one for one in served.call("/v1/rerank", asked | {"model": XLMR}).json["results"])


def test_search_says_it_where_the_model_has_cutoffs(served: LiveServer, tmp_path: Path) -> None:
    with LiveServer(
        "--artefact",
        str(with_cutoffs(tmp_path / "model", 0.9, -1.0)),
        "--index",
        str(tmp_path / "index"),
        log=tmp_path / "log",
        artefacts=(),
    ) as running:
        running.call("/v1/index/documents", {"documents": [{"id": "bird", "text": "a bird"}]})
        (found,) = running.call("/v1/search", {"query": "a bird"}).json["results"]
        assert found["fit"] == ("likely" if found["normalised_score"] >= 0.9 else "maybe")
