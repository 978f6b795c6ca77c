"""Graphs and weight files with fewer rows in their vocabulary tables.

A table is an initializer with a row for each id that a Gather reads by the ids of the text. All else is copied byte by
byte; only where it lies in its file may change.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from colibri.errors import ExportError

_ALIGNMENT = 64  # as weight_file has it
_BLOCK_BYTES = 8 << 20
_BLOCK_ROWS = 4_096
_SAME_IDS = ("Cast", "Identity", "Reshape", "Unsqueeze")  # what only changes the form of ids

Place = tuple[str, int, int]
"""File, offset and length of a tensor outside its graph."""


@dataclass
class Graphs:
    """All graphs of an artefact, which share weight files."""

    folder: Path
    vocabulary: int
    models: dict[str, onnx.ModelProto] = field(default_factory=dict)
    """By file name."""
    tables: dict[Place, bool] = field(default_factory=dict)
    """Every tensor outside the graphs, and whether it is a table."""

    def read(self, name: str) -> None:
        """Read one more graph. Raises ExportError where its vocabulary cannot be told from the rest."""
        model = onnx.load(self.folder / name, load_external_data=False)
        names = _tables(model.graph, self.vocabulary, name)
        for tensor in tensors(model.graph):
            if _is_outside(tensor):
                place, is_table = self._place(tensor), tensor.name in names
                if self.tables.setdefault(place, is_table) != is_table:
                    raise ExportError(f"{name}: {tensor.name} is a vocabulary table here and none in another graph")
        self.models[name] = model

    def write(self, folder: Path, kept: Sequence[int]) -> None:
        """Write graphs and weight files with the rows of these ids, in this order."""
        rows = np.array(kept, np.int64)
        moved: dict[Place, Place] = {}
        for file in sorted({place[0] for place in self.tables}):
            moved |= self._cut(folder, file, rows)
        for name, model in self.models.items():
            names = _tables(model.graph, self.vocabulary, name)
            for tensor in tensors(model.graph):
                if _is_outside(tensor):
                    _move(tensor, moved[self._place(tensor)])
                elif tensor.name in names:
                    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[rows], tensor.name))
                if tensor.name in names:
                    tensor.dims[0] = rows.size
            for value in (*model.graph.value_info, *model.graph.input):
                if value.name in names:
                    value.type.tensor_type.shape.dim[0].dim_value = rows.size
            (folder / name).write_bytes(model.SerializeToString(deterministic=True))

    def _place(self, tensor: onnx.TensorProto) -> Place:
        said = {entry.key: entry.value for entry in tensor.external_data}
        file, offset = said["location"], int(said.get("offset", 0))
        return file, offset, int(said.get("length") or (self.folder / file).stat().st_size - offset)

    def _cut(self, folder: Path, file: str, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> dict[Place, Place]:
        """One weight file, its tables cut; where each tensor lies now."""
        places = sorted(place for place in self.tables if place[0] == file)
        if not any(self.tables[place] for place in places):
            shutil.copyfile(self.folder / file, folder / file)
            return {place: place for place in places}
        whole = np.memmap(self.folder / file, np.uint8, "r")
        moved, end = {}, 0
        with (folder / file).open("wb") as target:
            for place in places:
                _, offset, length = place
                if offset < end:
                    raise ExportError(f"{file}: tensors overlap at byte {offset}")
                end = offset + length
                target.write(b"\0" * (-target.tell() % _ALIGNMENT))
                begin = target.tell()
                if self.tables[place]:
                    table = whole[offset:end].reshape(self.vocabulary, -1)
                    for start in range(0, rows.size, _BLOCK_ROWS):
                        target.write(table[rows[start : start + _BLOCK_ROWS]].data)
                else:
                    for start in range(offset, end, _BLOCK_BYTES):
                        target.write(whole[start : min(start + _BLOCK_BYTES, end)].data)
                moved[place] = (file, begin, target.tell() - begin)
        return moved


def tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every tensor of a graph: initializers and attributes, those of graphs within it as well."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in _inner(attribute):
                yield from tensors(inner)


def _inner(attribute: onnx.AttributeProto) -> list[onnx.GraphProto]:
    return [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in _inner(attribute):
                yield from _nodes(inner)


def _tables(graph: onnx.GraphProto, vocabulary: int, file: str) -> set[str]:
    """Names of the vocabulary tables. Raises ExportError for none, or for one that is read in another way as well."""
    ids = {"input_ids"}
    for node in graph.node:
        if node.op_type in _SAME_IDS and node.input[0] in ids:
            ids.update(node.output)
    sized = {tensor.name for tensor in graph.initializer if tensor.dims and tensor.dims[0] == vocabulary}
    by_ids = {
        node.output[0]: node.input[0]
        for node in graph.node
        if node.op_type == "Gather"
        and node.input[1] in ids
        and node.input[0] in sized
        and not any(attribute.name == "axis" and attribute.i for attribute in node.attribute)
    }
    found = set(by_ids.values())
    if not found:
        raise ExportError(f"{file}: no Gather of input_ids over {vocabulary} rows, so its vocabulary cannot be cut")
    for node in _nodes(graph):
        others = found.intersection(node.input)
        if others and node.output[0] not in by_ids:
            raise ExportError(f"{file}: {node.op_type} {node.name} reads the vocabulary {', '.join(others)} as well")
    return found


def _is_outside(tensor: onnx.TensorProto) -> bool:
    return tensor.data_location == onnx.TensorProto.EXTERNAL


def _move(tensor: onnx.TensorProto, place: Place) -> None:
    del tensor.external_data[:]
    for key, value in zip(("location", "offset", "length"), place, strict=True):
        tensor.external_data.add(key=key, value=str(value))
