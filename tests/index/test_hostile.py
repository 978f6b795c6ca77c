"""Input that means harm: refused or handled, and nothing is lost."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri import ColibriError, Document, Index, InputError
from colibri.index.where import compiled
from rounds import rounds
from store_contract import document, rows


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [199, 500_000])
def test_deep_payloads(store: Index, levels: int) -> None:
    """500,000 levels are a megabyte of brackets; SQLite's JSON gives up at 1,000, for every document's filter."""
    if levels < 200:
        store.add([document(1, payload={"a": nested(levels - 1), "n": 1})])
        assert store.count({"n": 1}) == 1
        (found,) = store.get("d1")
        assert found is not None
        assert found.payload == {"a": nested(levels - 1), "n": 1}
        return
    with pytest.raises(InputError, match="levels deep"):
        store.add([document(1, payload={"a": nested(levels)})])
    store.add([document(2)])
    assert store.count({"n": 2}) == 1


def test_a_payload_of_a_megabyte(store: Index) -> None:
    payload = {f"key {i}": "väl\x00ue" * 10 for i in range(15_000)}
    store.add([document(1, payload=payload), document(2)])
    (found,) = store.get("d1")
    assert found is not None
    assert found.payload == payload
    assert store.count({"key 14999": "väl\x00ue" * 10}) in {0, 1}  # SQLite ends a JSON string at NUL, or does not
    assert store.count({"n": 2}) == 1
    with pytest.raises(InputError, match="payload of"):
        store.add([document(3, payload={"a": "x" * (17 << 20)})])


def test_payloads_that_contain_themselves(store: Index) -> None:
    payload: dict[str, Any] = {}
    payload["self"] = payload
    with pytest.raises(InputError, match="levels deep"):
        store.add([document(1, payload=payload)])


INJECTIONS = [
    "'; DROP TABLE documents; --",
    '"; DELETE FROM documents; --',
    "') OR 1=1 --",
    "$.a') OR ('1'='1",
    "a' UNION SELECT * FROM meta --",
    "?1",
    "\x00",
    "%",
    "a[0]",
    "a[#-1]",
    "*",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_filters_are_data_and_never_sql(store: Index, text: str) -> None:
    store.add([document(1, payload={"a": text, "n": 1}), document(2, payload={"a": "b"})])
    assert store.count({"a": text}) == (0 if text == "\x00" else 1)  # NUL ends a string in SQLite's JSON
    assert store.count({"a": {"$in": [text, text + "x"]}}) == (0 if text == "\x00" else 1)
    for where in ({text: "b"}, {"a": {text: "b"}}, {f"a.{text}": {"$exists": True}}, {text: {"$gt": text}}):
        try:
            assert store.count(where) == 0
            assert store.delete(where=where) == 0
        except InputError:
            continue
    assert store.count() == 2
    assert store.verify().clean


VALUES = st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.none())
NAMES = st.one_of(st.text(max_size=10), st.sampled_from(["$and", "$or", "$not", "$in", "$gt", "n", "$exists", "$ne"]))
FILTERS = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.dictionaries(NAMES, inner, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=8,
)


@given(where=FILTERS)
def test_any_filter_runs_or_is_refused(shared: Index, where: Any) -> None:
    try:
        condition, values = compiled(where)
    except InputError:
        return
    assert shared.count(where) in range(4)
    assert not any(str(value) in condition for value in values if isinstance(value, str) and len(value) > 4)


@given(
    payload=st.dictionaries(st.text(max_size=8), st.recursive(VALUES, lambda i: st.lists(i, max_size=3)), max_size=4)
)
def test_any_payload_comes_back_or_is_refused(shared: Index, payload: dict[str, Any]) -> None:
    try:
        shared.upsert([document(9, payload=payload)])
    except InputError:
        assert any(value != value or abs(value) == float("inf") for value in flat(payload) if isinstance(value, float))  # noqa: PLR0124
        return
    (found,) = shared.get("d9")
    assert found is not None
    assert found.payload == payload
    for name, value in payload.items():
        simple = isinstance(value, int | bool | None) and name.isalnum()
        if simple and (value is None or abs(value) < 1 << 53):
            assert shared.count({name: value}) >= 1


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in flat(inner)]
    return [leaf for inner in value for leaf in flat(inner)] if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Index.open(tmp_path_factory.mktemp("shared") / "index", dim=8, space_id="contract-space") as index:
        index.add([document(seed) for seed in range(2)])
        yield index


@pytest.mark.parametrize(
    "wrap", [lambda w: {"$not": w}, lambda w: {"$and": [{}, w]}, lambda w: {"$or": [w, {"x": {"$gt": 1, "$lt": 2}}]}]
)
def test_filters_as_deep_as_they_may_be_and_deeper(store: Index, wrap: Callable[[Any], dict[str, Any]]) -> None:
    store.add([document(1)])
    where: dict[str, Any] = {"n": {"$in": [1, "a", None], "$gte": 1}}
    for _ in range(12):
        where = wrap(where)
        assert store.count(where) in {0, 1}
    assert store.count(where) == 1
    for _ in range(10_000):
        where = wrap(where)
    with pytest.raises(InputError, match="levels deep"):
        store.count(where)


def test_wide_filters(store: Index) -> None:
    store.add([document(1)])
    assert store.count({"n": {"$in": list(range(20_000))}}) == 1
    with pytest.raises(InputError, match="more than"):
        store.count({"n": {"$in": list(range(40_000))}})
    assert store.count({"$or": [{"n": i} for i in range(1_000)]}) == 1
    with pytest.raises(InputError, match="more than 1,000 conditions"):
        store.count({"$or": [{"n": i} for i in range(1_001)]})


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**300, 1e308, -0.0, 2**53 + 1])
def test_numbers_beyond_64_bits(store: Index, number: float) -> None:
    store.add([document(1, payload={"a": number})])
    assert store.count({"a": number}) == 1
    assert store.count({"a": {"$gte": number}}) == 1
    (found,) = store.get("d1")
    assert found is not None
    assert found.payload == {"a": number}


def test_numbers_beyond_floats_are_refused(store: Index) -> None:
    with pytest.raises(InputError):
        store.count({"a": 10**400})
    with pytest.raises(InputError):
        store.count({"a": float("nan")})


def test_many_ids(store: Index) -> None:
    """`soak`: a million of them."""
    count = rounds(quick=20_000, soak=1_000_000)
    one = rows(1, 1)
    assert store.add({"id": f"id {i}", "vectors": one} for i in range(count)) == count
    assert store.count() == count
    assert store.delete([f"id {i}" for i in range(0, count, 2)]) == count // 2
    hits = store.search(one, k=3)
    assert [hit.id for hit in hits] == ["id 1", "id 3", "id 5"]  # of equal scores the earlier one
    assert store.verify().clean


@pytest.mark.parametrize("value", [1e30, 3e38, 1e-31, 0.0])
def test_rows_of_any_size(store: Index, value: float) -> None:
    store.add([Document(id="a", vectors=np.full((2, 8), value, np.float32)), document(1)])
    hits = store.search(rows(1, 2), k=5)
    assert {hit.id for hit in hits} == {"a", "d1"}
    assert store.verify().clean


def test_a_failure_in_the_callers_generator_is_the_callers(store: Index) -> None:
    def stream(data: bytes) -> Any:
        yield document(1)
        data.decode()
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        store.add(stream(b""))
    with pytest.raises(UnicodeDecodeError):
        store.add(stream(b"\xff"))
    assert store.count() == 0
    assert store.add([document(1)]) == 1


def test_a_callback_that_fails_changes_nothing(store: Index) -> None:
    def fail(tokens: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.add([document(1)], progress=fail)
    assert store.count() == 0


@pytest.mark.parametrize("ids", [[5], [None], [""], ["\ud800"], [b"x"]])
def test_ids_that_are_none_are_refused(store: Index, ids: Any) -> None:
    for call in (store.get, store.delete):
        with pytest.raises(ColibriError):
            call(ids)


def test_delete_wants_one_of_two(store: Index) -> None:
    with pytest.raises(InputError, match="either ids or where"):
        store.delete()
    with pytest.raises(InputError, match="either ids or where"):
        store.delete("a", where={})


def test_payloads_can_be_replaced_alone(store: Index) -> None:
    store.add([document(1, text="t"), document(2)])
    assert store.set_payloads({"d1": {"new": True}, "d2": None, "absent": {}}) == 2
    assert dict(store.payloads()) == {"d1": {"new": True}, "d2": {}}
    assert store.count({"new": True}) == 1
    assert store.verify().clean
    with pytest.raises(InputError):
        store.set_payloads({"d1": {"a": float("nan")}})
