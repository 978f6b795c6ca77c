"""FastEmbed 0.9.1 and Colibri give the same rows for the same weights of jina-colbert-v2's layout.

FastEmbed reads its folder: tokenizer files, `onnx/model.onnx` and `onnx/model.onnx_data`, here our `portable` graph.
Colibri runs `cpu-fp32`. Texts, markers, masks, skiplist and normalising are each one's own. The weights are random,
the vocabulary is XLM-R's.
"""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from fastembed import LateInteractionTextEmbedding
from numpy.typing import NDArray

import colibri
from colibri.model import Colibri
from colibri_export.pipeline import export
from jina_layout import Sizes, write_checkpoint

Rows = NDArray[np.float32]

TEXTS = (
    "Hello World",
    "Hello, World.",
    "What is a hummingbird? (A bird!)",
    "Kolibris schlagen bis zu achtzig Mal in der Sekunde mit den Flügeln.",
    "蜂鳥每秒拍動翅膀多達八十次。",
    "تضرب الطيور الطنانة أجنحتها بسرعة 🐦",
    "  two  spaces,\ttabs\nand lines  ",
    'punctuation . , ; : ! ? - _ " # $ % & * + / < = > @ [ \\ ] ^ ` { | } ~',
    "long " * 250,
    "x",
)
SHORT = TEXTS[:6]  # queries that fit in 32 tokens


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint, our artefact of it, and the folder FastEmbed reads."""
    folder = tmp_path_factory.mktemp("peers")
    source = write_checkpoint(
        folder / "tiny-random-jina-colbert-v2", Sizes(layers=3, hidden=64, heads=4, intermediate=128), seed=7
    )
    export(source, folder / "artefact", variant_names=["cpu-fp32", "portable"])
    theirs = folder / "fastembed"
    (theirs / "onnx").mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(source / name, theirs / name)
    graph = onnx.load(folder / "artefact/portable.onnx")
    assert [value.name for value in graph.graph.input] == ["input_ids", "attention_mask"]
    onnx.save(graph, theirs / "onnx/model.onnx", save_as_external_data=True, location="model.onnx_data")
    return folder


@pytest.fixture(scope="module")
def ours(folder: Path) -> Colibri:
    return colibri.load(folder / "artefact", variant="cpu-fp32")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> LateInteractionTextEmbedding:
    return LateInteractionTextEmbedding("jinaai/jina-colbert-v2", specific_model_path=str(folder / "fastembed"))


def unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.mark.parametrize("batch", [1, len(TEXTS)])
def test_document_rows_are_equal(ours: Colibri, theirs: LateInteractionTextEmbedding, batch: int) -> None:
    """Its rows come from padded batches, ours from texts alone."""
    found = ours.encode_documents(TEXTS)
    for text, mine, its in zip(TEXTS, found, theirs.embed(TEXTS, batch_size=batch), strict=True):
        assert mine.shape == its.shape, text[:40]
        np.testing.assert_allclose(mine, its, atol=1e-4, err_msg=text[:40])


def test_documents_lose_and_keep_the_same_tokens(ours: Colibri, theirs: LateInteractionTextEmbedding) -> None:
    """Some of these texts have rows to lose: the test above would not notice a skiplist that neither applied."""
    kept = [len(rows) for rows in ours.encode_documents(TEXTS)]
    tokens = [theirs.token_count(text) + 1 for text in TEXTS]
    assert kept[0] == tokens[0] == 5
    assert kept[1] == tokens[1] == 7
    assert kept[7] < tokens[7] - 20


def test_query_rows_are_equal_once_they_are_normalised(ours: Colibri, theirs: LateInteractionTextEmbedding) -> None:
    found = ours.encode_queries(SHORT)
    for text, mine, its in zip(SHORT, found, theirs.query_embed(SHORT), strict=True):
        assert mine.shape == its.shape == (32, 128)
        np.testing.assert_allclose(mine, unit(its), atol=1e-4, err_msg=text)


def test_a_query_over_32_tokens_is_cut_by_us_as_the_model_card_says_and_not_by_fastembed(
    ours: Colibri, theirs: LateInteractionTextEmbedding
) -> None:
    query = " ".join(["Hello"] * 40)
    (mine,), (its,) = ours.encode_queries([query]), theirs.query_embed([query])
    assert mine.shape == (32, 128)
    assert its.shape == (43, 128), "start, marker and end beside 40 tokens"
    (cut,) = theirs.query_embed([" ".join(["Hello"] * 29)])
    np.testing.assert_allclose(mine, unit(cut), atol=1e-4)


def test_text_that_spells_a_special_token_is_text_to_us_unless_asked(
    folder: Path, ours: Colibri, theirs: LateInteractionTextEmbedding
) -> None:
    text = "say <mask> and [QueryMarker]"
    (its,), (mine,) = theirs.embed([text]), ours.encode_documents([text])
    assert len(mine) > len(its)
    same = colibri.load(folder / "artefact", variant="cpu-fp32", special_tokens=True)
    np.testing.assert_allclose(next(iter(same.encode_documents([text]))), its, atol=1e-4)


def test_scores_agree(ours: Colibri, theirs: LateInteractionTextEmbedding) -> None:
    """MaxSim in plain NumPy over its rows against ours."""
    documents = list(theirs.embed(TEXTS))
    for query, its in zip(SHORT, theirs.query_embed(SHORT), strict=True):
        wanted = [float((unit(its) @ document.T).max(axis=1).sum()) for document in documents]
        np.testing.assert_allclose(ours.score(query, list(TEXTS)), wanted, atol=1e-3)
