"""Heads: where they come from, what several layers compute, siblings, cuts, and refusals."""

import dataclasses
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest
from safetensors.numpy import load_file, save_file

from colibri.errors import ExportError
from colibri.providers import CPU
from colibri_export.checkpoint import open_checkpoint
from colibri_export.dense import Activation, Dense
from colibri_export.graph.blocks import GraphBuilder
from colibri_export.graph.head import token_vectors
from colibri_export.heads import Head, gather, own_head
from colibri_export.layout.tensor import Floats
from colibri_export.pipeline import export
from colibri_export.weights import write_heads
from reference import GOLDEN

JINA, SIBLING = GOLDEN / "tiny-random-jina", GOLDEN / "tiny-random-jina-32"
MODERNBERT, DENSE2 = GOLDEN / "tiny-random-modernbert", GOLDEN / "tiny-random-modernbert-dense2"


def by_definition(head: Head, rows: Floats) -> Floats:
    """Layer by layer in plain NumPy, float64; GELU by its definition (arXiv 1606.08415)."""
    x = rows.astype(np.float64)
    erf = np.vectorize(math.erf)
    activations: dict[str, Callable[[Any], Any]] = {
        "Identity": lambda v: v,
        "GELU": lambda v: 0.5 * v * (1 + erf(v / np.sqrt(2))),
        "ReLU": lambda v: np.maximum(v, 0),
        "Tanh": np.tanh,
    }
    for layer in head.layers:
        y = x @ layer.weight.T.astype(np.float64)
        y = activations[layer.activation](y if layer.bias is None else y + layer.bias)
        if layer.residual is not None:
            y = y + (x if isinstance(layer.residual, str) else x @ layer.residual.T)
        x = y
    unit: Floats = (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)
    return unit


def in_a_graph(head: Head, rows: Floats, folder: Path, dialect: Any) -> Floats:
    """A graph whose ids look the rows up and whose output is the head's."""
    (layers,) = write_heads({head.dim: head}, folder / "heads.bin").values()
    g = GraphBuilder(dialect, masked=False)
    looked_up = g.op("Gather", g.constant(rows), g.ids, axis=0)
    ir.save(g.finish({"out": (token_vectors(g, looked_up, layers), head.dim)}, "head"), folder / "head.onnx")
    session = onnxruntime.InferenceSession(folder / "head.onnx", providers=[CPU])
    found: Floats = session.run(["out"], {"input_ids": np.arange(len(rows))[None]})[0][0]
    return found


@pytest.mark.parametrize("dialect", ["fused", "standard"])
@pytest.mark.parametrize("activation", ["Identity", "GELU", "ReLU", "Tanh"])
@pytest.mark.parametrize("residual", [None, "rows", "matrix"])
def test_layers_with_bias_activation_and_residual_compute_their_definition(
    dialect: str, activation: Activation, residual: Any, tmp_path: Path
) -> None:
    rng = np.random.default_rng(7)

    def matrix(outputs: int, inputs: int) -> Floats:
        return rng.standard_normal((outputs, inputs)).astype(np.float32)

    first = Dense(
        weight=matrix(6, 6),
        bias=matrix(1, 6)[0],
        activation=activation,
        residual=matrix(6, 6) if residual == "matrix" else residual,
    )
    head = Head((first, Dense(weight=matrix(4, 6))))
    rows = matrix(5, 6)
    np.testing.assert_allclose(in_a_graph(head, rows, tmp_path, dialect), by_definition(head, rows), atol=2e-6)


def test_a_cut_head_is_the_first_values_of_the_whole_one_normalised_again() -> None:
    head = own_head(open_checkpoint(DENSE2))
    assert head is not None
    rows = np.random.default_rng(3).standard_normal((5, 32)).astype(np.float32)
    whole, cut = by_definition(head, rows), by_definition(head.truncated(10), rows)
    again = whole[:, :10] / np.linalg.norm(whole[:, :10], axis=1, keepdims=True)
    np.testing.assert_allclose(cut, again, atol=1e-6)
    same_width = Head((Dense(weight=np.eye(6, 6, 1, dtype=np.float32), residual="rows"),))
    rows = rows[:, :6]
    whole, cut = by_definition(same_width, rows), by_definition(same_width.truncated(4), rows)
    np.testing.assert_allclose(cut, whole[:, :4] / np.linalg.norm(whole[:, :4], axis=1, keepdims=True), atol=1e-6)


def test_pylates_modules_are_read_with_all_they_have() -> None:
    (lone,) = own_head(open_checkpoint(MODERNBERT)).layers  # type: ignore[union-attr]
    assert lone.is_matrix
    assert lone.weight.shape == (48, 64)
    first, second = own_head(open_checkpoint(DENSE2)).layers  # type: ignore[union-attr]
    assert (first.weight.shape, first.activation, first.residual) == ((32, 32), "GELU", "rows")
    assert first.bias is not None
    assert (second.weight.shape, second.bias, second.activation) == ((24, 32), None, "Identity")
    assert isinstance(second.residual, np.ndarray)


def test_a_hash_covers_every_number_and_every_rule_of_a_head() -> None:
    head = own_head(open_checkpoint(DENSE2))
    assert head is not None
    first, second = head.layers
    others = [
        Head((dataclasses.replace(first, bias=None), second)),
        Head((dataclasses.replace(first, activation="ReLU"), second)),
        Head((dataclasses.replace(first, residual=None), second)),
        Head((first, dataclasses.replace(second, residual=None))),
        Head((first, dataclasses.replace(second, weight=second.weight + np.float32(1e-3)))),
        Head((first,)),
    ]
    assert len({other.sha256() for other in (head, *others)}) == 7


def test_a_sibling_with_the_same_backbone_lends_its_head(tmp_path: Path) -> None:
    manifest = export(JINA, tmp_path / "out", heads={32: SIBLING}, variant_names=["cpu-fp32"])
    assert {head.dim: head.truncated_from for head in manifest.heads} == {48: None, 32: None}
    lent = gather(open_checkpoint(JINA), {32: SIBLING}, (), None)[32].layers[0].weight
    np.testing.assert_array_equal(lent, open_checkpoint(SIBLING).linear_head())


def altered(folder: Path, name: str, change: Callable[[bytearray, int], None]) -> Path:
    """A copy of a checkpoint whose stored bytes of one tensor changed."""
    path = shutil.copytree(JINA, folder / "altered") / "model.safetensors"
    raw = bytearray(path.read_bytes())
    base = 8 + int.from_bytes(raw[:8], "little")
    change(raw, base + json.loads(raw[8:base])[name]["data_offsets"][0])
    path.write_bytes(raw)
    return path.parent


@pytest.mark.parametrize(
    "name", ["roberta.embeddings.word_embeddings.weight", "roberta.encoder.layers.2.mlp.fc2.weight"]
)
def test_a_sibling_that_differs_in_one_bit_is_refused_with_the_tensors_name(name: str, tmp_path: Path) -> None:
    def flip(raw: bytearray, at: int) -> None:
        raw[at] ^= 1

    folder = altered(tmp_path, name, flip)
    with pytest.raises(ExportError, match=f"{name.removeprefix('roberta.')} differs"):
        gather(open_checkpoint(JINA), {32: folder}, (), None)


def test_a_sibling_of_another_precision_or_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"its head is 32 wide, wanted 24"):
        gather(open_checkpoint(JINA), {24: SIBLING}, (), None)
    with pytest.raises(ExportError, match=r"word_embeddings.weight differs"):
        gather(open_checkpoint(JINA), {48: GOLDEN / "tiny-random-xlmr"}, (), None)


def test_nothing_is_cut_unasked_and_a_cut_head_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no head for dim 24; there is 48. .*--truncate-head"):
        export(JINA, tmp_path / "out", dims=[48, 24], variant_names=["cpu-fp32"])
    manifest = export(JINA, tmp_path / "out", truncate=[24], variant_names=["cpu-fp32"])
    assert [(head.dim, head.truncated_from) for head in manifest.heads] == [(48, None), (24, 48)]
    with pytest.raises(ExportError, match=r"--truncate-head 64: no wider head; there is 48"):
        gather(open_checkpoint(JINA), {}, [64], None)
    with pytest.raises(ExportError, match=r"--truncate-head 48: has a head of its own"):
        gather(open_checkpoint(JINA), {}, [48], None)


def test_a_module_that_no_builder_follows_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(MODERNBERT, tmp_path / "copy")

    def with_module(kind: str) -> None:
        modules = json.loads((MODERNBERT / "modules.json").read_text(encoding="utf-8"))
        modules[1]["type"] = kind
        (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")

    with_module("sentence_transformers.models.LSTM")
    with pytest.raises(ExportError, match="module LSTM, this exporter knows Dense"):
        own_head(open_checkpoint(folder))
    with_module("sentence_transformers.models.Dense")
    config = folder / "1_Dense" / "config.json"
    document = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps({**document, "activation_function": "torch.nn.SELU"}), encoding="utf-8")
    with pytest.raises(ExportError, match=r"activation_function 'torch.nn.SELU', .* knows Identity, GELU, ReLU, Tanh"):
        own_head(open_checkpoint(folder))
    config.write_text(json.dumps({**document, "out_features": 40}), encoding="utf-8")
    with pytest.raises(ExportError, match=r"\(48, 64\)}, its config.json and the layer before it say .*\(40, 64\)"):
        own_head(open_checkpoint(folder))
    config.write_text(json.dumps({**document, "bias": True}), encoding="utf-8")
    with pytest.raises(ExportError, match=r"say .*linear.bias"):
        own_head(open_checkpoint(folder))


def test_a_stanford_head_of_another_width_than_the_backbone_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN / "tiny-random-bert", tmp_path / "copy")
    tensors = load_file(folder / "model.safetensors")
    tensors["linear.weight"] = np.zeros((48, 60), np.float32)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ExportError, match=r"linear.weight \(48, 60\), wanted \(dim, 64\)"):
        own_head(open_checkpoint(folder))
