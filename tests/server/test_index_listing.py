"""`colibri serve --index` without a query: documents got, listed, counted, deleted by filter; spans; unknown fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri.explain import highlights
from live_server import BERT, XLMR, Answer, LiveServer
from reference import ARTEFACTS

DOCUMENTS: list[dict[str, Any]] = [
    {"id": f"https://x.org//{i}/", "text": f"bird {i} in the house", "payload": {"n": i, "even": i % 2 == 0}}
    for i in range(25)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("listed") / "notes.index"


@pytest.fixture(scope="module")
def indexed(folder: Path) -> Iterator[LiveServer]:
    """A server with an index of 25 documents."""
    with LiveServer("--index", str(folder), "--max-body-mb", "1", log=folder.with_name("log.jsonl")) as running:
        assert running.call("/v1/index/documents", {"documents": DOCUMENTS}).json["documents"] == len(DOCUMENTS)
        yield running


def listed(server: LiveServer, **fields: Any) -> Answer:
    return server.call("/v1/index/list", fields)


def test_a_document_is_got_by_an_id_with_slashes(indexed: LiveServer) -> None:
    for one in DOCUMENTS[:3]:
        answer = indexed.call(f"/v1/index/documents/{one['id']}")
        assert answer.json == {**one, "object": "index.document"}
    assert indexed.call("/v1/index/documents/https://x.org/0").status == 404


def test_pages_hold_every_document_once(indexed: LiveServer) -> None:
    found, offset = [], 0
    while offset is not None:
        page = listed(indexed, offset=offset, limit=7, return_documents=True).json
        assert page["documents"] == len(DOCUMENTS)
        assert len(page["data"]) <= 7
        found += [{name: row[name] for name in ("id", "text", "payload")} for row in page["data"]]
        offset = page["next_offset"]
    assert found == DOCUMENTS


def test_a_filter_says_what_is_listed_and_counted(indexed: LiveServer) -> None:
    page = listed(indexed, where={"even": True, "n": {"$gte": 10}}).json
    assert [row["payload"]["n"] for row in page["data"]] == [10, 12, 14, 16, 18, 20, 22, 24]
    assert all("text" not in row for row in page["data"])
    assert (page["documents"], page["next_offset"]) == (8, None)
    assert indexed.call("/v1/index/count", {"where": {"even": False}}).json == {"documents": 12}
    assert indexed.call("/v1/index/count/", {}).json == {"documents": 25}
    assert listed(indexed, offset=25).json["data"] == []


def test_a_page_is_no_larger_than_a_request_may_be(indexed: LiveServer) -> None:
    ids = ["large/0", "large/1", "large/2"]
    for one in ids:
        document = {"id": one, "text": "a", "payload": {"large": True, "blanks": " " * 400_000}}
        assert indexed.call("/v1/index/documents", {"documents": [document]}).status == 200
    page = listed(indexed, where={"large": True}, return_documents=True).json
    assert [row["id"] for row in page["data"]] == ids[:2]
    assert (page["documents"], page["next_offset"]) == (3, 2)
    deleted = indexed.call("/v1/index/delete", {"where": {"large": True}}).json
    assert deleted == {"deleted": 3, "documents": len(DOCUMENTS)}


def test_documents_are_deleted_by_ids_and_by_filter(indexed: LiveServer) -> None:
    more = [{"id": f"m{i}", "text": "more", "payload": {"more": i}} for i in range(6)]
    assert indexed.call("/v1/index/documents", {"documents": more}).status == 200
    by_ids = indexed.call("/v1/index/delete", {"ids": ["m0", "m1", "nobody's"]}).json
    assert by_ids == {"deleted": 2, "documents": len(DOCUMENTS) + 4}
    by_filter = indexed.call("/v1/index/delete", {"where": {"more": {"$gte": 4}}}).json
    assert by_filter == {"deleted": 2, "documents": len(DOCUMENTS) + 2}
    assert [row["id"] for row in listed(indexed, where={"more": {"$exists": True}}).json["data"]] == ["m2", "m3"]
    assert indexed.call("/v1/index/delete", {"ids": ["m2", "m3"]}).json["documents"] == len(DOCUMENTS)


def test_spans_say_which_characters_answered(indexed: LiveServer, folder: Path) -> None:
    with colibri.Index.open(folder, colibri.load(ARTEFACTS / BERT)) as index:
        expected = index.search("birds in houses", 3, explain=True)
    answer = indexed.call("/v1/search", {"query": "birds in houses", "top_n": 3, "spans": True}).json
    assert [one["id"] for one in answer["results"]] == [hit.id for hit in expected]
    for one, hit in zip(answer["results"], expected, strict=True):
        for passage, best in zip(one["passages"], hit.passages, strict=True):
            found = [
                (match["query"]["start"], match["query"]["end"], match["document"]["start"], match["document"]["end"])
                for match in passage["matches"]
            ]
            assert found == [(*match.query, *match.document) for match in best.matches]
            assert any(end > start for _, _, start, end in found)
            assert sum(match["weight"] for match in passage["matches"]) == pytest.approx(passage["relevance_score"])
        words = highlights(hit.passages[0].matches, hit.text or "")
        assert [(word["start"], word["end"]) for word in one["highlights"]] == [tuple(word) for word in words]
    plain = indexed.call("/v1/search", {"query": "birds in houses", "top_n": 3}).json["results"][0]
    assert "highlights" not in plain
    assert "matches" not in plain["passages"][0]


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        ("/v1/search", {"query": "a", "top_k": 3}, "top_k", "is top_n "),
        ("/v1/search", {"query": "a", "limit": 3}, "limit", "is k "),
        ("/v1/search", {"query": "a", "k": 3, "top_n": 4}, "top_n", "found 4, and k 3"),
        ("/v1/search", {"query": " ", "k": 3, "where": {"$x": 1}}, "where", "unknown operator"),
        ("/v1/search", {"query": "a", "spans": True, "k": 101}, "spans", "wanted a k of at most 100"),
        ("/v1/search", {"query": "a", "filter": {"n": 1}}, "filter", "is where "),
        ("/v1/search", {"query": "a", "return_document": True}, "return_document", "is return_documents "),
        ("/v1/search", {"query": "a", "zzzz": 1}, "zzzz", "(of model, query, top_n, where"),
        ("/v1/search", {"query": "a", "spans": True, "top_n": 101}, "spans", "at most 100"),
        ("/v1/search", {"query": "a", "model": XLMR}, "model", BERT),
        ("/v1/index/documents", {"docs": []}, "docs", "is documents "),
        (
            "/v1/index/documents",
            {"documents": [{"id": "a", "text": "a", "metadata": {}}]},
            "documents[0].metadata",
            "is payload ",
        ),
        ("/v1/search", {"query": "a", "b` - at `$.c": 1}, "c.b", "unknown field"),
        ("/v1/search", {"query": "a", "b\n`": 1}, "b\n", "unknown field"),
        ("/v1/search", {"query": "a", "top_k": [{"x": 1}]}, "top_k", "is top_n "),
        ("/v1/index/list", {"filters": {}}, "filters", "is where "),
        ("/v1/index/list", {"limit": 1001}, "limit", "1000"),
        ("/v1/index/list", {"where": {"n": {"$near": 1}}}, "where", "$near"),
        ("/v1/index/count", {"where": {"n": {"$near": 1}}}, "where", "$near"),
        ("/v1/index/delete", {}, "where", "neither"),
        ("/v1/index/delete", {"ids": ["a"], "where": {"n": 1}}, "where", "both"),
        ("/v1/index/delete", {"where": {}}, "where", "every document"),
        ("/v1/index/delete", {"where": {"n": {"$near": 1}}}, "where", "$near"),
        ("/v1/index/delete", {"ids": [""]}, "ids", "id of 0 characters"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_could(
    indexed: LiveServer, path: str, body: dict[str, Any], field: str, words: str
) -> None:
    answer = indexed.call(path, body)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)
    assert words in answer.json["detail"]
    assert indexed.call("/v1/index/count", {}).json == {"documents": len(DOCUMENTS)}


def test_the_indexs_own_model_may_be_named(indexed: LiveServer) -> None:
    named = indexed.call("/v1/search", {"query": "bird", "model": BERT})
    assert named.body == indexed.call("/v1/search", {"query": "bird"}).body
