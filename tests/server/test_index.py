"""`colibri serve --index`: the library's index over HTTP; what was acknowledged survives whatever comes."""

import contextlib
import http.client
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import colibri
from live_server import XLMR, Answer, LiveServer
from reference import ARTEFACTS

TEXTS = ["a house by the river", "many birds", "birds, birds; birds", "bread and salt", "🐦", "ha lo", "مرحبا"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("indexed") / "notes.index"


@pytest.fixture(scope="module")
def indexed(folder: Path) -> Iterator[LiveServer]:
    """A server with an index of its own, filled over HTTP."""
    with LiveServer("--index", str(folder), log=folder.with_name("log.jsonl"), artefacts=(XLMR,)) as running:
        documents = [{"id": f"d/{i}", "text": text, "payload": {"n": i}} for i, text in enumerate(TEXTS)]
        answer = running.call("/v1/index/documents", {"documents": documents})
        assert answer.status == 200, answer.body
        assert answer.json["ids"] == [f"d/{i}" for i in range(len(TEXTS))]
        assert answer.json["documents"] == len(TEXTS)
        yield running


def search(server: LiveServer, **fields: Any) -> Answer:
    return server.call("/v1/search", {"query": "birds", **fields})


def test_a_search_finds_what_the_library_finds(indexed: LiveServer, folder: Path) -> None:
    with colibri.Index.open(folder, colibri.load(ARTEFACTS / XLMR)) as index:
        expected = index.search("birds", 10)
        filtered = index.search("birds", 2, {"n": {"$gte": 3}})
    answer = search(indexed).json
    assert [(one["id"], one["relevance_score"], one["normalised_score"]) for one in answer["results"]] == [
        (hit.id, hit.score, hit.normalised) for hit in expected
    ]
    assert [one["document"]["text"] for one in answer["results"]] == [hit.text for hit in expected]
    assert [one["payload"] for one in answer["results"]] == [hit.payload for hit in expected]
    assert [one["passages"][0]["end"] for one in answer["results"]] == [hit.passages[0].end for hit in expected]
    assert answer["usage"]["total_tokens"] == 16
    found = search(indexed, top_n=2, where={"n": {"$gte": 3}}, return_documents=False).json["results"]
    assert [one["id"] for one in found] == [hit.id for hit in filtered]
    assert all("document" not in one for one in found)


def test_pages_and_a_least_score(indexed: LiveServer) -> None:
    whole = search(indexed, top_n=100).json["results"]
    pages = [search(indexed, top_n=3, offset=at).json["results"] for at in (0, 3, 6, 9)]
    assert [one for page in pages for one in page] == whole
    least = whole[3]["normalised_score"]
    assert search(indexed, min_score=least).json["results"] == [
        one for one in whole if one["normalised_score"] >= least
    ]
    assert search(indexed, min_score=2).json["results"] == []
    assert search(indexed, min_score=least, offset=2, top_n=1).json["results"] == whole[2:3]
    assert search(indexed, top_n=100, exact=True).json["results"] == whole
    assert search(indexed).json["screened"] is search(indexed, exact=True).json["screened"] is False  # it is small
    beyond = indexed.call("/v1/search", b'{"query": "birds", "min_score": 1e999}')
    assert beyond.status in {400, 422}, beyond.body
    assert "min_score" in beyond.body.decode() or "out of range" in beyond.body.decode()


def test_words_and_both(indexed: LiveServer, folder: Path) -> None:
    def ids(query: str, **fields: Any) -> list[str]:
        answer = indexed.call("/v1/search", {"query": query, **fields})
        assert answer.status == 200, answer.body
        assert answer.json["mode"] == fields.get("mode", "meaning")
        return [one["id"] for one in answer.json["results"]]

    assert set(ids("birds", mode="words")) == {"d/1", "d/2"}
    assert ids('"many birds"', mode="words") == ids('birds -"birds birds"', mode="words") == ["d/1"]
    assert ids('"many birds"', mode="both") == ["d/1"]
    assert len(ids('"many birds"')) == len(TEXTS)
    assert ids("bir", mode="words") == []
    assert set(ids("bir", mode="words", typing=True)) == {"d/1", "d/2"}
    assert ids("-birds", mode="both") == []
    with colibri.Index.open(folder, colibri.load(ARTEFACTS / XLMR)) as index:
        assert ids("bread birds -river", mode="both") == [h.id for h in index.search("bread birds -river", mode="both")]
    found = indexed.call("/v1/search", {"query": "birds salt", "mode": "words", "spans": True}).json
    assert found["usage"]["total_tokens"] == 0
    assert found["results"][0]["words_score"] == found["results"][0]["normalised_score"] == 1.0
    assert "words_score" not in search(indexed).json["results"][0]
    refused = search(indexed, mode="hybrid")
    assert refused.status in {400, 422}
    assert "mode" in refused.body.decode()


def test_documents_are_replaced_and_deleted_by_id(indexed: LiveServer) -> None:
    def add(text: str) -> int:
        answer = indexed.call("/v1/index/documents", {"documents": [{"id": "a/b c?ü", "text": text}]})
        count: int = answer.json["documents"]
        return count

    assert add("old") == len(TEXTS) + 1
    assert add("new") == len(TEXTS) + 1
    path = "/v1/index/documents/a/b%20c%3F%C3%BC"
    answer = indexed.call(path, method="DELETE")
    assert answer.json == {"id": "a/b c?ü", "object": "index.document", "deleted": True}
    assert indexed.call(path, method="DELETE").status == 404
    assert len(search(indexed, top_n=100).json["results"]) == len(TEXTS)


def test_k_is_the_word_and_top_n_its_alias(indexed: LiveServer) -> None:
    whole = search(indexed, top_n=100).json["results"]
    for given in ({"k": 2}, {"top_n": 2}, {"k": 2, "top_n": 2}):
        assert search(indexed, **given).json["results"] == whole[:2], given


@pytest.mark.parametrize("query", ["", " \n\t", "\u3000"])
def test_what_asks_nothing_finds_nothing(indexed: LiveServer, query: str) -> None:
    answer = indexed.call("/v1/search", {"query": query})
    assert (answer.status, answer.json["results"], answer.json["usage"]["total_tokens"]) == (200, [], 0)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/search", {"query": "a", "where": {"n": {"$near": 1}}}, "where"),
        ("/v1/search", {"query": "a", "where": []}, "where"),
        ("/v1/search", {"query": "a", "top_n": 0}, "top_n"),
        ("/v1/search", {"query": "a", "offset": -1}, "offset"),
        ("/v1/search", {"query": "a", "offset": 1.5}, "offset"),
        ("/v1/search", {"query": "a", "offset": 1_000_001}, "offset"),
        ("/v1/search", {"query": "a", "min_score": "0.5"}, "min_score"),
        ("/v1/search", {"query": "a", "min_score": True}, "min_score"),
        ("/v1/search", {"query": 1}, "query"),
        ("/v1/index/documents", {"documents": []}, "documents"),
        ("/v1/index/documents", {"documents": [{"id": "", "text": "a"}]}, "documents[0].id"),
        ("/v1/index/documents", {"documents": [{"id": "a"}]}, "documents[0].text"),
        ("/v1/index/documents", {"documents": [{"id": "a", "text": "a", "payload": 1}]}, "documents[0].payload"),
        ("/v1/index/documents", {"documents": [{"id": "x", "text": "a" * 1_000_001}]}, "documents[0]"),
    ],
)
def test_what_cannot_be_used_is_refused_by_field(
    indexed: LiveServer, path: str, body: dict[str, Any], field: str
) -> None:
    answer = indexed.call(path, body)
    assert answer.status == 422, answer.body
    assert answer.json["errors"][0]["field"] == field
    assert answer.json["detail"].count(f"{field}: ") == 1


def test_the_document_describes_these_routes_as_well(indexed: LiveServer, server: LiveServer) -> None:
    paths = indexed.call("/openapi.json").json["paths"]
    assert set(paths) - set(server.call("/openapi.json").json["paths"]) == {
        "/v1/search",
        "/v1/index/documents",
        "/v1/index/documents/{id}",
        "/v1/index/list",
        "/v1/index/count",
        "/v1/index/delete",
    }
    assert server.call("/v1/search", {"query": "a"}).status == 404


def test_an_index_of_another_model_is_refused(indexed: LiveServer, folder: Path) -> None:
    with pytest.raises(AssertionError, match="no server"):
        LiveServer("--index", str(folder), log=folder.with_name("other.jsonl"), artefacts=("tiny-random-bert",))


class Writers:
    """Threads that add documents one by one and note which were acknowledged."""

    def __init__(self, server: LiveServer, count: int) -> None:
        self.acknowledged: list[str] = []
        self.some = threading.Event()
        self._server = server
        self._threads = [threading.Thread(target=self._write, args=(i,)) for i in range(count)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(120)

    def _write(self, number: int) -> None:
        with contextlib.closing(http.client.HTTPConnection(*self._server.address, timeout=120)) as connection:
            for i in range(100_000):
                added = f"{number}-{i}"
                body = json.dumps({"documents": [{"id": added, "text": f"bird {added}"}]})
                try:
                    connection.request("POST", "/v1/index/documents", body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    done = response.status == 200 and json.loads(response.read())["ids"] == [added]
                except (OSError, http.client.HTTPException, ValueError):
                    return
                if not done:
                    return
                self.acknowledged.append(added)
                if len(self.acknowledged) >= 20:
                    self.some.set()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_every_acknowledged_document_is_there_after_a_restart(tmp_path: Path, number: signal.Signals) -> None:
    words = ("--index", str(tmp_path / "index"))
    with LiveServer(*words, log=tmp_path / "log", artefacts=(XLMR,)) as running:
        writers = Writers(running, 4)
        assert writers.some.wait(120)
        assert running.stop(number) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
        writers.join()
    with LiveServer(*words, log=tmp_path / "log2", artefacts=(XLMR,)) as again:
        found = again.call("/v1/search", {"query": "bird", "top_n": 10_000}).json["results"]
        assert again.stop() == 0
    assert len(writers.acknowledged) >= 20
    missing = set(writers.acknowledged) - {one["id"] for one in found}
    assert not missing
    with colibri.Index.open(tmp_path / "index", colibri.load(ARTEFACTS / XLMR)) as index:
        assert index.verify().clean


def test_a_client_that_hangs_up_leaves_no_half_of_its_documents(tmp_path: Path) -> None:
    words = ("--index", str(tmp_path / "index"))
    with LiveServer(*words, log=tmp_path / "log", artefacts=(XLMR,)) as running:
        documents = [{"id": str(i), "text": "water under the bridge " * 300} for i in range(2000)]
        body = json.dumps({"documents": documents}).encode()
        connection = http.client.HTTPConnection(*running.address, timeout=120)
        connection.request("POST", "/v1/index/documents", body, {"Content-Type": "application/json"})
        running.wait_for("colibri_running_slices", 1)
        # Nor does one that waits for it to end hold anything when it has left.
        with contextlib.closing(http.client.HTTPConnection(*running.address, timeout=120)) as waiting:
            waiting.request("DELETE", "/v1/index/documents/0")
            running.wait_for("colibri_admitted_requests", 2)
        running.wait_for("colibri_admitted_requests", 1)
        assert [line["method"] for line in running.logged() if line.get("status") == 499] == ["DELETE"]
        connection.close()
        running.wait_for("colibri_admitted_requests", 0)
        assert running.call("/v1/search", {"query": "water"}).json["results"] == []
        assert any(line.get("status") == 499 for line in running.logged())
