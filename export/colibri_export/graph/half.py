"""float16 graphs: a pass over a finished graph whose stored matrices are float16, so that no builder knows of it.

A node computes in
1. float32, where it is a LayerNorm, a softmax or an L2 norm, or turns positions into angles;
2. float16, where it multiplies by a stored matrix, a head's float32 one as well: TensorRT-RTX has no float32 product
   for Turing (compute capability 75);
3. else in the type its stored weights have: float16, but for what belongs to a norm;
4. else in float32, where only float32 nodes read a sum: on its way into LayerNorm or softmax. So the residual stream,
   the scaled scores and their mask never see float16's 65,504;
5. else in float16, where any input is float16; what is left (positions, masks) stays float32.

`in_half` makes such a graph, `in_float32` a graph that computes the same in float32, over the same files.
"""

from collections.abc import Callable

import numpy as np
import onnx
import onnx_ir as ir

from colibri.errors import ExportError

FLOAT, HALF = ir.DataType.FLOAT, ir.DataType.FLOAT16
_FLOATS = {FLOAT, HALF}
_EXACT = {"LayerNormalization", "Softmax", "ReduceL2", "Sin", "Cos"}
_PRODUCTS = {"MatMul", "Gemm"}
_SUMS = {"Add", "Sub", "Mul", "Div", "Where"}
_INTEGERS_AND_TRUTHS = {"tensor(bool)": ir.DataType.BOOL, "tensor(int64)": ir.DataType.INT64}


def in_half(model: ir.Model) -> None:
    """Give every node of a standard graph its type, with casts between them. Outputs stay float32."""
    exact: set[ir.Node] = set()
    for node in reversed(list(model.graph)):
        if node.op_type in _EXACT or (node.op_type not in _PRODUCTS and _is_exact(node, exact)):
            exact.add(node)

    def kind(node: ir.Node) -> ir.DataType:
        if node in exact:
            return FLOAT
        multiplies = node.op_type in _PRODUCTS and any(is_stored(value) for value in node.inputs)
        halves = any(v is not None and v.dtype == HALF and not _is_constant(v) for v in node.inputs)
        return HALF if multiplies or halves else FLOAT

    _Retype(model, kind).run()


def in_float32(model: ir.Model) -> None:
    """Let every node compute in float32; a stored float16 weight is cast where it is used, a table after its Gather."""

    def kind(node: ir.Node) -> ir.DataType:
        picks = node.op_type in {"Gather", "Slice"} and is_stored(node.inputs[0])
        return node.inputs[0].dtype if picks and node.inputs[0] is not None and node.inputs[0].dtype else FLOAT

    for node in model.graph:
        if node.op_type == "Cast" and node.attributes["to"].as_int() == HALF:
            node.attributes["to"] = ir.AttrInt64("to", FLOAT)
    _Retype(model, kind).run()


def is_stored(value: ir.Value | None) -> bool:
    """Whether a value is a tensor in a weight file."""
    return value is not None and isinstance(value.const_value, ir.ExternalTensor)


def _is_exact(node: ir.Node, exact: set[ir.Node]) -> bool:
    """By rules 3 and 4, when all that come after the node are known."""
    stored = {value.dtype for value in node.inputs if value is not None and is_stored(value)}
    if stored & _FLOATS:
        return FLOAT in stored
    return node.op_type in _SUMS and all(reader in exact for value in node.outputs for reader in value.consumers())


def _is_constant(value: ir.Value) -> bool:
    return value.const_value is not None and not is_stored(value)


class _Retype:
    """One walk from the inputs to the outputs: every value learns its type, every float input gets its node's."""

    def __init__(self, model: ir.Model, kind: Callable[[ir.Node], ir.DataType]) -> None:
        self._graph = model.graph
        self._kind = kind
        self._opset = model.opset_imports[""]
        self._copies: dict[tuple[ir.Value, ir.DataType], ir.Value] = {}

    def run(self) -> None:
        for node in list(self._graph):
            kind = self._kind(node)
            for i, value in enumerate(node.inputs):
                if value is not None and value.dtype in _FLOATS and value.dtype != kind and node.op_type != "Cast":
                    node.replace_input_with(i, self._copy(value, kind, node))
            for output in node.outputs:
                output.type = ir.TensorType(self._output_type(node))
        for i, output in enumerate(self._graph.outputs):
            if output.dtype != FLOAT:
                raise ExportError(f"output {self._graph.outputs[i].name}: {output.dtype}, wanted float32")
        for name in [name for name, value in self._graph.initializers.items() if not value.consumers()]:
            del self._graph.initializers[name]

    def _copy(self, value: ir.Value, kind: ir.DataType, reader: ir.Node) -> ir.Value:
        """The value in another type; made once, before the first node that reads it."""
        made = self._copies.get((value, kind))
        if made is None:
            made = self._constant(value, kind) if _is_constant(value) else self._cast(value, kind, reader)
            self._copies[value, kind] = made
        return made

    def _cast(self, value: ir.Value, kind: ir.DataType, reader: ir.Node) -> ir.Value:
        node = ir.Node("", "Cast", [value], [ir.AttrInt64("to", kind)])
        (made,) = node.outputs
        made.type, made.shape = ir.TensorType(kind), value.shape
        self._graph.insert_before(reader, node)
        return made

    def _constant(self, value: ir.Value, kind: ir.DataType) -> ir.Value:
        assert value.const_value is not None
        exact = value.const_value.numpy()
        with np.errstate(over="ignore"):
            array = exact.astype(kind.numpy())
        if np.isinf(array).any() or ((array == 0) & (exact != 0)).any():
            raise ExportError(f"constant {value.name}: cannot be told in {kind.name}")
        name = f"{value.name}.{kind.name.lower()}"
        tensor = ir.tensor(array, name=name)
        made = ir.Value(name=name, type=ir.TensorType(kind), shape=ir.Shape(array.shape), const_value=tensor)
        self._graph.register_initializer(made)
        return made

    def _output_type(self, node: ir.Node) -> ir.DataType:
        """By ONNX's own description of the operator: that of an input, or one that is always the same."""
        if node.op_type == "Cast":
            return ir.DataType(node.attributes["to"].as_int())
        schema = onnx.defs.get_schema(node.op_type, self._opset)
        wanted = schema.outputs[0].type_str
        for i, value in enumerate(node.inputs):
            formal = schema.inputs[min(i, len(schema.inputs) - 1)]
            if formal.type_str == wanted and value is not None and value.dtype is not None:
                return value.dtype
        allowed = next((c.allowed_type_strs for c in schema.type_constraints if c.type_param_str == wanted), [wanted])
        if len(allowed) != 1 or allowed[0] not in _INTEGERS_AND_TRUTHS:
            raise ExportError(f"{node.op_type}: the type of its output is not known to the float16 pass")
        return _INTEGERS_AND_TRUTHS[allowed[0]]
