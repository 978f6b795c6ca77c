"""Matrices and vocabulary in float32 and in int8: the only thing in which graphs of the two differ."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import onnx_ir as ir

from colibri_export.graph.blocks import GraphBuilder
from colibri_export.weight_file import Stored
from colibri_export.weights import BLOCK

_BY_ROW = ("ffn_in", "ffn_out")  # products whose activations differ most in size from row to row
_TINIEST = np.float32(1e-14)  # scale of a row of zeros
_BELOW_ZERO = 8  # one step in so many, where values are known to be hardly negative (GELU's: -0.17 at least)

Int8Kind = Literal["s8", "s8a7", "u8"]


class FloatWeights:
    """float32 matrices and vocabulary."""

    def __init__(self, tensors: Mapping[str, Stored]) -> None:
        self._tensors = tensors

    def stored(self, name: str) -> Stored:
        return self._tensors[name]

    def embed(self, g: GraphBuilder, ids: ir.Value) -> ir.Value:
        return g.op("Gather", g.weight(self._tensors["word"]), ids, axis=0)

    def linear(
        self, g: GraphBuilder, x: ir.Value, name: str, *, bias: bool = False, least: float | None = None
    ) -> ir.Value:
        product = g.op("MatMul", x, g.weight(self._tensors[f"{name}.weight"]))
        return g.op("Add", product, g.weight(self._tensors[f"{name}.bias"])) if bias else product

    def parts(self, g: GraphBuilder, x: ir.Value, name: str, count: int, *, bias: bool = False) -> list[ir.Value]:
        return g.split(self.linear(g, x, name, bias=bias), count)


class Int8Weights:
    """int8 matrices, multiplied with activations that are quantised as they come; a 4-bit or 8-bit vocabulary.

    All kinds have the same bytes and are exact where they run:

    s8    weights as stored, activations of 8 bits; where the CPU multiplies u8 x s8 into 32 bits (VNNI, AMX, ARM)
    s8a7  weights as stored, activations of 7 bits (0 to 128 at most); everywhere. Other x86 adds two products of bytes
          up in 16 bits that saturate, and 2 x 128 x 127 = 32,512 fits them: 1.1 times as fast as u8 with AVX2, at some
          cost in closeness (benchmarks/NOTES.md)
    u8    weights read as uint8 with the top bit flipped (one BitwiseXor that onnxruntime folds when it loads), zero
          point 128, activations of 8 bits; everywhere, as products of 16 bits. The rows of s8
    """

    def __init__(self, tensors: Mapping[str, Stored], kind: Int8Kind) -> None:
        self._tensors = tensors
        self._kind = kind
        self._top = 127 if kind == "s8a7" else 255

    def stored(self, name: str) -> Stored:
        return self._tensors[name]

    def embed(self, g: GraphBuilder, ids: ir.Value) -> ir.Value:
        """Gathers packed rows first and unpacks only those, in float32: GatherBlockQuantized would round to float16."""
        scales = self._tensors["word.scales"]
        if "word.integers" in self._tensors:
            rows = g.op("Gather", g.weight(self._tensors["word.integers"]), ids, axis=0)
            blocks = g.op("Reshape", rows, g.constant([0, 0, -1, BLOCK]))
            centred = g.op("Cast", blocks, to=ir.DataType.FLOAT.value)
        else:
            packed = g.op("Gather", g.weight(self._tensors["word.nibbles"]), ids, axis=0)
            packed = g.op("Reshape", packed, g.constant([0, 0, -1, BLOCK // 2]))
            low = g.op("BitwiseAnd", packed, g.constant(np.uint8(15)))
            high = g._tape.op("BitShift", [packed, g.constant(np.uint8(4))], {"direction": "RIGHT"})
            integers = g.op("Cast", g.op("Concat", low, high, axis=-1), to=ir.DataType.FLOAT.value)
            centred = g.op("Sub", integers, g.constant(np.float32(8)))
        scale = g.op("Cast", g.op("Gather", g.weight(scales), ids, axis=0), to=ir.DataType.FLOAT.value)
        rows = g.op("Mul", centred, g.op("Unsqueeze", scale, g.constant([-1])))
        return g.op("Reshape", rows, g.constant([0, 0, scales.shape[1] * BLOCK]))

    def linear(
        self, g: GraphBuilder, x: ir.Value, name: str, *, bias: bool = False, least: float | None = None
    ) -> ir.Value:
        if name.endswith(_BY_ROW):
            return self._by_row(g, x, name, bias=bias, least=least)
        stored = self._tensors[f"{name}.weight"]
        scale = g.weight(self._tensors[f"{name}.weight.scale"])
        added = g.weight(self._tensors[f"{name}.bias"]) if bias else None
        matrix, zero = self._matrix(g, stored)
        if self._kind != "s8a7":
            return g.op("DynamicQuantizeMatMul", x, matrix, scale, zero, added, microsoft=True)
        integers, size, middle = self._as_a_whole(g, x)
        return g.op("MatMulIntegerToFloat", integers, matrix, size, scale, middle, zero, added, microsoft=True)

    def parts(self, g: GraphBuilder, x: ir.Value, name: str, count: int, *, bias: bool = False) -> list[ir.Value]:
        """x is quantised once; onnxruntime cuts the weights when it loads, cheaper than cutting each result."""
        stored = self._tensors[f"{name}.weight"]
        width = stored.shape[1] // count
        integers, size, middle = self._as_a_whole(g, x)
        matrix, zero = self._matrix(g, stored)
        vectors = [g.weight(self._tensors[f"{name}.{what}"]) for what in ("weight.scale", *(["bias"] if bias else []))]
        found = []
        for part in range(count):
            columns = g.constant([part * width]), g.constant([(part + 1) * width])
            cut = g.op("Slice", matrix, *columns, g.constant([1]))
            scale, *added = (g.op("Slice", vector, *columns, g.constant([0])) for vector in vectors)
            points = None if zero is None else g.constant(np.full(width, 128, np.uint8))
            inputs = [integers, cut, size, scale, middle, points, *added]
            found.append(g.op("MatMulIntegerToFloat", *inputs, microsoft=True))
        return found

    def _as_a_whole(self, g: GraphBuilder, x: ir.Value) -> list[ir.Value]:
        """x in integers, their size, and the integer that is zero; all of x alike, from its least to its largest value.

        In 7 bits as DynamicQuantizeLinear does it in 8. Two halves may be rounded up, so the largest integer is 128.
        """
        if self._kind != "s8a7":
            return g.ops("DynamicQuantizeLinear", 3, x, microsoft=False)
        nothing = g.constant(np.float32(0))
        most = g.op("Max", g.op("ReduceMax", x, keepdims=0), nothing)
        least = g.op("Min", g.op("ReduceMin", x, keepdims=0), nothing)
        size = g.op("Mul", g.op("Sub", most, least), g.constant(np.float32(1 / self._top)))
        size = g.op("Max", size, g.constant(_TINIEST))
        middle = g.op("Round", g.op("Div", g.op("Neg", least), size))
        middle = g.op("Cast", middle, to=ir.DataType.UINT8.value)
        return [g.op("QuantizeLinear", x, size, middle), size, middle]

    def _by_row(self, g: GraphBuilder, x: ir.Value, name: str, *, bias: bool, least: float | None) -> ir.Value:
        """Each row of x quantised by a scale of its own, which the row of the product is multiplied with again.

        onnxruntime's products have one activation scale for all rows: mean cosine .9886 instead of .9963
        (benchmarks/NOTES.md).
        """
        stored = self._tensors[f"{name}.weight"]
        flat = g.op("Reshape", x, g.constant([-1, stored.shape[0]]))
        zero_at = (self._top + 1) // (2 if least is None else _BELOW_ZERO)
        largest = g.op("ReduceMax", flat if least is not None else g.op("Abs", flat), g.constant([1]), keepdims=1)
        smallest = _TINIEST if least is None else np.float32(-least / zero_at)
        steps = g.constant(np.float32(1 / (self._top - zero_at)))
        size = g.op("Max", g.op("Mul", largest, steps), g.constant(smallest))

        def zeros() -> ir.Value:
            rows = g.op("Shape", g.op("Reshape", g.ids, g.constant([-1])))
            return g.op("Expand", g.constant(np.uint8(zero_at)), rows)

        points = g.shared(f"zero points {zero_at}", zeros)
        integers = g.op("QuantizeLinear", flat, g.op("Reshape", size, g.constant([-1])), points, axis=0)
        matrix, zero = self._matrix(g, stored)
        scale = g.weight(self._tensors[f"{name}.weight.scale"])
        one, middle = g.constant(np.float32(1)), g.constant(np.uint8(zero_at))
        product = g.op("MatMulIntegerToFloat", integers, matrix, one, scale, middle, zero, microsoft=True)
        product = g.op("Mul", product, size)
        product = g.op("Add", product, g.weight(self._tensors[f"{name}.bias"])) if bias else product
        return g.op("Reshape", product, g.op("Concat", g.op("Shape", g.ids), g.constant([stored.shape[1]]), axis=0))

    def _matrix(self, g: GraphBuilder, stored: Stored) -> tuple[ir.Value, ir.Value | None]:
        """A matrix as this CPU takes it, and its zero points (none: all 0)."""
        if self._kind != "u8":
            return g.weight(stored), None
        with g.outside():
            flipped = g.op("BitwiseXor", g.weight(stored, ir.DataType.UINT8), g.constant(np.uint8(0x80)))
        return flipped, g.constant(np.full(stored.shape[1], 128, np.uint8))
