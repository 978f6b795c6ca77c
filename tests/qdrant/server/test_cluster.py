"""A cluster: what one node takes another gives, and what a client sees when a node goes away in the middle."""

import subprocess
import time
from collections.abc import Callable

import pytest
from qdrant_client import QdrantClient

from colibri import Document, StoreError, StoreUnfinished
from colibri.stores import QdrantStore
from store_contract import DIM, SPACE, document, ids, rows

Connect = Callable[[str], QdrantClient]

MANY = 600


def replicated(client: QdrantClient, collection: str) -> QdrantStore:
    """Two copies of each shard; a write counts when one has it."""
    return QdrantStore(
        client,
        collection,
        space_id=SPACE,
        dims=DIM,
        shards=2,
        replicas=2,
        write_consistency=1,
        retries=8,
    )


def test_what_is_written_through_one_node_is_read_through_another(
    nodes: list[str], connect: Connect, collection: str
) -> None:
    first, *others = (connect(url) for url in nodes)
    writer = replicated(first, collection)
    writer.add([document(seed) for seed in range(60)])
    for client in others:
        reader = QdrantStore(client, collection, consistency="all")
        assert (reader.space_id, reader.dim) == (SPACE, DIM)
        assert reader.count() == 60
        assert ids(reader.search(rows(3, 4), k=5)) == ids(writer.search(rows(3, 4), k=5))
        assert reader.get("d7")[0] is not None
        reader.upsert([document(7, payload={"by": "other"})])
        assert writer.count({"by": "other"}) == 1
        assert writer.delete(where={"by": "other"}) == 1
        assert reader.get("d7") == [None]
        writer.add([document(7)])


def test_a_new_collection_has_the_copies_that_were_asked_for(
    nodes: list[str], connect: Connect, collection: str
) -> None:
    client = connect(nodes[0])
    replicated(client, collection)
    params = client.get_collection(collection).config.params
    assert (params.shard_number, params.replication_factor, params.write_consistency_factor) == (2, 2, 1)


def test_a_node_goes_away_in_the_middle_of_an_ingest_and_comes_back(
    hooks: tuple[str, str], server: QdrantClient, collection: str
) -> None:
    """With two copies nothing that was acknowledged is lost, and the call that failed is done again."""
    stop, start = hooks
    store = replicated(server, collection)
    acknowledged: list[str] = []
    errors: list[StoreUnfinished] = []
    try:
        for first in range(0, MANY, 50):
            if first == MANY // 3:
                subprocess.run(stop, shell=True, check=True, timeout=120)
            some = [document(seed) for seed in range(first, first + 50)]
            put_at_last(store, some, errors)
            acknowledged += [one.id for one in some]
            if first == 2 * MANY // 3:
                subprocess.run(start, shell=True, check=True, timeout=120)
    finally:
        subprocess.run(start, shell=True, check=False, timeout=120)
    print(f"{len(errors)} calls failed and were done again")
    for error in errors:
        assert len(error.done) + len(error.unsure) + error.left == 50
    wait_until(lambda: store.count() == MANY)
    found = store.get(acknowledged)
    assert all(one is not None for one in found)
    assert store.search(rows(3, 4), k=1)[0].id == "d3"


def test_searches_go_on_while_a_node_is_away(hooks: tuple[str, str], server: QdrantClient, collection: str) -> None:
    stop, start = hooks
    store = replicated(server, collection)
    store.add([document(seed) for seed in range(60)])
    wanted = ids(store.search(rows(3, 4), k=5))
    try:
        subprocess.run(stop, shell=True, check=True, timeout=120)
        answers, errors = [], []
        for _ in range(5):
            try:
                answers.append(ids(store.search(rows(3, 4), k=5)))
            except StoreError as error:  # what a client sees: which collection, how often, and why
                errors.append(str(error))
        assert all(collection in error for error in errors)
        assert answers
        assert all(answer == wanted for answer in answers)
    finally:
        subprocess.run(start, shell=True, check=False, timeout=120)


def put_at_last(store: QdrantStore, some: list[Document], errors: list[StoreUnfinished]) -> None:
    """Add documents, again where that failed half-way, five times at most."""
    for turn in range(5):
        try:
            store.add(some)
        except StoreUnfinished as error:
            errors.append(error)
            if turn == 4:
                raise
        else:
            return


def wait_until(holds: Callable[[], bool]) -> None:
    """A node that came back takes over what it missed: a minute at most."""
    end = time.monotonic() + 60
    while not holds():
        if time.monotonic() > end:
            pytest.fail("the cluster did not agree within a minute")
        time.sleep(0.2)
