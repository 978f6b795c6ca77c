"""Searching among documents that are named, and payloads with numpy's scalars."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri import Index
from colibri.errors import InputError, InputTypeError
from colibri.index import ranking
from colibri.index.document import payload_json
from colibri.vectors import TokenVectors
from store_contract import DIM, SPACE, document, ids, rows

COUNT = 60


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index.open(tmp_path_factory.mktemp("among") / "i", dim=DIM, space_id=SPACE) as index:
        index.add([document(seed) for seed in range(COUNT)])
        yield index


@given(
    named=st.lists(st.integers(0, COUNT + 5), max_size=COUNT),
    most=st.none() | st.integers(0, COUNT),
    k=st.integers(1, COUNT + 5),
)
def test_what_is_found_is_what_a_loop_over_all_hits_keeps(
    named: list[int], most: int | None, k: int, filled: Index
) -> None:
    wanted = []
    for hit in filled.search(rows(7), k=COUNT):
        number = int(hit.id[1:])
        if number in named and (most is None or number < most):
            wanted.append((hit.id, hit.score))
    where = None if most is None else {"n": {"$lt": most}}
    found = filled.search(rows(7), k=k, where=where, ids=(f"d{n}" for n in named))
    assert [(hit.id, hit.score) for hit in found] == wanted[:k]
    queries = TokenVectors.from_arrays([rows(7), rows(8)])
    batch = filled.search_batch(queries, k=k, where=where, ids=[f"d{n}" for n in named])
    assert [(hit.id, hit.score) for hit in batch[0]] == wanted[:k]


def test_any_number_of_ids_also_beside_a_filter(filled: Index) -> None:
    """More than SQLite binds at once."""
    named = [f"no such {i}" for i in range(70_000)] + ["d3", "d4"]
    assert set(ids(filled.search(rows(7), ids=named))) == {"d3", "d4"}
    large = {"n": {"$in": [*range(4, 600)]}}
    assert ids(filled.search(rows(7), where=large, ids=named)) == ["d4"]


def test_no_ids_find_nothing_and_deleted_ones_neither(store: Index) -> None:
    store.add([document(1), document(2)])
    assert store.search(rows(1), ids=[]) == []
    assert store.search_batch(TokenVectors.from_arrays([rows(1)]), ids=[]) == [[]]
    store.delete("d1")
    assert ids(store.search(rows(1), ids=["d1", "d2", "d2"])) == ["d2"]


@pytest.mark.parametrize(("given_ids", "error"), [("d1", InputTypeError), ([1], InputTypeError), ([""], InputError)])
def test_ids_that_are_none_are_refused(store: Index, given_ids: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="ids"):
        store.search(rows(1), ids=given_ids)


def test_numpy_s_scalars_are_numbers_in_payloads_and_filters(store: Index) -> None:
    payload = {"i": np.int64(3), "f": np.float32(0.5), "b": np.bool_(True), "s": np.str_("x"), "t": (1, np.int8(2))}
    store.add([document(1, payload=payload), document(2)])
    (found,) = store.get("d1")
    assert found is not None
    assert found.payload == {"i": 3, "f": 0.5, "b": True, "s": "x", "t": [1, 2]}
    for where in (
        {"i": np.int32(3)},
        {"f": {"$gt": np.float64(0.4)}},
        {"b": np.bool_(True)},
        {"t": {"$in": [np.int64(2)]}},
    ):
        assert ids(store.search(rows(1), where=where)) == ["d1"]
    store.set_payloads({"d2": {"i": np.uint8(9)}})
    assert ids(store.search(rows(1), where={"i": 9})) == ["d2"]


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ({"ok": 1, "born": datetime.date(1970, 1, 1)}, "born"),
        ({"a": {"b": Path("x")}}, "a.b"),
        ({"a": [1, {"b": (2, {3})}]}, "a[1].b[1]"),
        ({"a": np.float32("nan")}, "a"),
        ({"a": float("inf")}, "a"),
        ({"a": np.arange(3)}, "a"),
        ({"a": b"x"}, "a"),
        ({"a": np.datetime64("2020-01-01")}, "a"),
        ({"a": 1j}, "a"),
    ],
)
def test_what_is_not_json_is_refused_by_document_and_key(store: Index, payload: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match=r"documents\[1\] \('d2'\): payload\." + re.escape(key) + r" is not JSON \("):
        store.add([document(1), document(2, payload=payload)])
    assert len(store) == 0
    with pytest.raises(InputError, match=re.escape(f"payload.{key} is not JSON")):
        payload_json(payload, "it")


def test_a_filter_that_is_asked_again_is_looked_up_once_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Any] = []
    before = ranking._extents

    def counting(connection: Any, where: Any, named: Any) -> Any:
        looked.append(where)
        return before(connection, where, named)

    monkeypatch.setattr(ranking, "_extents", counting)
    with Index.open(tmp_path / "i", dim=DIM, space_id=SPACE) as index:
        index.add([document(seed) for seed in range(10)])

        def found(where: Any) -> list[str]:
            return sorted(hit.id for hit in index.search(rows(7), k=20, where=where))

        for _ in range(3):
            assert found({"n": {"$lt": 3}}) == ["d0", "d1", "d2"]
            assert found({"n": 1}) == ["d1"]
        assert found({"n": True}) == []  # as equal to 1 as Python can tell, and another filter
        assert len(looked) == 3
        index.set_payloads({"d7": {"n": 1}})
        assert found({"n": 1}) == ["d1", "d7"]
        index.delete(["d1"])
        assert found({"n": 1}) == ["d7"]
        assert found({"n": {"$lt": 3}}) == ["d0", "d2", "d7"]
        assert len(looked) == 6
        for number in range(3, 9):
            found({"n": number})
        assert found({"n": {"$lt": 3}}) == ["d0", "d2", "d7"]
        assert len(looked) == 6 + 6 + 1  # only the last few are kept


def test_a_field_of_any_name_is_found_beside_a_value_with_a_lone_surrogate(tmp_path: Path) -> None:
    payload = {"straße": 3, "日本": None, "name": "\udcff 𝄞", "more": ["\ud800", {"ü": "\udc00"}]}
    with Index.open(tmp_path / "i", dim=DIM, space_id=SPACE) as index:
        index.add([document(1, payload=payload), document(2)])
        assert index["d1"].payload == payload
        for where in ({"straße": {"$gt": 2}}, {"日本": None}, {"more": {"$exists": True}}):
            assert [hit.id for hit in index.search(rows(7), k=5, where=where)] == ["d1"]
