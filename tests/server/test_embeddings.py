"""/v1/multi-vector and /v1/embeddings: what the library gives, to the bit, in every form."""

import base64
from typing import Any

import numpy as np
import pytest

from colibri.model import Colibri
from live_server import XLMR, Answer, LiveServer

TEXTS = ["a bird", "", "🐦", "one, two; three!", "ha\u0000lo", "مرحبا", "e\u0301", "bird " * 300]


def ask(server: LiveServer, **fields: Any) -> Answer:
    return server.call("/v1/multi-vector", {"model": XLMR, **fields})


def rows(answer: Answer) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    assert answer.status == 200, answer.body
    return [np.array(entry["embeddings"], np.float32) for entry in answer.json["data"]]


@pytest.mark.parametrize("path", ["/v1/multi-vector", "/v1/embeddings"])
@pytest.mark.parametrize("role", ["query", "document", None])
def test_floats_are_the_librarys_bits(server: LiveServer, xlmr: Colibri, path: str, role: str | None) -> None:
    encode = xlmr.encode_queries if role == "query" else xlmr.encode_documents
    for dim in (*xlmr.dims, None):
        answer = server.call(path, {"model": XLMR, "input": TEXTS, "input_type": role, "dimensions": dim})
        expected = encode(TEXTS, dim)
        found = rows(answer)
        assert len(found) == len(TEXTS)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_the_answer_has_the_contracts_shape(server: LiveServer) -> None:
    answer = ask(server, input=["a bird", "a house"]).json
    assert list(answer) == ["model", "object", "data", "usage"]
    assert (answer["model"], answer["object"]) == (XLMR, "list")
    assert [(entry["object"], entry["index"]) for entry in answer["data"]] == [("embeddings", 0), ("embeddings", 1)]
    assert set(answer["usage"]) == {"total_tokens", "prompt_tokens"}


def test_base64_is_float32_little_endian_and_the_rest_are_signs(server: LiveServer, xlmr: Colibri) -> None:
    expected = xlmr.encode_documents(TEXTS)
    coded = ask(server, input=TEXTS, embedding_type="base64").json["data"]
    unsigned = ask(server, input=TEXTS, embedding_type="ubinary").json["data"]
    signed = ask(server, input=TEXTS, embedding_type="binary").json["data"]
    for i, vectors in enumerate(expected):
        decoded = [np.frombuffer(base64.b64decode(token), "<f4") for token in coded[i]["embeddings"]]
        np.testing.assert_array_equal(np.stack(decoded), vectors)
        for t, row in enumerate(vectors):
            bits = unsigned[i]["embeddings"][t]
            # The definition, by hand: x > 0, the first dim in the highest bit.
            plain = [sum((row[8 * byte + k] > 0) << (7 - k) for k in range(8)) for byte in range(len(row) // 8)]
            assert bits == plain
            assert signed[i]["embeddings"][t] == [byte - 128 for byte in plain]


def test_the_clients_way_to_decode_binary_gives_the_signs(server: LiveServer, xlmr: Colibri) -> None:
    """llama-index adds 128 and unpacks."""
    expected = xlmr.encode_documents(["a bird"])[0]
    signed = np.array(ask(server, input="a bird", embedding_type="binary").json["data"][0]["embeddings"])
    assert signed.min() >= -128
    assert signed.max() <= 127
    np.testing.assert_array_equal(np.unpackbits((signed + 128).astype(np.uint8), axis=1), expected > 0)


def test_several_forms_come_as_an_object_and_one_in_a_list_as_itself(server: LiveServer) -> None:
    many = ask(server, input="a bird", embedding_type=["float", "base64", "ubinary", "float"]).json["data"][0]
    assert list(many["embeddings"]) == ["float", "base64", "ubinary"]
    for form, found in many["embeddings"].items():
        assert ask(server, input="a bird", embedding_type=[form]).json["data"][0]["embeddings"] == found


@pytest.mark.parametrize(
    "given",
    ["a bird", ["a bird"], {"text": "a bird"}, [{"text": "a bird", "id": 7}], {"text": "a bird", "image": None}],
)
def test_a_text_may_come_in_any_of_their_ways(server: LiveServer, xlmr: Colibri, given: object) -> None:
    np.testing.assert_array_equal(rows(ask(server, input=given))[0], xlmr.encode_documents(["a bird"])[0])


def test_mixed_lists_keep_their_order(server: LiveServer, xlmr: Colibri) -> None:
    found = rows(ask(server, input=["a", {"text": "b"}, "c d"]))
    for ours, theirs in zip(found, xlmr.encode_documents(["a", "b", "c d"]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_null_is_as_good_as_absent_and_unknown_fields_are_ignored(server: LiveServer) -> None:
    plain = ask(server, input="a bird")
    fields = ["input_type", "dimensions", "embedding_type", "return_tokenized_input", "truncation"]
    nulls: dict[str, Any] = dict.fromkeys(fields)
    others: dict[str, Any] = {
        "normalized": True,
        "task": "retrieval",
        "late_chunking": False,
        "user": {"a": [1]},
        "encoding_type": "x",
    }
    assert ask(server, input="a bird", **nulls, **others).body == plain.body


def test_queries_have_all_their_rows_padding_included(server: LiveServer) -> None:
    wide = rows(ask(server, input=["a", "bird " * 50], input_type="query"))
    assert [len(found) for found in wide] == [16, 16]


def test_cut_documents_are_counted(server: LiveServer) -> None:
    answer = ask(server, input=["bird " * 300, "a bird"])
    assert answer.headers["x-colibri-truncated"] == "1"
    assert "x-colibri-truncated" not in ask(server, input="a bird").headers
    metrics = server.call("/metrics").body.decode()
    assert f'colibri_truncated_texts_total{{model="{XLMR}",role="document"}}' in metrics


@pytest.mark.parametrize("role", ["query", "document"])
def test_without_truncation_a_long_text_is_refused_by_name(server: LiveServer, role: str) -> None:
    answer = ask(server, input=["a bird", "bird " * 300], truncation=False, input_type=role)
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == "input"
    assert "tokens" in answer.json["detail"]
    assert ask(server, input=["a bird"], truncation=False, input_type=role).status == 200


def test_usage_counts_what_the_model_was_given(server: LiveServer, xlmr: Colibri) -> None:
    from colibri.encoding.packing import Report

    report = Report()
    xlmr.encode_documents(TEXTS, report=report)
    assert ask(server, input=TEXTS).json["usage"] == {"total_tokens": report.tokens, "prompt_tokens": report.tokens}
    queries = ask(server, input=["a", "b"], input_type="query").json
    assert queries["usage"]["total_tokens"] == 32


def test_tokenized_input_names_each_row(server: LiveServer, xlmr: Colibri) -> None:
    from colibri.server.encoding import row_tokens

    for role in ("query", "document"):
        for entry in ask(server, input=TEXTS, return_tokenized_input=True, input_type=role).json["data"]:
            assert len(entry["tokenized_input"]) == len(entry["embeddings"])
    first = ask(server, input="a bird", return_tokenized_input=True).json["data"][0]["tokenized_input"]
    assert first == row_tokens(xlmr, ["a bird"], "document")[0]
    assert first[0] == "<s>"
    assert "tokenized_input" not in ask(server, input="a bird").json["data"][0]


def test_more_texts_than_a_slice_come_in_their_order(server: LiveServer, xlmr: Colibri) -> None:
    texts = [f"{'bird ' * (i % 7)}{i}" for i in range(150)]
    for ours, theirs in zip(rows(ask(server, input=texts)), xlmr.encode_documents(texts), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_each_model_answers_under_its_names(server: LiveServer, bert: Colibri, xlmr: Colibri) -> None:
    for name, model in ((bert.name, bert), (xlmr.name, xlmr), ("jina-colbert-v2", xlmr)):
        answer = server.call("/v1/embeddings", {"model": name, "input": "a bird"})
        assert answer.json["model"] == name
        np.testing.assert_array_equal(rows(answer)[0], model.encode_documents(["a bird"])[0])


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"input": 3}, 422, "input"),
        ({"input": ["a", 3]}, 422, "input[1]"),
        ({"input": [{"id": 1}]}, 422, "input[0].text"),
        ({"input": []}, 422, "input"),
        ({}, 422, "input"),
        ({"input": "a", "dimensions": 17}, 422, "dimensions"),
        ({"input": "a", "dimensions": "48"}, 422, "dimensions"),
        ({"input": "a", "dimensions": 10**30}, 422, "dimensions"),
        ({"input": "a", "input_type": "passage"}, 422, "input_type"),
        ({"input": "a", "embedding_type": "int8"}, 422, "embedding_type"),
        ({"input": "a", "embedding_type": []}, 422, "embedding_type"),
        ({"input": "a", "embedding_type": ["float", "x"]}, 422, "embedding_type[1]"),
        ({"input": ["a"] * 2049}, 422, "input"),
        ({"input": ["a", "b" * 1_000_001]}, 422, "input[1]"),
    ],
)
def test_what_cannot_be_used_is_refused_by_field(
    server: LiveServer, fields: dict[str, Any], status: int, field: str
) -> None:
    answer = ask(server, **fields)
    assert answer.status == status
    assert answer.json["errors"][0]["field"] == field
    assert isinstance(answer.json["detail"], str)
    assert answer.json["code"] == "VALIDATION_ERROR"
    assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_2048_texts_are_taken(server: LiveServer) -> None:
    assert len(ask(server, input=["a"] * 2048, embedding_type="ubinary").json["data"]) == 2048


def test_an_unknown_model_is_named_with_those_there_are(server: LiveServer) -> None:
    answer = server.call("/v1/embeddings", {"model": "jina-embeddings-v3", "input": "a"})
    assert (answer.status, answer.json["code"]) == (400, "INPUT_MODEL_NOT_FOUND")
    assert "jina-colbert-v2" in answer.json["detail"]
