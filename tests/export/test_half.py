"""gpu-fp16: which tensors are float16, that float16 arithmetic is exact enough, and that none of them overflows."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

import colibri
from colibri.artefact import finding as artefact
from colibri.errors import ExportError
from colibri.providers import CPU
from colibri.tokens.tokenizer import TextTokenizer
from colibri_export import magnitudes
from colibri_export.checkpoint import open_checkpoint
from colibri_export.pipeline import export
from colibri_export.sample_texts import DOCUMENTS, QUERIES
from colibri_export.weights import write_half
from reference import GOLDEN, read_safetensors

Remake = Callable[..., Path]
FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16
EXACT = {"LayerNormalization", "Softmax", "ReduceL2", "Sin", "Cos"}
FAMILIES = ("bert", "xlmr", "jina", "modernbert", "modernbert-dense2")
Golden = dict[str, NDArray[Any]]


@pytest.fixture(scope="module", params=FAMILIES)
def source(request: pytest.FixtureRequest) -> Path:
    """A checkpoint of every family and layout."""
    return GOLDEN / f"tiny-random-{request.param}"


@pytest.fixture(scope="module")
def golden(source: Path) -> Golden:
    return read_safetensors(source / "golden.safetensors")


@pytest.fixture(scope="module")
def folder(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact with gpu-fp16 and portable."""
    out = tmp_path_factory.mktemp("half") / source.name
    heads = {int(file.stem[5:]): file for file in source.glob("head-*.safetensors")}
    export(source, out, heads=heads, variant_names=["gpu-fp16", "portable"], doc_max_length=64)
    return out


@pytest.fixture(scope="module")
def graph(folder: Path) -> onnx.ModelProto:
    """The graph without its weights; every value's type inferred by onnx, not taken from what the exporter wrote."""
    model = onnx.load(folder / "gpu-fp16.onnx", load_external_data=False)
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)


@pytest.fixture(scope="module")
def types(graph: onnx.ModelProto) -> dict[str, int]:
    """Value -> type, for every value of the graph."""
    values = [*graph.graph.input, *graph.graph.output, *graph.graph.value_info]
    found = {value.name: value.type.tensor_type.elem_type for value in values}
    found |= {tensor.name: tensor.data_type for tensor in graph.graph.initializer}
    assert {name for node in graph.graph.node for name in (*node.input, *node.output) if name} <= found.keys()
    return found


@pytest.mark.parametrize("name", ["portable", "gpu-fp16"])
def test_graphs_for_other_runtimes_are_standard_onnx_with_a_mask(name: str, folder: Path) -> None:
    onnx.checker.check_model(str(folder / f"{name}.onnx"), full_check=True)
    model = onnx.load(folder / f"{name}.onnx", load_external_data=False)
    assert [(opset.domain, opset.version <= 22) for opset in model.opset_import] == [("", True)]
    kinds = {node.op_type for node in model.graph.node}
    assert {"Softmax", "MatMul"} <= kinds, "attention is decomposed"
    assert not kinds & {"Attention", "RotaryEmbedding", "RMSNormalization", "Loop", "If"}
    assert {node.domain for node in model.graph.node} == {""}
    assert [value.name for value in model.graph.input] == ["input_ids", "attention_mask"]
    assert not {tensor.data_type for tensor in model.graph.initializer} - {FLOAT, HALF, TensorProto.INT64}


def test_norms_softmax_and_outputs_are_float32(graph: onnx.ModelProto, types: dict[str, int]) -> None:
    found = set()
    for node in graph.graph.node:
        if node.op_type in EXACT:
            found.add(node.op_type)
            floats = {types[name] for name in (*node.input, *node.output) if types[name] != TensorProto.INT64}
            assert floats == {FLOAT}, f"{node.op_type} {node.name}"
    assert {"LayerNormalization", "Softmax", "ReduceL2"} <= found
    made_by = {name: node for node in graph.graph.node for name in node.output}
    for output in graph.graph.output:
        division = made_by[output.name]
        assert division.op_type == "Div"
        assert {types[name] for name in (*division.input, *division.output)} == {FLOAT}


def test_products_are_float16_and_weights_of_norms_float32(graph: onnx.ModelProto, types: dict[str, int]) -> None:
    """The heads' products too: TensorRT-RTX multiplies no float32 matrices on compute capability 75."""
    products = [node for node in graph.graph.node if node.op_type == "MatMul"]
    assert len(products) >= 3 * 6 + len(graph.graph.output)
    for node in products:
        assert {types[name] for name in (*node.input, *node.output)} == {HALF}
    stored = {t.name: t.data_type for t in graph.graph.initializer if t.data_location == TensorProto.EXTERNAL}
    assert stored["word"] == HALF
    assert {name for name, kind in stored.items() if kind == FLOAT} == {
        name for name in stored if name.startswith("head.") or "norm" in name
    }


def test_rows_are_close_to_float32_in_float16_arithmetic(folder: Path, golden: Golden) -> None:
    """onnxruntime's CPU build computes float16 nodes in float32; numpy rounds after every step, as a GPU does."""
    evaluator: Any = ReferenceEvaluator(onnx.load(folder / "gpu-fp16.onnx"))
    lengths = sorted({int(name.removeprefix("ids_")) for name in golden if name.startswith("ids_")})
    assert {1, 2, 33} <= set(lengths)
    for length in (1, 2, lengths[-1]):
        ids = golden[f"ids_{length}"].astype(np.int64)
        found = evaluator.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        for name, rows in zip(evaluator.output_names, found, strict=True):
            assert rows.dtype == np.float32
            wanted = golden[f"{name}_{length}"].astype(np.float32)
            assert 0.999 <= np.einsum("btd,btd->bt", rows, wanted).min() < 1.0001
            assert np.abs(rows - wanted).max() > 1e-6, "float32 all the way would be closer"


def test_padding_never_changes_an_attended_row(folder: Path, golden: Golden) -> None:
    evaluator: Any = ReferenceEvaluator(onnx.load(folder / "gpu-fp16.onnx"))
    ids, mask = (golden[f"masked_{part}"].astype(np.int64) for part in ("ids", "mask"))
    padded, *_ = evaluator.run(None, {"input_ids": ids, "attention_mask": mask})
    for row, text, attended in zip(padded, ids, mask, strict=True):
        alone = {"input_ids": text[None, attended > 0], "attention_mask": attended[None, attended > 0]}
        wanted, *_ = evaluator.run(None, alone)
        assert np.einsum("td,td->t", row[attended > 0], wanted[0]).min() > 0.9995


def test_the_manifest_tells_what_it_is_and_how_exact(folder: Path) -> None:
    found = artefact.find(folder)
    variant = found.manifest.variants["gpu-fp16"]
    assert variant.precision == "float16"
    assert variant.providers[:3] == (
        "NvTensorRTRTXExecutionProvider",
        "TensorrtExecutionProvider",
        "CUDAExecutionProvider",
    )
    assert variant.providers[-1] == CPU
    assert set(found.manifest.variants["portable"].providers) == set(variant.providers)
    assert found.manifest.variants["portable"].providers[0] == CPU
    assert len(set(variant.providers)) == len(variant.providers)
    assert variant.data == ("backbone.f16.bin", "heads.f32.bin")
    (graph,) = variant.graphs
    assert graph.query == graph.document == "gpu-fp16.onnx"
    assert graph.masked_query
    assert graph.masked_document
    assert graph.parity is not None
    assert all(0.999 <= parity.min_cosine < 0.9999999 for parity in graph.parity.values())
    whole, half = (found.manifest.files[f"backbone.{kind}.bin"].size_bytes for kind in ("f32", "f16"))
    assert half < 0.53 * whole


def test_the_cpu_runs_it_only_when_named(folder: Path) -> None:
    assert colibri.load(folder).variant == "portable"
    model = colibri.load(folder, variant="gpu-fp16")
    assert (model.variant, model.provider.name) == ("gpu-fp16", "cpu")
    assert model.encode_documents(["water flows"]).rows.dtype == np.float32


def test_padded_batches_have_the_rows_of_texts_alone(folder: Path) -> None:
    """As an accelerator would run it, on the CPU: 48 documents and queries in batches of 400 tokens."""
    texts = [f"{text} {'water ' * (i % 9)}" for i, text in enumerate([*DOCUMENTS, *QUERIES] * 9)][:48]
    alone = colibri.load(folder, variant="gpu-fp16")
    batched = colibri.load(folder, variant="gpu-fp16", batch_tokens=400)
    for found, wanted in (
        (batched.encode_documents(texts), alone.encode_documents(texts)),
        (batched.encode_queries(texts), alone.encode_queries(texts)),
    ):
        np.testing.assert_array_equal(found.starts, wanted.starts)
        np.testing.assert_array_equal(found.spans, wanted.spans)
        assert np.abs(found.rows - wanted.rows).max() < 2e-3
        assert np.einsum("td,td->t", found.rows, wanted.rows).min() > 0.9999


def test_magnitudes_are_those_of_float32(source: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of the vocabulary, against the checkpoint itself: the largest over every text's tokens."""
    found = artefact.find(folder)
    with caplog.at_level(logging.INFO, logger="colibri_export"):
        largest = magnitudes.require_room(found, "gpu-fp16", found.manifest.variants["gpu-fp16"])
    assert list(largest.values()) == sorted(largest.values(), reverse=True)
    first, number = next(iter(largest.items()))
    assert f"{len(largest)} tensors in float16, largest: {first} {number:,.1f}" in caplog.text
    seen = set()
    tokenizer = TextTokenizer(found)
    for texts, role in ((QUERIES, found.manifest.query), (DOCUMENTS, found.manifest.document)):
        for encoded in tokenizer.encode(texts, role):
            seen.update(encoded.ids.tolist())
    words: NDArray[np.float32] = open_checkpoint(source).read("word")[sorted(seen)]
    assert largest["Gather with word"] == pytest.approx(np.abs(words).max(), rel=1e-3)


def test_every_float16_tensor_is_measured(folder: Path, graph: onnx.ModelProto, types: dict[str, int]) -> None:
    found = artefact.find(folder)
    largest = magnitudes.require_room(found, "gpu-fp16", found.manifest.variants["gpu-fp16"])
    initializers = {t.name for t in graph.graph.initializer if t.data_location == TensorProto.EXTERNAL}
    weights = {name for node in graph.graph.node for name in node.input if name in initializers and types[name] == HALF}
    told = {tensor.partition(" with ")[2] for tensor in largest}
    assert weights - told <= {"positions", "types"}, "the sum these go into is float32"
    assert {tensor.partition(" after ")[0] for tensor in largest} >= {"Softmax", "MatMul", "Erf", "Mul"}


@pytest.mark.parametrize(
    ("tensor", "by", "told"),
    [
        ("encoder.layer.1.intermediate.dense.weight", 3e4, "MatMul with layers.1.ffn_in.weight"),
        ("encoder.layer.2.attention.self.value.bias", 5e4, "Add with layers.2.qkv.bias"),
        ("encoder.layer.0.output.LayerNorm.bias", 1e5, "LayerNormalization with layers.0.ffn_norm.weight"),
    ],
)
def test_a_tensor_too_large_for_float16_stops_the_export(
    tensor: str, by: float, told: str, bert: Path, remake: Remake, tmp_path: Path
) -> None:
    """onnxruntime's CPU build computes in float32 and sees nothing: parity alone would pass."""

    def spoil(tensors: dict[str, NDArray[np.float32]]) -> None:
        tensors[f"bert.{tensor}"].flat[0] = by

    source = remake(bert, tensors=spoil)
    export(source, tmp_path / "fine" / "out", variant_names=["cpu-fp32"])
    with pytest.raises(ExportError, match=rf"gpu-fp16: \d+ of \d+ .*: {told} [\d,]+\.\d, .*at most 8,000"):
        export(source, tmp_path / "here" / "out", variant_names=["gpu-fp16"])
    assert not (tmp_path / "here").exists()


def test_a_weight_too_large_for_float16_is_refused_by_name(bert: Path, remake: Remake, tmp_path: Path) -> None:
    source = remake(bert, tensors=lambda t: t["bert.encoder.layer.1.output.dense.weight"].put(5, 70_000))
    with pytest.raises(
        ExportError, match=r"layers\.1\.ffn_out\.weight: a weight of 70,000, and float16 ends at 65,504"
    ):
        write_half(open_checkpoint(source), tmp_path / "backbone.f16.bin")
