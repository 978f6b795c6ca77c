"""The store contract, and what only a server can show of one node: both transports, layouts, others beside us."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from colibri import Document, InputError, StoreError, TokenVectors
from colibri.stores import QdrantStore, Store
from store_contract import DIM, SPACE, StoreContract, document, ids, rows


class TestServer(StoreContract):
    """REST."""

    @pytest.fixture
    def store(self, server: QdrantClient, collection: str) -> Iterator[Store]:
        with QdrantStore(server, collection, space_id=SPACE, dims=DIM) as store:
            yield store


class TestServerOverGrpc(StoreContract):
    """gRPC, at the port of QDRANT_GRPC_PORT (6334)."""

    @pytest.fixture
    def store(self, server: QdrantClient, collection: str) -> Iterator[Store]:
        if "QDRANT_GRPC_PORT" not in os.environ:
            pytest.skip("no QDRANT_GRPC_PORT: gRPC is not tried")
        url, key = os.environ["QDRANT_URL"], os.environ.get("QDRANT_API_KEY") or None
        client = QdrantClient(url=url, api_key=key, prefer_grpc=True, grpc_port=int(os.environ["QDRANT_GRPC_PORT"]))
        with QdrantStore(client, collection, space_id=SPACE, dims=DIM) as store:
            yield store
        client.close()


def test_scores_are_the_plain_loops(server: QdrantClient, collection: str) -> None:
    store = QdrantStore(server, collection, space_id=SPACE, dims=128)
    rng = np.random.default_rng(0)
    made = []
    for _ in range(500):
        own = rng.standard_normal((int(rng.integers(2, 60)), 128)).astype(np.float32)
        made.append(own / np.linalg.norm(own, axis=1, keepdims=True))
    store.add([Document(id=str(n), vectors=own, payload={"n": n}) for n, own in enumerate(made)])
    for seed in range(5):
        query = made[seed][:8] + 0.1 * rng.standard_normal((min(8, len(made[seed])), 128)).astype(np.float32)
        for where, kept in ((None, 500), ({"n": {"$lt": 100}}, 100)):
            wanted = np.array([(query @ own.T).max(1).sum() for own in made])[:kept]
            hits = store.search(query, k=10, where=where)
            assert [hit.score for hit in hits] == pytest.approx(np.sort(wanted)[::-1][:10].tolist(), abs=1e-4)
            for hit in hits:
                assert hit.score == pytest.approx(wanted[int(hit.id)], abs=1e-4)


def test_two_widths_and_centroids(server: QdrantClient, collection: str) -> None:
    store = QdrantStore(server, collection, space_id=SPACE, dims=[DIM, 4], centroids=True)
    held = {f"d{seed}": rows(seed, 3) for seed in range(200)}
    store.add([Document(id=name, vectors={DIM: own, 4: own[:, :4]}) for name, own in held.items()])
    query = {DIM: rows(999, 4), 4: rows(999, 4)[:, :4]}
    exact = store.search(query, k=5)
    assert ids(store.search(query, k=5, screen=4, candidates=200)) == ids(exact)
    assert store.train_centroids(64) == 200
    assert ids(store.search(query, k=5, screen="centroids", candidates=200)) == ids(exact)
    again = QdrantStore(server, collection)
    again.add([Document(id="new", vectors={DIM: rows(500), 4: rows(500)[:, :4]})])
    assert again.train_centroids() == 0
    assert "new" in ids(again.search({DIM: rows(500), 4: rows(500)[:, :4]}, k=3, screen="centroids", candidates=100))


@pytest.mark.parametrize("unnamed", [True, False])
def test_a_users_own_client_beside_ours(server: QdrantClient, collection: str, unnamed: bool) -> None:
    params = models.VectorParams(
        size=DIM,
        distance=models.Distance.DOT,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
    )
    server.create_collection(collection, vectors_config=params if unnamed else {"colbert": params})

    def point(key: int, payload: dict[str, Any]) -> models.PointStruct:
        own = rows(50 + key).tolist()
        return models.PointStruct(id=key, vector=own if unnamed else {"colbert": own}, payload=payload)

    server.upsert(collection, [point(1, {"lang": "de"}), point(2, {"lang": "en"})], wait=True)
    store = QdrantStore(server, collection, space_id=SPACE)
    store.add([document(seed, payload={"lang": "en"}) for seed in range(5)])
    assert store.count() == 7
    assert store.count({"lang": "en"}) == 6
    assert store.search(rows(51), k=1)[0].id == "1"
    options: dict[str, Any] = {} if unnamed else {"using": "colbert"}
    assert len(server.query_points(collection, query=rows(3, 4).tolist(), limit=9, **options).points) == 7
    assert store.delete(where={"lang": "en"}) == 5
    assert server.count(collection).count == 2


def test_a_large_batch_goes_in_parts_and_a_too_long_passage_not_at_all(server: QdrantClient, collection: str) -> None:
    store = QdrantStore(server, collection, space_id=SPACE, dims=128)
    large = np.zeros((8_191, 128), np.float32)
    large[:, 0] = 1
    assert store.add([Document(id=str(n), vectors=large) for n in range(3)]) == 3
    with pytest.raises(InputError, match="8,191 of 128"):
        store.add([Document(id="x", vectors=np.concatenate([large, large[:1]]))])
    assert store.search(TokenVectors(large[:2], np.array([0, 2])), k=3)[0].score == pytest.approx(2)


def test_a_cosine_collection_takes_unit_rows_alone(server: QdrantClient, collection: str) -> None:
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    params = models.VectorParams(size=DIM, distance=models.Distance.COSINE, multivector_config=several)
    server.create_collection(collection, vectors_config=params)
    store = QdrantStore(server, collection, space_id=SPACE)
    with pytest.raises(InputError, match="not of length 1"):
        store.add([document(1, vectors=rows(1) * 2)])
    store.add([document(2)])
    assert store.search(rows(2, 3), k=1)[0].score == pytest.approx(3, abs=1e-4)


def test_a_collection_that_goes_away_is_told(server: QdrantClient, collection: str) -> None:
    store = QdrantStore(server, collection, space_id=SPACE, dims=DIM)
    server.delete_collection(collection)
    with pytest.raises(StoreError, match=r"404|NOT_FOUND"):
        store.count()
    with pytest.raises(StoreError, match=r"404|NOT_FOUND"):
        store.add([document(1)])
