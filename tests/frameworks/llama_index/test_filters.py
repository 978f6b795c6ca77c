"""Filters keep what plain loops keep, and those what LlamaIndex's own function for filters keeps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import utils
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
)

import colibri
from colibri.compat import NotHere
from colibri.compat.llama_index import ColibriVectorStore
from colibri.compat.llama_index.filters import as_where
from colibri.compat.llama_index.nodes import as_document
from colibri.errors import InputError, InputTypeError
from reference import ARTEFACTS

Op = FilterOperator
METADATA: list[dict[str, Any]] = [
    {"lang": "en", "year": 2020, "tags": ["a", "b"]},
    {"lang": "en", "year": 2024.5, "tags": ["b"]},
    {"lang": "de", "year": 2024, "tags": []},
    {"lang": "", "year": None},
    {},
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ColibriVectorStore:
    made = ColibriVectorStore(tmp_path_factory.mktemp("index"), colibri.load(ARTEFACTS / "tiny-random-bert"))
    made.add([TextNode(id_=str(i), text=f"Note {i}.", metadata=one) for i, one in enumerate(METADATA)])
    return made


def holds(one: MetadataFilter, metadata: dict[str, Any]) -> bool:
    found, value = metadata.get(one.key), one.value
    if one.operator == Op.IS_EMPTY:
        return found in (None, "", [])
    if found is None:
        return one.operator in (Op.NE, Op.NIN)
    ways: dict[FilterOperator, Callable[[], Any]] = {
        Op.EQ: lambda: found == value,
        Op.NE: lambda: found != value,
        Op.GT: lambda: found > value,
        Op.GTE: lambda: found >= value,
        Op.LT: lambda: found < value,
        Op.LTE: lambda: found <= value,
        Op.IN: lambda: found in value,
        Op.NIN: lambda: found not in value,
        Op.CONTAINS: lambda: value in found,
        Op.TEXT_MATCH: lambda: value in found,
        Op.ALL: lambda: all(each in found for each in value) if value else True,
        Op.ANY: lambda: any(each in found for each in value),
    }
    return bool(ways[one.operator]())


def kept_there(filters: MetadataFilters) -> set[str]:
    joints: dict[FilterCondition, Callable[[list[bool]], bool]] = {
        FilterCondition.AND: all,
        FilterCondition.OR: any,
        FilterCondition.NOT: lambda each: not any(each),
    }
    joint = joints[filters.condition]
    return {
        str(i)
        for i, metadata in enumerate(METADATA)
        if not filters.filters or joint([holds(one, metadata) for one in filters.filters])
    }


def kept_here(store: ColibriVectorStore, filters: MetadataFilters) -> set[str]:
    return {node.node_id for node in store.get_nodes(filters=filters)}


one_filter = st.one_of(
    st.builds(
        MetadataFilter,
        key=st.sampled_from(["lang", "none"]),
        value=st.sampled_from(["en", "de", "fr", ""]),
        operator=st.sampled_from([Op.EQ, Op.NE, Op.GT, Op.GTE, Op.LT, Op.LTE, Op.TEXT_MATCH]),
    ),
    st.builds(
        MetadataFilter,
        key=st.sampled_from(["year", "none"]),
        value=st.sampled_from([2020, 2024, 2024.5, 1]),
        operator=st.sampled_from([Op.EQ, Op.NE, Op.GT, Op.GTE, Op.LT, Op.LTE]),
    ),
    st.builds(
        MetadataFilter,
        key=st.just("lang"),
        value=st.lists(st.sampled_from(["en", "de", "fr"])),
        operator=st.sampled_from([Op.IN, Op.NIN]),
    ),
    st.builds(
        MetadataFilter,
        key=st.just("tags"),
        value=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1),
        operator=st.sampled_from([Op.ANY, Op.ALL]),
    ),
    st.builds(MetadataFilter, key=st.just("tags"), value=st.sampled_from(["a", "b"]), operator=st.just(Op.CONTAINS)),
    st.builds(
        MetadataFilter,
        key=st.sampled_from(["tags", "lang", "year", "none"]),
        value=st.none(),
        operator=st.just(Op.IS_EMPTY),
    ),
)
several = st.builds(
    MetadataFilters, filters=st.lists(one_filter, max_size=3), condition=st.sampled_from(FilterCondition)
)


@pytest.mark.skipif(
    not hasattr(utils, "build_metadata_filter_fn"), reason="0.13.0 has none that knows NOT; its NE wants a field"
)
@given(filters=several)
def test_the_plain_loops_are_llamaindexs_function(filters: MetadataFilters) -> None:
    keeps = utils.build_metadata_filter_fn(lambda node_id: METADATA[int(node_id)], filters)
    assert kept_there(filters) == {str(i) for i in range(len(METADATA)) if keeps(str(i))}


@given(filters=several)
def test_documents_are_kept_as_there(filters: MetadataFilters, store: ColibriVectorStore) -> None:
    assert kept_here(store, filters) == kept_there(filters)


@given(parts=st.lists(several, min_size=1, max_size=3), condition=st.sampled_from(FilterCondition))
def test_nested_ones_join_what_each_keeps(
    parts: list[MetadataFilters], condition: FilterCondition, store: ColibriVectorStore
) -> None:
    """Which LlamaIndex's own function does not take."""
    each, everything = [kept_there(part) for part in parts], set(map(str, range(len(METADATA))))
    wanted = {
        FilterCondition.AND: set.intersection(*each),
        FilterCondition.OR: {one for part in each for one in part},
        FilterCondition.NOT: everything - {one for part in each for one in part},
    }[condition]
    assert kept_here(store, MetadataFilters(filters=parts, condition=condition)) == wanted


def test_a_where_is_taken_as_it_is() -> None:
    assert as_where(None) is None
    assert as_where({"lang": "en"}) == {"lang": "en"}
    assert as_where(MetadataFilters(filters=[])) == {}


@pytest.mark.parametrize(
    ("operator", "value", "kind", "said"),
    [
        (Op.TEXT_MATCH_INSENSITIVE, "a", NotHere, "TEXT_MATCH_INSENSITIVE is not here, because"),
        (Op.EQ, None, InputError, "filter lang ==: found None, wanted a string or a number; see IS_EMPTY"),
        (Op.EQ, ["a"], InputError, "filter lang ==: found a list"),
        (Op.IN, "en", InputTypeError, "filter lang in: found str, wanted a list"),
        (Op.ALL, 3, InputTypeError, "filter lang all: found int, wanted a list"),
    ],
)
def test_what_cannot_be_asked_is_said(operator: FilterOperator, value: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        as_where(MetadataFilters(filters=[MetadataFilter(key="lang", value=value, operator=operator)]))
    with pytest.raises(InputTypeError, match="filters: found str"):
        as_where("lang")


def test_an_empty_list_is_no_field_to_filter_by_and_comes_back(store: ColibriVectorStore) -> None:
    payload = as_document(TextNode(text="a", metadata={"tags": []})).payload
    assert payload is not None
    assert "tags" not in payload
    assert store.get_nodes(["2"])[0].metadata == METADATA[2]


def test_all_of_nothing_is_any_that_has_it(store: ColibriVectorStore) -> None:
    nothing = MetadataFilters(filters=[MetadataFilter(key="year", value=[], operator=Op.ALL)])
    assert kept_here(store, nothing) == {"0", "1", "2"} == kept_there(nothing)


def test_the_same_over_another_store(place: Any, tmp_path: Path) -> None:
    store = ColibriVectorStore(place)
    store.add([TextNode(id_=str(i), text=f"Note {i}.", metadata=one) for i, one in enumerate(METADATA)])
    for key, operator, value in (
        ("lang", Op.NE, "en"),
        ("lang", Op.TEXT_MATCH, "e"),
        ("year", Op.GTE, 2024),
        ("tags", Op.ALL, ["a", "b"]),
        ("tags", Op.IS_EMPTY, None),
        ("lang", Op.IS_EMPTY, None),
    ):
        filters = MetadataFilters(filters=[MetadataFilter(key=key, value=value, operator=operator)])
        assert kept_here(store, filters) == kept_there(filters), (key, operator)
