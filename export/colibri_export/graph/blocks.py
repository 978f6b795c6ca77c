"""The blocks every encoder is made of, in two dialects.

fused     com.microsoft operators of onnxruntime's CPU build: attention never holds a (tokens, tokens) matrix
standard  plain ONNX, opset 20 at most, so that TensorRT, OpenVINO, CoreML and DirectML take the graph whole
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, Protocol

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from colibri_export.weight_file import Stored

Dialect = Literal["fused", "standard"]
OPSET = 20
IR_VERSION = 10
_MICROSOFT = "com.microsoft"
LEAST_GELU = -0.17
"""GELU's minimum is -0.16997 at -0.7518."""


class GraphBuilder:
    """An ONNX graph under construction: call operators, get values; weights stay in their files."""

    def __init__(self, dialect: Dialect, *, masked: bool, in_turns: bool = True) -> None:
        """in_turns: whether what would need memory by the square of the tokens is computed in turns, inside a Loop."""
        self.dialect = dialect
        self.in_turns = in_turns
        self._tape = self._root = ir.tape.Tape()
        self._initializers: dict[str, ir.Value] = {}
        self._shared: dict[str, ir.Value] = {}
        self._loops = 0
        self.ids = self._input("input_ids", ir.DataType.INT64, ["batch", "tokens"])
        self.mask = self._input("attention_mask", ir.DataType.INT64, ["batch", "tokens"]) if masked else None

    def op(
        self, kind: str, *inputs: ir.Value | None, microsoft: bool = False, **attributes: int | float | list[int]
    ) -> ir.Value:
        """Append one operator with one output."""
        return self._tape.op(kind, inputs, attributes, domain=_MICROSOFT if microsoft else "")

    def ops(
        self, kind: str, count: int, *inputs: ir.Value | None, microsoft: bool = False, **attributes: int | float
    ) -> list[ir.Value]:
        """Append one operator with several outputs."""
        domain = _MICROSOFT if microsoft else ""
        return list(self._tape.op_multi_out(kind, inputs, attributes, domain=domain, num_outputs=count))

    def split(self, value: ir.Value, parts: int) -> list[ir.Value]:
        """Equal parts along the last axis."""
        attributes = {"axis": -1, "num_outputs": parts}
        return list(self._tape.op_multi_out("Split", [value], attributes, num_outputs=parts))

    def loop(self, turns: ir.Value, body: Callable[[ir.Value], ir.Value], shape: list[str | int]) -> ir.Value:
        """What `body` makes of a turn's number, stacked along a new first axis.

        turns   an int64 scalar
        body    gets the number (1,) int64, gives float32 of `shape`; may read what was computed before, and sets `ids`
                to those of its turn
        """
        outer = self._tape, self._shared, self.ids
        self._tape, self._shared = ir.tape.Tape(), {}
        name = f"loop{self._loops}"
        self._loops += 1
        number = ir.Value(name=f"{name}_turn", type=ir.TensorType(ir.DataType.INT64), shape=ir.Shape([]))
        going = ir.Value(name=f"{name}_going", type=ir.TensorType(ir.DataType.BOOL), shape=ir.Shape([]))
        made = body(self.op("Unsqueeze", number, self.constant([0])))
        made.type, made.shape = ir.TensorType(ir.DataType.FLOAT), ir.Shape(shape)
        still = self.op("Identity", going)
        still.type, still.shape = going.type, going.shape
        # Names are those of one graph: a body's own would be counted from 0 again.
        for i, value in enumerate(value for node in self._tape.nodes for value in node.outputs):
            value.name = f"{name}_{i}"
        graph = ir.Graph([number, going], [still, made], nodes=self._tape.nodes, name=name)
        self._tape, self._shared, self.ids = outer
        return self._tape.op("Loop", [turns, None], {"body": graph})

    @contextmanager
    def outside(self) -> Iterator[None]:
        """What is computed before every Loop, once, though a turn asks for it."""
        inner, self._tape = self._tape, self._root
        yield
        self._tape = inner

    def weight(self, stored: Stored, dtype: ir.DataType | None = None) -> ir.Value:
        """The initializer over a stored tensor; one for each tensor, however often it is used."""
        return self._initializers.setdefault(stored.name, stored.value(dtype))

    def constant(self, array: NDArray[np.generic] | np.generic | list[int]) -> ir.Value:
        """A small initializer kept inside the graph; lists become int64."""
        value = np.asarray(array, np.int64) if isinstance(array, list) else np.asarray(array)
        flat = value.reshape(-1).tolist()
        values = flat[:1] if len(set(flat)) == 1 else flat
        said = "_".join(map(str, values)) if len(values) <= 8 else hashlib.sha256(value.tobytes()).hexdigest()[:16]
        name = f"{value.dtype}_{'x'.join(map(str, value.shape))}_{said}"
        tensor = ir.tensor(value, name=name)
        made = ir.Value(name=name, type=ir.TensorType(tensor.dtype), shape=ir.Shape(value.shape), const_value=tensor)
        return self._initializers.setdefault(name, made)

    def shared(self, name: str, make: Callable[[], ir.Value]) -> ir.Value:
        """What several layers use and one of them computes."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    def finish(self, outputs: Mapping[str, tuple[ir.Value, int]], name: str) -> ir.Model:
        """Name the outputs (float32, batch x tokens x dim) and close the graph."""
        _name(outputs)
        domains = {node.domain for outer in self._tape.nodes for node in (outer, *_within(outer))}
        graph = ir.Graph(
            [self.ids] if self.mask is None else [self.ids, self.mask],
            [value for value, _ in outputs.values()],
            nodes=self._tape.nodes,
            initializers=list(self._initializers.values()),
            opset_imports={domain: OPSET if domain == "" else 1 for domain in sorted(domains)},
            name=name,
        )
        return ir.Model(graph, ir_version=IR_VERSION, producer_name="colibri")

    def append_to(self, graph: ir.Graph, outputs: Mapping[str, tuple[ir.Value, int]]) -> None:
        """Put what was built on another graph's values behind it; these outputs become its only ones."""
        _name(outputs)
        graph.extend(self._tape.nodes)
        for value in self._initializers.values():
            graph.register_initializer(value)
        graph.outputs[:] = [value for value, _ in outputs.values()]

    def _input(self, name: str, dtype: ir.DataType, shape: list[str | int]) -> ir.Value:
        return ir.Value(name=name, type=ir.TensorType(dtype), shape=ir.Shape(shape))


def _within(node: ir.Node) -> Iterator[ir.Node]:
    """The nodes of a Loop's body."""
    for attribute in node.attributes.values():
        if attribute.type == ir.AttributeType.GRAPH:
            yield from attribute.as_graph()


def _name(outputs: Mapping[str, tuple[ir.Value, int]]) -> None:
    for output, (value, dim) in outputs.items():
        value.name = output
        value.type = ir.TensorType(ir.DataType.FLOAT)
        value.shape = ir.Shape(["batch", "tokens", dim])


class Weights(Protocol):
    """How a precision multiplies: the only thing in which float32 and int8 graphs differ."""

    def stored(self, name: str) -> Stored:
        """A tensor kept in float32: norms, biases, positions."""
        ...

    def embed(self, g: GraphBuilder, ids: ir.Value) -> ir.Value:
        """Vocabulary rows of ids (batch, tokens) -> (batch, tokens, hidden)."""
        ...

    def linear(
        self, g: GraphBuilder, x: ir.Value, name: str, *, bias: bool = False, least: float | None = None
    ) -> ir.Value:
        """x (batch, tokens, inputs) times matrix `name` (inputs, outputs), plus its bias if asked.

        least   what no value of x is below, where that is known
        """
        ...

    def parts(self, g: GraphBuilder, x: ir.Value, name: str, count: int, *, bias: bool = False) -> list[ir.Value]:
        """The same, cut into so many equal parts along the last axis."""
        ...


def normalise(g: GraphBuilder, x: ir.Value) -> ir.Value:
    """Rows of unit L2 norm; a norm below 1e-12 counts as 1e-12, so a zero row stays zero."""
    norm = g.op("ReduceL2", x, g.constant([-1]), keepdims=1)
    return g.op("Div", x, g.op("Max", norm, g.constant(np.float32(1e-12))))


def layer_norm(g: GraphBuilder, w: Weights, x: ir.Value, name: str, epsilon: float, *, bias: bool = True) -> ir.Value:
    """LayerNorm over the last axis."""
    beta = g.weight(w.stored(f"{name}.bias")) if bias else None
    inputs = [x, g.weight(w.stored(f"{name}.weight")), *([beta] if beta else [])]
    return g.op("LayerNormalization", *inputs, axis=-1, epsilon=epsilon)


def add_and_norm(g: GraphBuilder, w: Weights, x: ir.Value, skip: ir.Value, name: str, epsilon: float) -> ir.Value:
    """LayerNorm(x + skip): the end of every post-norm block.

    Not SkipLayerNormalization: onnxruntime computes it value by value, four times slower (benchmarks/NOTES.md).
    """
    return layer_norm(g, w, g.op("Add", x, skip), name, epsilon)


def sum_and_norm(
    g: GraphBuilder, w: Weights, x: ir.Value, skip: ir.Value, name: str, epsilon: float
) -> tuple[ir.Value, ir.Value]:
    """x + skip, and its LayerNorm without bias: what a pre-norm block passes on, and what the next one reads."""
    total = g.op("Add", x, skip)
    return total, layer_norm(g, w, total, name, epsilon, bias=False)


def bias_gelu(g: GraphBuilder, w: Weights, x: ir.Value, bias: str) -> ir.Value:
    """GELU(x + bias), the exact one (erf)."""
    added = g.weight(w.stored(bias))
    if g.dialect == "fused":
        return g.op("BiasGelu", x, added, microsoft=True)
    return gelu(g, g.op("Add", x, added))


def gelu(g: GraphBuilder, x: ir.Value) -> ir.Value:
    """GELU, the exact one (erf)."""
    if g.dialect == "fused":
        return g.op("Gelu", x, microsoft=True)
    erf = g.op("Erf", g.op("Mul", x, g.constant(np.float32(0.5**0.5))))
    return g.op("Mul", g.op("Mul", x, g.constant(np.float32(0.5))), g.op("Add", erf, g.constant(np.float32(1))))


def key_mask(g: GraphBuilder) -> ir.Value | None:
    """The graph's mask as MultiHeadAttention takes it: int32, 0 for keys nobody sees."""
    return None if g.mask is None else g.op("Cast", g.mask, to=ir.DataType.INT32.value)


def additive_mask(g: GraphBuilder) -> ir.Value:
    """(batch, 1, 1, tokens): 0 where attended, -10,000 where not: exp of it is 0 in float32, and it fits float16."""
    assert g.mask is not None
    mask = g.op("Cast", g.mask, to=ir.DataType.FLOAT.value)
    away = g.op("Mul", g.op("Sub", mask, g.constant(np.float32(1))), g.constant(np.float32(10_000)))
    return g.op("Unsqueeze", away, g.constant([1, 2]))
