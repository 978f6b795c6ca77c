"""The program of a torch.save file, followed step by step without running anything.

A pickle is a program for a small machine; of its steps only those are followed that put tensors of known types under
names into a dictionary. Any other step, class or function is refused by its name, and so are shapes that their bytes do
not have. (The format: pickletools, torch/serialization.py, torch/_utils.py's _rebuild_tensor_v2.)
"""

import math
import pickletools
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from colibri.errors import ExportError

# Storage class -> safetensors' name of the type, bytes of a value.
_STORAGES = {
    "FloatStorage": ("F32", 4),
    "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2),
    "DoubleStorage": ("F64", 8),
    "LongStorage": ("I64", 8),
}


@dataclass(frozen=True)
class _Global:
    module: str
    name: str


@dataclass(frozen=True)
class _Storage:
    kind: str
    key: str
    count: int


@dataclass(frozen=True)
class PickledTensor:
    """Where one tensor's bytes lie in the zip."""

    dtype: str
    """As safetensors spells it."""
    shape: tuple[int, ...]
    entry: str
    offset: int
    length: int


class _Mark:
    """Where a step that takes all above it stops."""


_DICT = _Global("collections", "OrderedDict")
_REBUILD = _Global("torch._utils", "_rebuild_tensor_v2")
_KNOWN = {_DICT, _REBUILD, *(_Global("torch", name) for name in _STORAGES)}


class Reader:
    """A stack and a memory, as the pickle machine has them, and no way to call anything."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        """root: what stands before data.pkl in the archive."""
        self._archive = archive
        self._root = root
        self._stack: list[Any] = []
        self._memory: dict[int, Any] = {}
        self._steps: dict[str, Callable[[Any], None]] = {
            **dict.fromkeys(("PROTO", "FRAME"), lambda argument: None),
            **dict.fromkeys(_PLAIN, self._stack.append),
            **dict.fromkeys(("BINPUT", "LONG_BINPUT", "PUT"), self._remember),
            **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), self._recall),
            "MEMOIZE": lambda argument: self._remember(len(self._memory)),
            "EMPTY_DICT": lambda argument: self._stack.append({}),
            "EMPTY_TUPLE": lambda argument: self._stack.append(()),
            "MARK": lambda argument: self._stack.append(_Mark()),
            "NONE": lambda argument: self._stack.append(None),
            "NEWTRUE": lambda argument: self._stack.append(True),
            "NEWFALSE": lambda argument: self._stack.append(False),
            "TUPLE": lambda argument: self._stack.append(tuple(self._above_mark())),
            "TUPLE1": lambda argument: self._stack.append(self._last(1)),
            "TUPLE2": lambda argument: self._stack.append(self._last(2)),
            "TUPLE3": lambda argument: self._stack.append(self._last(3)),
            "GLOBAL": lambda argument: self._stack.append(_known(str(argument))),
            "STACK_GLOBAL": lambda argument: self._stack.append(_known(" ".join(map(str, self._last(2))))),
            "BINPERSID": lambda argument: self._stack.append(_storage(self._stack.pop())),
            "REDUCE": lambda argument: self._stack.append(self._made(*self._last(2))),
            "SETITEM": lambda argument: self._put(list(self._last(2))),
            "SETITEMS": lambda argument: self._put(self._above_mark()),
            "BUILD": lambda argument: self._attributes(),
        }

    def run(self, program: bytes) -> Any:
        """What stands on the stack at the end. Raises ExportError for a step that puts no tensor into a dictionary, and
        what a broken program raises."""
        for step, argument, _ in pickletools.genops(program):
            if step.name == "STOP":
                break
            if step.name not in self._steps:
                raise ExportError(f"the step {step.name} is none that puts tensors into a dictionary")
            self._steps[step.name](argument)
        (found,) = self._stack
        return found

    def _remember(self, place: Any) -> None:
        self._memory[int(place)] = self._stack[-1]

    def _recall(self, place: Any) -> None:
        self._stack.append(self._memory[int(place)])

    def _last(self, count: int) -> tuple[Any, ...]:
        if len(self._stack) < count:
            raise IndexError(count)
        items = tuple(self._stack[-count:])
        del self._stack[-count:]
        return items

    def _above_mark(self) -> list[Any]:
        at = max(i for i, value in enumerate(self._stack) if isinstance(value, _Mark))
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def _put(self, items: list[Any]) -> None:
        where = self._stack[-1]
        if not isinstance(where, dict) or len(items) % 2:
            raise ExportError("an item put into no dictionary")
        for name, value in zip(items[::2], items[1::2], strict=True):
            if name in where:
                raise ExportError(f"{name!r:.80} is there twice")
            where[name] = value

    def _attributes(self) -> None:
        """Those of an OrderedDict (state_dict's _metadata): none of them is a tensor."""
        self._stack.pop()
        if not isinstance(self._stack[-1], dict):
            raise ExportError(f"the step BUILD of a {type(self._stack[-1]).__name__}, known of dictionaries only")

    def _made(self, what: Any, arguments: Any) -> Any:
        if what == _DICT and arguments == ():
            return {}
        if what != _REBUILD:
            raise ExportError(f"a call of {what!r:.80}")
        storage, offset, size, stride, _, hooks, *rest = arguments
        if not isinstance(storage, _Storage) or hooks != {} or any(rest):
            raise ExportError("a tensor with hooks or of no storage")
        return self._tensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))

    def _tensor(self, storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]) -> PickledTensor:
        dtype, width = _STORAGES[storage.kind]
        rows = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        whole = all(have == want or size == 1 for have, want, size in zip(stride, rows, shape, strict=True))
        entry = f"{self._root}data/{storage.key}"
        info = self._archive.getinfo(entry)
        count = math.prod(shape)
        fits = min((offset, *shape), default=0) >= 0 and offset + count <= storage.count
        if not whole or not fits or info.compress_type != zipfile.ZIP_STORED or info.file_size != storage.count * width:
            raise ExportError(f"a tensor {shape} of strides {stride} over {info.file_size} bytes of {storage.kind}")
        return PickledTensor(dtype, shape, entry, offset * width, count * width)


_PLAIN = (
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
    *("BININT", "BININT1", "BININT2", "INT", "LONG1", "LONG"),
)


def _known(name: str) -> _Global:
    module, _, last = name.partition(" ")
    found = _Global(module, last)
    if found not in _KNOWN:
        raise ExportError(f"it names {module}.{last}, which is no tensor")
    return found


def _storage(said: Any) -> _Storage:
    kind, storage, key, _, count = said
    if kind != "storage" or not isinstance(storage, _Global) or not re.fullmatch(r"[0-9]{1,9}", str(key)):
        raise ExportError(f"it names {said!r:.80}, which is no storage")
    return _Storage(storage.name, str(key), int(count))
