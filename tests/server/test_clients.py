"""Requests as clients of OpenAI, Cohere, Voyage and Jina's other models make them: meant, or refused in words."""

import codecs
import json
from typing import Any

import numpy as np
import pytest

from colibri.model import Colibri
from live_server import BERT, XLMR, Answer, LiveServer


def ask(server: LiveServer, path: str = "/v1/embeddings", **fields: Any) -> Answer:
    return server.call(path, {"model": XLMR, "input": ["how many birds"], **fields})


@pytest.mark.parametrize("form", ["base64", "float"])
def test_a_client_that_wants_one_vector_is_told_who_has_rows(server: LiveServer, form: str) -> None:
    """OpenAI's own sends base64 when it was told nothing, and reads `embedding`, which no answer here has."""
    answer = ask(server, encoding_format=form)
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "encoding_format"
    for word in ("OpenAI", "/v1/multi-vector", "`embeddings`", "embedding_type"):
        assert word in answer.json["detail"]
    # All that the client shows: its exception says "Error code: 422 - " and this.
    assert answer.json["message"] == answer.json["detail"]
    assert ask(server, "/v1//embeddings/", encoding_format=form).status == 422


def test_who_says_which_rows_gets_them(server: LiveServer) -> None:
    plain = ask(server, embedding_type="float").body
    assert ask(server, embedding_type="float", encoding_format="base64").body == plain
    assert ask(server, encoding_format=None).body == plain
    assert ask(server, "/v1/multi-vector", encoding_format="base64").body == plain


@pytest.mark.parametrize(
    "fields",
    [
        {"input_type": "search_query"},
        {"task": "retrieval.query"},
        {"task": "retrieval.query", "input_type": "query"},
        {"task": "retrieval", "input_type": "query"},
    ],
)
def test_a_query_in_others_words(server: LiveServer, xlmr: Colibri, fields: dict[str, str]) -> None:
    rows = np.array(ask(server, **fields).json["data"][0]["embeddings"], np.float32)
    np.testing.assert_array_equal(rows, xlmr.encode_queries(["how many birds"])[0])


@pytest.mark.parametrize("fields", [{"input_type": "search_document"}, {"task": "retrieval.passage"}, {"task": None}])
def test_a_document_in_others_words(server: LiveServer, xlmr: Colibri, fields: dict[str, Any]) -> None:
    rows = np.array(ask(server, **fields).json["data"][0]["embeddings"], np.float32)
    np.testing.assert_array_equal(rows, xlmr.encode_documents(["how many birds"])[0])


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"task": "text-matching"}, "task", ["'text-matching'", "retrieval.query", "retrieval.passage"]),
        ({"task": 3}, "task", ["int"]),
        ({"task": "a' - at `$.b`"}, "task", ["retrieval.query"]),
        ({"input_type": "a' - at `$.b"}, "input_type", ["search_query"]),
        ({"input_type": "classification"}, "input_type", ["'classification'", "search_query", "document"]),
        ({"embedding_type": ["float", "int8"]}, "embedding_type[1]", ["'int8'", "float, base64, binary, ubinary"]),
        ({"task": "retrieval.query", "input_type": "document"}, "task", ["retrieval.query", "input_type document"]),
    ],
)
def test_an_unknown_word_is_refused_with_those_there_are(
    server: LiveServer, fields: dict[str, Any], field: str, words: list[str]
) -> None:
    answer = ask(server, **fields)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)
    assert [word for word in words if word not in answer.json["detail"]] == []


@pytest.mark.parametrize("path", ["/v1/rerank/", "//v1/rerank", "/v1//rerank//"])
def test_slashes_too_many_are_taken(server: LiveServer, path: str) -> None:
    body = {"model": XLMR, "query": "birds", "documents": ["a bird", "a house"]}
    own = f"slashes-{path.count('/')}-{len(path)}"
    assert server.call(path, body, headers={"X-Request-ID": own}).body == server.call("/v1/rerank", body).body
    assert server.logged_of(own)["route"] == "/v1/rerank"


def test_models_are_found_with_slashes_too_many(server: LiveServer) -> None:
    assert server.call("/v1/models/").json == server.call("/v1/models").json
    assert server.call(f"//v1/models//{XLMR}/").json == server.call(f"/v1/models/{XLMR}").json


def test_a_byte_order_mark_before_the_json_is_taken(server: LiveServer) -> None:
    body = {"model": XLMR, "input": "a bird"}
    marked = server.call("/v1/embeddings", codecs.BOM_UTF8 + json.dumps(body).encode())
    assert marked.body == server.call("/v1/embeddings", body).body


@pytest.mark.parametrize("name", ["jina-embeddings-v4", "jina-reranker-v3", "jina-colbert-v3"])
def test_a_model_that_is_not_served_is_answered_with_what_is_and_what_is_not(server: LiveServer, name: str) -> None:
    for path in ("/v1/multi-vector", "/v1/rerank"):
        answer = server.call(path, {"model": name, "input": "a", "query": "a", "documents": ["a"]})
        assert (answer.status, answer.json["code"]) == (400, "INPUT_MODEL_NOT_FOUND")
        for word in (f"'{name}'", BERT, XLMR, "text alone", "not comparable", f"--alias {name}={BERT}", "--artefact"):
            assert word in answer.json["detail"]


def test_a_name_that_ends_in_a_width_says_how_that_is_asked_for(server: LiveServer) -> None:
    """As the heads of jina-colbert-v2 are called on the hub."""
    detail = ask(server, model="jina-colbert-v2-16").json["detail"]
    assert "model 'jina-colbert-v2' and dimensions 16" in detail
    assert "dimensions" not in ask(server, model="jina-colbert-v2-17").json["detail"]
