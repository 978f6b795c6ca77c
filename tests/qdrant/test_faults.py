"""A server that answers 429, 500, half a body or nothing: what is tried again, what is said, and what is in."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient

from colibri import InputError, StoreError, StoreUnfinished
from colibri.stores import QdrantStore
from scripted_server import Script, ScriptedServer
from store_contract import DIM, SPACE, document, ids, rows

Open = Callable[..., QdrantStore]


@pytest.fixture
def connect(scripted: ScriptedServer) -> Iterator[Open]:
    """A store at the scripted server; retries wait for nothing."""
    clients: list[QdrantClient] = []

    def opened(**words: Any) -> QdrantStore:
        clients.append(QdrantClient(url=scripted.url, api_key=words.pop("api_key", None), check_compatibility=False))
        options: dict[str, Any] = {
            "space_id": SPACE,
            "dims": DIM,
            "backoff": 0,
            "retries": 3,
            "batch_bytes": 2_000,
        } | words
        return QdrantStore(clients[-1], "docs", **options)

    yield opened
    for client in clients:
        client.close()


def at(method: str, ending: str, *fates: str | None) -> Script:
    """These fates for requests of one kind, in turn, and proper answers after them and to all others."""
    left = chain(fates, repeat(None))

    def script(asked: str, path: str) -> str | None:
        return next(left) if (asked, path.partition("?")[0].endswith(ending)) == (method, True) else None

    return script


def test_over_http_it_is_the_same_store(scripted: ScriptedServer, connect: Open) -> None:
    store = connect()
    made = [document(seed) for seed in range(12)]
    assert store.add(made) == 12
    assert store.count() == 12
    assert ids(store.search(rows(3, 4), k=1)) == ["d3"]
    assert store.upsert([document(3, payload={"n": 99})]) == 1
    assert store.delete(where={"n": {"$gte": 11}}) == 2
    assert connect().count() == 10
    writes = [path for method, path in scripted.asked if method == "PUT" and path.partition("?")[0].endswith("/points")]
    assert writes
    assert all("wait=true" in path for path in writes)


@pytest.mark.parametrize("fate", ["429", "429 0", "500", "502", "503", "504", "half", "nothing", "done, then nothing"])
def test_what_may_be_tried_again_is_and_the_call_ends_well(scripted: ScriptedServer, connect: Open, fate: str) -> None:
    store = connect()
    scripted.script = at("PUT", "/points", None, fate, fate)
    assert store.add([document(seed) for seed in range(12)]) == 12
    assert store.count() == 12
    scripted.script = at("POST", "/points/query/batch", fate, fate, fate)
    assert ids(store.search(rows(3, 4), k=1)) == ["d3"]
    assert scripted.count("POST", "/points/query/batch") == 4
    scripted.script = at("POST", "/points/delete", fate)
    assert store.delete(["d1", "d2", "absent"]) == 2
    assert store.count() == 10


@pytest.mark.parametrize("fate", ["400", "401", "403", "404", "413", "422"])
def test_what_may_not_is_asked_once(scripted: ScriptedServer, connect: Open, fate: str) -> None:
    store = connect()
    scripted.asked.clear()
    scripted.script = at("PUT", "/points", *[fate] * 9)
    with pytest.raises(StoreUnfinished, match=f"writing .* points: failed: {fate} .*scripted {fate}"):
        store.add([document(1)])
    assert scripted.count("PUT", "/points") == 1
    scripted.script = at("POST", "/points/query/batch", *[fate] * 9)
    with pytest.raises(StoreError, match=f"searching: failed: {fate}"):
        store.search(rows(1))
    assert scripted.count("POST", "/points/query/batch") == 1


@pytest.mark.parametrize("fate", ["500", "nothing", "half", "429 0"])
def test_a_server_that_stays_away_is_given_up_and_the_same_call_finishes(
    scripted: ScriptedServer, connect: Open, fate: str
) -> None:
    store = connect()
    made = [document(seed) for seed in range(12)]
    scripted.script = at("PUT", "/points", None, *[fate] * 4)
    with pytest.raises(StoreUnfinished, match="failed 4 times") as caught:
        store.add(made)
    there = {name for name in (d.id for d in made) if store.get(name)[0] is not None}
    assert set(caught.value.done) <= there <= {*caught.value.done, *caught.value.unsure}
    assert caught.value.done
    assert len(caught.value.done) + len(caught.value.unsure) + caught.value.left == 12
    assert store.add(made) == 12
    assert store.count() == 12
    with pytest.raises(InputError, match="there already"):
        store.add(made)


@pytest.mark.parametrize("fate", ["500", "nothing", "429 1", "half"])
def test_opening_survives_too(scripted: ScriptedServer, connect: Open, fate: str) -> None:
    scripted.script = at("GET", "/exists", fate)
    assert connect().count() == 0
    scripted.script = at("GET", "/docs", fate)
    assert connect().count() == 0


def test_a_collection_whose_answer_was_lost_is_made_once(scripted: ScriptedServer, connect: Open) -> None:
    left = iter(["done, then nothing", "409"])
    scripted.script = lambda method, path: next(left) if (method, path.count("/")) == ("PUT", 2) else None
    assert connect().count() == 0


def test_a_server_that_is_not_there(connect: Open, scripted: ScriptedServer) -> None:
    scripted.close()
    with pytest.raises(StoreError, match="failed 2 times: ConnectError"):
        connect(retries=1)


def test_a_key_is_sent_and_never_shown(
    scripted: ScriptedServer, connect: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with pytest.warns(UserWarning, match="insecure"):
        store = connect(api_key="s3cret-key")
    assert scripted.headers[-1]["api-key"] == "s3cret-key"
    scripted.script = lambda method, path: "403"
    with pytest.raises(StoreError) as caught:
        store.count()
    seen = f"{caught.value}{caught.value.__cause__}{store!r}" + caplog.text
    assert "s3cret" not in seen


def test_options_are_the_servers(scripted: ScriptedServer, connect: Open) -> None:
    store = connect(ordering="strong", consistency="majority", timeout=7)
    store.add([document(1)])
    store.search(rows(1))
    write = next(path for method, path in scripted.asked if method == "PUT" and "/points?" in path)
    assert "ordering=strong" in write
    assert "timeout=7" in write
    read = next(path for method, path in scripted.asked if "/query/batch" in path)
    assert "consistency=majority" in read
    assert "timeout=7" in read


def test_nothing_is_sent_for_what_is_refused(scripted: ScriptedServer, connect: Open) -> None:
    store = connect()
    scripted.asked.clear()
    bads: list[dict[str, Any]] = [{"vectors": rows(1) * np.float32("inf")}, {"payload": {"_colibri": {}}}, {"id": ""}]
    for bad in bads:
        with pytest.raises(InputError):
            store.upsert([document(1), document(2, **bad)])
    with pytest.raises(InputError):
        store.search(rows(1), where={"a": {"$regex": "x"}})
    with pytest.raises(InputError):
        store.delete(where={"$nope": 1})
    assert scripted.asked == []
