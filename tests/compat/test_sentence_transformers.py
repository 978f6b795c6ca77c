"""`colibri.compat.sentence_transformers` beyond what the original was asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import colibri.compat.sentence_transformers as ours
from colibri.compat import arrays
from colibri.compat.not_here import NotHere
from colibri.compat.rows import Rows
from colibri.compat.sentence_transformers import MultiVectorEncoder
from colibri.errors import ArtefactNotFound, InputError, InputTypeError, ShapeError
from colibri.model import Colibri
from reference import ARTEFACTS

BERT = ARTEFACTS / "tiny-random-bert"
DOCUMENTS = ["small birds sing in the old city", "the river, the house", "music and science at night"]


@pytest.fixture(scope="module")
def bert() -> MultiVectorEncoder:
    return MultiVectorEncoder(str(BERT), device="cpu")


@pytest.mark.parametrize("name", ["colibri-mini", str(BERT)])
def test_similarity_is_the_models_own_score(name: str) -> None:
    """For a model with query weights and one without; also as the caller multiplies rows himself."""
    model, query = MultiVectorEncoder(name), "who sings at night?"
    wanted = model.colibri.score(query, DOCUMENTS)
    queries, documents = model.encode_query([query]), model.encode_document(DOCUMENTS)
    assert np.asarray(model.similarity(queries, documents))[0] == pytest.approx(wanted, rel=1e-6)
    assert np.asarray(model.similarity_pairwise(queries * 3, documents)) == pytest.approx(wanted, rel=1e-6)
    own = [(np.asarray(queries[0]) @ np.asarray(rows).T).max(1).sum() for rows in documents]
    assert own == pytest.approx(wanted, rel=1e-6)


def test_the_mean_divides_by_the_rows_that_count(bert: MultiVectorEncoder) -> None:
    queries, documents = bert.encode_query(DOCUMENTS[:2]), bert.encode_document(DOCUMENTS)
    plain = np.asarray(bert.similarity(queries, documents))
    assert np.allclose(np.asarray(bert.similarity(queries, documents, length_normalize=True)), plain / 16)
    padded = np.zeros((2, 20, 48), np.float32)
    padded[:, :16] = np.stack([np.asarray(rows) for rows in queries])
    assert np.allclose(np.asarray(bert.similarity(padded, documents, length_normalize=True)), plain / 16)
    mean = MultiVectorEncoder(str(BERT), similarity_fn_name="meanmaxsim")
    assert np.allclose(np.asarray(mean.similarity(queries, documents)), plain / 16)
    assert np.allclose(np.asarray(mean.similarity(queries, documents, length_normalize=False)), plain)


def test_answers_are_rows_arrays_or_what_the_process_says(bert: MultiVectorEncoder) -> None:
    assert isinstance(MultiVectorEncoder(str(BERT), arrays="numpy").encode_query("bird"), np.ndarray)
    arrays("numpy")
    try:
        assert isinstance(bert.encode_query("bird"), np.ndarray)
    finally:
        arrays("auto")
    assert not isinstance(bert.encode_query("bird"), np.ndarray)
    assert isinstance(bert.encode_document("bird", convert_to_numpy=True), np.ndarray)


def test_the_role_is_the_task_or_the_prompts_name(bert: MultiVectorEncoder) -> None:
    query, document = (np.asarray(encode("bird")) for encode in (bert.encode_query, bert.encode_document))
    for words, wanted in (
        ({"task": "query"}, query),
        ({"prompt_name": "query"}, query),
        ({"task": "document"}, document),
        ({"prompt_name": "document"}, document),
        ({}, document),
        ({"task": "document", "prompt": "[unused1] "}, document),
    ):
        assert np.array_equal(np.asarray(bert.encode("bird", **words)), wanted), words  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "kind", "said"),
    [
        ({"output_value": None}, NotHere, "output_value=None"),
        ({"output_value": "sentence_embedding"}, InputError, "output_value: found 'sentence_embedding'"),
        ({"token_pooling": object()}, NotHere, "token_pooling"),
        ({"pool": {}}, NotHere, "pool of processes"),
        ({"device": ["cpu", "cpu"]}, NotHere, "pool of processes"),
        ({"device": "cuda"}, NotHere, "device='cuda'"),
        ({"prompt": "[Q] "}, NotHere, "a prompt for a document other than"),
        ({"prompt_name": "nothing"}, InputError, "prompt_name: found 'nothing'"),
        ({"task": "clustering"}, InputError, "task: found 'clustering'"),
        ({"convert_to_tensor": True}, InputError, "nothing to stack"),
        ({"unheard_of": 1}, InputError, "'unheard_of', which encode does not know"),
    ],
)
def test_what_is_not_here_says_why(
    option: dict[str, Any], kind: type[Exception], said: str, bert: MultiVectorEncoder
) -> None:
    with pytest.raises(kind, match=said):
        bert.encode("bird", **option)


@pytest.mark.parametrize("given", [None, 3, b"bird", ["bird", 4], {"text": "bird"}])
def test_what_is_no_text_is_a_type_error(given: Any, bert: MultiVectorEncoder) -> None:
    with pytest.raises(InputTypeError):
        bert.encode_document(given)


def test_making_one_refuses_what_differs() -> None:
    with pytest.raises(ArtefactNotFound, match="colibri export jinaai/jina-colbert-v2"):
        MultiVectorEncoder("jinaai/jina-colbert-v2")
    with pytest.raises(InputError, match="query_prefix: found 'Q: '"):
        MultiVectorEncoder(str(BERT), prompts={"query": "Q: "})
    with pytest.raises(InputError, match="similarity_fn_name: found 'cosine'"):
        MultiVectorEncoder(str(BERT), similarity_fn_name="cosine")
    with pytest.raises(NotHere, match="MultiVectorEncoder of modules"):
        MultiVectorEncoder(modules=[])


def test_other_models_of_the_package_are_not_here() -> None:
    with pytest.raises(NotHere, match=r"sentence_transformers\.SentenceTransformer is not here"):
        _ = ours.SentenceTransformer
    with pytest.raises(AttributeError):
        _ = ours.nothing


def test_rows_of_another_width_or_number_are_refused(bert: MultiVectorEncoder) -> None:
    queries = bert.encode_query(DOCUMENTS[:2])
    with pytest.raises(ShapeError):
        bert.similarity(queries, [np.ones((3, 5), np.float32)])
    with pytest.raises(ShapeError, match="found 2 queries and 3 documents"):
        bert.similarity_pairwise(queries, bert.encode_document(DOCUMENTS))
    with pytest.raises(TypeError, match="unheard_of"):
        bert.similarity(queries, queries, unheard_of=1)


def test_one_text_of_each_is_one_score(bert: MultiVectorEncoder, tmp_path: Path) -> None:
    score = bert.similarity(bert.encode_query("bird"), bert.encode_document("bird"))
    assert tuple(score.shape) == (1, 1)
    np.save(tmp_path / "rows.npy", np.asarray(bert.encode_document("bird")))
    again = bert.similarity(bert.encode_query("bird"), Rows(np.load(tmp_path / "rows.npy")))
    assert np.array_equal(np.asarray(again), np.asarray(score))


def test_the_shipped_model_says_its_prefixes(mini: Colibri) -> None:
    assert MultiVectorEncoder("colibri-mini").prompts == {"query": "query: ", "document": "passage: "}
    assert mini.manifest.query.prefix == "query: "
