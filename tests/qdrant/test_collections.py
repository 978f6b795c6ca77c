"""QdrantStore and collections of others: layouts as they are, a user's own client beside ours, the seed's own calls."""

import asyncio
import uuid
from typing import Any

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient, QdrantClient, models

from colibri import Document, InputError, InputTypeError, StoreError, TokenVectors
from colibri.model import Colibri
from colibri.stores import QdrantStore
from store_contract import DIM, SPACE, document, ids, rows

TEXTS = {
    "berlin": "Berlin has 3.7 million inhabitants.",
    "bread": "Bread is baked from flour, water and salt.",
    "volcano": "Mount Berlin is a volcano in Antarctica.",
    "train": "The train to Hamburg leaves at noon.",
}
QUERY = "how many people live in Berlin?"


def params(size: int = DIM, distance: str = "Dot", *, maxsim: bool = True, **more: Any) -> models.VectorParams:
    several = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM) if maxsim else None
    return models.VectorParams(size=size, distance=models.Distance(distance), multivector_config=several, **more)


def test_a_new_collection_has_our_layout(local: QdrantClient, mini: Colibri) -> None:
    QdrantStore(local, "docs", model=mini, dims=[64, 128], shards=3, replicas=2, on_disk=True, datatype="float16")
    info = local.get_collection("docs")
    vectors = info.config.params.vectors
    assert isinstance(vectors, dict)
    assert sorted(vectors) == ["colibri-128", "colibri-64"]
    for name, kind in vectors.items():
        assert kind.distance == models.Distance.DOT
        assert kind.size == int(name.removeprefix("colibri-"))
        assert kind.hnsw_config is not None
        assert kind.hnsw_config.m == 0
        assert kind.multivector_config is not None
        assert (kind.on_disk, kind.datatype) == (True, models.Datatype.FLOAT16)
    own = info.config.metadata["colibri"]
    assert own["space_id"] == mini.manifest.space_id
    assert own["model"] == "colibri-mini"


def test_the_model_need_not_be_named_again(local: QdrantClient, mini: Colibri) -> None:
    QdrantStore(local, "docs", model=mini, dims=[64, 128]).add([{"id": k, "text": v} for k, v in TEXTS.items()])
    again = QdrantStore(local, "docs")
    assert again.dims == (128, 64)
    hits = again.search(QUERY, k=2, explain=True)
    assert hits[0].id == "berlin"
    want = mini.rerank(QUERY, list(TEXTS.values()))[0].score
    assert hits[0].score == pytest.approx(want, abs=1e-4)
    matches = hits[0].passages[0].matches
    assert sum(match.weight for match in matches) == pytest.approx(hits[0].score, abs=1e-4)
    assert any(TEXTS["berlin"][slice(*match.document)] == "Berlin" for match in matches)
    assert again.search(QUERY, k=2, screen=64)[0].id == "berlin"
    assert QdrantStore(local, "docs", dims=64).search(QUERY, k=1)[0].id == "berlin"


def test_long_texts_are_passages_and_come_back_whole(local: QdrantClient, mini: Colibri) -> None:
    store = QdrantStore(local, "docs", model=mini)
    text = " ".join(f"{sentence} " * 20 for sentence in TEXTS.values())
    store.add([{"id": "long", "text": text, "payload": {"n": 1}}, {"id": "short", "text": TEXTS["bread"]}])
    (found,) = store.get("long", vectors=True)
    assert found is not None
    assert (found.text, found.payload) == (text, {"n": 1})
    assert len(found.passages) > 3
    assert found.vectors is not None
    assert len(found.vectors) == len(found.passages)
    hit = store.search(QUERY, k=1)[0]
    assert (hit.id, hit.text) == ("long", text)
    assert "inhabitants" in text[hit.passages[0].start : hit.passages[0].end]
    assert store.count() == 2


def test_another_models_rows_are_refused(local: QdrantClient, mini: Colibri) -> None:
    QdrantStore(local, "docs", space_id=SPACE, dims=64)
    with pytest.raises(StoreError, match="do not compare"):
        QdrantStore(local, "docs", model=mini)
    with pytest.raises(StoreError, match="not 'other'"):
        QdrantStore(local, "docs", space_id="other")
    assert QdrantStore(local, "docs").space_id == SPACE


def test_another_models_rows_are_refused_where_only_the_points_say_whose_they_are(local: QdrantClient) -> None:
    local.create_collection("his", vectors_config=params())
    QdrantStore(local, "his", space_id="a" * 64).add([document(1)])
    assert QdrantStore(local, "his", space_id="a" * 64).count() == 1
    with pytest.raises(StoreError, match="documents of another model"):
        QdrantStore(local, "his", space_id="b" * 64)


@pytest.mark.parametrize(
    ("vectors", "words", "message"),
    [
        (params(64, "Cosine"), {"model": True}, "COSINE, which forgets the weights"),
        (params(100), {"model": True}, "100 wide, colibri-mini has heads for"),
        (params(64, maxsim=False), {"model": True}, "no MAX_SIM multivector"),
        (params(64, datatype=models.Datatype.UINT8), {"space_id": ""}, "keeps bytes"),
        (params(64, "Euclid"), {"space_id": ""}, "wanted DOT"),
        ({"a": params(64), "b": params(64)}, {"model": True}, "name one with `using`"),
        ({"a": params(64)}, {"model": True, "using": "colbert"}, "has no vector 'colbert'"),
        ({"a": params(64)}, {"model": True, "dims": [64, 128]}, "no MAX_SIM vector of width 128"),
    ],
)
def test_what_a_foreign_collection_cannot_hold_is_refused_before_anything_is_written(
    local: QdrantClient, mini: Colibri, vectors: Any, words: dict[str, Any], message: str
) -> None:
    local.create_collection("his", vectors_config=vectors)
    before = local.get_collection("his")
    with pytest.raises(StoreError, match=message):
        QdrantStore(local, "his", **{**words, **({"model": mini} if "model" in words else {})})
    assert local.get_collection("his") == before


@pytest.mark.parametrize(
    ("client", "message"),
    [
        (AsyncQdrantClient(":memory:"), r"await store.asearch\(query\)"),
        ("http://x", "found str"),
        (None, "NoneType"),
    ],
)
def test_a_client_that_is_none(client: Any, message: str) -> None:
    with pytest.raises(InputTypeError, match=message):
        QdrantStore(client, "docs", space_id="", dims=8)


def test_in_asyncio_a_thread_asks(local: QdrantClient) -> None:
    store = QdrantStore(local, "docs", space_id=SPACE, dims=DIM)

    async def work() -> list[str]:
        await asyncio.to_thread(store.add, [document(seed) for seed in range(5)])
        found = await asyncio.gather(*(store.asearch(rows(3, 4), 1) for _ in range(8)))
        assert all(hits == found[0] for hits in found)
        return ids(found[0])

    assert asyncio.run(work()) == ["d3"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"retries": -1}, "retries"),
        ({"batch_bytes": 0}, "batch_bytes"),
        ({"replicas": 0}, "replicas"),
        ({"ordering": "strict"}, "ordering"),
        ({"datatype": "uint8"}, "datatype"),
        ({"using": "x", "dims": [8, 16]}, "one name for 2 widths"),
    ],
)
def test_options_that_are_none(local: QdrantClient, words: dict[str, Any], message: str) -> None:
    options: dict[str, Any] = {"space_id": SPACE, "dims": DIM} | words
    with pytest.raises(InputError, match=message):
        QdrantStore(local, "docs", **options)
    assert not local.collection_exists("docs")


def test_no_collection_is_made_where_none_is_wanted(local: QdrantClient) -> None:
    with pytest.raises(StoreError, match="no such collection"):
        QdrantStore(local, "docs", create=False)


@pytest.mark.parametrize("using", ["", "colbert"])
def test_a_users_own_client_beside_ours(local: QdrantClient, using: str) -> None:
    """Both write, both query, neither breaks the other (compat.md 13.9)."""
    local.create_collection("both", vectors_config=params() if using == "" else {using: params()})
    named = (lambda own: own) if using == "" else (lambda own: {using: own})
    his = str(uuid.UUID(int=7))
    points = [
        models.PointStruct(id=1, vector=named(rows(50).tolist()), payload={"lang": "de", "title": "eins"}),
        models.PointStruct(id=his, vector=named(rows(51).tolist()), payload={"lang": "en"}),
        models.PointStruct(id=3, vector=named(rows(52).tolist())),
    ]
    local.upsert("both", points)
    store = QdrantStore(local, "both", space_id=SPACE, using=using)
    store.add([document(seed, payload={"lang": "en", "n": seed}) for seed in range(5)])
    assert store.count() == 8
    assert store.count({"lang": "en"}) == 6
    hits = store.search(rows(50), k=8)
    assert (hits[0].id, hits[0].payload) == ("1", {"lang": "de", "title": "eins"})
    assert sorted(ids(hits)) == sorted(["1", his, "3", *(f"d{i}" for i in range(5))])
    english = models.Filter(must=[models.FieldCondition(key="lang", match=models.MatchValue(value="en"))])
    asked: dict[str, Any] = {"query": rows(2, 3).tolist(), "limit": 9} | ({"using": using} if using else {})
    found = local.query_points("both", query_filter=english, **asked).points
    assert len(found) == 6
    assert (found[0].payload or {})["n"] == 2
    store.upsert([document(2, payload={"lang": "fr"})])
    assert store.delete(where={"lang": "en"}) == 4
    assert store.delete(["1", "3"]) == 0
    local.set_payload("both", {"title": "zwei"}, points=[1])
    left = local.scroll("both", limit=9)[0]
    assert {str(point.id) for point in left if "_colibri" not in (point.payload or {})} == {"1", his, "3"}
    assert next(point for point in left if point.id == 1).payload == {"lang": "de", "title": "zwei"}
    local.delete("both", points_selector=[1, his, 3])
    assert ids(store.search(rows(2, 3), k=9)) == ["d2"]
    (found_d2,) = store.get("d2")
    assert found_d2 is not None
    assert found_d2.payload == {"lang": "fr"}


def test_a_point_that_lacks_the_vector_is_told(local: QdrantClient, caplog: pytest.LogCaptureFixture) -> None:
    """The engine leaves it out of every answer without a word."""
    local.create_collection("his", vectors_config={"colbert": params(), "dense": params(4, "Cosine", maxsim=False)})
    local.upsert("his", [models.PointStruct(id=1, vector={"dense": [1.0, 0, 0, 0]}, payload={})])
    store = QdrantStore(local, "his", space_id="")
    assert "1 of its 1 points lack the vector 'colbert'" in caplog.text
    assert store.search(rows(1)) == []


# The announcement's three blocks, on an artefact without weights.


def blocks(client: QdrantClient, model: Colibri, name: str, distance: models.Distance) -> list[Any]:
    """Create a MAX_SIM collection, upsert, query_points: the user's own calls, with rows of ours."""
    size = model.dim
    client.create_collection(
        collection_name=name,
        vectors_config=models.VectorParams(
            size=size,
            distance=distance,
            multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
            hnsw_config=models.HnswConfigDiff(m=0),
        ),
    )
    vectors = model.encode_documents(list(TEXTS.values()))
    client.upsert(
        collection_name=name,
        points=[
            models.PointStruct(id=i, vector=vectors[i].tolist(), payload={"text": text})
            for i, text in enumerate(TEXTS.values())
        ],
    )
    query = model.encode_queries([QUERY])
    own = query[0] if query.weights is None else query[0] * query.weights[:, None]
    found = client.query_points(collection_name=name, query=own.tolist(), limit=4, with_payload=True).points
    return [(point.id, point.score, (point.payload or {})["text"]) for point in found]


@pytest.mark.parametrize("distance", [models.Distance.DOT, models.Distance.COSINE])
def test_the_seeds_blocks_on_a_model_without_weights(
    local: QdrantClient, unweighted: Colibri, distance: models.Distance
) -> None:
    found = blocks(local, unweighted, "seed", distance)
    want = unweighted.rerank(QUERY, list(TEXTS.values()))
    assert [i for i, _, _ in found] == [one.index for one in want]
    assert [score for _, score, _ in found] == pytest.approx([one.score for one in want], abs=1e-4)
    store = QdrantStore(local, "seed", model=unweighted)
    hits = store.search(QUERY, k=4)
    assert [int(hit.id) for hit in hits] == [one.index for one in want]
    assert [hit.score for hit in hits] == pytest.approx([one.score for one in want], abs=1e-4)
    assert store.add([{"id": "more", "text": "More text."}]) == 1


def test_the_seeds_blocks_with_weights_want_dot(local: QdrantClient, mini: Colibri) -> None:
    """On COSINE the weights are lost: 5.37 where DOT has 2.89 (docs/scale.md)."""
    want = mini.rerank(QUERY, list(TEXTS.values()))
    dot = blocks(local, mini, "dot", models.Distance.DOT)
    assert [i for i, _, _ in dot] == [one.index for one in want]
    assert [score for _, score, _ in dot] == pytest.approx([one.score for one in want], abs=1e-4)
    cosine = blocks(local, mini, "cosine", models.Distance.COSINE)
    assert (dot[0][1], cosine[0][1]) == pytest.approx((2.89, 5.37), abs=0.05)
    with pytest.raises(StoreError, match="forgets the weights"):
        QdrantStore(local, "cosine", model=mini)


# Traps of qdrant-client 1.20, seen by running them.


def test_cosine_forgets_lengths_and_so_only_unit_rows_go_there(local: QdrantClient) -> None:
    local.create_collection("cosine", vectors_config=params(distance="Cosine"))
    local.upsert("cosine", [models.PointStruct(id=1, vector=(rows(1) * 3).tolist(), payload={})])
    (point,) = local.retrieve("cosine", [1], with_vectors=True)
    assert np.linalg.norm(np.array(point.vector), axis=1) == pytest.approx(1, abs=1e-5)
    store = QdrantStore(local, "cosine", space_id="")
    with pytest.raises(InputError, match="not of length 1"):
        store.add([document(2, vectors=rows(2) * 3)])
    weighted = TokenVectors(rows(5, 2), np.array([0, 2]), weights=np.array([2, 1], np.float32))
    with pytest.raises(InputError, match="not of length 1"):
        store.search(weighted)
    store.add([document(2)])
    assert store.search(rows(2, 3), k=1)[0].score == pytest.approx(3, abs=1e-5)


def test_local_mode_scores_floats_of_a_uint8_collection_which_the_engine_would_cut(local: QdrantClient) -> None:
    local.create_collection("bytes", vectors_config=params(datatype=models.Datatype.UINT8))
    local.upsert("bytes", [models.PointStruct(id=1, vector=rows(1).tolist(), payload={})])
    assert local.query_points("bytes", query=rows(1).tolist()).points[0].score == pytest.approx(3, abs=1e-5)
    with pytest.raises(StoreError, match="keeps bytes"):
        QdrantStore(local, "bytes", space_id="")


def test_an_infinite_value_would_rank_first_and_is_refused(local: QdrantClient) -> None:
    local.create_collection("his", vectors_config=params())
    bad = rows(1)
    bad[0, 0] = np.inf
    store = QdrantStore(local, "his", space_id="")
    for given in (bad, np.full((2, DIM), 1e300)):
        with pytest.raises(InputError, match="not finite"):
            store.add([Document(id="x", vectors=given)])
    assert store.count() == 0


def test_a_passage_of_9000_rows_is_refused(local: QdrantClient) -> None:
    store = QdrantStore(local, "wide", space_id="", dims=128)
    large = np.zeros((9_000, 128), np.float32)
    large[:, 0] = 1
    with pytest.raises(InputError, match=r"9,000 tokens, a server takes 8,191 of 128 numbers; split"):
        store.add([Document(id="x", vectors=large)])
    parts = TokenVectors(large, np.array([0, 4_500, 9_000], np.int64))
    assert store.add([Document(id="x", vectors=parts)]) == 1


def test_rrf_divides_the_rank_by_the_weight(local: QdrantClient) -> None:
    """So that with k=60 the lighter list wins: we never fuse by weights there."""
    local.create_collection("two", vectors_config={"a": params(), "b": params()})
    near, far = rows(1), rows(2)
    points = [
        models.PointStruct(id=1, vector={"a": near.tolist(), "b": far.tolist()}, payload={}),
        models.PointStruct(id=2, vector={"a": far.tolist(), "b": near.tolist()}, payload={}),
    ]
    local.upsert("two", points)
    lists = [models.Prefetch(query=near.tolist(), using=name, limit=2) for name in ("a", "b")]
    fused = models.RrfQuery(rrf=models.Rrf(k=60, weights=[1.0, 9.0]))
    best = local.query_points("two", prefetch=lists, query=fused, limit=2).points
    assert best[0].id == 1  # that the light list has first
    assert best[0].score - best[1].score < 1e-3


def test_mmr_picks_passages_of_one_document(local: QdrantClient) -> None:
    """It knows points alone, which are our passages: documents are grouped here, and nothing is diversified there."""
    store = QdrantStore(local, "docs", space_id=SPACE, dims=DIM)
    near = TokenVectors.from_arrays([rows(1), rows(1) * np.float32(0.99)])
    store.add([Document(id="book", vectors=near), document(2), document(3)])
    asked = models.NearestQuery(nearest=rows(1).tolist(), mmr=models.Mmr(diversity=0.1, candidates_limit=10))
    found = local.query_points("docs", query=asked, using=f"colibri-{DIM}", limit=2).points
    assert {(point.payload or {})["_colibri"]["id"] for point in found} == {"book"}
    assert len(set(ids(store.search(rows(1), k=2)))) == 2


def test_limit_0_is_an_error_here_and_nothing_in_the_engine(local: QdrantClient) -> None:
    """Local mode refuses it, Edge answers with nothing: a store refuses a k below 1 itself."""
    store = QdrantStore(local, "docs", space_id=SPACE, dims=DIM)
    store.add([document(1)])
    with pytest.raises(ValueError, match="limit value 0"):
        local.query_points("docs", query=rows(1).tolist(), using=f"colibri-{DIM}", limit=0)
    with pytest.raises(InputError, match="k: found 0"):
        store.search(rows(1), k=0)
