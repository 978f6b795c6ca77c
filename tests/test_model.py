"""Colibri, the object users hold: ranking, scoring, and errors that name what there is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.errors import InputError, InputTypeError, ShapeError
from colibri.index import Document
from colibri.model import Colibri, Result
from colibri.vectors import TokenVectors
from reference import ARTEFACTS
from reference import maxsim as definition

DOCUMENTS = [
    "the river",
    "a small bird",
    "search engine",
    "the river",
    "",
    "a small bird reads a document",
    "the river",
]
QUERY = "small bird"

texts = st.lists(st.text("the river bird.\n🐦", max_size=20), max_size=8)


def several_profiles(found: TokenVectors | dict[int, TokenVectors]) -> dict[int, TokenVectors]:
    assert isinstance(found, dict)
    return found


@given(query=st.text(max_size=20), documents=texts)
def test_rerank_orders_by_score_and_ties_keep_their_order(query: str, documents: list[str], model: Colibri) -> None:
    scores = model.score(query, documents).tolist()
    order = sorted(range(len(documents)), key=lambda i: -scores[i]) if query.strip() else []
    assert model.rerank(query, documents) == [Result(i, scores[i], documents[i]) for i in order]


def test_equal_documents_tie_and_keep_their_order(tiny_model: Colibri) -> None:
    places = [result.index for result in tiny_model.rerank(QUERY, DOCUMENTS) if result.document == "the river"]
    assert places == [0, 3, 6]
    assert [result.index for result in tiny_model.rerank(QUERY, ["same"] * 50)] == list(range(50))


def test_results_are_plain_python(model: Colibri) -> None:
    for result in model.rerank(QUERY, DOCUMENTS):
        assert (type(result.index), type(result.score)) == (int, float)
        assert result.document is DOCUMENTS[result.index]


@pytest.mark.parametrize("top_n", [1, 3, len(DOCUMENTS), 1000, np.int64(2)])
def test_top_n_keeps_the_first(top_n: int, model: Colibri) -> None:
    assert model.rerank(QUERY, DOCUMENTS, top_n) == model.rerank(QUERY, DOCUMENTS)[:top_n]


@pytest.mark.parametrize("top_n", [0, -1, True, False, 1.5, 2.0, "3", [1], float("nan")], ids=repr)
def test_a_top_n_that_is_no_count_is_refused(top_n: Any, model: Colibri) -> None:
    for documents in (DOCUMENTS, []):
        with pytest.raises(InputError, match=r"top_n: found .*, wanted a whole number from 1"):
            model.rerank(QUERY, documents, top_n)


def test_no_documents_are_no_error(model: Colibri) -> None:
    assert model.rerank(QUERY, []) == []
    assert model.score(QUERY, []).shape == (0,)


@pytest.mark.parametrize("blank", ["", " ", "\n\u3000", "\0", "!"])
def test_a_blank_query_or_document_is_scored_with_a_number(blank: str, tiny_model: Colibri, mini: Colibri) -> None:
    for model in (tiny_model, mini):
        asks = bool(blank.strip())  # a query without words asks nothing
        for query, documents in ((blank, DOCUMENTS), (QUERY, [blank, "a small bird"]), (blank, [blank])):
            scores = [result.score for result in model.rerank(query, documents)]
            assert len(scores) == (len(documents) if query == QUERY or asks else 0)
            assert np.isfinite(scores).all()


def test_a_query_that_is_a_document_wins(mini: Colibri) -> None:
    documents = ["The river is long.", "Bread is baked in an oven.", "How many people live in Berlin?", "", "Berlin"]
    best = mini.rerank("How many people live in Berlin?", documents)[0]
    assert best.index == 2


def test_score_is_the_definition(tiny_model: Colibri) -> None:
    queries, documents = tiny_model.encode_queries([QUERY]), tiny_model.encode_documents(DOCUMENTS)
    wanted = definition(queries[0], documents)
    assert np.allclose(tiny_model.score(QUERY, DOCUMENTS), wanted, atol=1e-4)


def test_texts_and_vectors_score_alike(tiny_model: Colibri) -> None:
    for dim in tiny_model.dims:
        queries = several_profiles(tiny_model.encode_queries([QUERY], dims=[dim]))[dim]
        documents = several_profiles(tiny_model.encode_documents(DOCUMENTS, dims=[dim]))[dim]
        scores = tiny_model.score(queries, documents)
        assert (str(scores.dtype), scores.shape) == ("float32", (len(DOCUMENTS),))
        # The width of the vectors decides, not the model's own.
        assert (tiny_model.score(QUERY, documents) == scores).all()
        assert (tiny_model.score(queries, DOCUMENTS) == scores).all()
        narrow = colibri.load(ARTEFACTS / tiny_model.name, dim=dim)
        assert (narrow.score(QUERY, DOCUMENTS) == scores).all()


def test_score_takes_exactly_one_query(model: Colibri) -> None:
    for count in (0, 2):
        with pytest.raises(ShapeError, match=f"score takes one query, found {count}"):
            model.score(model.encode_queries([QUERY] * count), DOCUMENTS)


def test_vectors_of_different_dims_are_refused(model: Colibri) -> None:
    queries = several_profiles(model.encode_queries([QUERY], dims=[16]))[16]
    with pytest.raises(ShapeError, match=r"query is \(16, 16\), documents have dim 48"):
        model.score(queries, model.encode_documents(DOCUMENTS))


def test_vectors_of_different_models_are_refused(model: Colibri) -> None:
    other = colibri.load(ARTEFACTS / "tiny-random-xlmr")
    documents = other.encode_documents(DOCUMENTS)
    for query in (QUERY, model.encode_queries([QUERY])):
        with pytest.raises(ShapeError, match="encoded by different models"):
            model.score(query, documents)
    unknown = TokenVectors(documents.rows, documents.starts)
    assert model.score(QUERY, unknown).shape == (len(DOCUMENTS),)


def test_variants_of_one_checkpoint_share_a_space(model: Colibri) -> None:
    int8 = colibri.load(ARTEFACTS / model.name, variant="cpu-int8")
    scores = int8.score(model.encode_queries([QUERY]), int8.encode_documents(DOCUMENTS))
    assert scores.shape == (len(DOCUMENTS),)


ITERABLES: list[Callable[[list[str]], Any]] = [
    list,
    tuple,
    iter,
    np.array,
    lambda texts: (text for text in texts),
    dict.fromkeys,
]


@pytest.mark.parametrize("make", ITERABLES)
def test_any_iterable_of_strings_is_a_list_of_texts(make: Callable[[list[str]], Any], model: Colibri) -> None:
    documents = list(dict.fromkeys(DOCUMENTS))
    assert model.rerank(QUERY, make(documents)) == model.rerank(QUERY, documents)
    assert (model.encode_queries(make(documents)).rows == model.encode_queries(documents).rows).all()


def test_subclasses_of_str_are_strings(model: Colibri) -> None:
    class Text(str):
        __slots__ = ()

    assert (
        model.score(np.str_(QUERY), [Text("the river"), np.str_("")]) == model.score(QUERY, ["the river", ""])
    ).all()


@pytest.mark.parametrize("wrong", [None, 7, b"bytes", ["nested"], float("nan")], ids=repr)
def test_what_is_not_a_string_is_named_by_its_place(wrong: Any, model: Colibri) -> None:
    calls: list[Callable[[], object]] = [
        lambda: model.encode_documents(["fine", wrong]),
        lambda: model.encode_queries(["fine", wrong]),
        lambda: model.score(QUERY, ["fine", wrong]),
        lambda: model.rerank(QUERY, ["fine", wrong]),
    ]
    for call in calls:
        with pytest.raises(InputTypeError, match=rf"\[1\]: found {type(wrong).__name__}, wanted str"):
            call()
    with pytest.raises(InputTypeError, match=f"found {type(wrong).__name__}, wanted str"):
        model.rerank(wrong, DOCUMENTS)


@pytest.mark.parametrize("lone", ["a text", b"bytes", 7, None], ids=repr)
def test_what_is_no_list_of_texts_is_refused(lone: Any, model: Colibri) -> None:
    for call in (model.encode_documents, model.encode_queries, lambda given: model.rerank(QUERY, given)):
        with pytest.raises(InputTypeError, match=f"found {type(lone).__name__}, wanted a list of strings"):
            call(lone)


@pytest.mark.parametrize("dim", [0, 47, -48, 128, "48", True, 48.5, [16]], ids=repr)
def test_an_unknown_dim_is_refused_with_those_there_are(dim: Any, model: Colibri) -> None:
    calls: list[Callable[[], object]] = [
        lambda: colibri.load(ARTEFACTS / "tiny-random-bert", dim=dim),
        lambda: model.encode_documents(["x"], dims=[48, dim]),
        *([] if isinstance(dim, list) else [lambda: model.encode_documents(["x"], dims=dim)]),
    ]
    for call in calls:
        with pytest.raises(InputError, match="48, 32, 16"):
            call()


def test_an_unknown_variant_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="variant 'fp8': tiny-random-bert has cpu-int8, cpu-fp32, portable"):
        colibri.load(ARTEFACTS / "tiny-random-bert", variant="fp8")


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True], ids=repr)
def test_a_number_of_threads_that_is_no_count_is_refused(threads: Any) -> None:
    with pytest.raises(InputError, match="threads: found"):
        colibri.load(ARTEFACTS / "tiny-random-bert", threads=threads)


def test_no_dims_are_refused_with_those_there_are(model: Colibri) -> None:
    with pytest.raises(InputError, match="dims: an empty list; tiny-random-bert has 48, 32, 16"):
        model.encode_queries(["x"], dims=[])


def test_dims_decide_what_comes_back(mini: Colibri) -> None:
    assert mini.dims == (128, 96, 64)
    assert mini.dim == 128
    assert mini.encode_documents(["x"]).dim == 128
    one = mini.encode_documents(["x"], dims=64)
    assert isinstance(one, TokenVectors)
    assert one.dim == 64
    both = several_profiles(mini.encode_documents(["x", "y z"], dims=[64, 128, 64]))
    assert {dim: (vectors.dim, len(vectors)) for dim, vectors in both.items()} == {64: (64, 2), 128: (128, 2)}
    assert several_profiles(mini.encode_queries(["x"], dims=np.array([96, 64]).tolist())).keys() == {96, 64}


def test_a_model_loaded_at_a_dim_encodes_and_scores_at_it() -> None:
    model = colibri.load(ARTEFACTS / "tiny-random-bert", dim=32)
    assert (model.dim, model.encode_queries(["x"]).dim, model.encode_documents(["x"]).dim) == (32, 32, 32)


def test_special_tokens_reach_the_tokenizer() -> None:
    folder = ARTEFACTS / "tiny-random-xlmr"
    plain, special = colibri.load(folder), colibri.load(folder, special_tokens=True)
    assert len(plain.encode_documents(["<mask>"]).rows) > len(special.encode_documents(["<mask>"]).rows) == 4


def test_a_model_says_what_it_is(model: Colibri) -> None:
    assert repr(model) == "Colibri('tiny-random-bert', dim=48, variant='cpu-fp32', provider='cpu')"
    assert (model.name, model.dims, model.variant) == ("tiny-random-bert", (48, 32, 16), "cpu-fp32")


def test_rerank_takes_what_an_index_does_and_gives_it_back(model: Colibri) -> None:
    plain = model.rerank(QUERY, DOCUMENTS)
    given = [
        Document(id=f"d{i}", text=text, payload={"n": i})
        if i % 2
        else {"id": f"d{i}", "text": text, "payload": {"n": i}}
        for i, text in enumerate(DOCUMENTS)
    ]
    ranked = model.rerank(QUERY, iter(given), k=3)
    assert ranked == [
        Result(one.index, one.score, one.document, f"d{one.index}", {"n": one.index}) for one in plain[:3]
    ]
    mixed = model.rerank(QUERY, [DOCUMENTS[0], {"text": DOCUMENTS[1]}])
    assert {(one.index, one.id, one.payload) for one in mixed} == {(0, None, None), (1, None, None)}
    assert model.rerank(QUERY, DOCUMENTS, 2) == model.rerank(QUERY, DOCUMENTS, top_n=2, k=2) == plain[:2]


@pytest.mark.parametrize(
    ("documents", "said"),
    [
        ([{"id": "a"}], r"documents\[0\]: no text"),
        (["x", {"text": "x", "title": "y"}], r"documents\[1\]: unknown field title; there is id, text, payload"),
        ([{"text": 5}], r"documents\[0\]: text is int, wanted str"),
        ([{"text": "x", "id": 5}], r"documents\[0\]: id is int, wanted str"),
        ([{"text": "x", "payload": [1]}], r"documents\[0\]: payload is list, wanted a mapping"),
        ([{"text": "x", "vectors": [[1.0]]}], r"documents\[0\]: has vectors"),
        ([Document(id="a", vectors=np.ones((1, 4), np.float32))], r"documents\[0\]: has vectors"),
        ([None], r"documents\[0\]: found NoneType, wanted str, a mapping"),
        ({"text": "x"}, "documents: found dict, wanted a list"),
        (5, "documents: found int, wanted a list"),
    ],
)
def test_what_cannot_be_ranked_is_named(documents: Any, said: str, model: Colibri) -> None:
    with pytest.raises(InputError, match=said):
        model.rerank(QUERY, documents)


def test_two_counts_that_differ_are_refused(model: Colibri) -> None:
    with pytest.raises(InputError, match="top_n: found 3, and k 2"):
        model.rerank(QUERY, DOCUMENTS, 3, k=2)
    with pytest.raises(InputError, match="k: found 0, wanted"):
        model.rerank(QUERY, DOCUMENTS, k=0)
