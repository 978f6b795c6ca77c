"""Which vectors of a collection are used, and why another cannot be."""

from typing import Any

import pytest

from colibri import InputError, StoreError
from colibri.stores.layout import Description, VectorKind, chosen, new_names


def kind(size: int = 128, distance: str = "Dot", *, maxsim: bool = True, datatype: str = "float32") -> VectorKind:
    return VectorKind(size=size, distance=distance, maxsim=maxsim, datatype=datatype)


def there(vectors: dict[str, VectorKind], **own: Any) -> Description:
    metadata = {"colibri": {"format": 1, **own}} if own else {}
    return Description(name="docs", vectors=vectors, metadata=metadata)


TWO = {"colibri-64": kind(64), "colibri-128": kind()}


@pytest.mark.parametrize(
    ("vectors", "using", "dims", "names"),
    [
        ({"": kind()}, None, None, {128: ""}),
        ({"": kind()}, "", None, {128: ""}),
        ({"": kind()}, None, [128], {128: ""}),
        ({"colbert": kind(96), "dense": kind(384, "Cosine", maxsim=False)}, None, None, {96: "colbert"}),
        ({"colbert": kind(), "other": kind()}, "other", None, {128: "other"}),
        (TWO, None, None, {128: "colibri-128", 64: "colibri-64"}),
        (TWO, None, [64], {64: "colibri-64"}),
        (TWO, None, [64, 128], {128: "colibri-128", 64: "colibri-64"}),
        ({"a": kind(64), "colibri-64": kind(64)}, None, [64], {64: "colibri-64"}),
        ({"a": kind(64), "b": kind(128, "Cosine")}, None, [128], {128: "b"}),
    ],
)
def test_a_collection_is_taken_as_it_is(
    vectors: dict[str, VectorKind], using: str | None, dims: list[int] | None, names: dict[int, str]
) -> None:
    found = chosen(there(vectors), using, dims)
    assert list(found.names.items()) == list(names.items())
    assert found.cosine == (vectors[next(iter(names.values()))].distance == "Cosine")


@pytest.mark.parametrize(
    ("vectors", "using", "dims", "message"),
    [
        ({"": kind(maxsim=False)}, None, None, "no MAX_SIM multivector.*128 wide, DOT, no multivector"),
        ({"": kind(maxsim=False)}, "", None, "wanted a multivector with MAX_SIM"),
        ({"": kind(distance="Euclid")}, None, None, "wanted DOT"),
        ({"": kind(distance="Manhattan")}, "", None, "wanted DOT"),
        ({"": kind(datatype="uint8")}, None, None, "keeps bytes"),
        ({"a": kind(), "b": kind()}, None, None, "name one with `using`.*'a'.*'b'"),
        ({"a": kind(64), "b": kind(64)}, None, [64], "several vectors of width 64"),
        ({"a": kind(64)}, None, [128], "no MAX_SIM vector of width 128"),
        ({"a": kind(64)}, "b", None, "no vector 'b'; there is 'a' "),
        ({"a": kind(64)}, "a", [128], "64 wide, wanted 128"),
        ({"a": kind(64), "b": kind(128, "Cosine")}, None, [64, 128], "differ in distance"),
        ({}, None, None, "there is none"),
    ],
)
def test_what_cannot_be_used_is_refused_and_both_sides_are_named(
    vectors: dict[str, VectorKind], using: str | None, dims: list[int] | None, message: str
) -> None:
    with pytest.raises(StoreError, match=message):
        chosen(there(vectors), using, dims)


def test_metadata_of_ours_says_which_are_in_use() -> None:
    names = {"64": "colibri-64", "128": "colibri-128"}
    assert chosen(there({**TWO, "his": kind()}, names=names), None, None).dims == (128, 64)
    with pytest.raises(StoreError, match="no vector 'colibri-64' any more"):
        chosen(there({"colibri-128": kind()}, names=names), None, None)


def test_a_newer_format_is_told() -> None:
    found = Description(name="docs", vectors={"": kind()}, metadata={"colibri": {"format": 2}})
    with pytest.raises(StoreError, match="format 2 of Colibri's, this one reads 1; upgrade"):
        _ = found.own


def test_names_of_a_new_collection() -> None:
    assert list(new_names([64, 128], None).items()) == [(128, "colibri-128"), (64, "colibri-64")]
    assert new_names([64], "") == {64: ""}
    with pytest.raises(InputError, match="one name for 2 widths"):
        new_names([64, 128], "colbert")
