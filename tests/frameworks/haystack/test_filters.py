"""Filters mean what Haystack's own function says, whichever part of them `where` did before."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from haystack import Document
from haystack.errors import FilterError
from haystack.utils.filters import document_matches_filter
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.compat.haystack import ColibriDocumentStore
from colibri.model import Colibri
from haystack_integrations.document_stores.colibri.filters import checked, matches, narrowed

VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    1.0,
    -2,
    0.1,
    0.30000000000000004,
    1e300,
    2**53 + 1,
    2**70,
    "",
    "a",
    "1",
    "2024-01-31",
    "2024-01-31T00:00:00",
    "2024-02-01T01:00:00+02:00",
    [],
    ["a"],
    [1, "a"],
    {"b": 1},
    {"b": {"c": "a"}},
]
FIELDS = [
    "meta.a",
    "meta.n",
    "meta.day",
    "meta.a.b",
    "meta.a.b.c",
    "meta.id",
    "meta.none",
    "a",
    "id",
    "content",
    "meta",
    "meta.we ird",
    "meta.$x",
]
NUMBERS = [one for one in VALUES if one is None or isinstance(one, int | float)]
DAYS = [one for one in VALUES if one is None or str(one).startswith("2024")]
DOCUMENTS = [
    *(Document(id=f"d{n}", content="a", meta={"a": value}) for n, value in enumerate(VALUES)),
    *(Document(id=f"n{n}", content="n", meta={"n": value}) for n, value in enumerate(NUMBERS)),
    *(Document(id=f"t{n}", content="t", meta={"day": value}) for n, value in enumerate(DAYS)),
    *(Document(id=f"i{n}", content="b", meta={"id": value, "we ird": value}) for n, value in enumerate(VALUES)),
    Document(id="a", content="c", meta={"$x": "a"}),
    Document(id="1", content="2024-01-31"),
    Document(id="nothing", meta={"a": "a"}),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, mini: Colibri) -> ColibriDocumentStore:
    made = ColibriDocumentStore(tmp_path_factory.mktemp("index"), mini)
    made.write_documents(DOCUMENTS)
    return made


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    one = st.builds(
        lambda field, operator, value: {
            "field": field,
            "operator": operator,
            "value": [value, "a", 1] if operator.endswith("in") else value,
        },
        st.sampled_from(FIELDS),
        st.sampled_from(["==", "!=", ">", ">=", "<", "<=", "in", "not in"]),
        st.sampled_from(VALUES),
    )
    return st.recursive(
        one,
        lambda inner: st.builds(
            lambda operator, parts: {"operator": operator, "conditions": parts},
            st.sampled_from(["AND", "OR", "NOT"]),
            st.lists(inner, max_size=3),
        ),
        max_leaves=4,
    )


def kept_by_haystack(filters: dict[str, Any]) -> list[str] | None:
    """Ids, one document after the other; None where Haystack fails for one."""
    try:
        return [one.id for one in DOCUMENTS if document_matches_filter(filters, one)]
    except (FilterError, TypeError, AttributeError, KeyError):
        return None


def is_refused(filters: dict[str, Any]) -> bool:
    """Whether a part of it compares with what nothing can be compared with."""
    if "field" not in filters:
        return any(map(is_refused, filters["conditions"]))
    field = "meta.day" if isinstance(filters["value"], str) else "meta.n"
    return kept_by_haystack({**filters, "field": field}) is None


@given(conditions())
def test_what_is_kept_is_what_haystack_keeps(store: ColibriDocumentStore, filters: dict[str, Any]) -> None:
    wanted = kept_by_haystack(filters)
    try:
        found = [one.id for one in store.filter_documents(filters)]
    except FilterError:
        assert wanted is None or is_refused(filters)
        return
    if wanted is not None:  # else ours kept out, by `where`, what Haystack cannot compare
        assert found == wanted
        assert store.count_documents_by_filter(filters) == len(wanted)
        hits = store.retrieve("a", filters, top_k=len(DOCUMENTS))
        assert sorted(one.id for one in hits) == sorted(name for name in wanted if name != "nothing")


@given(conditions())
def test_what_haystack_keeps_where_keeps_too(store: ColibriDocumentStore, filters: dict[str, Any]) -> None:
    try:
        where = narrowed(checked(filters))
    except FilterError:
        return
    let_through = {one.id for one in store.index.documents(where)}
    for one in DOCUMENTS:
        with suppress(FilterError):
            assert one.id in let_through or not matches(filters, one)


def test_most_filters_are_narrowed() -> None:
    def said(field: str, operator: str, value: object) -> object:
        return narrowed(checked({"field": field, "operator": operator, "value": value}))

    assert said("meta.lang", "==", "en") == {"lang": {"$in": ["en"]}}
    assert said("lang", "==", "en") == {"lang": {"$in": ["en"]}}
    assert said("meta.lang", "in", ["en", None]) == {
        "$or": [{"lang": {"$in": ["en"]}}, {"$or": [{"lang": None}, {"lang": {"$exists": False}}]}]
    }
    assert said("meta.n", "==", 1) == {"n": {"$in": [1, True]}}
    assert said("meta.day", ">=", "2024-01-31") == {"day": {"$exists": True}}
    assert said("meta.lang", "!=", "en") is None
    assert said("content", "==", "en") is None
    assert said("meta.lang", "in", [str(n) for n in range(40_000)]) is None  # more than `where` takes
    assert narrowed(
        {
            "operator": "AND",
            "conditions": [
                {"field": "meta.lang", "operator": "==", "value": "en"},
                {"field": "content", "operator": "==", "value": "a"},
            ],
        }
    ) == {"$and": [{"lang": {"$in": ["en"]}}]}


@pytest.mark.parametrize(
    "filters",
    [
        "lang",
        ["lang"],
        {"operator": "AND"},
        {"conditions": []},
        {"operator": "XOR", "conditions": []},
        {"operator": "AND", "conditions": "ab"},
        {"operator": "AND", "conditions": [{"operator": "==", "value": 1}]},
        {"field": "meta.a", "operator": "=="},
        {"field": "meta.a", "value": 1},
        {"field": 3, "operator": "==", "value": 1},
        {"field": "meta.a", "operator": "~", "value": 1},
        {"field": "meta.a", "operator": ["=="], "value": 1},
        {"field": "meta.a", "operator": ">", "value": "not a date"},
        {"field": "meta.a", "operator": "<=", "value": [1]},
        {"field": "meta.a", "operator": ">", "value": {"b": 1}},
        {"field": "meta.a", "operator": "in", "value": "a"},
        {"field": "meta.a", "operator": "not in", "value": ("a",)},
    ],
)
def test_what_is_no_filter_is_refused_before_any_work(filters: Any, document_store: ColibriDocumentStore) -> None:
    """Of an empty store too, in which Haystack's own would have found nothing to compare."""
    for call in (
        document_store.filter_documents,
        document_store.count_documents_by_filter,
        document_store.delete_by_filter,
        lambda given: document_store.update_by_filter(given, {"b": 1}),
        lambda given: document_store.retrieve("a", given),
        lambda given: document_store.count_unique_metadata_by_filter(given, ["a"]),
    ):
        with pytest.raises(FilterError, match=r"filters|Filter value|compare"):
            call(filters)


def test_filters_too_deep_are_refused(document_store: ColibriDocumentStore) -> None:
    filters: dict[str, Any] = {"field": "meta.a", "operator": "==", "value": 1}
    for _ in range(5_000):
        filters = {"operator": "NOT", "conditions": [filters]}
    with pytest.raises(FilterError, match="nested more than 100 levels"):
        document_store.filter_documents(filters)


def test_few_among_many_are_found(tmp_path: Path, mini: Colibri) -> None:
    """Where the first pages have none that the filters keep, and where `where` can say nothing of them."""
    index = colibri.Index.open(tmp_path, mini)
    store = ColibriDocumentStore(index)
    store.write_documents(
        [
            *(Document(id=f"b{n}", content=f"Berlin has {n} districts.", meta={"n": n}) for n in range(120)),
            *(Document(id=f"o{n}", content=f"Bread {n} is in the oven.", meta={"n": -n}) for n in range(1, 4)),
            Document(id="blob", meta={"n": -9}),
        ]
    )
    filters = {"operator": "NOT", "conditions": [{"field": "meta.n", "operator": ">=", "value": 0}]}
    assert narrowed(filters) is None
    found = store.retrieve("districts of Berlin", filters, top_k=3)
    assert sorted(one.id for one in found) == ["o1", "o2", "o3"]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(one.meta["colibri"]["passage"] for one in found)
    assert len(store.retrieve("districts of Berlin", filters, top_k=10)) == 3
    wanted = index.search("districts of Berlin", 3, {"n": {"$lt": 0}}, ids=["o1", "o2", "o3"])
    assert [(one.id, one.score) for one in found] == [(hit.id, hit.score) for hit in wanted]
