"""How large the tensors of a float16 graph become, measured in float32 over the sample texts.

float16 ends at 65,504. onnxruntime's CPU build computes float16 nodes in float32 and would hide an overflow; texts in
use are more, and longer, than the sample. So what is stored in float16 must stay below an eighth of that.
"""

import logging
import os
from collections.abc import Iterable

import numpy as np
import onnx_ir as ir
import onnxruntime

from colibri.artefact import Artefact, Variant
from colibri.errors import ExportError
from colibri.providers import CPU
from colibri.tokens import TextTokenizer
from colibri_export.graph.half import FLOAT, HALF, in_float32, is_stored
from colibri_export.sample_texts import DOCUMENTS, QUERIES

log = logging.getLogger(__name__)

LIMIT = 8_000.0
_TOLD = 3
"""Tensors that the log names, the largest, and that an error names, those computed first."""

# The same numbers as their input, in another order or fewer of them.
_VIEWS = {"Cast", "Expand", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"}


def require_room(artefact: Artefact, name: str, variant: Variant) -> dict[str, float]:
    """Raise ExportError when a tensor that `variant` stores in float16 exceeds LIMIT, with its name and magnitude.

    Returns tensor -> largest magnitude in float32, largest first. A tensor is called by its operator and the weight it
    came from, such as "MatMul with layers.3.ffn_out.weight".
    """
    largest: dict[str, float] = {}  # in the order of computation
    for file in dict.fromkeys(file for graph in variant.graphs for file in (graph.query, graph.document)):
        for tensor, value in _measure(artefact, file):
            largest[tensor] = max(value, largest.get(tensor, 0.0))
    over = {tensor: value for tensor, value in largest.items() if value > LIMIT}
    if over:
        raise ExportError(
            f"{name}: {len(over)} of {len(largest)} tensors too large for float16: {_told(over)}; wanted at most "
            f"{LIMIT:,.0f} over the sample texts (float16 ends at 65,504, and texts in use are more and longer). "
            "This checkpoint can be exported without this variant"
        )
    ranked = dict(sorted(largest.items(), key=lambda item: -item[1]))
    log.info("%s: %d tensors in float16, largest: %s; limit %s", name, len(ranked), _told(ranked), f"{LIMIT:,.0f}")
    return ranked


def _told(tensors: dict[str, float]) -> str:
    first = [f"{tensor} {value:,.1f}" for tensor, value in list(tensors.items())[:_TOLD]]
    return ", ".join(first) + (" and more" if len(tensors) > _TOLD else "")


def _measure(artefact: Artefact, graph: str) -> Iterable[tuple[str, float]]:
    model = ir.load(artefact.path(graph))
    wanted = _stored_in_half(model)
    in_float32(model)
    outputs = _add_outputs(model, wanted)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Otherwise onnxruntime folds the casts of all weights when it loads, and holds every weight three times over.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # In the order of the file; otherwise all magnitudes come last, and every tensor waits for that.
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.fspath(artefact.folder))
    session = onnxruntime.InferenceSession(ir.to_proto(model).SerializeToString(), options, providers=[CPU])
    takes_mask = any(value.name == "attention_mask" for value in model.graph.inputs)
    tokenizer = TextTokenizer(artefact)
    found = np.zeros(len(wanted), np.float32)
    for texts, role in ((QUERIES, artefact.manifest.query), (DOCUMENTS, artefact.manifest.document)):
        for encoded in tokenizer.encode(texts, role):
            feeds = {"input_ids": encoded.ids[None]}
            if takes_mask:
                feeds["attention_mask"] = encoded.attended[None].astype(np.int64)
            found = np.maximum(found, np.stack(session.run(outputs, feeds)))
    # Not a number in float32: larger than anything. It came of an infinity, and would not sort.
    return zip(wanted.values(), np.nan_to_num(found, nan=np.inf, posinf=np.inf).tolist(), strict=True)


def _stored_in_half(model: ir.Model) -> dict[ir.Value, str]:
    """Every value that is float16 or that a Cast stores as such, and what to call it."""
    weights: dict[ir.Value, str] = {}
    called: dict[ir.Value, str] = {}
    found: dict[ir.Value, str] = {}
    for node in model.graph:
        own = next((value.name for value in node.inputs if value is not None and is_stored(value)), None)
        earlier = next((weights[value] for value in node.inputs if value in weights), "the inputs")
        for output in node.outputs:
            weights[output] = own or earlier
            called[output] = f"{node.op_type} {'with' if own else 'after'} {weights[output]}"
            if output.dtype == HALF and node.op_type not in _VIEWS:
                found[output] = called[output]
        source = node.inputs[0] if node.inputs else None
        if node.op_type == "Cast" and node.outputs[0].dtype == HALF and source in called:
            found[source] = called[source]
    return found


def _add_outputs(model: ir.Model, wanted: Iterable[ir.Value]) -> list[str]:
    """Outputs, each one number: the largest magnitude of a value. (Names of the outputs.)"""
    names = []
    for i, value in enumerate(wanted):
        producer = value.producer()
        assert producer is not None
        exact = ir.Node("", "Cast", [value], [ir.AttrInt64("to", FLOAT)])
        size = ir.Node("", "Abs", exact.outputs)
        reduced = ir.Node("", "ReduceMax", size.outputs, [ir.AttrInt64("keepdims", 0)])
        model.graph.insert_after(producer, [exact, size, reduced])
        (largest,) = reduced.outputs
        largest.name, largest.type, largest.shape = f"largest_{i}", ir.TensorType(FLOAT), ir.Shape([])
        model.graph.outputs.append(largest)
        names.append(largest.name)
    return names
