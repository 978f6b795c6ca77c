"""Lengths of a call's own, up to what the graph takes, and the ids behind rows. The oracle is another artefact whose
manifest says those lengths."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import colibri
from colibri.artefact.finding import Artefact
from colibri.encoding import Report
from colibri.errors import InputError, InputTypeError
from colibri.model import Colibri

Edit = Callable[[Callable[[dict[str, Any]], object]], Path]
TEXTS = ["small bird", "", "river " * 60, "a bird, a house; the river! " * 5]
LIMITS = [5, 16, 17, 40, 64]


def told(role: str, max_tokens: int, expand_to: int | None = None) -> Callable[[dict[str, Any]], object]:
    def change(manifest: dict[str, Any]) -> None:
        manifest[role]["max_tokens"] = max_tokens
        if expand_to is not None:
            manifest[role]["expansion"]["to_tokens"] = expand_to

    return change


@pytest.mark.parametrize("length", LIMITS)
def test_documents_are_cut_as_if_the_manifest_said_so(length: int, model: Colibri, edit: Edit) -> None:
    wanted = colibri.load(edit(told("document", length)), variant="cpu-fp32").encode_documents(TEXTS)
    report = Report()
    found = model.encode_documents(TEXTS, max_tokens=length, report=report)
    assert np.array_equal(found.starts, wanted.starts)
    assert np.array_equal(found.rows, wanted.rows)
    assert report.truncated == sum(len(model.token_offsets(text)) > length - 3 for text in TEXTS)


@pytest.mark.parametrize("length", LIMITS)
@pytest.mark.parametrize("expanded", [1, 16, 64])
def test_queries_are_cut_and_expanded_as_if_the_manifest_said_so(
    length: int, expanded: int, model: Colibri, edit: Edit
) -> None:
    wanted = colibri.load(edit(told("query", length, expanded)), variant="cpu-fp32").encode_queries(TEXTS)
    found = model.encode_queries(TEXTS, max_tokens=length, expand_to=expanded)
    assert np.array_equal(found.starts, wanted.starts)
    assert np.array_equal(found.rows, wanted.rows)
    assert min(np.diff(found.starts)) >= expanded


def test_nothing_is_expanded_where_that_is_asked(model: Colibri) -> None:
    lengths = np.diff(model.encode_queries(["small bird", "a"], expand_to=0).starts)
    assert lengths.tolist() == [len(model.token_offsets(text)) + 3 for text in ("small bird", "a")]


def test_windows_have_the_length_that_is_asked(model: Colibri) -> None:
    found = model.encode_documents([TEXTS[2]], max_tokens=10, long_documents="windows", overlap_tokens=2)
    assert len(found) > 5
    assert max(np.diff(found.starts)) == 10


def test_other_calls_keep_the_manifests_lengths(model: Colibri) -> None:
    before = model.encode_queries(TEXTS)
    model.encode_queries(TEXTS, max_tokens=20, expand_to=20)
    assert np.array_equal(model.encode_queries(TEXTS).rows, before.rows)


BAD = [0, -1, 3, 65, 10**9, True, 4.0, "8"]


@pytest.mark.parametrize("length", BAD)
def test_a_length_beyond_the_graph_is_refused(length: Any, model: Colibri) -> None:
    said = f"max_tokens: found {length!r}, wanted 4 to 64 for a {{}}: 3 stand around every text, and the graph takes 64"
    for role, encode in (("query", model.encode_queries), ("document", model.encode_documents)):
        with pytest.raises(InputError) as caught:
            encode(["a"], max_tokens=length)
        assert str(caught.value) == said.format(role)
    with pytest.raises(InputError, match="max_tokens"):
        model.stream_documents(iter(["a"]), max_tokens=length)
    with pytest.raises(InputError, match="max_tokens"):
        model.tokens(["a"], max_tokens=length)


@pytest.mark.parametrize("length", [-1, 65, True, 4.5, "8"])
def test_an_expansion_beyond_the_graph_is_refused(length: Any, model: Colibri) -> None:
    with pytest.raises(InputError, match=r"expand_to: found .*, wanted 0 \(no expansion\) to the graph's 64"):
        model.encode_queries(["a"], expand_to=length)


def test_what_is_not_expanded_has_no_length_of_expansion(model: Colibri, mini: Colibri) -> None:
    with pytest.raises(InputError, match="expand_to: found 20, and this model does not expand a document"):
        model.encode_documents(["a"], expand_to=20)
    with pytest.raises(InputError, match="does not expand a query; leave it out"):
        mini.encode_queries(["a"], expand_to=32)


@pytest.mark.parametrize("role", ["query", "document"])
def test_ids_stand_behind_rows_one_by_one(role: Any, tiny_model: Colibri, tiny: Artefact) -> None:
    encode = tiny_model.encode_queries if role == "query" else tiny_model.encode_documents
    vectors = encode(TEXTS)
    found = tiny_model.tokens(TEXTS, role)
    for i, one in enumerate(found):
        assert one.ids.dtype == np.int64
        assert one.ids.shape == one.keep.shape == one.attended.shape
        assert int(one.keep.sum()) == len(vectors[i])
        assert vectors.spans is not None
        assert np.array_equal(one.spans[one.keep], vectors.spans[vectors.starts[i] : vectors.starts[i + 1]])
        start, marker = tiny.manifest.tokenizer.start_ids[0], tiny.manifest.role(role).marker_id
        assert one.ids[:2].tolist() == [start, marker]
    assert len(tiny_model.tokens([TEXTS[2]], role, max_tokens=30)[0].ids) == 30


def test_ids_of_what_is_no_list_of_texts_are_refused(model: Colibri) -> None:
    with pytest.raises(InputTypeError, match="texts: found str"):
        model.tokens("small bird")
    with pytest.raises(InputError, match="role: found 'passage', wanted 'query' or 'document'"):
        model.tokens(["a"], "passage")  # type: ignore[arg-type]
