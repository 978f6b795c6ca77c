"""Self-attention whose scores are lowered with the distance of two tokens (ALiBi, arXiv 2108.12409), both directions.

|i - j| is no product of what i and j have, so no wider head can carry it, and onnxruntime's attention works in blocks
only without a bias: with one it holds all scores, 7.7 GB for 8,192 tokens of jina-colbert-v1-en. In turns of 128
queries inside a Loop nothing of (tokens, tokens) ever exists, and the bits are those of the whole.
"""

import math

import numpy as np
import onnx_ir as ir

from colibri_export.graph.attention import Shape, apart, transpose
from colibri_export.graph.blocks import GraphBuilder, Weights, additive_mask
from colibri_export.graph.turns import in_turns

QUERIES = 128
"""Of a turn: 241 MB a layer for 8,192 tokens; 64 take 173 and a third longer, 512 take 706 (12 heads)."""


def slopes(heads: int) -> list[float]:
    """Of each head: 2^(-8 k / n) for n heads, a power of two; else those of the next lower power of two, and every
    other one of twice as many (ALiBi's own rule, which Bloom's build_alibi_tensor has as well)."""
    power = 2 ** math.floor(math.log2(heads))
    first = [2 ** (-8 * k / power) for k in range(1, power + 1)]
    between = [2 ** (-8 * k / (2 * power)) for k in range(1, 2 * power, 2)]
    return first + between[: heads - power]


def alibi_attention(g: GraphBuilder, w: Weights, x: ir.Value, name: str, shape: Shape) -> ir.Value:
    """Multi-head self-attention with biases, before its output projection. q, k and v come from one product."""
    q, k, v = w.parts(g, x, name, 3, bias=True)
    width = shape.heads * shape.head_size
    steep = g.constant(-np.array(slopes(shape.heads), np.float32)[None, :, None, None])
    columns = g.shared("positions of keys", lambda: _range(g, g.op("Shape", g.ids, start=1, end=2)))
    mask = None if g.mask is None else g.shared("additive mask", lambda: additive_mask(g))
    if g.dialect == "standard":
        k, v = (apart(g, part, shape) for part in (k, v))
        k, v = transpose(g, k, [0, 2, 3, 1]), transpose(g, v, [0, 2, 1, 3])

    def turn(rows: ir.Value, first: ir.Value) -> ir.Value:
        bias = _bias(g, first, columns, steep, mask)
        if g.dialect == "fused":
            inputs = (rows, k, v, None, None, bias)
            return g.op("MultiHeadAttention", *inputs, microsoft=True, num_heads=shape.heads)
        queries = transpose(g, apart(g, rows, shape), [0, 2, 1, 3])
        scores = g.op("Mul", g.op("MatMul", queries, k), g.constant(np.float32(shape.head_size**-0.5)))
        mixed = g.op("MatMul", g.op("Softmax", g.op("Add", scores, bias), axis=-1), v)
        return g.op("Reshape", transpose(g, mixed, [0, 2, 1, 3]), g.constant([0, 0, width]))

    return in_turns(g, q, QUERIES, width, turn)


def _bias(g: GraphBuilder, first: ir.Value, columns: ir.Value, steep: ir.Value, mask: ir.Value | None) -> ir.Value:
    """(batch or 1, heads, queries of this turn, tokens): -slope * distance, and what the mask takes away."""
    rows = g.op("Add", _range(g, g.op("Shape", g.ids, start=1, end=2)), first)
    distance = g.op("Sub", g.op("Unsqueeze", rows, g.constant([1])), g.op("Unsqueeze", columns, g.constant([0])))
    distance = g.op("Cast", g.op("Abs", distance), to=ir.DataType.FLOAT.value)
    bias = g.op("Mul", g.op("Unsqueeze", distance, g.constant([0, 1])), steep)
    return bias if mask is None else g.op("Add", bias, mask)


def _range(g: GraphBuilder, count: ir.Value) -> ir.Value:
    """0, 1, ... before count (1,)."""
    return g.op("Range", g.constant(np.int64(0)), g.op("Squeeze", count, g.constant([0])), g.constant(np.int64(1)))
