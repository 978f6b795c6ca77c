"""Long inputs in turns of so many tokens, inside a Loop: memory then grows with a turn's tokens."""

from collections.abc import Callable

import onnx_ir as ir

from colibri_export.graph.blocks import GraphBuilder

Turn = Callable[[ir.Value, ir.Value], ir.Value]


def in_turns(g: GraphBuilder, x: ir.Value, most: int, width: int, turn: Turn) -> ir.Value:
    """x (batch, tokens, inputs) -> (batch, tokens, width), computed for at most `most` tokens at once.

    turn(rows (batch, size, inputs), first) -> (batch, size, width); first is the position of the first of them, int64
    (1,). All turns have one size, the tokens divided by the fewest turns that do, so a short text is one turn without
    padding, and a long one has a turn's worth of padding less one at most: rows that `turn` must keep to themselves.
    """
    if not g.in_turns:
        return turn(x, g.constant([0]))
    one, limit = g.constant([1]), g.constant([most])
    count = g.op("Shape", g.ids, start=1, end=2)
    turns = _divided_up(g, count, limit, one)
    size = _divided_up(g, count, turns, one)
    behind = g.op("Sub", g.op("Mul", turns, size), count)
    padding = g.op("Concat", g.constant([0]), behind, axis=0)
    padded, ids = (g.op("Pad", value, padding, None, one) for value in (x, g.ids))

    def body(number: ir.Value) -> ir.Value:
        first = g.op("Mul", number, size)
        end = g.op("Add", first, size)
        g.ids = g.op("Slice", ids, first, end, one)
        return turn(g.op("Slice", padded, first, end, one), first)

    stacked = g.loop(g.op("Squeeze", turns, g.constant([0])), body, ["batch", "turn", width])
    ordered = g.op("Transpose", stacked, perm=[1, 0, 2, 3])
    return g.op("Slice", g.op("Reshape", ordered, g.constant([0, -1, width])), g.constant([0]), count, one)


def _divided_up(g: GraphBuilder, x: ir.Value, by: ir.Value, one: ir.Value) -> ir.Value:
    """x / by, rounded up."""
    return g.op("Div", g.op("Add", x, g.op("Sub", by, one)), by)
