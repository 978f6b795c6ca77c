"""From the backbone's rows to token vectors: a head's layers, then unit length."""

from collections.abc import Sequence

import onnx_ir as ir

from colibri_export.graph.blocks import GraphBuilder, gelu, normalise
from colibri_export.weights import StoredDense


def token_vectors(g: GraphBuilder, rows: ir.Value, layers: Sequence[StoredDense]) -> ir.Value:
    """rows (batch, tokens, hidden) -> (batch, tokens, dim), each of length 1."""
    for layer in layers:
        rows = _dense(g, rows, layer)
    return normalise(g, rows)


def _dense(g: GraphBuilder, rows: ir.Value, layer: StoredDense) -> ir.Value:
    x = g.op("MatMul", rows, g.weight(layer.weight))
    if layer.bias is not None:
        x = g.op("Add", x, g.weight(layer.bias))
    match layer.activation:
        case "GELU":
            x = gelu(g, x)
        case "ReLU":
            x = g.op("Relu", x)
        case "Tanh":
            x = g.op("Tanh", x)
    if layer.residual is None:
        return x
    kept = rows if isinstance(layer.residual, str) else g.op("MatMul", rows, g.weight(layer.residual))
    return g.op("Add", x, kept)
