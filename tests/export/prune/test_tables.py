"""Graphs and weight files lose rows of their vocabulary tables, and nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from colibri.errors import ExportError
from colibri_export.prune.tables import Graphs, tensors
from reference import ARTEFACTS

ROWS, WIDTH = 50, 6
_RNG = np.random.default_rng(3)
TABLE = _RNG.normal(size=(ROWS, WIDTH)).astype(np.float32)
SCALES = _RNG.normal(size=(ROWS, 1)).astype(np.float16)
MATRIX = _RNG.normal(size=(WIDTH, ROWS)).astype(np.float32)  # has the vocabulary's size, and is none
KEPT = [0, 3, 4, 17, 49]


def graph(nodes: list[onnx.NodeProto], arrays: dict[str, NDArray[Any]]) -> onnx.ModelProto:
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "n"])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def plain() -> onnx.ModelProto:
    """A table and its scales, by ids that were cast first, and a product with a matrix."""
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["ids"], to=TensorProto.INT32),
        helper.make_node("Gather", ["table", "ids"], ["words"], axis=0),
        helper.make_node("Gather", ["scales", "input_ids"], ["halves"]),
        helper.make_node("Cast", ["halves"], ["scale"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["words", "scale"], ["scaled"]),
        helper.make_node("MatMul", ["scaled", "matrix"], ["rows"]),
    ]
    return graph(nodes, {"table": TABLE, "scales": SCALES, "matrix": MATRIX})


def save(model: onnx.ModelProto, folder: Path, *, outside: bool) -> None:
    folder.mkdir()
    if outside:
        onnx.save(model, folder / "g.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    else:
        onnx.save(model, folder / "g.onnx")


def cut(folder: Path, out: Path, kept: list[int]) -> Path:
    out.mkdir()
    graphs = Graphs(folder, ROWS)
    graphs.read("g.onnx")
    graphs.write(out, kept)
    return out / "g.onnx"


def run(path: Path, ids: list[int]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (rows,) = session.run(None, {"input_ids": np.array([ids], np.int64)})
    return np.asarray(rows)


@pytest.mark.parametrize("outside", [True, False])
def test_a_new_id_reads_what_the_old_one_read(tmp_path: Path, outside: bool) -> None:
    save(plain(), tmp_path / "whole", outside=outside)
    made = cut(tmp_path / "whole", tmp_path / "cut", KEPT)
    before, after = run(tmp_path / "whole" / "g.onnx", KEPT), run(made, list(range(len(KEPT))))
    assert before.shape == (1, len(KEPT), ROWS)
    assert np.array_equal(before, after)
    (table, scales, matrix) = onnx.load(made).graph.initializer
    assert np.array_equal(numpy_helper.to_array(table), TABLE[KEPT])
    assert np.array_equal(numpy_helper.to_array(scales), SCALES[KEPT])
    assert np.array_equal(numpy_helper.to_array(matrix), MATRIX)


def test_an_id_beyond_the_kept_ones_is_refused_by_the_graph(tmp_path: Path) -> None:
    save(plain(), tmp_path / "whole", outside=True)
    made = cut(tmp_path / "whole", tmp_path / "cut", KEPT)
    with pytest.raises(Exception, match="out of data bounds"):
        run(made, [len(KEPT)])


@pytest.mark.parametrize("name", ["tiny-random-bert", "tiny-random-xlmr"])
def test_with_every_row_kept_weight_files_are_the_same_bytes(name: str, tmp_path: Path) -> None:
    whole = ARTEFACTS / name
    files = sorted(path.name for path in whole.glob("*.onnx"))
    table = max((t for t in tensors(onnx.load(whole / files[-1]).graph) if len(t.dims) == 2), key=lambda t: t.dims[0])
    graphs = Graphs(whole, table.dims[0])
    for file in files:
        graphs.read(file)
    graphs.write(tmp_path, range(table.dims[0]))
    data = sorted(path.name for path in whole.glob("*.bin") if path.name.startswith(("backbone", "heads")))
    assert len(data) == 3
    for file in data:
        assert (tmp_path / file).read_bytes() == (whole / file).read_bytes(), file
    for file in files:
        assert onnx.load(tmp_path / file, load_external_data=False) == onnx.load(whole / file, load_external_data=False)


def test_a_vocabulary_that_is_read_otherwise_as_well_is_refused(tmp_path: Path) -> None:
    model = plain()
    model.graph.node.append(helper.make_node("ReduceSum", ["table"], ["sum"]))
    save(model, tmp_path / "whole", outside=True)
    with pytest.raises(ExportError, match=r"ReduceSum .*reads the vocabulary table as well"):
        cut(tmp_path / "whole", tmp_path / "cut", KEPT)


def test_a_graph_without_a_table_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["columns"], axis=1),
        helper.make_node("Identity", ["columns"], ["rows"]),
    ]
    save(graph(nodes, {"table": np.zeros((ROWS, ROWS), np.float32)}), tmp_path / "whole", outside=True)
    with pytest.raises(ExportError, match=f"no Gather of input_ids over {ROWS} rows"):
        cut(tmp_path / "whole", tmp_path / "cut", KEPT)


def test_a_table_that_another_graph_reads_as_a_matrix_is_refused(tmp_path: Path) -> None:
    save(plain(), tmp_path / "whole", outside=True)
    other = onnx.load(tmp_path / "whole" / "g.onnx", load_external_data=False)
    product = helper.make_node("Identity", ["table"], ["unused"])
    other.graph.node[1].CopyFrom(helper.make_node("Gather", ["small", "ids"], ["words"]))
    other.graph.node.append(product)
    small = other.graph.initializer.add()
    small.CopyFrom(numpy_helper.from_array(TABLE, "small"))
    (tmp_path / "whole" / "h.onnx").write_bytes(other.SerializeToString())
    graphs = Graphs(tmp_path / "whole", ROWS)
    graphs.read("g.onnx")
    with pytest.raises(ExportError, match="is a vocabulary table here and none in another"):
        graphs.read("h.onnx")


def test_a_table_within_an_inner_graph_counts_as_read(tmp_path: Path) -> None:
    model = plain()
    inner = helper.make_graph(
        [helper.make_node("Identity", ["table"], ["out"])],
        "inner",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    model.graph.node.append(helper.make_node("If", ["yes"], ["o"], then_branch=inner, else_branch=inner))
    save(model, tmp_path / "whole", outside=True)
    with pytest.raises(ExportError, match="Identity"):
        cut(tmp_path / "whole", tmp_path / "cut", KEPT)
