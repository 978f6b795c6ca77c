"""What every Store does (`colibri.stores.Store`). Subclass StoreContract, give it a fixture `store`, and be held to it.

The store is empty, 8 wide, and takes ready vectors; its space is SPACE.
"""

import asyncio
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from colibri import Document, DocumentNotFound, InputError, TokenVectors
from colibri.errors import ColibriError, InputTypeError
from colibri.stores import Store
from reference import maxsim

DIM = 8
SPACE = "contract-space"


def rows(seed: int, tokens: int = 3) -> NDArray[np.float32]:
    """Unit rows (tokens, 8), the same for one seed."""
    found = np.random.default_rng(seed).standard_normal((tokens, DIM)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def document(seed: int, **fields: Any) -> Document:
    """Document "d<seed>" with one to five tokens."""
    return Document(**{"id": f"d{seed}", "vectors": rows(seed, 1 + seed % 5), "payload": {"n": seed}} | fields)


def ids(hits: Sequence[Any]) -> list[str]:
    return [hit.id for hit in hits]


class StoreContract:
    """Tests of any implementation."""

    value_error = 0.5 / 127
    """How far a value that was kept may be from the one that was given: half a step of int8's 1/127."""
    score_error = 0.06
    """And a score of 4 query tokens: for int8, half a step a value, over 8 values."""

    def test_it_has_the_protocols_methods(self, store: Store) -> None:
        assert isinstance(store, Store)
        assert store.dim == DIM
        assert store.space_id == SPACE

    def test_an_empty_store_finds_nothing(self, store: Store) -> None:
        assert store.count() == 0
        assert store.search(rows(0)) == []
        assert store.search_batch(TokenVectors.from_arrays([rows(0), rows(1)])) == [[], []]
        assert store.get(["x"]) == [None]
        assert store.delete("x") == 0

    def test_what_was_added_is_found_in_the_order_of_the_definition(self, store: Store) -> None:
        made = [document(seed) for seed in range(40)]
        assert store.add(made) == 40
        query = rows(99, 4)
        wanted = np.array(maxsim(query, [np.asarray(d.vectors) for d in made]))
        hits = store.search(query, k=40)
        assert sorted(ids(hits)) == sorted(d.id for d in made)
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True)
        for hit in hits:
            assert hit.score == pytest.approx(wanted[int(hit.id[1:])], abs=self.score_error)
            assert hit.normalised == pytest.approx(hit.score / 4)
        assert ids(store.search(query, k=5)) == ids(hits)[:5]

    def test_weights_count(self, store: Store) -> None:
        store.add([document(seed) for seed in range(10)])
        query = TokenVectors(rows(5, 2), np.array([0, 2]), weights=np.array([2, 0], np.float32))
        plain = store.search(rows(5, 2)[:1], k=10)
        weighted = store.search(query, k=10)
        assert ids(weighted) == ids(plain)
        assert weighted[0].score == pytest.approx(2 * plain[0].score, rel=1e-5)
        assert weighted[0].normalised == pytest.approx(plain[0].normalised, rel=1e-5)

    def test_a_batch_is_many_searches(self, store: Store) -> None:
        store.add([document(seed) for seed in range(30)])
        queries = TokenVectors.from_arrays([rows(seed, 3) for seed in (50, 51, 52)])
        for where in (None, {"n": {"$lt": 9}}):
            batch = store.search_batch(queries, k=7, where=where)
            assert [ids(hits) for hits in batch] == [ids(store.search(query, k=7, where=where)) for query in queries]

    def test_payload_and_text_come_back(self, store: Store) -> None:
        payload = {"a": [1, 2.5, None, True, {"b": "ü\x00'\""}], "": "empty name"}
        store.add([document(1, text="Ein Text\x00 mit 🐦", payload=payload), document(2, payload=None)])
        first, second, third = store.get(["d1", "d2", "d3"])
        assert first is not None
        assert second is not None
        assert third is None
        assert (first.text, first.payload) == ("Ein Text\x00 mit 🐦", payload)
        assert (second.text, second.payload) == (None, None)
        (hit,) = store.search(rows(1, 2), k=1, where={"a": 1})
        assert (hit.text, hit.payload) == ("Ein Text\x00 mit 🐦", payload)

    def test_vectors_come_back(self, store: Store) -> None:
        store.add([document(3)])
        (found,) = store.get("d3", vectors=True)
        assert found is not None
        assert found.vectors is not None
        np.testing.assert_allclose(found.vectors.dequantize().rows, rows(3, 4), atol=self.value_error)

    @pytest.mark.parametrize(
        "name", ["'; DROP TABLE documents; --", "a\x00b", "🐦", "x" * 4096, '"', "\n", "ｘ", "a/b"]
    )
    def test_any_id(self, store: Store, name: str) -> None:
        store.add([document(1, id=name), document(2)])
        assert ids(store.search(rows(1, 2), k=1)) == [name]
        assert store.delete(name) == 1
        assert store.count() == 1

    def test_adding_twice_is_an_error_and_changes_nothing(self, store: Store) -> None:
        store.add([document(1)])
        with pytest.raises(InputError, match="d1"):
            store.add([document(2), document(1)])
        with pytest.raises(InputError, match="d4"):
            store.add([document(4), document(4)])
        assert store.count() == 1

    def test_upsert_replaces(self, store: Store) -> None:
        store.add([document(1), document(2)])
        assert store.upsert([document(3, id="d1"), document(4)]) == 2
        assert store.count() == 3
        (found,) = store.get("d1")
        assert found is not None
        assert found.payload == {"n": 3}
        assert ids(store.search(rows(3, 4), k=1)) == ["d1"]
        store.upsert([document(5, id="d1"), document(6, id="d1")])
        assert store.count() == 3
        assert store.count({"n": 6}) == 1

    def test_deleting(self, store: Store) -> None:
        store.add([document(seed) for seed in range(20)])
        assert store.delete(["d3", "d4", "d3", "absent"]) == 2
        assert store.delete(where={"n": {"$gte": 15}}) == 5
        assert store.delete(where={"n": {"$gte": 15}}) == 0
        assert store.count() == 13
        assert sorted(ids(store.search(rows(4, 5), k=50))) == sorted(f"d{i}" for i in range(15) if i not in {3, 4})
        store.add([document(3)])
        assert ids(store.search(rows(3, 4), k=1)) == ["d3"]

    def test_a_filter_that_is_none_is_refused_where_nothing_is_asked(self, store: Store) -> None:
        store.add([document(1)])
        for blank in ("", " \n"):
            assert store.search(blank) == []
            assert store.search_batch([blank, blank]) == [[], []]
            with pytest.raises(InputError):
                store.search(blank, where={"$x": 1})
            with pytest.raises(InputError):
                store.search(blank, k=0)

    def test_filters(self, store: Store) -> None:
        store.add(
            [
                document(1, payload={"lang": "en", "year": 2020, "tags": ["a", "b"], "ok": True}),
                document(2, payload={"lang": "de", "year": 2021.5, "tags": [], "ok": False}),
                document(3, payload={"lang": None, "year": "2020", "who": {"name": "Ü"}, "ok": 1}),
                document(4, payload=None),
            ]
        )
        cases: list[tuple[dict[str, Any], set[str]]] = [
            ({}, {"d1", "d2", "d3", "d4"}),
            ({"lang": "en"}, {"d1"}),
            ({"lang": None}, {"d3"}),
            ({"lang": {"$in": ["en", "de", None]}}, {"d1", "d2", "d3"}),
            ({"lang": {"$in": []}}, set()),
            ({"lang": {"$ne": "en"}}, {"d2", "d3", "d4"}),
            ({"year": {"$gte": 2020, "$lt": 2021.5}}, {"d1"}),
            ({"year": {"$lte": 2021.5}}, {"d1", "d2"}),
            ({"year": {"$gt": "2"}}, {"d3"}),
            ({"year": 2020.0}, {"d1"}),
            ({"ok": True}, {"d1"}),
            ({"ok": 1}, {"d3"}),
            ({"tags": "b"}, {"d1"}),
            ({"tags": {"$exists": True}}, {"d1", "d2"}),
            ({"lang": {"$exists": False}}, {"d4"}),
            ({"who.name": "Ü"}, {"d3"}),
            ({"$or": [{"lang": "en"}, {"year": "2020"}]}, {"d1", "d3"}),
            ({"$not": {"lang": "en"}}, {"d2", "d3", "d4"}),
            ({"$and": [{"lang": "en"}, {"ok": True}], "year": 2020}, {"d1"}),
            ({"lang": "en", "ok": False}, set()),
            ({"lang": {"$nin": ["en", None]}}, {"d2", "d4"}),
            ({"lang": {"$nin": []}}, {"d1", "d2", "d3", "d4"}),
            ({"tags": {"$prefix": "b"}}, {"d1"}),
            ({"year": {"$contains": "02"}}, {"d3"}),
            ({"id": "d2"}, {"d2"}),
            ({"id": {"$in": ["d1", "d4", "d9"]}}, {"d1", "d4"}),
            ({"id": {"$ne": "d2"}}, {"d1", "d3", "d4"}),
            ({"id": {"$nin": ["d2", "d3"]}}, {"d1", "d4"}),
            ({"id": {"$prefix": "d"}}, {"d1", "d2", "d3", "d4"}),
            ({"id": {"$contains": "3"}}, {"d3"}),
            ({"id": {"$gte": "d3"}}, {"d3", "d4"}),
            ({"id": {"$exists": False}}, set()),
            ({"$or": [{"id": "d4"}, {"lang": "en"}]}, {"d1", "d4"}),
        ]
        for where, wanted in cases:
            assert set(ids(store.search(rows(7), k=9, where=where))) == wanted, where
            assert store.count(where) == len(wanted), where

    @pytest.mark.parametrize(
        "where",
        [
            {"$nope": 1},
            {"a": {"$regex": "x"}},
            {"a": [1]},
            {"a": {}},
            {"": 1},
            {'a"': 1},
            {"a..b": 1},
            {"a": {"$gt": None}},
            {"a": {"$in": "abc"}},
            {"a": {"$nin": "abc"}},
            {"a": {"$prefix": 1}},
            {"a": {"$contains": ["x"]}},
            {"id": [1]},
            {"$and": {}},
            {"$or": []},
            {1: 2},
            "lang = 'en'",
            ["lang"],
        ],
    )
    def test_filters_that_are_none_are_refused(self, store: Store, where: Any) -> None:
        store.add([document(1)])
        with pytest.raises(InputError):
            store.search(rows(1), where=where)
        with pytest.raises(InputError):
            store.delete(where=where)
        assert store.count() == 1

    @pytest.mark.parametrize(
        "bad",
        [
            {"id": ""},
            {"id": "x" * 4097},
            {"id": 5},
            {"id": "\ud800"},
            {"payload": {"a": float("nan")}},
            {"payload": {"a": {1, 2}}},
            {"payload": {1: 2}},
            {"payload": "text"},
            {"vectors": np.zeros((0, DIM), np.float32)},
            {"vectors": np.full((2, DIM), np.nan, np.float32)},
            {"vectors": np.full((2, DIM), np.inf, np.float32)},
            {"vectors": np.zeros((2, DIM + 1), np.float32)},
            {"vectors": np.zeros((2, DIM), np.int64)},
            {"vectors": np.zeros(DIM, np.float32)},
            {"vectors": TokenVectors(rows(1), np.array([0, 3]), space_id="another")},
            {"vectors": TokenVectors(rows(1), np.array([0, 0, 3]))},
            {"vectors": None},
        ],
    )
    def test_documents_that_are_none_are_refused(self, store: Store, bad: dict[str, Any]) -> None:
        with pytest.raises(ColibriError):
            store.add([document(1), document(2, **bad)])
        with pytest.raises(ColibriError):
            store.upsert([document(2, **bad)])
        assert store.count() == 0

    @pytest.mark.parametrize("bad", [rows(1)[:, :4], np.full((1, DIM), np.nan), np.zeros(DIM), np.zeros((2, DIM), int)])
    def test_queries_that_are_none_are_refused(self, store: Store, bad: Any) -> None:
        store.add([document(1)])
        with pytest.raises(ColibriError):
            store.search(bad)

    @pytest.mark.parametrize("k", [0, -1, True, 1.5, "3"])
    def test_k_is_a_whole_number_from_1(self, store: Store, k: Any) -> None:
        with pytest.raises(InputError):
            store.search(rows(1), k=k)

    def test_a_document_of_several_passages_is_one_result(self, store: Store) -> None:
        parts = TokenVectors.from_arrays([rows(seed, 2) for seed in range(6)])
        store.add([Document(id="book", vectors=parts), *(document(seed) for seed in range(20, 30))])
        hits = store.search(rows(4, 2), k=11)
        assert ids(hits).count("book") == 1
        assert len(hits) == 11
        assert hits[0].id == "book"
        scores = [passage.score for passage in hits[0].passages]
        assert scores[0] == hits[0].score
        assert scores == sorted(scores, reverse=True)
        assert store.delete("book") == 1
        assert len(store.search(rows(4, 2), k=50)) == 10

    def test_explanations_add_up_to_the_score(self, store: Store) -> None:
        spans = np.array([[0, 4], [5, 9], [10, 14]], np.int32)
        text = "eins zwei drei"
        vectors = TokenVectors(rows(1, 3), np.array([0, 3]), spans=spans)
        store.add([Document(id="d", text=text, vectors=vectors), document(2)])
        (hit,) = store.search(rows(1, 3)[[1, 2]], k=1, explain=True)
        matches = hit.passages[0].matches
        assert [text[slice(*match.document)] for match in matches] == ["zwei", "drei"]
        assert sum(match.weight for match in matches) == pytest.approx(hit.score, abs=1e-5)

    def test_a_row_of_pooled_tokens_explains_all_of_them(self, store: Store) -> None:
        spans = np.array([[0, 4], [5, 9], [0, 0]], np.int32)
        more = np.array([[0, 10, 14], [0, 15, 19], [1, 20, 24]], np.int32)
        text = "eins zwei drei vier fünf"
        starts = np.array([0, 1, 3])
        vectors = TokenVectors(rows(1, 3), starts, spans, more_spans=more)
        store.add([Document(id="d", text=text, vectors=vectors), document(2)])
        (hit,) = store.search(rows(1, 3)[[1, 0]], k=1, explain=True)
        assert [(one.start, one.end) for one in hit.passages] == [(5, 24), (0, 19)]
        found = {passage.start: passage.matches for passage in hit.passages}
        assert [text[slice(*span)] for span in found[5][0].answers] == ["zwei", "fünf"]
        assert [text[slice(*span)] for span in found[0][1].answers] == ["eins", "drei", "vier"]
        (stored,) = store.get(["d"], vectors=True)
        assert stored is not None
        assert stored.vectors is not None
        assert stored.vectors.more_spans is not None
        assert stored.vectors.more_spans.tolist() == more.tolist()

    @pytest.mark.parametrize("where", [None, {"n": {"$lt": 25}}])
    def test_pages_are_the_ranking(self, store: Store, where: Any) -> None:
        parts = TokenVectors.from_arrays([rows(seed, 2) for seed in range(90, 95)])
        store.add([Document(id="book", vectors=parts, payload={"n": 1}), *(document(seed) for seed in range(30))])
        query = rows(99, 4)
        whole = store.search(query, k=50, where=where)
        assert len(whole) == (31 if where is None else 26)
        for size in (1, 4, 50):
            pages = [store.search(query, k=size, where=where, offset=at) for at in range(0, len(whole) + size, size)]
            assert [(hit.id, hit.score) for page in pages for hit in page] == [(hit.id, hit.score) for hit in whole]
        assert store.search(query, k=5, where=where, offset=10**9) == []
        batch = store.search_batch(TokenVectors.from_arrays([query, rows(98)]), k=3, where=where, offset=2)
        assert ids(batch[0]) == ids(whole)[2:5]
        (late,) = store.search(query, k=1, where=where, offset=ids(whole).index("book"))
        assert late == whole[ids(whole).index("book")]

    def test_a_least_score_is_in_units_of_what_hits_show(self, store: Store) -> None:
        store.add([document(seed) for seed in range(30)])
        queries = TokenVectors(rows(7, 3), np.array([0, 3]), weights=np.array([2, 0.25, 0.5], np.float32))
        for query in (rows(99, 4), queries):
            whole = store.search(query, k=30)
            for hit in (whole[0], whole[9], whole[-1]):
                kept = [one for one in whole if one.normalised >= hit.normalised]
                assert store.search(query, k=30, min_score=hit.normalised) == kept
                assert store.search(query, k=2, offset=3, min_score=hit.normalised) == kept[3:5]
            assert store.search(query, k=30, min_score=whole[0].normalised + 1e-6) == []
            assert len(store.search(query, k=30, min_score=-2)) == 30
        assert ids(store.search_batch(queries, k=30, min_score=whole[4].normalised)[0]) == ids(whole)[:5]

    @pytest.mark.parametrize(
        "bad",
        [
            *({"offset": value} for value in (-1, 1.0, True, False, "1", None)),
            *({"min_score": value} for value in (float("nan"), float("inf"), -float("inf"), "0.5", True, 10**400, [1])),
        ],
    )
    def test_pages_and_least_scores_that_are_none_are_refused(self, store: Store, bad: dict[str, Any]) -> None:
        store.add([document(1)])
        with pytest.raises(InputError, match=next(iter(bad))):
            store.search(rows(1), **bad)
        with pytest.raises(InputError, match=next(iter(bad))):
            store.search_batch(TokenVectors.from_arrays([rows(1)]), **bad)

    def test_it_is_read_as_a_mapping_of_its_documents(self, store: Store) -> None:
        assert list(store) == []
        many = [document(seed, text=f"text {seed}") for seed in range(150)]
        store.add(many)
        assert len(store) == 150
        assert "d3" in store
        assert "x" not in store
        found = store["d3"]
        assert (found.id, found.text, found.payload, found.vectors) == ("d3", "text 3", {"n": 3}, None)
        listed = list(store)
        assert sorted(one.id for one in listed) == sorted(one.id for one in many)
        assert {one.id: one.text for one in listed} == {one.id: one.text for one in many}
        kept = list(store.documents({"n": {"$lt": 3}}, vectors=True))
        assert sorted(one.id for one in kept) == ["d0", "d1", "d2"]
        assert all(one.vectors is not None for one in kept)

    @pytest.mark.parametrize("name", ["x", "", "x" * 4097, "\ud800", "d", "D1"])
    def test_an_id_that_is_not_there_is_a_key_error_of_ours(self, store: Store, name: str) -> None:
        store.add([document(1)])
        assert name not in store
        with pytest.raises(KeyError) as caught:
            store[name]
        assert isinstance(caught.value, DocumentNotFound)
        assert str(caught.value).startswith(repr(name))

    @pytest.mark.parametrize("name", [0, -1, None, 1.5, b"d1", ["d1"], slice(0, 1), ("d1",)])
    def test_what_is_no_id_is_a_type_error_of_ours(self, store: Store, name: Any) -> None:
        store.add([document(1)])
        with pytest.raises(InputTypeError, match="wanted str"):
            store[name]
        with pytest.raises(InputTypeError, match="wanted str"):
            name in store  # noqa: B015
        for wrong in (0, None, b"d1", [0], [None]):
            with pytest.raises(InputTypeError, match="id"):
                store.get(wrong)  # type: ignore[arg-type]

    def test_a_hit_as_json(self, store: Store) -> None:
        spans = np.array([[0, 4], [5, 9], [10, 14]], np.int32)
        vectors = TokenVectors(rows(1, 3), np.array([0, 3]), spans=spans)
        store.add([Document(id="ü", text="eins zwei drei", payload={"n": [1, {"a": None}]}, vectors=vectors)])
        (hit,) = store.search(rows(1, 3)[[1, 2]], k=1, explain=True)
        found = json.loads(hit.to_json())
        assert found == hit.as_dict()
        assert list(found)[:6] == ["id", "score", "normalised", "text", "payload", "passages"]
        assert (found["id"], found["score"], found["normalised"]) == ("ü", hit.score, hit.normalised)
        assert (found["text"], found["payload"]) == ("eins zwei drei", {"n": [1, {"a": None}]})
        (passage,) = found["passages"]
        assert (passage["start"], passage["end"], passage["text"]) == (0, 14, "eins zwei drei")
        assert [one["document"] for one in passage["matches"]] == [[5, 9], [10, 14]]
        assert set(passage["matches"][0]) == {"query", "document", "similarity", "weight", "also"}
        stored = json.loads(store["ü"].to_json())
        assert stored == {
            "id": "ü",
            "text": "eins zwei drei",
            "payload": {"n": [1, {"a": None}]},
            "passages": [[0, 14]],
        }

    def test_a_passage_knows_its_text(self, store: Store) -> None:
        text = "eins zwei drei vier"
        spans = np.array([[0, 4], [5, 9], [10, 14], [15, 19]], np.int32)
        vectors = TokenVectors(rows(1, 4), np.array([0, 2, 4]), spans=spans)
        store.add([Document(id="d", text=text, vectors=vectors), document(2)])
        hits = store.search(rows(1, 4)[2:], k=2)
        assert [one.text for one in hits[0].passages] == ["drei vier", "eins zwei"]
        assert [one.text for one in hits[1].passages] == [None]

    def test_asearch_is_search(self, store: Store) -> None:
        store.add([document(seed) for seed in range(10)])
        asked: dict[str, Any] = {"k": 3, "where": {"n": {"$lt": 8}}, "explain": True, "offset": 1, "min_score": -1.0}
        assert asyncio.run(store.asearch(rows(9, 2), **asked)) == store.search(rows(9, 2), **asked)
        with pytest.raises(InputError, match="k"):
            asyncio.run(store.asearch(rows(9, 2), k=0))

    def test_asearch_makes_no_thread_where_the_loop_has_one(self, store: Store) -> None:
        store.add([document(seed) for seed in range(10)])
        store.search(rows(9, 2))

        async def asked() -> set[str]:
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="the-loops"))
            before = {one.name for one in threading.enumerate()}
            for _ in range(5):
                await asyncio.gather(*(store.asearch(rows(seed, 2)) for seed in range(5)))
            return {one.name for one in threading.enumerate()} - before

        assert asyncio.run(asked()) == {"the-loops_0"}

    def test_closing_twice_is_fine(self, store: Store) -> None:
        store.add([document(1)])
        store.close()
        store.close()
        with pytest.raises(ColibriError):
            store.count()
