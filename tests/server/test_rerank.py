"""/v1/rerank: the library's ranking, in Jina's shape."""

from typing import Any

import pytest

from colibri.model import Colibri
from live_server import XLMR, Answer, LiveServer
from reference import maxsim

QUERY = "how many birds"
DOCUMENTS = ["a house", "many birds", "", "birds, birds; birds", "bread"]


def ask(server: LiveServer, **fields: Any) -> Answer:
    return server.call("/v1/rerank", {"model": XLMR, "query": QUERY, "documents": DOCUMENTS, **fields})


def test_order_and_scores_are_the_librarys(server: LiveServer, xlmr: Colibri) -> None:
    answer = ask(server).json
    expected = xlmr.rerank(QUERY, DOCUMENTS)
    assert [(found["index"], found["relevance_score"]) for found in answer["results"]] == [
        (result.index, result.score) for result in expected
    ]
    by_hand = maxsim(xlmr.encode_queries([QUERY])[0], xlmr.encode_documents(DOCUMENTS))
    for found in answer["results"]:
        assert found["relevance_score"] == pytest.approx(by_hand[found["index"]], abs=1e-5)


def test_the_answer_has_the_contracts_shape(server: LiveServer) -> None:
    answer = ask(server, top_n=2).json
    assert (answer["model"], answer["object"]) == (XLMR, "list")
    assert set(answer["usage"]) == {"total_tokens", "prompt_tokens"}
    assert len(answer["results"]) == 2
    for found in answer["results"]:
        assert found["document"] == {"text": DOCUMENTS[found["index"]]}


def test_documents_may_be_mixed_and_the_query_a_dict(server: LiveServer) -> None:
    mixed = [{"text": text, "id": 1} if i % 2 else text for i, text in enumerate(DOCUMENTS)]
    assert ask(server, documents=mixed, query={"text": QUERY}).body == ask(server).body


def test_nulls_and_unknown_fields_change_nothing(server: LiveServer) -> None:
    nulls = dict.fromkeys(["top_n", "return_documents", "truncation", "dimensions"])
    assert ask(server, **nulls, max_chunks_per_doc=3, rank_fields=["text"]).body == ask(server).body


def test_documents_are_left_out_on_request(server: LiveServer) -> None:
    assert all("document" not in found for found in ask(server, return_documents=False).json["results"])


def test_a_width_may_be_chosen(server: LiveServer, xlmr: Colibri) -> None:
    expected = xlmr.score(xlmr.encode_queries([QUERY], 16), xlmr.encode_documents(DOCUMENTS, 16))
    for found in ask(server, dimensions=16).json["results"]:
        assert found["relevance_score"] == expected[found["index"]]


def test_more_documents_than_there_are_is_all_of_them(server: LiveServer) -> None:
    assert len(ask(server, top_n=100).json["results"]) == len(DOCUMENTS)


def test_many_slices_rank_as_one(server: LiveServer, xlmr: Colibri) -> None:
    documents = [f"{'bird ' * (i % 5)}{i}" for i in range(100)]
    found = ask(server, documents=documents).json["results"]
    assert [one["index"] for one in found] == [result.index for result in xlmr.rerank(QUERY, documents)]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"documents": []}, "documents"),
        ({"documents": "a"}, "documents"),
        ({"documents": ["a", None]}, "documents[1]"),
        ({"documents": ["a"] * 2049}, "documents"),
        ({"query": ["a"]}, "query"),
        ({"query": "a" * 1_000_001}, "query"),
        ({"top_n": 0}, "top_n"),
        ({"top_n": True}, "top_n"),
        ({"dimensions": 128}, "dimensions"),
        ({"documents": ["bird " * 300], "truncation": False}, "documents"),
        ({"query": "bird " * 300, "truncation": False}, "query"),
    ],
)
def test_what_cannot_be_used_is_refused_by_field(server: LiveServer, fields: dict[str, Any], field: str) -> None:
    answer = ask(server, **fields)
    assert answer.status == 422, answer.body
    assert answer.json["errors"][0]["field"] == field
