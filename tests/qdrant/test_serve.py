"""`colibri serve --store qdrant`: two servers on one collection, and a Qdrant server that refuses."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colibri.stores import QdrantStore
from live_server import LiveServer
from reference import ARTEFACTS
from scripted_server import ScriptedServer

DOCUMENTS: list[dict[str, Any]] = [
    {"id": f"https://x.org//{i}/", "text": f"bird {i} in the house", "payload": {"n": i, "even": i % 2 == 0}}
    for i in range(25)
]


@pytest.fixture(scope="module")
def qdrant() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def both(qdrant: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, LiveServer]]:
    """Two servers that share a collection."""
    folder = tmp_path_factory.mktemp("served")
    words = ("--store", "qdrant", "--url", qdrant.url, "--collection", "notes")
    with LiveServer(*words, log=folder / "a.jsonl") as one, LiveServer(*words, log=folder / "b.jsonl") as other:
        assert "QdrantStore('notes'" in one.announced
        assert one.call("/v1/index/documents", {"documents": DOCUMENTS}).json["documents"] == len(DOCUMENTS)
        yield one, other


def test_what_one_puts_the_other_finds(both: tuple[LiveServer, LiveServer]) -> None:
    one, other = both
    asked = {"query": "bird 7 in the house", "top_n": 3, "where": {"n": {"$lt": 20}}, "spans": True}
    here, there = one.call("/v1/search", asked).json, other.call("/v1/search", asked).json
    assert here["results"] == there["results"]
    assert len(here["results"]) == 3
    assert all(found["payload"]["n"] < 20 for found in here["results"])
    assert other.call("/v1/index/count", {"where": {"even": False}}).json == {"documents": 12}
    found = other.call(f"/v1/index/documents/{DOCUMENTS[3]['id']}").json
    assert (found["text"], found["payload"]) == (DOCUMENTS[3]["text"], DOCUMENTS[3]["payload"])


def test_pages_hold_every_document_once(both: tuple[LiveServer, LiveServer]) -> None:
    found, offset = [], 0
    while offset is not None:
        page = both[1].call("/v1/index/list", {"offset": offset, "limit": 7}).json
        found += [row["id"] for row in page["data"]]
        offset = page["next_offset"]
    assert sorted(found) == sorted(one["id"] for one in DOCUMENTS)


def test_documents_go(both: tuple[LiveServer, LiveServer]) -> None:
    one, other = both
    more = [{"id": f"more{i}", "text": f"more {i}", "payload": {"more": i}} for i in range(4)]
    assert one.call("/v1/index/documents", {"documents": more}).json["documents"] == 29
    assert other.call("/v1/index/documents/more0", method="DELETE").status == 200
    assert one.call("/v1/index/documents/more0", method="DELETE").status == 404
    assert other.call("/v1/index/delete", {"where": {"more": {"$gte": 1}}}).json["deleted"] == 3
    assert one.call("/v1/index/count", {}).json == {"documents": 25}
    assert one.call("/v1/search", {"query": "x", "where": {"$nope": 1}}).status == 422


def test_a_collection_that_does_not_answer_is_503_and_its_words_are_in_the_log_alone(
    qdrant: ScriptedServer, both: tuple[LiveServer, LiveServer]
) -> None:
    one, _ = both
    try:
        qdrant.script = lambda method, path: "400"
        for path, body in (
            ("/v1/search", {"query": "x"}),
            ("/v1/index/count", {}),
            ("/v1/index/delete", {"ids": ["a"]}),
            ("/v1/index/documents", {"documents": DOCUMENTS[:2]}),
        ):
            answer = one.call(path, body)
            assert answer.status == 503, path
            assert answer.headers["retry-after"] == "5"
            assert "scripted" not in answer.body.decode()
    finally:
        qdrant.script = lambda method, path: None
    assert any("scripted 400" in str(line) for line in one.logged())
    assert one.call("/v1/search", {"query": "x"}).status == 200


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--store", "qdrant"], "wants --url"),
        (["--store", "qdrant", "--url", "http://x", "--collection", "c", "--index", "i"], "either --index or --store"),
        (["--collection", "c"], "give --store qdrant"),
        (["--store", "qdrant", "--url", "x", "--collection", "c"], "wanted http://HOST:6333"),
    ],
)
def test_words_that_do_not_go_together(words: list[str], message: str, tmp_path: Path) -> None:
    tiny = ["--artefact", str(ARTEFACTS / "tiny-random-bert")]
    command = [sys.executable, "-m", "colibri", "serve", "--port", "0", *tiny, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120)
    assert done.returncode == 1
    assert message in done.stderr


def test_the_collection_is_the_librarys_too(qdrant: ScriptedServer, both: tuple[LiveServer, LiveServer]) -> None:
    store = QdrantStore(qdrant.local, "notes", model=str(ARTEFACTS / "tiny-random-bert"))
    assert store.count() == 25
