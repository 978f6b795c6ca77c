"""From optimum's ONNX file to one of ours: heads behind it, weights beside it, no input but ids and mask."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx_ir as ir
from onnxruntime.quantization import QuantType, quantize_dynamic

from colibri.errors import ExportError
from colibri_export.graph.blocks import GraphBuilder
from colibri_export.graph.head import token_vectors
from colibri_export.weight_file import WeightFile
from colibri_export.weights import StoredDense

OPSET = 18
_ROWS = "last_hidden_state"
_INPUTS = ("input_ids", "attention_mask")
_ALWAYS_ZERO = "token_type_ids"
_SMALL = 1024  # bytes; shapes and scalars stay in the graph, where onnxruntime folds them


def with_heads(source: Path, target: Path, weights: Path, heads: Mapping[int, Sequence[StoredDense]]) -> bool:
    """Write `target` and its weight file; says whether the graph takes a mask.

    ids (batch, tokens) int64 [, attention_mask the same] -> tokens_{dim} (batch, tokens, dim) for every head.
    Raises ExportError when the graph wants an input that a text does not give.
    """
    model = ir.load(source)
    graph = model.graph
    _fold_inputs(graph)
    rows = next(value for value in graph.outputs if value.name == _ROWS)
    with WeightFile(weights) as file:
        for name, value in graph.initializers.items():
            assert value.const_value is not None
            if value.const_value.nbytes >= _SMALL:
                value.const_value = file.add(name, value.const_value.numpy()).value().const_value
    masked = len(graph.inputs) == len(_INPUTS)
    builder = GraphBuilder("standard", masked=masked)
    builder.append_to(
        graph, {f"tokens_{dim}": (token_vectors(builder, rows, layers), dim) for dim, layers in heads.items()}
    )
    model.producer_name = "colibri, through optimum"
    ir.save(model, target)
    return masked


def quantize(source: Path, target: Path) -> None:
    """onnxruntime's dynamic quantisation: products and vocabulary in 8 bits.

    Unsigned weights: u8 x u8 is summed exactly by every CPU, u8 x s8 saturates on x86 without VNNI.
    """
    with _without_advice():
        quantize_dynamic(source, target, per_channel=True, weight_type=QuantType.QUInt8)


def _fold_inputs(graph: ir.Graph) -> None:
    """Leave ids and mask; a text is all of token type 0."""
    by_name = {value.name: value for value in graph.inputs}
    if stray := sorted(by_name.keys() - {*_INPUTS, _ALWAYS_ZERO}, key=str):
        raise ExportError(f"optimum's graph takes {', '.join(map(str, stray))}, which a text does not give")
    if (types := by_name.get(_ALWAYS_ZERO)) is not None:
        tape = ir.tape.Tape()
        zero = ir.tensor(np.zeros(1, np.int64))
        shape = tape.op("Shape", [by_name["input_ids"]])
        zeros = tape.op("ConstantOfShape", [shape], {"value": ir.AttrTensor("value", zero)})
        types.replace_all_uses_with(zeros)
        graph.insert_before(graph[0], tape.nodes)
    graph.inputs[:] = [by_name[name] for name in _INPUTS if name in by_name]
    for value in graph.inputs:
        value.shape = ir.Shape(["batch", "tokens"])


@contextmanager
def _without_advice() -> Iterator[None]:
    """onnxruntime tells every node, and to infer shapes first, which it does itself, through the root logger."""

    def drop(record: logging.LogRecord) -> bool:
        return False

    root = logging.getLogger()
    root.addFilter(drop)
    try:
        yield
    finally:
        root.removeFilter(drop)
