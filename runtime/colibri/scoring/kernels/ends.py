"""A document's end as LLVM IR: maxima of its last similarities, what they come to, and the sum over query tokens."""

from llvmlite import ir

from colibri.scoring.kernels.emit import F32, I32, I64, Builder, Value, lanes, larger, load, spread, store
from colibri.scoring.kernels.tile import LANES


def emit_fold(b: Builder, width: int, groups: int, similarities: Value, tokens: Value, best: Value) -> None:
    """Raise the maxima at `best` by `tokens` (at least one) stored rows of similarities."""
    registers, nbytes, kind = groups * LANES // width, 4 * width, ir.VectorType(F32, width)
    before = [load(b, best, r * nbytes, kind) for r in range(registers)]
    entry, loop, done = b.block, b.append_basic_block("token"), b.append_basic_block("folded")
    b.branch(loop)
    b.position_at_end(loop)
    token, row = b.phi(I64), b.phi(I64)
    maxima = [b.phi(kind) for _ in range(registers)]
    raised = [larger(b, load(b, row, r * nbytes, kind), maxima[r]) for r in range(registers)]
    following = b.add(token, I64(1))
    for phi, first, then in (
        (token, I64(0), following),
        (row, similarities, b.add(row, I64(registers * nbytes))),
        *zip(maxima, before, raised, strict=True),
    ):
        phi.add_incoming(first, entry)
        phi.add_incoming(then, loop)
    b.cbranch(b.icmp_signed("<", following, tokens), loop, done)
    b.position_at_end(done)
    for r, value in enumerate(raised):
        store(b, value, best, r * nbytes)


def emit_finish(b: Builder, groups: int, best: Value, finals: Value, total: Value, add: Value, halved: Value) -> None:
    """A document's end: total (16 lanes) = (total if add else 0) + best x finals, group by group; best = -inf.

    halved: whether maxima below zero are half of what they mean (see tile.FLOAT_BITS).
    """
    kind = ir.VectorType(F32, LANES)
    factor = spread(b, b.select(halved, ir.Constant(F32, 2.0), ir.Constant(F32, 1.0)), LANES)
    before = load(b, total, 0, kind)
    for g in range(groups):
        value = load(b, best, 64 * g, kind)
        value = b.select(b.fcmp_ordered("<", value, ir.Constant(kind, [0.0] * LANES)), b.fmul(value, factor), value)
        part = b.fmul(value, load(b, finals, 64 * g, kind))
        store(b, ir.Constant(kind, [float("-inf")] * LANES), best, 64 * g)
        before = b.fadd(before, part) if g else b.select(add, b.fadd(before, part), part)
    store(b, before, total, 0)


def emit_sum(b: Builder, total: Value) -> Value:
    """16 lanes to one number: the upper half onto the lower, four times. This order is part of the score's meaning."""
    value, count = load(b, total, 0, ir.VectorType(F32, LANES)), LANES
    while count > 1:
        count //= 2
        value = b.fadd(lanes(b, value, range(count)), lanes(b, value, range(count, 2 * count)))
    return b.extract_element(value, I32(0))
