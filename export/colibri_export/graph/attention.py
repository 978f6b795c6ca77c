"""Self-attention of every family: plain or rotary, global or within a window."""

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from colibri_export.graph.blocks import GraphBuilder, Weights, additive_mask, key_mask

_UNSEEN = np.float32(-10_000)  # exp of it is 0 in float32, and it fits float16


@dataclass(frozen=True)
class Shape:
    """How a layer's rows are divided among heads, and how far they see."""

    heads: int
    head_size: int
    window: int | None = None
    """Tokens each token sees, itself in the middle; None: all."""


@dataclass(frozen=True)
class Rotary:
    """Rotary positions (arXiv 2104.09864), halves turned against each other as GPT-NeoX does.

    Both (tokens, head_size / 2).
    """

    cos: ir.Value
    sin: ir.Value


def rotary(g: GraphBuilder, base: float, head_size: int) -> Rotary:
    """Angles of tokens 0, 1, ...: position * base^(-2i / head_size).

    Computed in the graph, since a table of them would be as long as the longest document.
    """
    frequencies = (1 / base ** (np.arange(0, head_size, 2, dtype=np.float32) / head_size)).astype(np.float32)
    positions = g.op("Range", g.constant(np.int64(0)), _token_count(g), g.constant(np.int64(1)))
    positions = g.op("Unsqueeze", g.op("Cast", positions, to=ir.DataType.FLOAT.value), g.constant([1]))
    angles = g.op("Mul", positions, g.constant(frequencies[None]))
    return Rotary(g.op("Cos", angles), g.op("Sin", angles))


def attention(g: GraphBuilder, w: Weights, x: ir.Value, name: str, shape: Shape) -> ir.Value:
    """Multi-head self-attention with biases, before its output projection. q, k and v come from one product."""
    q, k, v = w.parts(g, x, name, 3, bias=True)
    if g.dialect == "fused":
        return g.op("MultiHeadAttention", q, k, v, None, key_mask(g), microsoft=True, num_heads=shape.heads)
    q, k, v = (apart(g, part, shape) for part in (q, k, v))
    return _decomposed(g, q, k, v, shape)


def rotary_attention(
    g: GraphBuilder, w: Weights, x: ir.Value, name: str, shape: Shape, turn: Rotary, *, bias: bool
) -> ir.Value:
    """The same with rotary positions, and within `shape.window` where there is one."""
    q, k, v = w.parts(g, x, name, 3, bias=bias)
    if g.dialect == "standard":
        q, k, v = (apart(g, part, shape) for part in (q, k, v))
        return _decomposed(g, _turned(g, q, turn), _turned(g, k, turn), v, shape)
    start = g.constant([0])
    q, k = (
        g.op("RotaryEmbedding", part, start, turn.cos, turn.sin, microsoft=True, num_heads=shape.heads)
        for part in (q, k)
    )
    if shape.window is None:
        return g.op("MultiHeadAttention", q, k, v, None, key_mask(g), microsoft=True, num_heads=shape.heads)
    q, k, v = (apart(g, part, shape) for part in (q, k, v))
    # Only queries have masks, and they are short; documents must not hold (tokens, tokens) scores.
    return _decomposed(g, q, k, v, shape) if g.mask is not None else _blockwise(g, q, k, v, shape)


def _decomposed(g: GraphBuilder, q: ir.Value, k: ir.Value, v: ir.Value, shape: Shape) -> ir.Value:
    """Scores of all pairs. q, k, v (batch, tokens, heads, head_size) -> (batch, tokens, heads * head_size)."""
    q, v = (transpose(g, part, [0, 2, 1, 3]) for part in (q, v))
    scores = g.op("MatMul", q, transpose(g, k, [0, 2, 3, 1]))
    scores = g.op("Mul", scores, g.constant(np.float32(shape.head_size**-0.5)))
    if g.mask is not None:
        scores = g.op("Add", scores, additive_mask(g))
    if shape.window is not None:
        scores = g.op("Add", scores, _window_mask(g, shape.window))
    mixed = g.op("MatMul", g.op("Softmax", scores, axis=-1), v)
    return g.op("Reshape", transpose(g, mixed, [0, 2, 1, 3]), g.constant([0, 0, shape.heads * shape.head_size]))


def _window_mask(g: GraphBuilder, window: int) -> ir.Value:
    """(tokens, tokens): 0 within the window, _UNSEEN outside."""
    positions = g.op("Range", g.constant(np.int64(0)), _token_count(g), g.constant(np.int64(1)))
    distance = g.op(
        "Abs", g.op("Sub", g.op("Unsqueeze", positions, g.constant([1])), g.op("Unsqueeze", positions, g.constant([0])))
    )
    near = g.op("LessOrEqual", distance, g.constant(np.int64(window // 2)))
    return g.op("Where", near, g.constant(np.float32(0)), g.constant(_UNSEEN))


def _blockwise(g: GraphBuilder, q: ir.Value, k: ir.Value, v: ir.Value, shape: Shape) -> ir.Value:
    """Window attention in memory that grows with the tokens, not with their square.

    Queries are cut in blocks as long as the window reaches to one side; a block sees itself and its two neighbours, so
    the scores of a layer are (blocks, heads, reach, 3 * reach). q, k, v (batch, tokens, heads, head_size).
    """
    assert shape.window is not None
    reach = shape.window // 2
    count = _token_count(g)
    one, size = g.constant(np.int64(1)), g.constant(np.int64(reach))
    blocks = g.op("Div", g.op("Add", count, g.op("Sub", size, one)), size)
    padded = g.op("Mul", blocks, size)
    behind = g.op("Unsqueeze", g.op("Sub", padded, count), g.constant([0]))
    q = _pad_tokens(g, q, g.constant([0]), behind)
    around = g.op("Add", behind, g.constant([reach]))
    k, v = (_pad_tokens(g, part, g.constant([reach]), around) for part in (k, v))
    # (batch, blocks, heads, reach, head_size) times (batch, blocks, heads, head_size, 3 * reach)
    q = transpose(g, _in_blocks(g, q, reach, shape), [0, 1, 3, 2, 4])
    k, v = (_neighbours(g, part, padded, reach, shape) for part in (k, v))
    scores = g.op("MatMul", q, transpose(g, k, [0, 1, 3, 4, 2]))
    scores = g.op("Mul", scores, g.constant(np.float32(shape.head_size**-0.5)))
    scores = g.op("Add", scores, _block_mask(g, blocks, count, reach))
    mixed = g.op("MatMul", g.op("Softmax", scores, axis=-1), transpose(g, v, [0, 1, 3, 2, 4]))
    joined = g.op("Reshape", transpose(g, mixed, [0, 1, 3, 2, 4]), g.constant([0, -1, shape.heads * shape.head_size]))
    end = g.op("Unsqueeze", count, g.constant([0]))
    return g.op("Slice", joined, g.constant([0]), end, g.constant([1]))


def _block_mask(g: GraphBuilder, blocks: ir.Value, count: ir.Value, reach: int) -> ir.Value:
    """(blocks, 1, reach, 3 * reach): 0 for keys that exist and lie within reach, _UNSEEN for the others."""
    row, column = np.arange(reach)[:, None], np.arange(3 * reach)[None]
    near = g.constant(np.abs(row + reach - column) <= reach)
    first = g.op("Range", g.constant(np.int64(0)), blocks, g.constant(np.int64(1)))
    first = g.op("Unsqueeze", g.op("Mul", first, g.constant(np.int64(reach))), g.constant([1, 2, 3]))
    keys = g.op("Add", first, g.constant(np.arange(-reach, 2 * reach, dtype=np.int64)[None, None, None]))
    exists = g.op("And", g.op("GreaterOrEqual", keys, g.constant(np.int64(0))), g.op("Less", keys, count))
    return g.op("Where", g.op("And", exists, near), g.constant(np.float32(0)), g.constant(_UNSEEN))


def _neighbours(g: GraphBuilder, x: ir.Value, padded: ir.Value, reach: int, shape: Shape) -> ir.Value:
    """Each block with the one before and the one after: (batch, blocks, 3 * reach, heads, head_size)."""
    shifted = []
    for shift in (0, reach, 2 * reach):
        end = g.op("Unsqueeze", g.op("Add", padded, g.constant(np.int64(shift))), g.constant([0]))
        shifted.append(_in_blocks(g, g.op("Slice", x, g.constant([shift]), end, g.constant([1])), reach, shape))
    return g.op("Concat", *shifted, axis=2)


def _in_blocks(g: GraphBuilder, x: ir.Value, reach: int, shape: Shape) -> ir.Value:
    """(batch, blocks, reach, heads, head_size)."""
    return g.op("Reshape", x, g.constant([0, -1, reach, shape.heads, shape.head_size]))


def _pad_tokens(g: GraphBuilder, x: ir.Value, before: ir.Value, after: ir.Value) -> ir.Value:
    return g.op("Pad", x, g.op("Concat", before, after, axis=0), None, g.constant([1]))


def _turned(g: GraphBuilder, x: ir.Value, turn: Rotary) -> ir.Value:
    """x (batch, tokens, heads, head_size)."""
    cos, sin = (g.op("Unsqueeze", part, g.constant([1])) for part in (turn.cos, turn.sin))
    left, right = g.split(x, 2)
    turned_left = g.op("Sub", g.op("Mul", left, cos), g.op("Mul", right, sin))
    turned_right = g.op("Add", g.op("Mul", right, cos), g.op("Mul", left, sin))
    return g.op("Concat", turned_left, turned_right, axis=-1)


def apart(g: GraphBuilder, x: ir.Value, shape: Shape) -> ir.Value:
    """(batch, tokens, heads * head_size) -> (batch, tokens, heads, head_size)."""
    return g.op("Reshape", x, g.constant([0, 0, shape.heads, shape.head_size]))


def _token_count(g: GraphBuilder) -> ir.Value:
    """A scalar."""
    return g.op("Squeeze", g.op("Shape", g.ids, start=1, end=2), g.constant([0]))


def transpose(g: GraphBuilder, x: ir.Value, order: list[int]) -> ir.Value:
    """The axes in another order."""
    return g.op("Transpose", x, perm=order)
