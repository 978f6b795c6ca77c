"""Filters as conditions: SQLite's answer to the same `where` is the oracle, our points' facts the evidence."""

import json
import sqlite3
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from colibri import Document, InputError
from colibri.index.document import payload_json
from colibri.index.where import compiled as as_sql
from colibri.stores.facts import facts
from colibri.stores.filters import ID, compiled, json_path
from colibri.stores.points import payloads
from colibri.vectors import Span
from plain_engine import holds

NAMES = st.sampled_from(["id", "a", "b", "ü b", "a b", "c-1", "[x]"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**53 + 1, 2**53, -(2**63), 2**63 - 1, 2**63, 10**30, -0.0, 0.5, 1.0, 2.5, 1e300, 5e-324]),
    st.sampled_from(["", "a", "b", "A", "ä", "z", "1", "true", "x" * 300, "\0", "a\0b", "bab", "\ud800"]),
)
VALUES = st.one_of(SCALARS, st.lists(st.one_of(SCALARS, st.lists(SCALARS, max_size=1)), max_size=3))
PAYLOADS = st.dictionaries(NAMES, st.one_of(VALUES, st.dictionaries(NAMES, VALUES, max_size=2)), max_size=4)
WHERE_SCALARS = SCALARS.filter(lambda value: value != "\ud800")
PATHS = st.one_of(NAMES, st.tuples(NAMES, NAMES).map(".".join))
# Ranges compare doubles in Qdrant: beyond 2**53 they are not SQLite's.
BOUNDS = st.one_of(
    st.integers(-3, 3), st.sampled_from([0.5, 2.5, 1e300, float("inf"), float("-inf")]), st.sampled_from(["", "a", "z"])
)
CONDITIONS = st.one_of(
    WHERE_SCALARS,
    st.fixed_dictionaries({"$eq": WHERE_SCALARS}),
    st.fixed_dictionaries({"$ne": WHERE_SCALARS}),
    st.fixed_dictionaries({"$in": st.lists(WHERE_SCALARS, max_size=3)}),
    st.fixed_dictionaries({"$nin": st.lists(WHERE_SCALARS, max_size=3)}),
    st.fixed_dictionaries({"$exists": st.booleans()}),
    st.dictionaries(
        st.sampled_from(["$prefix", "$contains"]), st.sampled_from(["", "a", "xx", "\0", "ä"]), min_size=1, max_size=2
    ),
    st.dictionaries(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), BOUNDS, min_size=1, max_size=2),
)
WHERE = st.recursive(
    st.dictionaries(PATHS, CONDITIONS, max_size=2),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"$not": inner}),
        st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=2)}),
    ),
    max_leaves=4,
)


IDS = st.sampled_from(["a", "bab", "12", "c0ffee00-0000-4000-8000-000000000000"])


def sqlite_keeps(where: dict[str, Any], payload: dict[str, Any] | None, name: str = "d") -> bool:
    """As the index does."""
    condition, values = as_sql(where)
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE documents (payload TEXT, id TEXT)")
    connection.execute("INSERT INTO documents VALUES (?, ?)", [payload_json(payload, ""), name])
    kept = connection.execute(f"SELECT count(*) FROM documents WHERE {condition}", values).fetchone()[0]
    connection.close()
    return bool(kept)


def strings_of(payload: dict[str, Any] | None, path: str) -> set[str]:
    value: Any = payload or {}
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return {one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)}


def point_keeps(where: dict[str, Any], payload: dict[str, Any] | None, name: str = "d", *, foreign: bool) -> bool:
    (own,) = payloads(Document(id=name, payload=payload), [Span(0, 0)], [None], "", keep_text=True)
    sent = json.loads(json.dumps(own))
    condition = compiled(where, lambda path: strings_of(sent, path), foreign=foreign)
    return holds(condition, sent)


@example(where={"ü b": None}, payload={"ü b": None, "a": "\ud800"}, name="a", foreign=False)
@given(where=WHERE, payload=st.one_of(st.none(), PAYLOADS), name=IDS, foreign=st.booleans())
def test_a_point_is_kept_where_sqlite_keeps_its_document(
    where: dict[str, Any], payload: dict[str, Any] | None, name: str, foreign: bool
) -> None:
    assert point_keeps(where, payload, name, foreign=foreign) == sqlite_keeps(where, payload, name)


@given(where=st.dictionaries(st.just("id"), CONDITIONS, min_size=1), name=IDS)
def test_a_point_of_others_is_kept_by_its_own_id(where: dict[str, Any], name: str) -> None:
    key = int(name) if name.isdigit() else name
    if not name.isdigit() and len(name) < 36:
        return  # no server gives such an id
    condition = compiled(where, lambda path: {name} if path == ID else set(), foreign=True)
    assert holds(condition, {"a": 1}, key) == sqlite_keeps(where, {"a": 1}, name)


@pytest.mark.parametrize(
    ("where", "payload", "kept"),
    [
        ({"a": 1}, {"a": True}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": 2**53 + 1}, {"a": 2**53}, False),
        ({"a": {"$gte": 0}}, {"a": True}, False),
        ({"a": {"$exists": True}}, {"a": []}, True),
        ({"a": {"$exists": False}}, {"a": None}, False),
        ({"a": "x" * 300}, {"a": "x" * 299 + "y"}, False),
        ({"a.b": 1}, {"a": [{"b": 1}]}, False),
        ({"a.b": 1}, {"a.b": 1}, False),
        ({"a": 'b"'}, {'a="b\\""': 1}, False),
        ({"_colibri.passage": 0}, {"a": 1}, False),
        ({"id": "d"}, {"a": 1}, True),
        ({"id": "d"}, {"id": "e"}, False),
        ({"id": "e"}, {"id": ["d", "e"]}, True),
        ({"id": None}, {}, False),
        ({"id": {"$nin": ["a", 1]}}, {}, True),
        ({"id": {"$contains": ""}}, {}, True),
        ({"id": {"$exists": True}}, {}, True),
        ({"id": {"$gt": "c", "$lt": "e"}}, {}, True),
        ({"id.x": 1}, {"id": {"x": 1}}, True),
        ({"id": "d"}, {"id": {"x": 1}}, False),
        ({"a": {"$prefix": "A"}}, {"a": "abc"}, False),
        ({"a": {"$prefix": "b"}}, {"a": "abc"}, False),
        ({"a": {"$contains": "b"}}, {"a": ["xyz", "abc"]}, True),
        ({"a": {"$contains": "%"}}, {"a": "abc"}, False),
        ({"a": {"$contains": "1"}}, {"a": 1}, False),
        ({"a": {"$nin": []}}, {}, True),
        ({"a": {"$nin": ["x"]}}, {"a": ["x", "y"]}, False),
    ],
)
def test_traps(where: dict[str, Any], payload: dict[str, Any], kept: bool) -> None:
    assert point_keeps(where, payload, foreign=True) is kept


def test_strings_are_asked_for_only_where_they_are_compared() -> None:
    asked: list[str] = []

    def strings(path: str) -> set[str]:
        asked.append(path)
        return {"2019", "2020", "2021"}

    found = compiled({"a": "x", "year": {"$gte": "2020"}, "n": {"$gt": 1}}, strings, foreign=False)
    assert asked == ["year"]
    assert found is not None
    assert found["must"][1]["must"][0]["match"]["any"] == ['year="2020"', 'year="2021"']


def test_what_is_no_filter_is_refused_before_strings_are_asked_for() -> None:
    def never(path: str) -> set[str]:
        raise AssertionError(path)

    with pytest.raises(InputError):
        compiled({"a": {"$gt": "x"}, "b": {"$regex": "y"}}, never, foreign=True)


def test_facts_are_short_and_each_once() -> None:
    found = facts({"a": ["x", "x", "y" * 500], "b": {"c": 1.0}, "": 1, "a.b": 2})
    assert found[:3] == ["a?", 'a="x"', "a:string"]
    assert {"b?", "b.c?", "b.c=1"} <= set(found)
    assert all(len(word) <= 120 for word in found)
    assert len(set(found)) == len(found) == 7


@pytest.mark.parametrize(("path", "wanted"), [("a.b-1", "a.b-1"), ("Größe.x", '"Größe".x'), ("a b", '"a b"')])
def test_paths_are_quoted_where_qdrant_wants_it(path: str, wanted: str) -> None:
    assert json_path(path) == wanted
