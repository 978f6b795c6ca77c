"""`colibri.compat.fastembed`'s class, which needs no FastEmbed. `register`: tests/compat_packages."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import colibri.compat.fastembed as ours
from colibri.compat.fastembed import LateInteractionTextEmbedding, register
from colibri.compat.not_here import NotHere
from colibri.errors import ArtefactNotFound, InputError, InputTypeError, MissingExtra, ProviderError
from colibri.model import Colibri
from reference import ARTEFACTS

BERT = ARTEFACTS / "tiny-random-bert"
DOCUMENTS = ["small birds sing in the old city", "the river, the house", "music and science at night"]


@pytest.fixture(scope="module")
def bert() -> LateInteractionTextEmbedding:
    return LateInteractionTextEmbedding(str(BERT))


@pytest.mark.parametrize("name", ["colibri-mini", str(BERT)])
def test_the_callers_own_maxsim_is_the_models_score(name: str) -> None:
    model, query = LateInteractionTextEmbedding(model_name=name), "who sings at night?"
    (rows,) = model.query_embed(query)
    documents = list(model.passage_embed(DOCUMENTS))
    assert all(part.dtype == np.float32 and part.shape[1] == model.embedding_size for part in [rows, *documents])
    own = [(rows @ part.T).max(1).sum() for part in documents]
    assert own == pytest.approx(model.colibri.score(query, DOCUMENTS), rel=1e-6)


def test_answers_are_generators_over_any_iterable(bert: LateInteractionTextEmbedding) -> None:
    read: list[int] = []

    def texts() -> Iterator[str]:
        for i in range(5000):
            read.append(i)
            yield f"bird {i}"

    for embed in (bert.embed, bert.query_embed):
        read.clear()
        found = embed(texts())
        assert (iter(found) is found, read) == (True, [])
        assert next(found).shape[1] == 48
        assert 0 < len(read) < 5000
        found.close()  # type: ignore[attr-defined]
    assert len(list(bert.embed("one text"))) == len(list(bert.query_embed("one text"))) == 1
    assert list(bert.embed([])) == list(bert.query_embed([])) == []


def test_models_are_loaded_when_they_are_needed() -> None:
    lazy = LateInteractionTextEmbedding(str(BERT), lazy_load=True)
    assert (lazy._model, lazy.embedding_size) == (None, 48)
    assert len(list(lazy.embed("bird"))) == 1
    with pytest.raises(ArtefactNotFound, match="colibri export jinaai/jina-colbert-v2"):
        LateInteractionTextEmbedding("jinaai/jina-colbert-v2", lazy_load=True)
    with pytest.raises(ValueError, match="nobody-has-this"):  # the kind that FastEmbed raises
        LateInteractionTextEmbedding("nobody-has-this")


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        ({"cuda": True}, ProviderError),
        ({"providers": ["CUDAExecutionProvider"]}, ProviderError),
        ({"providers": [("CUDAExecutionProvider", {})]}, ProviderError),
        ({"providers": ["NoSuchProvider"]}, NotHere),
        ({"threads": 0}, InputError),
        ({"unheard_of": 1}, TypeError),
    ],
)
def test_options_that_cannot_be(option: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        LateInteractionTextEmbedding(str(BERT), **option)


def test_options_that_can_be() -> None:
    one = LateInteractionTextEmbedding(
        str(BERT), threads=1, providers=["CPUExecutionProvider"], cuda=False, local_files_only=True
    )
    assert one.colibri.provider.name == "cpu"
    by_path = LateInteractionTextEmbedding("any-name", specific_model_path=str(BERT))
    assert (by_path.model_name, by_path.embedding_size) == ("any-name", 48)


@pytest.mark.parametrize("given", [None, 3, b"bird", [3]])
def test_what_is_no_text_is_a_type_error(given: Any, bert: LateInteractionTextEmbedding) -> None:
    for embed in (bert.embed, bert.query_embed):
        with pytest.raises(InputTypeError):
            list(embed(given))


def test_models_that_are_here_are_listed_by_every_name() -> None:
    models = {model["model"]: model for model in LateInteractionTextEmbedding.list_supported_models()}
    assert models["colibri-mini"]["dim"] == LateInteractionTextEmbedding.get_embedding_size("colibri-mini") == 128
    assert models["colibri-mini"].keys() >= {"sources", "model_file", "description", "license", "size_in_GB", "tasks"}
    with pytest.raises(ArtefactNotFound):
        LateInteractionTextEmbedding.get_embedding_size("nobody-has-this")


def test_tokens_are_counted_as_if_nothing_were_cut(bert: LateInteractionTextEmbedding, model: Colibri) -> None:
    words = len(model.token_offsets("bird " * 100))
    assert bert.token_count("bird " * 100) == words + 2
    assert bert.token_count(["bird", "bird"]) == 2 * (len(model.token_offsets("bird")) + 2)
    assert bert.token_count("bird", include_extension=True) == len(model.token_offsets("bird")) + 3
    assert bert.token_count("bird", is_doc=False) == len(model.token_offsets("bird")) + 2
    assert bert.token_count("bird", is_doc=False, include_extension=True) == 16


def test_other_models_of_the_package_are_not_here() -> None:
    with pytest.raises(NotHere, match=r"fastembed\.TextEmbedding is not here.*import it from fastembed"):
        _ = ours.TextEmbedding
    with pytest.raises(AttributeError):
        _ = ours.nothing


def test_register_says_what_it_needs() -> None:
    if find_spec("fastembed") is not None:
        pytest.skip("FastEmbed is installed here: tests/compat_packages registers with it")
    with pytest.raises(MissingExtra, match=r"pip install 'fastembed>=0.9,<0.10'"):
        register()


def test_rerankers_says_what_it_needs() -> None:
    if find_spec("rerankers") is not None:
        pytest.skip("rerankers is installed here: tests/compat_packages registers with it")
    with pytest.raises(MissingExtra, match=r"colibri-edge\[rerankers\].*: pip install "):
        import colibri.compat.rerankers  # noqa: F401
