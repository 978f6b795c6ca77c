"""Graphs against what Hugging Face transformers answered for the same checkpoints, their form, and their parity."""

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from numpy.typing import NDArray

from colibri.artefact import finding as artefact
from colibri.providers import CPU, cpu_features
from colibri_export.checkpoint import open_checkpoint
from colibri_export.graph.blocks import GraphBuilder, normalise
from colibri_export.heads import gather
from colibri_export.variants import DEFAULT, HALF, REFERENCE, Workshop
from colibri_export.verify import measure
from reference import read_safetensors

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

DIMS = (48, 32, 16)
LENGTHS = (1, 2, 3, 7, 16, 33, 64)
EXACT_S8 = {"avx512_vnni", "avx_vnni", "neon"}
MATRICES = 3 * 4  # layers of qkv, attention_out, ffn_in, ffn_out


@pytest.fixture(scope="module")
def graphs(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every graph this exporter makes of a checkpoint: `.query` ones are fused with a mask."""
    checkpoint = open_checkpoint(tiny)
    files = {dim: tiny / f"head-{dim}.safetensors" for dim in (32, 16)}
    heads = gather(checkpoint, files, (), None)
    folder = tmp_path_factory.mktemp("graphs")
    workshop = Workshop(checkpoint, heads, folder, unattended_queries=True)
    for name in (*DEFAULT, HALF):
        workshop.write(name)
    return folder


@pytest.fixture(scope="module")
def golden(tiny: Path) -> dict[str, Floats | Ids]:
    return read_safetensors(tiny / "golden.safetensors")


def run(graph: Path, ids: Ids, mask: Ids | None = None) -> dict[int, Floats]:
    """Rows by dim. The mask goes in only where the graph has one."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(graph, options, providers=[CPU])
    feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids) if mask is None else mask}
    names = {node.name for node in session.get_inputs()}
    outputs = [node.name for node in session.get_outputs()]
    assert outputs == [f"tokens_{dim}" for dim in DIMS]
    return dict(zip(DIMS, session.run(outputs, {name: feeds[name] for name in names}), strict=True))


def projected(hidden: Floats, tiny: Path, dim: int) -> Floats:
    path = tiny / ("model.safetensors" if dim == 48 else f"head-{dim}.safetensors")
    rows = hidden @ read_safetensors(path)["linear.weight"].T
    unit: Floats = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return unit


def assert_same_rows(found: Floats, wanted: Floats) -> None:
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-4
    cosines = np.einsum("...d,...d->...", found, wanted, dtype=np.float64)
    lengths = np.linalg.norm(found, axis=-1) * np.linalg.norm(wanted, axis=-1)
    assert (cosines / lengths).min() >= 0.99999


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("graph", ["cpu-fp32", "cpu-fp32.query", "portable"])
def test_rows_equal_those_of_transformers(
    graph: str, length: int, graphs: Path, golden: dict[str, Floats | Ids]
) -> None:
    found = run(graphs / f"{graph}.onnx", golden[f"ids_{length}"].astype(np.int64))
    for dim in DIMS:
        assert_same_rows(found[dim], golden[f"tokens_{dim}_{length}"].astype(np.float32))


@pytest.mark.parametrize("graph", ["cpu-fp32.query", "portable"])
def test_padding_never_changes_an_attended_row(
    graph: str, graphs: Path, golden: dict[str, Floats | Ids], tiny: Path
) -> None:
    ids, mask = (golden[f"masked_{part}"].astype(np.int64) for part in ("ids", "mask"))
    assert sorted(mask.sum(axis=1)) == [5, 11, 20]
    found = run(graphs / f"{graph}.onnx", ids, mask)
    for dim in DIMS:
        wanted = projected(golden["masked_hidden"].astype(np.float32), tiny, dim)
        assert_same_rows(found[dim][mask > 0], wanted[mask > 0])


@pytest.mark.parametrize("graph", ["cpu-fp32.query", "portable"])
def test_unattended_mask_tokens_have_rows_of_their_own(
    graph: str, graphs: Path, golden: dict[str, Floats | Ids], tiny: Path
) -> None:
    ids, mask = (golden[f"expanded_{part}"].astype(np.int64) for part in ("ids", "mask"))
    assert mask.sum() == 10
    found = run(graphs / f"{graph}.onnx", ids, mask)
    seen = run(graphs / f"{graph}.onnx", ids)
    for dim in DIMS:
        assert_same_rows(found[dim], projected(golden["expanded_hidden"].astype(np.float32), tiny, dim))
        assert np.abs(found[dim] - seen[dim]).max() > 0.01, "attended, they would change the others"


def test_rows_are_unit_length_in_every_graph(graphs: Path, golden: dict[str, Floats | Ids]) -> None:
    paths = sorted(graphs.glob("*.onnx"))
    assert len(paths) == 10
    for path in paths:
        for rows in run(path, golden["ids_33"].astype(np.int64)).values():
            np.testing.assert_allclose(np.linalg.norm(rows, axis=-1), 1, atol=1e-6)


def test_the_portable_graph_is_standard_onnx_with_a_mask(graphs: Path) -> None:
    onnx.checker.check_model(str(graphs / "portable.onnx"), full_check=True)
    model = load(graphs / "portable.onnx")
    assert [(opset.domain, opset.version <= 22) for opset in model.opset_import] == [("", True)]
    assert {node.domain for node in model.graph.node} == {""}
    assert [node.name for node in model.graph.input] == ["input_ids", "attention_mask"]


@pytest.mark.parametrize("name", ["cpu-fp32", "cpu-int8.s8", "cpu-int8.s8a7", "cpu-int8.u8"])
def test_fused_graphs_take_a_mask_only_where_queries_hide_tokens(name: str, graphs: Path) -> None:
    assert [node.name for node in load(graphs / f"{name}.onnx").graph.input] == ["input_ids"]
    assert [node.name for node in load(graphs / f"{name}.query.onnx").graph.input] == ["input_ids", "attention_mask"]


def test_query_and_document_graphs_read_the_same_bytes(graphs: Path) -> None:
    for name in ("cpu-fp32", "cpu-int8.s8", "cpu-int8.s8a7", "cpu-int8.u8"):
        assert external(graphs / f"{name}.onnx") == external(graphs / f"{name}.query.onnx")


@pytest.mark.parametrize("role", ["", ".query"])
def test_all_int8_graphs_read_the_same_bytes(role: str, graphs: Path) -> None:
    signed, seven, unsigned = (external(graphs / f"cpu-int8.{kind}{role}.onnx") for kind in ("s8", "s8a7", "u8"))
    assert signed == seven == unsigned
    assert {entry["location"] for entry in signed.values()} == {"backbone.int8.bin", "heads.f32.bin"}
    assert len(signed) == 2 + 3 + 2 * MATRICES + 3 * (4 + 4) + len(DIMS)


def test_the_unsigned_graph_flips_the_top_bit_of_every_matrix_once(graphs: Path) -> None:
    signed, unsigned = (load(graphs / f"cpu-int8.{kind}.onnx") for kind in ("s8", "u8"))
    assert len(matrices(signed, onnx.TensorProto.INT8)) == MATRICES
    assert matrices(unsigned, onnx.TensorProto.UINT8) == matrices(signed, onnx.TensorProto.INT8)
    flips = [node.input for node in unsigned.graph.node if node.op_type == "BitwiseXor"]
    assert {names[0] for names in flips} == matrices(unsigned, onnx.TensorProto.UINT8)
    assert len(flips) == MATRICES
    assert not any(node.op_type == "BitwiseXor" for node in signed.graph.node)


def test_int8_graphs_of_8_bits_give_the_same_rows_and_that_of_7_near_ones(
    graphs: Path, golden: dict[str, Floats | Ids]
) -> None:
    """Where the CPU sums s8 products at 16 bits the signed graph is wrong, so the unsigned one is held to float too."""
    cosines: dict[int, list[Floats]] = {dim: [] for dim in DIMS}
    seven: dict[int, list[Floats]] = {dim: [] for dim in DIMS}
    for length in LENGTHS:
        ids = golden[f"ids_{length}"].astype(np.int64)
        unsigned = run(graphs / "cpu-int8.u8.onnx", ids)
        exact = bool(cpu_features() & EXACT_S8)
        signed = run(graphs / "cpu-int8.s8.onnx", ids) if exact else unsigned
        for dim in DIMS:
            np.testing.assert_allclose(unsigned[dim], signed[dim], rtol=0, atol=1e-6)
            truth = golden[f"tokens_{dim}_{length}"]
            cosines[dim].append(np.einsum("btd,btd->t", unsigned[dim], truth))
            seven[dim].append(np.einsum("btd,btd->t", run(graphs / "cpu-int8.s8a7.onnx", ids)[dim], truth))
    assert min(np.concatenate(of_dim).mean() for of_dim in cosines.values()) > 0.97
    assert min(np.concatenate(of_dim).mean() for of_dim in seven.values()) > 0.9


def test_a_zero_row_stays_zero(tmp_path: Path) -> None:
    g = GraphBuilder("standard", masked=False)
    numbers = g.op("Cast", g.op("Unsqueeze", g.ids, g.constant([-1])), to=ir.DataType.FLOAT.value)
    rows = normalise(g, g.op("Mul", numbers, g.constant(np.array([3, 4], np.float32))))
    ir.save(g.finish({"rows": (rows, 2)}, "test"), tmp_path / "g.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "g.onnx", providers=[CPU])
    (found,) = session.run(["rows"], {"input_ids": np.array([[0, 5, -7]])})
    np.testing.assert_allclose(found, np.array([[[0, 0], [0.6, 0.8], [-0.6, -0.8]]]), rtol=1e-6)


def test_a_graph_that_cannot_run_here_is_not_measured(exported: Path) -> None:
    found = artefact.find(exported)
    variant = found.manifest.variants["cpu-int8"]
    graphs = (dataclasses.replace(variant.graphs[0], any_cpu_feature=("no-such-feature",)), *variant.graphs[1:])
    variants = {**found.manifest.variants, "cpu-int8": dataclasses.replace(variant, graphs=graphs)}
    changed = dataclasses.replace(found, manifest=dataclasses.replace(found.manifest, variants=variants))
    measured = measure(changed, found, REFERENCE).variants["cpu-int8"].graphs
    assert measured[0].parity is None
    assert measured[1].parity is not None
    assert set(measured[1].parity) == {"48", "32", "16"}


def load(graph: Path) -> onnx.ModelProto:
    return onnx.load(graph, load_external_data=False)


def external(graph: Path) -> dict[str, dict[str, str]]:
    """Name -> location, offset and length, of every weight outside the graph."""
    tensors = [t for t in load(graph).graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    return {t.name: {entry.key: entry.value for entry in t.external_data} for t in tensors}


def matrices(model: onnx.ModelProto, kind: int) -> set[str]:
    """Names of the matrices of one type outside the graph, the vocabulary's nibbles apart."""
    tensors = [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    return {t.name for t in tensors if t.data_type == kind and t.name != "word.nibbles"}
