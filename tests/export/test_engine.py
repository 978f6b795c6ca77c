"""TensorRT-RTX engines: what is refused before the builder sees it, how one is stored, and that every family's graph is
taken whole. What needs tensorrt_rtx itself runs in `python3 run.py test-tensorrt`; nothing here runs an engine."""

import os
import sys
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from colibri import artefact
from colibri.artefact.manifest import Engine, Expansion, Profile, Role, Skiplist
from colibri.errors import ExportError, MissingExtra
from colibri.providers.shapes import several_profiles as profiles
from colibri_export.engine import CAPABILITIES, build, context_model, require_tensorrt, run_builder
from colibri_export.pipeline import export
from colibri_export.variants import RTX
from reference import GOLDEN

HERE = util.find_spec("tensorrt_rtx") is not None
with_tensorrt = pytest.mark.skipif(not HERE, reason="tensorrt_rtx is not installed here: python3 run.py test-tensorrt")
without_tensorrt = pytest.mark.skipif(HERE, reason="tensorrt_rtx is installed here: python3 run.py test")

FAMILIES = ("bert", "xlmr", "jina", "modernbert", "modernbert-dense2")
SHAPE = Profile(role="document", minimum=(1, 1), optimum=(2, 16), maximum=(4, 64))


def role(max_tokens: int, to_tokens: int | None = None) -> Role:
    expansion = None if to_tokens is None else Expansion(mask_id=3, to_tokens=to_tokens, attended=True)
    return Role(
        marker_id=None,
        prefix=None,
        keep_prefix_rows=True,
        keep_special_rows=True,
        max_tokens=max_tokens,
        recorded_max_tokens=None,
        expansion=expansion,
        skiplist=Skiplist(rule="none", ids=()),
        weights_file=None,
    )


def shapes(found: tuple[Profile, ...]) -> list[tuple[str, tuple[int, int], tuple[int, int]]]:
    return [(profile.role, profile.minimum, profile.maximum) for profile in found]


def test_profiles_are_queries_of_one_length_and_buckets_of_documents() -> None:
    """jina-colbert-v2: every query has 32 tokens; documents up to 8,192."""
    found = profiles(role(32, 32), role(8192))
    assert shapes(found) == [
        ("query", (1, 32), (64, 32)),
        ("document", (1, 1), (64, 128)),
        ("document", (1, 129), (16, 512)),
        ("document", (1, 513), (4, 2048)),
        ("document", (1, 2049), (1, 8192)),
    ]
    assert found[0].optimum == (1, 32)
    assert profiles(role(512), role(512))[0].optimum == (1, 32), "a query without expansion is short as a rule"
    for profile in found:
        pairs = zip(profile.minimum, profile.optimum, profile.maximum, strict=True)
        assert all(low <= best <= high for low, best, high in pairs)


@pytest.mark.parametrize(
    ("query", "document", "wanted"),
    [
        (role(32), role(300), [("query", (1, 1), (64, 32)), (1, 1), (64, 128), (1, 129), (27, 300)]),
        (role(48, 32), role(128), [("query", (1, 32), (64, 48)), (1, 1), (64, 128)]),
        (role(16, 32), role(40), [("query", (1, 32), (64, 32)), (1, 1), (64, 40)]),
    ],
)
def test_profiles_follow_the_roles(query: Role, document: Role, wanted: list[Any]) -> None:
    first, *rest = shapes(profiles(query, document))
    assert first == wanted[0]
    assert [shape for _, *pair in rest for shape in pair] == wanted[1:]


@pytest.mark.parametrize("names", [("90",), ("89", "87"), ("sm89",), ("8.9",), ("89", "89"), (), ("",)])
def test_compute_capabilities_tensorrt_rtx_does_not_know_are_refused_with_its_list(names: tuple[str, ...]) -> None:
    with pytest.raises(ExportError, match=r"TensorRT-RTX builds for 75, 80, 86, 89, 120, 121; wanted some of these"):
        require_tensorrt(names)


@without_tensorrt
def test_without_the_extra_it_is_named_before_any_work(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match=r"tensorrt needs tensorrt_rtx \(colibri-edge\[tensorrt\]\): pip install "):
        export(bert, tmp_path / "here" / "out", variant_names=["tensorrt", "gpu-fp16"])
    assert not (tmp_path / "here").exists()


@with_tensorrt
def test_an_engine_without_the_graph_it_is_made_of_is_refused(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"tensorrt is built from gpu-fp16, .* --variants tensorrt,gpu-fp16"):
        export(bert, tmp_path / "here" / "out", variant_names=["cpu-int8", "tensorrt"])
    assert not (tmp_path / "here").exists()


def odd_graph(path: Path, change: Callable[[onnx.ModelProto], object]) -> Path:
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    out = helper.make_tensor_value_info("tokens_4", TensorProto.INT64, ["batch", "tokens"])
    graph = helper.make_graph([helper.make_node("Identity", ["input_ids"], ["tokens_4"])], "odd", [ids], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    change(model)
    onnx.save(model, path)
    return path


def add_uint4(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("word.nibbles", TensorProto.UINT4, [4], [1, 2, 3, 4]))


def add_contrib(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type, model.graph.node[0].domain = "MultiHeadAttention", "com.microsoft"
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (add_uint4, "UINT4 initializer word.nibbles"),
        (add_contrib, "operator com.microsoft.MultiHeadAttention, not of standard ONNX"),
        (lambda model: setattr(model.opset_import[0], "version", 23), "opset 23, wanted 22 at most"),
    ],
)
def test_what_the_builder_cannot_take_never_reaches_it(
    change: Callable[[onnx.ModelProto], object], told: str, tmp_path: Path
) -> None:
    graph = odd_graph(tmp_path / "odd.onnx", change)
    with pytest.raises(ExportError, match=f"odd.onnx: no engine can be built: {told}"):
        build(graph, tmp_path / "odd.engine", ["89"], [SHAPE])
    assert not (tmp_path / "odd.engine").exists()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os; os.abort()", "died of SIGABRT: it said nothing"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "died of SIGSEGV"),
        ("import sys; sys.exit('no kernel for node_7')", "gave up: no kernel for node_7"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="signals are told otherwise on Windows")
def test_a_builder_that_dies_is_an_error_that_says_how(code: str, told: str) -> None:
    with pytest.raises(ExportError, match=f"gpu-fp16.onnx: TensorRT-RTX's builder {told}"):
        run_builder({"graph": "gpu-fp16.onnx"}, [sys.executable, "-c", code])


def test_an_engine_is_stored_as_onnxruntime_takes_it(bert: Path, tmp_path: Path) -> None:
    export(bert, tmp_path / "out", variant_names=["gpu-fp16"])
    engine = Engine(compute_capability="86,89", tensorrt="1.7.1.116", profiles=(SHAPE,))
    model = onnx.load_from_string(_bytes(tmp_path / "out" / "gpu-fp16.onnx", engine))
    onnx.checker.check_model(model)
    (node,) = model.graph.node
    assert (node.domain, node.op_type) == ("com.microsoft", "EPContext")
    assert {entry.name: helper.get_attribute_value(entry) for entry in node.attribute} == {
        "main_context": 0,
        "embed_mode": 0,
        "ep_cache_context": b"tensorrt.engine",
        "hardware_architecture": b"86,89",
        "ep_sdk_version": b"1.7.1.116",
        "onnx_model_filename": b"gpu-fp16.onnx",
        "partition_name": b"colibri",
    }
    assert list(node.input) == [value.name for value in model.graph.input] == ["input_ids", "attention_mask"]
    assert list(node.output) == [value.name for value in model.graph.output] == ["tokens_48"]
    assert not model.graph.initializer
    whole = onnx.load(tmp_path / "out" / "gpu-fp16.onnx", load_external_data=False)
    assert model.graph.input == whole.graph.input
    assert model.graph.output == whole.graph.output


def _bytes(graph: Path, engine: Engine) -> bytes:
    import onnx_ir

    serialized: bytes = onnx_ir.to_proto(context_model(graph, "tensorrt.engine", engine)).SerializeToString()
    return serialized


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact with an engine for every compute capability, of every family and layout."""
    source = GOLDEN / f"tiny-random-{request.param}"
    out = tmp_path_factory.mktemp("engine") / source.name
    heads = {int(file.stem[5:]): file for file in source.glob("head-*.safetensors")}
    export(
        source,
        out,
        heads=heads,
        variant_names=["tensorrt", "gpu-fp16"],
        compute_capabilities=CAPABILITIES,
        doc_max_length=64 if request.param in {"bert", "xlmr"} else 600,
    )
    return out


def strongly_typed(builder: Any) -> Any:
    import tensorrt_rtx as trt

    return builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))


@with_tensorrt
def test_the_parser_takes_every_familys_graph_whole(folder: Path) -> None:
    import tensorrt_rtx as trt

    path = folder / "gpu-fp16.onnx"
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    untouched = strongly_typed(builder)  # held, since the parser writes into it
    asked = trt.OnnxParser(untouched, logger)
    assert asked.supports_model_v2(path.read_bytes(), str(path))
    assert asked.num_subgraphs == 1
    nodes = onnx.load(path, load_external_data=False).graph.node
    assert sorted(asked.get_subgraph_nodes(0)) == list(range(len(nodes)))
    network = strongly_typed(builder)
    parser = trt.OnnxParser(network, logger)
    assert parser.parse_from_file(str(path))
    assert parser.num_errors == 0
    found = artefact.find(folder).manifest
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    assert [value.name for value in inputs] == ["input_ids", "attention_mask"]
    assert {(value.dtype, tuple(value.shape)) for value in inputs} == {(trt.DataType.INT64, (-1, -1))}
    outputs = [network.get_output(i) for i in range(network.num_outputs)]
    assert {value.name: (value.dtype, tuple(value.shape)) for value in outputs} == {
        name: (trt.DataType.FLOAT, (-1, -1, int(dim))) for dim, name in found.variants["tensorrt"].outputs.items()
    }


@with_tensorrt
def test_the_manifest_tells_of_the_engine_what_tensorrt_said(folder: Path) -> None:
    """`build` compares the inputs, outputs and profiles that TensorRT-RTX reports with what it asked for."""
    import tensorrt_rtx as trt

    found = artefact.find(folder)
    artefact.check_files(found)
    variant = found.manifest.variants["tensorrt"]
    assert (variant.precision, variant.providers) == ("engine", (RTX,))
    assert variant.engine is not None
    assert variant.engine.compute_capability == ",".join(CAPABILITIES)
    assert variant.engine.tensorrt == trt.__version__
    assert variant.engine.profiles == profiles(found.manifest.query, found.manifest.document)
    assert variant.data == ("tensorrt.engine",)
    (graph,) = variant.graphs
    assert graph.query == graph.document == "tensorrt.onnx"
    assert graph.parity is None, "no GPU has run it"
    engine = (folder / "tensorrt.engine").read_bytes()
    assert len(engine) + (folder / "tensorrt.onnx").stat().st_size == variant.size_bytes
    for name in ("input_ids", "attention_mask", *variant.outputs.values()):
        assert name.encode() in engine
    parity = found.manifest.variants["gpu-fp16"].graphs[0].parity
    assert parity is not None
    assert min(value.min_cosine for value in parity.values()) >= 0.999


@with_tensorrt
def test_what_the_builder_says_of_a_shape_the_graph_does_not_have_is_told(tmp_path: Path, bert: Path) -> None:
    """64 positions: no text has 65 tokens."""
    export(bert, tmp_path / "out", variant_names=["gpu-fp16"])
    profile = Profile(role="document", minimum=(1, 1), optimum=(1, 65), maximum=(1, 65))
    with pytest.raises(ExportError, match=r"gpu-fp16.onnx: TensorRT-RTX's builder gave up: .*out of bounds"):
        build(tmp_path / "out" / "gpu-fp16.onnx", tmp_path / "e.engine", ["89"], [profile])
    assert not (tmp_path / "e.engine").exists()


@with_tensorrt
@pytest.mark.skipif(os.name == "nt", reason="the dying builder is a shell script")
def test_a_crash_of_the_builder_leaves_nothing_of_an_export(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = tmp_path / "python"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n", encoding="utf-8")
    crashing.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(crashing))
    with pytest.raises(ExportError, match="builder died of SIGSEGV"):
        export(bert, tmp_path / "here" / "out", variant_names=["tensorrt", "gpu-fp16"])
    assert not (tmp_path / "here").exists()


@with_tensorrt
def test_int4_blocks_become_an_engine(tmp_path: Path) -> None:
    """What a quantised variant could use: INT4 with DequantizeLinear is taken, where UINT4 is not."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["x"], to=TensorProto.FLOAT16),
        helper.make_node("Unsqueeze", ["x", "last"], ["column"]),
        helper.make_node("MatMul", ["column", "row"], ["wide"]),
        helper.make_node("DequantizeLinear", ["integers", "scales"], ["matrix"], axis=0, block_size=32),
        helper.make_node("MatMul", ["wide", "matrix"], ["product"]),
        helper.make_node("Cast", ["product"], ["tokens_32"], to=TensorProto.FLOAT),
    ]
    initializers = [
        helper.make_tensor("last", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("row", TensorProto.FLOAT16, [1, 64], rng.normal(size=64).astype(np.float16)),
        helper.make_tensor("integers", TensorProto.INT4, [64, 32], rng.integers(-8, 8, 64 * 32).tolist()),
        helper.make_tensor("scales", TensorProto.FLOAT16, [2, 32], np.full(64, 0.1, np.float16)),
    ]
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    out = helper.make_tensor_value_info("tokens_32", TensorProto.FLOAT, ["batch", "tokens", 32])
    graph = helper.make_graph(nodes, "int4", [ids], [out], initializers)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), tmp_path / "int4.onnx"
    )
    built = build(tmp_path / "int4.onnx", tmp_path / "int4.engine", ["89"], [SHAPE])
    assert built.profiles == (SHAPE,)
    assert (tmp_path / "int4.engine").stat().st_size > 0
