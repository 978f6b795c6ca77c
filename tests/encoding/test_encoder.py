"""Texts to rows: the same bits whatever stands beside them, at any dim, from any thread."""

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import colibri
from colibri import providers
from colibri.artefact import finding as artefact
from colibri.artefact.hashing import file_sha256
from colibri.encoding.session import Session
from colibri.errors import ArtefactError
from colibri.model import Colibri
from colibri.tokens.tokenizer import TextTokenizer
from colibri.vectors import TokenVectors
from reference import ARTEFACTS, maxsim
from rounds import rounds

VARIANTS = ("cpu-int8", "cpu-fp32", "portable")
MODELS = [(name, variant) for name in ("tiny-random-bert", "tiny-random-xlmr") for variant in VARIANTS]


@pytest.fixture(scope="module", params=MODELS, ids="-".join)
def tiny_variant(request: pytest.FixtureRequest) -> Colibri:
    """Each variant of each tiny artefact."""
    name, variant = request.param
    return colibri.load(ARTEFACTS / name, variant=variant)


@pytest.fixture(scope="module", params=[*MODELS, ("colibri-mini", "cpu-int8")], ids="-".join)
def any_model(request: pytest.FixtureRequest) -> Colibri:
    """The same, and the shipped model."""
    name, variant = request.param
    if name == "colibri-mini":
        shipped: Colibri = request.getfixturevalue("mini")
        return shipped
    return colibri.load(ARTEFACTS / name, variant=variant)


def bits(vectors: TokenVectors) -> list[bytes]:
    return [rows.tobytes() for rows in vectors]


def assert_independent(model: Colibri, texts: list[str], order: list[int]) -> None:
    """Alone, in company and in another order: the same bits."""
    for encode in (model.encode_queries, model.encode_documents):
        together = bits(encode(texts))
        assert together == [bits(encode([text]))[0] for text in texts]
        assert bits(encode([texts[i] for i in order])) == [together[i] for i in order]


some_text = st.text("the river water.! éß日🐦\n", max_size=80) | st.text(max_size=30)
company = st.lists(some_text, min_size=1, max_size=6).flatmap(
    lambda texts: st.tuples(st.just(texts), st.permutations(range(len(texts))))
)


@settings(max_examples=rounds(quick=10, soak=500))
@given(case=company)
def test_company_and_order_change_no_bit(case: tuple[list[str], list[int]], tiny_variant: Colibri) -> None:
    assert_independent(tiny_variant, *case)


@settings(max_examples=settings.default.max_examples // 6)  # type: ignore[union-attr]
@given(case=company)
def test_company_and_order_change_no_bit_of_the_shipped_model(case: tuple[list[str], list[int]], mini: Colibri) -> None:
    assert_independent(mini, *case)


TEXTS = [
    "the small bird",
    "",
    " ",
    "Hello, World! 日本語 🐦",
    "water " * 60,
    "!",
    "a\0b",
    "\ud800",
    "𝔘𝔫𝔦",
    "the small bird",
]


def test_rows_are_those_the_graph_gives_at_the_places_the_role_keeps(any_model: Colibri) -> None:
    found = artefact.find(artefact.DEFAULT if any_model.name == artefact.DEFAULT else ARTEFACTS / any_model.name)
    manifest, tokenizer = found.manifest, TextTokenizer(found)
    choice = providers.choose(manifest, any_model.variant, providers.cpu_features(), [providers.CPU], "9.9")
    for role, encode in (("query", any_model.encode_queries), ("document", any_model.encode_documents)):
        name, masked = getattr(choice.graph, role), getattr(choice.graph, f"masked_{role}")
        session = Session(found.path(name), providers.CPU, threads=1, masked=masked)
        texts = [*TEXTS, "the ! river ? of . water"]
        for text, rows in zip(texts, encode(texts), strict=True):
            [encoded] = tokenizer.encode([text], getattr(manifest, role))
            [raw] = session.run(encoded.ids, encoded.attended, [choice.variant.outputs[str(any_model.dim)]])
            wanted = [row for row, keep in zip(raw, encoded.keep, strict=True) if keep]
            assert np.allclose(rows, wanted, atol=1e-5)


def test_more_texts_than_are_tokenised_together_keep_their_order(model: Colibri) -> None:
    texts = [f"{word} {number}" for number in range(100) for word in ("river", "bird", "water")]
    together = bits(model.encode_documents(texts))
    for i in (0, 255, 256, 257, 299):
        assert bits(model.encode_documents([texts[i]])) == [together[i]]


def test_several_dims_of_one_run_are_those_of_single_runs(any_model: Colibri) -> None:
    dims = [any_model.dims[-1], *any_model.dims[:-1]]
    for encode in (any_model.encode_queries, any_model.encode_documents):
        several = encode(TEXTS, dims=dims)
        assert isinstance(several, dict)
        assert list(several) == dims
        for dim, vectors in several.items():
            single = encode(TEXTS, dims=dim)
            assert isinstance(single, TokenVectors)
            assert vectors.dim == dim
            assert bits(vectors) == bits(single)
            assert (vectors.starts == single.starts).all()


def test_rows_have_unit_length_and_texts_have_rows(any_model: Colibri) -> None:
    for encode in (any_model.encode_queries, any_model.encode_documents):
        vectors = encode(TEXTS)
        assert len(vectors) == len(TEXTS)
        assert (np.diff(vectors.starts) > 0).all()
        assert np.allclose(np.linalg.norm(vectors.rows, axis=1), 1, atol=1e-5)
        assert vectors.space_id == any_model.manifest.space_id


def test_no_texts_give_no_rows_of_the_right_width(any_model: Colibri) -> None:
    vectors = any_model.encode_documents([])
    assert (len(vectors), vectors.rows.shape, str(vectors.rows.dtype)) == (0, (0, any_model.dim), "float32")


def test_threads_that_share_a_model_get_the_same_bits(any_model: Colibri) -> None:
    alone = bits(any_model.encode_documents(TEXTS))
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: bits(any_model.encode_documents(TEXTS)), range(16)):
            assert found == alone


def with_workers(folder: Path | None, variant: str) -> list[Colibri]:
    """One worker with the cores of a query, two and four with one core each; a query on 1, 2 and 4 cores."""
    return [colibri.load(folder, variant=variant, workers=n, threads=n) for n in (1, 2, 4)]


@pytest.fixture(scope="module", params=MODELS, ids="-".join)
def worker_models(request: pytest.FixtureRequest) -> list[Colibri]:
    name, variant = request.param
    return with_workers(ARTEFACTS / name, variant)


@pytest.fixture(scope="module")
def worker_minis() -> list[Colibri]:
    return with_workers(None, "cpu-int8")


def assert_workers_change_nothing(models: list[Colibri], texts: list[str], order: list[int]) -> None:
    for role in ("encode_queries", "encode_documents"):
        together = bits(getattr(models[0], role)(texts))
        assert together == [bits(getattr(models[1], role)([text]))[0] for text in texts]
        for model in models[1:]:
            assert bits(getattr(model, role)([texts[i] for i in order])) == [together[i] for i in order]


@settings(max_examples=rounds(quick=8, soak=500))
@given(case=company)
def test_workers_company_and_order_change_no_bit(
    case: tuple[list[str], list[int]], worker_models: list[Colibri]
) -> None:
    assert_workers_change_nothing(worker_models, *case)


@settings(max_examples=settings.default.max_examples // 6)  # type: ignore[union-attr]
@given(case=company)
def test_workers_company_and_order_change_no_bit_of_the_shipped_model(
    case: tuple[list[str], list[int]], worker_minis: list[Colibri]
) -> None:
    assert_workers_change_nothing(worker_minis, *case)


def test_workers_change_no_bit_of_texts_of_any_length(worker_minis: list[Colibri]) -> None:
    """Lengths at which kernels change their ways: one row, a row more than a tile, hundreds of rows."""
    lengths = (1, 3, 4, 7, 8, 15, 16, 31, 32, 60, 100)
    texts = [" ".join(["water bird"] * n) for n in rounds(quick=lengths, soak=(*lengths, 250))]
    assert_workers_change_nothing(worker_minis, texts, list(reversed(range(len(texts)))))


def test_long_texts_are_cut_and_the_log_says_so(model: Colibri, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "colibri"):
        vectors = model.encode_documents(["water " * 100, "water", "bird " * 38])
    assert np.diff(vectors.starts).tolist() == [40, 4, 40]
    assert caplog.messages == ["2 of 3 document texts were cut at 40 tokens"]


def test_progress_goes_to_stderr_alone(model: Colibri, capsys: pytest.CaptureFixture[str]) -> None:
    model.encode_documents(["water"] * 3)
    assert capsys.readouterr() == ("", "")
    model.encode_documents(["water"] * 3, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "encoding document texts" in shown.err


Edit = Callable[[Callable[[dict[str, Any]], object]], Path]


def add_weights(edit: Edit, folder: Path, weights: NDArray[Any]) -> None:
    """Give queries a weight a token id."""
    path = folder / "weights.f32.bin"
    weights.astype("<f4").tofile(path)
    entry = {"size_bytes": path.stat().st_size, "sha256": file_sha256(path)}

    def change(document: dict[str, Any]) -> None:
        document["query"]["weights_file"] = path.name
        document["files"][path.name] = entry

    edit(change)


def test_weights_of_token_ids_become_weights_of_query_rows(edit: Edit, folder: Path, model: Colibri) -> None:
    table = np.random.default_rng(1).uniform(0, 2, 293).astype(np.float32)
    add_weights(edit, folder, table)
    weighted = colibri.load(folder, variant="cpu-fp32")
    query = weighted.encode_queries(["the river"])
    # [CLS], marker, the, river, [SEP], 11 x [MASK]
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    ids = [vocabulary[piece] for piece in ["[CLS]", "[unused0]", "the", "river", "[SEP]", *["[MASK]"] * 11]]
    assert query.weights is not None
    assert query.weights.tolist() == table[ids].tolist()

    documents = weighted.encode_documents(TEXTS)
    assert documents.weights is None
    wanted = maxsim(query[0], documents, query.weights.tolist())
    assert np.allclose(weighted.score("the river", TEXTS), wanted, atol=1e-4)
    assert np.allclose(weighted.score(query, documents), wanted, atol=1e-4)
    assert not np.allclose(model.score("the river", TEXTS), wanted, atol=1e-2)


@pytest.mark.parametrize("size", [0, 292, 294])
def test_weights_that_do_not_fit_the_vocabulary_are_refused(size: int, edit: Edit, folder: Path) -> None:
    add_weights(edit, folder, np.ones(size))
    with pytest.raises(ArtefactError, match=r"weights\.f32\.bin"):
        colibri.load(folder)
