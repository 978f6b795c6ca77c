"""Rows: one array that answers to the methods torch's tensors have, for programs that do not import torch.

No subclass of ndarray: there `size`, `max` and `transpose` mean other things. numpy takes it through `__array__`, torch
through DLPack and `__torch_function__`; neither copies.
"""

import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from colibri.compat import reductions
from colibri.compat.not_here import not_here
from colibri.compat.reductions import Dim, Pair
from colibri.errors import InputError

Float: TypeAlias = float  # in the class these names are methods
Int: TypeAlias = int
Bool: TypeAlias = bool

_TYPES = {"float": "float32", "half": "float16", "double": "float64", "long": "int64", "int": "int32", "bool": "bool"}
_TYPES |= {f"{name.capitalize()}Tensor": dtype for name, dtype in _TYPES.items()}


def _reduced(reduce: Callable[..., Any], meaning: str) -> Callable[..., Any]:
    def method(self: "Rows", dim: Dim = None, keepdim: bool = False, *, axis: Dim = None, dtype: Any = None) -> "Rows":
        array = self.numpy() if dtype is None else self.to(dtype=dtype).numpy()
        return Rows(reduce(array, reductions.axes(dim if axis is None else axis), keepdim))

    method.__doc__ = meaning
    return method


def _extreme(find: Callable[..., Any], all_of: Callable[..., Any], pairwise: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: "Rows", dim: Any = None, keepdim: bool = False, *, axis: Int | None = None) -> Any:
        """Of all values; along `dim` a pair (values, indices); with another array, value by value."""
        along = dim if axis is None else axis
        if along is None:
            return Rows(all_of(self.numpy()))
        if not isinstance(along, int):
            return Rows(pairwise(self.numpy(), _plain(along)))
        found = reductions.extreme(self.numpy(), along, keepdim, find)
        return Pair(Rows(found.values), Rows(found.indices))

    return method


def _binary(operate: Callable[[Any, Any], Any], *, turned: bool = False) -> Callable[["Rows", Any], Any]:
    def method(self: "Rows", other: Any) -> Any:
        if _is_tensor(other):  # the other way round torch would be asked, and answers with a tensor
            return operate(*((other, _tensors(self)) if turned else (_tensors(self), other)))
        left, right = (_plain(other), self.numpy()) if turned else (self.numpy(), _plain(other))
        found = operate(left, right)
        return found if found is NotImplemented else Rows(found)

    return method


class Rows:
    """Wraps one numpy array, of any shape and dtype. What its methods give are Rows; they share its memory where
    torch's share. `dim` is an axis, counted from the end when negative; where it is left out all values count."""

    # numpy's operators then leave `array @ rows` to us, and a Rows comes out.
    __array_priority__ = 100
    is_cuda = False
    requires_grad = False
    grad = None
    device = "cpu"
    """Rows come back to the host whatever the model ran on."""

    def __init__(self, array: Any) -> None:
        self._array: NDArray[Any] = np.asarray(_plain(array))

    shape = property(lambda self: self._array.shape, doc="Lengths of its axes.")
    ndim = property(lambda self: self._array.ndim, doc="How many axes.")
    dtype = property(lambda self: self._array.dtype, doc="numpy's dtype.")
    nbytes = property(lambda self: self._array.nbytes, doc="Bytes of all values.")
    data = property(lambda self: self, doc="Itself.")
    T = property(lambda self: Rows(self._array.T), doc="With its axes the other way round.")
    mT = property(lambda self: self.transpose(-2, -1), doc="With its last two axes exchanged.")  # noqa: N815

    def size(self, dim: Int | None = None) -> Any:
        """The shape, or the length of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> Int:
        """How many axes."""
        return self._array.ndim

    def numel(self) -> Int:
        """How many values."""
        return self._array.size

    def element_size(self) -> Int:
        """Bytes of a value."""
        return self._array.itemsize

    def is_contiguous(self) -> Bool:
        """Whether its values lie end to end."""
        return self._array.flags.c_contiguous

    def is_floating_point(self) -> Bool:
        """Whether its values are floats."""
        return self._array.dtype.kind == "f"

    def __repr__(self) -> str:
        shown = np.array2string(self._array, separator=", ", prefix="Rows(", threshold=100, precision=4)
        return f"Rows({shown}, dtype={self.dtype})"

    def __len__(self) -> Int:
        return len(self._array)

    def __iter__(self) -> Iterator["Rows"]:
        return (Rows(part) for part in self._array)

    def __getitem__(self, place: Any) -> "Rows":
        return Rows(self._array[_place(place)])

    def __setitem__(self, place: Any, value: Any) -> None:
        self._array[_place(place)] = _plain(value)

    def __contains__(self, value: object) -> Bool:
        return bool((self._array == _plain(value)).any())

    def __bool__(self) -> Bool:
        return bool(self._array)

    def __float__(self) -> Float:
        return float(self.item())

    def __int__(self) -> Int:
        return int(self.item())

    def __index__(self) -> Int:
        return operator.index(self.item())

    def __format__(self, how: str) -> str:
        return format(self.item() if self.ndim == 0 else repr(self), how)

    __hash__ = object.__hash__

    # Where it goes

    def __array__(self, dtype: DTypeLike | None = None, copy: Bool | None = None) -> NDArray[Any]:
        if copy:
            return np.array(self._array, dtype)
        if copy is False and dtype is not None and np.dtype(dtype) != self.dtype:
            raise ValueError(f"{self.dtype} cannot become {np.dtype(dtype)} without a copy")
        return np.asarray(self._array, dtype)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self._array.__array_interface__

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return function(*_tensors(tuple(args)), **_tensors(kwargs or {}))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        # Else numpy would call methods of ours by its own arguments: np.sum(rows) is rows.sum(axis=None, out=None).
        return function(*_plain_within(tuple(args)), **_plain_within(kwargs))

    def numpy(self, *, force: Bool = False) -> NDArray[Any]:
        """The array itself."""
        return self._array

    def tolist(self) -> Any:
        """Nested lists of Python's numbers."""
        return self._array.tolist()

    def item(self) -> Any:
        """The one value, as a number of Python's."""
        return self._array.item()

    def cpu(self) -> "Rows":
        """Itself."""
        return self

    detach = cpu

    def cuda(self, *_: object, **__: object) -> "Rows":
        """NotHere."""
        not_here(
            "cuda() of Rows",
            "they are numpy's memory and the program has not imported torch",
            "leave them on the CPU, or import torch before encoding",
        )

    def to(self, *targets: Any, dtype: Any = None, device: Any = None, copy: Bool = False, **_: object) -> "Rows":
        """Of another dtype (torch's, numpy's, or that of another array), on "cpu". Other devices are NotHere."""
        for target in targets:
            if isinstance(target, Rows | np.ndarray) or _is_tensor(target):
                dtype = target.dtype
            elif isinstance(target, bool):  # non_blocking, copy
                continue
            elif str(target).partition(":")[0] in ("cpu", "cuda", "mps", "xpu", "meta"):
                device = target
            else:
                dtype = target
        if device is not None and not str(device).startswith("cpu"):
            return self.cuda()
        return self._same(self._array.astype(self.dtype if dtype is None else _dtype(dtype), copy=copy))

    def type(self, dtype: Any = None) -> Any:
        """Of another dtype; without one, the name of its own."""
        return str(self.dtype) if dtype is None else self.to(dtype=dtype)

    def type_as(self, other: Any) -> "Rows":
        """Of another array's dtype."""
        return self.to(dtype=other.dtype)

    def clone(self, **_: object) -> "Rows":
        """A copy."""
        return Rows(self._array.copy())

    def contiguous(self, **_: object) -> "Rows":
        """With its values end to end; itself if they are."""
        return self if self.is_contiguous() else Rows(np.ascontiguousarray(self._array))

    def _same(self, array: NDArray[Any]) -> "Rows":
        return self if array is self._array else Rows(array)

    # Its shape

    def unsqueeze(self, dim: Int) -> "Rows":
        """With an axis of length 1 more."""
        return Rows(np.expand_dims(self._array, dim))

    def squeeze(self, dim: Dim = None) -> "Rows":
        """Without axes of length 1, or without those named if they are."""
        named = range(self.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
        return Rows(self._array.squeeze(tuple(axis for axis in named if self.shape[axis] == 1)))

    def transpose(self, dim0: Int, dim1: Int) -> "Rows":
        """With two axes exchanged."""
        return Rows(self._array.swapaxes(dim0, dim1))

    def permute(self, *dims: Any) -> "Rows":
        """With its axes in this order."""
        return Rows(self._array.transpose(reductions.sizes(dims)))

    def t(self) -> "Rows":
        """A matrix with its axes exchanged."""
        return self if self.ndim < 2 else self.transpose(0, 1)

    def reshape(self, *shape: Any) -> "Rows":
        """The same values in another shape; -1 is what is left."""
        return Rows(self._array.reshape(reductions.sizes(shape)))

    view = reshape

    def flatten(self, start_dim: Int = 0, end_dim: Int = -1) -> "Rows":
        """With the axes from start_dim to end_dim as one."""
        if not self.ndim:
            return self.reshape(1)
        first, last = start_dim % self.ndim, end_dim % self.ndim
        return Rows(self._array.reshape(reductions.flattened(self.shape, first, last)))

    def expand(self, *shape: Any) -> "Rows":
        """With axes of length 1 repeated, without a copy; -1 leaves an axis as it is."""
        return Rows(np.broadcast_to(self._array, reductions.expanded(self.shape, reductions.sizes(shape))))

    # Its values

    sum = _reduced(reductions.total, "Floats stay what they are; whole numbers and truths sum as int64.")
    mean = _reduced(reductions.mean, "Of floats.")
    any = _reduced(reductions.anything, "Whether one is not zero.")
    all = _reduced(reductions.everything, "Whether none is zero.")
    count_nonzero = _reduced(reductions.nonzeros, "How many are not zero.")
    amax = _reduced(reductions.largest, "The largest.")
    amin = _reduced(reductions.smallest, "The smallest.")
    max = _extreme(np.argmax, np.max, np.maximum)
    min = _extreme(np.argmin, np.min, np.minimum)

    def argmax(self, dim: Int | None = None, keepdim: Bool = False) -> "Rows":
        """Where the largest stands; of equal ones the first."""
        return Rows(np.argmax(self._array, axis=dim, keepdims=keepdim))

    def argmin(self, dim: Int | None = None, keepdim: Bool = False) -> "Rows":
        """Where the smallest stands; of equal ones the first."""
        return Rows(np.argmin(self._array, axis=dim, keepdims=keepdim))

    def norm(self, p: Any = "fro", dim: Dim = None, keepdim: Bool = False, *, axis: Dim = None) -> "Rows":
        """Length of the vectors along `dim`, by the p-norm."""
        return Rows(reductions.norm(self._array, p, reductions.axes(dim if axis is None else axis), keepdim))

    def abs(self) -> "Rows":
        """Magnitudes."""
        return Rows(np.abs(self._array))

    def sqrt(self) -> "Rows":
        """Square roots."""
        return Rows(np.sqrt(self._array))

    def clamp(self, min: Any = None, max: Any = None) -> "Rows":
        """Values below min as min, above max as max."""
        return Rows(np.clip(self._array, _plain(min), _plain(max)))

    def masked_fill(self, mask: Any, value: Any) -> "Rows":
        """A copy with this value where the mask is true."""
        return Rows(np.where(_plain(mask), self.dtype.type(_plain(value)), self._array))

    def sort(self, dim: Int = -1, descending: Bool = False, *, stable: Bool = True) -> Pair:
        """(values, indices) along an axis."""
        places = reductions.order(self._array, dim, descending)
        return Pair(Rows(np.take_along_axis(self._array, places, dim)), Rows(places))

    def argsort(self, dim: Int = -1, descending: Bool = False, *, stable: Bool = True) -> "Rows":
        """Places by value along an axis."""
        return self.sort(dim, descending).indices  # type: ignore[no-any-return]

    def topk(self, k: Int, dim: Int = -1, largest: Bool = True, sorted: Bool = True) -> Pair:
        """(values, indices) of the k largest or smallest along an axis, best first."""
        if not 0 <= k <= self.shape[dim]:
            raise InputError(f"topk: k is {k}, there are {self.shape[dim]} along axis {dim}")
        found = self.sort(dim, descending=largest)
        return Pair(*(Rows(part.numpy().take(range(k), dim)) for part in found))

    def nonzero(self) -> "Rows":
        """Places that are not zero, one row each."""
        return Rows(np.argwhere(self._array))

    def matmul(self, other: Any) -> Any:
        """`@`."""
        return self @ other

    mm = bmm = mv = dot = matmul

    __add__, __radd__ = _binary(operator.add), _binary(operator.add, turned=True)
    __sub__, __rsub__ = _binary(operator.sub), _binary(operator.sub, turned=True)
    __mul__, __rmul__ = _binary(operator.mul), _binary(operator.mul, turned=True)
    __truediv__, __rtruediv__ = _binary(operator.truediv), _binary(operator.truediv, turned=True)
    __floordiv__, __mod__ = _binary(operator.floordiv), _binary(operator.mod)
    __pow__, __rpow__ = _binary(operator.pow), _binary(operator.pow, turned=True)
    __matmul__, __rmatmul__ = _binary(operator.matmul), _binary(operator.matmul, turned=True)
    __and__, __or__, __xor__ = _binary(operator.and_), _binary(operator.or_), _binary(operator.xor)
    __eq__, __ne__ = _binary(operator.eq), _binary(operator.ne)
    __lt__, __le__ = _binary(operator.lt), _binary(operator.le)
    __gt__, __ge__ = _binary(operator.gt), _binary(operator.ge)
    eq, ne, lt, le, gt, ge = __eq__, __ne__, __lt__, __le__, __gt__, __ge__
    add, sub, mul, div, pow = __add__, __sub__, __mul__, __truediv__, __pow__

    def __neg__(self) -> "Rows":
        return Rows(-self._array)

    def __pos__(self) -> "Rows":
        return self

    def __abs__(self) -> "Rows":
        return self.abs()

    def __invert__(self) -> "Rows":
        return Rows(~self._array)

    def float(self) -> "Rows":
        """As float32."""
        return self.to("float32")

    def half(self) -> "Rows":
        """As float16."""
        return self.to("float16")

    def double(self) -> "Rows":
        """As float64."""
        return self.to("float64")

    def long(self) -> "Rows":
        """As int64."""
        return self.to("int64")

    def int(self) -> "Rows":
        """As int32."""
        return self.to("int32")

    def bool(self) -> "Rows":
        """As truths."""
        return self.to("bool")


def _plain(value: Any) -> Any:
    return value.numpy() if isinstance(value, Rows) else value


def _plain_within(value: Any) -> Any:
    """Every Rows within as the array it wraps."""
    if isinstance(value, list | tuple):
        parts = [_plain_within(part) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, dict):
        return {name: _plain_within(part) for name, part in value.items()}
    return _plain(value)


def _place(place: Any) -> Any:
    """Rows among indices as numpy's; torch's tensors are taken by numpy itself."""
    return tuple(_plain(part) for part in place) if isinstance(place, tuple) else _plain(place)


def _is_tensor(value: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _tensors(value: Any) -> Any:
    """Every Rows within as a tensor over the same memory; torch is there, since it asked."""
    if isinstance(value, Rows):
        return sys.modules["torch"].as_tensor(value.numpy())
    if isinstance(value, list | tuple):
        parts = [_tensors(part) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    if isinstance(value, dict):
        return {name: _tensors(part) for name, part in value.items()}
    return value


def _dtype(wanted: Any) -> np.dtype[Any]:
    """Of torch's names, torch's dtypes, or what numpy takes."""
    name = str(wanted).removeprefix("torch.")
    try:
        return np.dtype(wanted if isinstance(wanted, type | np.dtype) else _TYPES.get(name, name))
    except TypeError as error:
        raise InputError(f"dtype: {wanted!r} is none that numpy has") from error
