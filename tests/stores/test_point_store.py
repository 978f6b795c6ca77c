"""PointStore over an engine in plain loops: the contract, and what only an engine that fails shows."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from colibri import Document, InputError, StoreError, StoreUnfinished, TokenVectors
from colibri.errors import ColibriError, ShapeError, StoreDamaged
from colibri.stores import Store
from colibri.stores.point_store import PointStore
from colibri.stores.points import Point, point_id
from plain_engine import PlainEngine
from store_contract import DIM, StoreContract, document, ids, rows
from stores_conftest import Make


class TestPointStore(StoreContract):
    """As every store."""

    @pytest.fixture
    def store(self, make: Make) -> Store:
        return make()


def book(name: str, passages: int, **fields: Any) -> Document:
    """A document of several passages."""
    parts = TokenVectors.from_arrays([rows(seed, 2) for seed in range(passages)])
    return Document(id=name, vectors=parts, **fields)


def failing(times: int) -> list[Exception | None]:
    return [*([None] * times), StoreError("the server ended")]


def test_a_call_that_failed_halfway_names_what_is_in_and_the_same_call_puts_the_rest(
    make: Make, engine: PlainEngine
) -> None:
    store = make(batch_bytes=2_000)
    engine.fails = failing(2)
    made = [document(seed) for seed in range(12)]
    with pytest.raises(StoreUnfinished, match="same call again puts the rest") as caught:
        store.add(made)
    error = caught.value
    assert set(error.done) == {name for name in (d.id for d in made) if store.get(name)[0] is not None}
    assert error.done
    assert error.unsure
    assert len(error.done) + len(error.unsure) + error.left == 12
    assert store.add(made) == 12
    assert store.count() == 12
    with pytest.raises(InputError, match="there already"):
        store.add(made[:1])


def test_an_upsert_that_failed_halfway_is_done_again(make: Make, engine: PlainEngine) -> None:
    store = make(batch_bytes=2_000)
    store.upsert([book(f"b{i}", 4) for i in range(4)])
    engine.fails = failing(1)
    again = [book(f"b{i}", 3, payload={"new": True}) for i in range(4)]
    with pytest.raises(StoreUnfinished):
        store.upsert(again)
    assert store.upsert(again) == 4
    assert store.count({"new": True}) == store.count() == 4
    assert len(engine.points) == 12


def test_a_document_is_there_when_its_last_point_is(make: Make, engine: PlainEngine) -> None:
    """Its first passage goes last, so that what is half there is not found, not counted, and may be added again."""
    store = make(batch_bytes=1_000)
    engine.fails = failing(1)
    with pytest.raises(StoreUnfinished) as caught:
        store.add([book("book", 6)])
    assert caught.value.unsure == ("book",)
    assert engine.points
    assert store.count() == 0
    assert store.get("book") == [None]
    assert store.search(rows(1, 2)) == []
    assert make().add([book("book", 6)]) == 1
    assert [hit.id for hit in store.search(rows(1, 2))] == ["book"]


def test_what_a_call_that_died_left_is_no_part_of_a_document_that_is_added_later(
    make: Make, engine: PlainEngine
) -> None:
    store = make(batch_bytes=1_000)
    engine.fails = failing(1)
    with pytest.raises(StoreUnfinished):
        store.add([book("book", 6)])
    assert make().add([book("book", 2)]) == 1
    assert len(engine.points) == 2
    assert [len(hit.passages) for hit in store.search(rows(5, 2), passages=9)] == [2]


def test_fewer_passages_leave_nothing_of_the_former_version(make: Make, engine: PlainEngine) -> None:
    store = make()
    store.add([book("a", 5), book("b", 2)])
    store.upsert([book("a", 2), book("b", 3)])
    assert sorted(engine.points) == sorted(point_id(name, i) for name, n in (("a", 2), ("b", 3)) for i in range(n))


def test_batches_keep_to_their_bytes_and_a_large_point_goes_alone(make: Make, engine: PlainEngine) -> None:
    store = make(batch_bytes=20_000)
    store.add([document(seed, vectors=rows(seed, 30)) for seed in range(20)])  # 5 kB each, as JSON
    assert sum(engine.batches) == 20
    assert max(engine.batches) == 3
    engine.batches.clear()
    store.add([document(99, vectors=rows(99, 2_000)), document(98)])
    assert engine.batches == [1, 1]


def test_a_passage_missing_is_told(make: Make, engine: PlainEngine) -> None:
    store = make()
    store.add([book("book", 3)])
    del engine.points[point_id("book", 1)]
    with pytest.raises(StoreDamaged, match="2 of its 3 passages"):
        store.get("book")


@pytest.mark.parametrize("method", ["add", "upsert"])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"vectors": np.zeros((200_000, DIM), np.float32)}, "131,071 of 8 numbers"),
        ({"payload": {"_colibri": 1}}, "the key that a store keeps its own under"),
        ({"payload": {"a": [[[]]] * 3} | {"b": eval("[" * 120 + "]" * 120)}}, "100 levels"),  # noqa: S307
        ({"text": "x" * (13 << 20)}, "takes 32 MB"),
        ({"vectors": {DIM: rows(1), 4: rows(1)[:, :4]}}, "vectors of widths"),
    ],
)
def test_what_no_server_takes_is_refused_before_any_request(
    make: Make, engine: PlainEngine, method: str, bad: dict[str, Any], message: str
) -> None:
    store = make()
    with pytest.raises(ColibriError, match=message):
        getattr(store, method)([document(1), document(2, **bad)])
    assert engine.requests == []


def test_a_document_of_exactly_the_most_numbers_goes_in(make: Make) -> None:
    most = np.zeros((131_071, DIM), np.float32)
    most[:, 0] = 1
    assert make().add([document(1, vectors=most)]) == 1


def test_unit_rows_alone_go_where_the_engine_normalises(make: Make, engine: PlainEngine) -> None:
    store = make(cosine=True)
    store.add([document(1)])
    with pytest.raises(InputError, match="not of length 1"):
        store.add([document(2, vectors=rows(2) * 2)])
    with pytest.raises(InputError, match="not of length 1"):
        store.search(TokenVectors(rows(5, 2), np.array([0, 2]), weights=np.array([2, 1], np.float32)))
    assert engine.requests.count("put") == 1


def foreign_point(key: str | int, seed: int, payload: dict[str, Any]) -> Point:
    return Point(key, {"colibri-8": rows(seed, 3)}, payload)  # type: ignore[arg-type]


def test_points_of_another_client_are_found_and_never_changed(make: Make, engine: PlainEngine) -> None:
    store = make()
    store.add([document(1), document(2, payload=None)])
    engine.put([foreign_point(7, 50, {"n": 1, "text": "his"}), foreign_point(point_id("x", 3), 51, {})])
    assert store.count() == 4
    assert store.count({"n": 1}) == 2
    hits = store.search(rows(50, 3), k=10)
    assert hits[0].id == "7"
    assert (hits[0].text, hits[0].payload) == (None, {"n": 1, "text": "his"})
    assert sorted(ids(hits)) == sorted(["7", "d1", "d2", point_id("x", 3)])
    (found,) = store.get("7", vectors=True)
    assert found is not None
    assert found.payload == {"n": 1, "text": "his"}
    assert {one.id: one.payload for one in store}.keys() == set(ids(hits))
    assert ("7" in store, store["7"].payload) == (True, {"n": 1, "text": "his"})
    assert [one.id for one in store.documents({"text": "his"})] == ["7"]
    assert store.delete("7") == 0
    assert store.delete(where={"n": 1}) == 1
    assert store.delete(where={}) == 1
    assert len(engine.points) == 2


def test_documents_are_read_a_few_at_a_time(make: Make, engine: PlainEngine) -> None:
    store = make()
    store.add([document(seed) for seed in range(200)])
    engine.requests.clear()
    read = iter(store)
    assert next(read).id
    assert engine.requests == ["scroll", "retrieve"]
    first = {next(read).id for _ in range(60)}
    store.delete([f"d{seed}" for seed in range(200)])
    rest = {one.id for one in read}
    assert not rest & first  # what was deleted meanwhile is passed over, as is said
    assert len(first) + len(rest) < 70


def test_a_page_completes_only_its_own_documents(make: Make, engine: PlainEngine) -> None:
    store = make()
    store.add([book(f"b{i}", 4) for i in range(30)])
    whole = store.search(rows(1, 2), k=30, passages=4)
    assert all(len(hit.passages) == 4 for hit in whole)
    page = store.search(rows(1, 2), k=2, offset=20, passages=4)
    assert [(hit.id, [one.score for one in hit.passages]) for hit in page] == [
        (hit.id, [one.score for one in hit.passages]) for hit in whole[20:22]
    ]


def test_a_filter_of_others_points_is_as_near_as_qdrant_has_it(make: Make, engine: PlainEngine) -> None:
    store = make()
    payloads: list[dict[str, Any]] = [
        {"a": 1},
        {"a": 1.0},
        {"a": "x"},
        {"a": None},
        {"a": [2, "y"]},
        {"b": {"c": True}},
        {},
    ]
    engine.put([foreign_point(i, i, payload) for i, payload in enumerate(payloads)])
    cases: list[tuple[dict[str, Any], set[int]]] = [
        ({"a": "x"}, {2}),
        ({"a": 2}, {4}),
        ({"a": None}, {3}),
        ({"a": {"$gte": 1}}, {0, 1, 4}),
        ({"a": {"$gt": "w"}}, {2, 4}),
        ({"a": {"$exists": True}}, {0, 1, 2, 3, 4}),
        ({"b.c": True}, {5}),
        ({"$not": {"a": {"$in": ["x", None]}}}, {0, 1, 4, 5, 6}),
    ]
    for where, wanted in cases:
        assert {int(name) for name in ids(store.search(rows(9), k=9, where=where))} == wanted, where


def test_many_passages_of_one_document_do_not_hide_the_others(make: Make, engine: PlainEngine) -> None:
    store = make()
    near = TokenVectors.from_arrays([rows(3, 2) for _ in range(60)])
    store.add([Document(id="book", vectors=near), *(document(seed) for seed in range(20, 30))])
    hits = store.search(rows(3, 2), k=5)
    assert ids(hits)[0] == "book"
    assert len(hits) == 5
    assert len(hits[0].passages) == 3
    assert engine.requests.count("query") <= 4


def test_each_document_shows_its_best_passages_though_few_were_among_the_best(make: Make) -> None:
    store = make()
    store.add([book("book", 6), *(document(seed, vectors=rows(0, 2)) for seed in range(20, 60))])
    hits = store.search(rows(0, 2), k=1, passages=5)
    (found,) = (hit for hit in store.search(rows(0, 2), k=41) if hit.id == "book")
    assert hits[0].score == pytest.approx(2)
    assert len(found.passages) == 3
    assert [p.score for p in found.passages] == sorted((p.score for p in found.passages), reverse=True)


def test_two_widths_screen_with_one_and_rank_with_the_other(make: Make, engine: PlainEngine) -> None:
    store = make({DIM: "wide", 4: "narrow"})
    held = [rows(seed, 3) for seed in range(50)]
    made = [Document(id=f"d{i}", vectors={DIM: one, 4: one[:, :4]}) for i, one in enumerate(held)]
    store.add(made)
    query = {DIM: rows(99, 3), 4: rows(99, 3)[:, :4]}
    exact = store.search(query, k=5)
    assert store.search(query, k=5, screen=4, candidates=50) == exact
    engine.requests.clear()
    few = store.search(query, k=5, screen=4, candidates=10, where={})
    assert engine.requests == ["query"]
    narrow = [float((query[4] @ one[:, :4].T).max(1).sum()) for one in held]
    chosen = np.argsort(-np.array(narrow), kind="stable")[:10]
    assert {hit.id for hit in few} <= {f"d{i}" for i in chosen}
    with pytest.raises(ShapeError, match="no rows of width 4"):
        store.search(rows(1), screen=4)
    with pytest.raises(ShapeError, match="2 widths"):
        store.add([document(60)])
    for bad in (8, 16, True, "narrow"):
        with pytest.raises(InputError, match="screen"):
            store.search(query, screen=bad)


def test_centroids_choose_candidates_and_leave_nothing_out_unseen(make: Make, engine: PlainEngine) -> None:
    store = make(centroids=True)
    with pytest.raises(StoreError, match="train_centroids"):
        store.search(rows(1), screen="centroids")
    store.add([document(seed, vectors=rows(seed, 6)) for seed in range(60)])
    assert store.train_centroids(16) == 60
    assert store.train_centroids() == 0
    exact = store.search(rows(7, 6), k=3)
    assert ids(store.search(rows(7, 6), k=3, screen="centroids"))[0] == ids(exact)[0] == "d7"
    # Another store, opened before they were there, marks nothing: what it puts is scored in full.
    make(centroids=True).add([document(100, vectors=rows(100, 6))])
    assert ids(store.search(rows(100, 6), k=1, screen="centroids", candidates=1)) == ["d100"]
    # One opened since knows them.
    opened = make(centroids=True, own=engine.metadata)
    opened.add([document(101, vectors=rows(101, 6))])
    assert engine.points[point_id("d101", 0)]["payload"]["_colibri"]["centroids"]
    assert opened.train_centroids() == 1
    where = {"n": {"$gte": 100}}
    found = opened.search(rows(100, 6), k=10, where=where, screen="centroids")
    assert set(ids(found)) <= {"d100", "d101"}


def test_centroids_want_room_and_rows(make: Make) -> None:
    with pytest.raises(StoreError, match="centroids=True"):
        make().train_centroids()
    with pytest.raises(StoreError, match="empty"):
        make(centroids=True).train_centroids()


def test_closed_is_closed(make: Make) -> None:
    store: PointStore = make()
    store.close()
    for call in (store.count, lambda: store.search(rows(1)), lambda: store.add([document(1)])):
        with pytest.raises(StoreError):
            call()


def test_text_needs_a_model(make: Make) -> None:
    with pytest.raises(StoreError):
        make().add([{"id": "a", "text": "b"}])
    with pytest.raises(StoreError):
        make().search("b")


@pytest.mark.parametrize("way", [pickle.dumps, copy.deepcopy, copy.copy])
def test_a_store_elsewhere_says_why_it_cannot_go_along(way: Any, make: Make) -> None:
    store = make()
    store.add([document(1)])
    with pytest.raises(TypeError, match="cannot be pickled or deep-copied, since its client or process cannot"):
        way(store)
    assert ids(store.search(rows(1))) == ["d1"]
