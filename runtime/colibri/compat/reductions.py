"""What torch's methods mean, over numpy arrays: `dim` is one axis, several, or None for all values."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from colibri.errors import ShapeError

Array = NDArray[Any]
Dim = int | tuple[int, ...] | list[int] | None


class Pair(NamedTuple):
    """What torch gives for an order along one axis: the values, and where they stood."""

    values: Any
    indices: Any


def axes(dim: Dim) -> int | tuple[int, ...] | None:
    """As numpy takes them."""
    return tuple(dim) if isinstance(dim, list) else dim


def total(array: Array, axis: Any, keep: bool) -> Array:
    """Whole numbers and truths sum as int64, floats as what they are."""
    return np.asarray(array.sum(axis, dtype=None if array.dtype.kind == "f" else np.int64, keepdims=keep))


def mean(array: Array, axis: Any, keep: bool) -> Array:
    """Refused for whole numbers, as torch does."""
    if array.dtype.kind != "f":
        raise ShapeError(f"mean: found {array.dtype}, wanted floats; call float() first")
    return np.asarray(array.mean(axis, keepdims=keep))


def anything(array: Array, axis: Any, keep: bool) -> Array:
    """Whether one is not zero."""
    return np.asarray(array.any(axis, keepdims=keep))


def everything(array: Array, axis: Any, keep: bool) -> Array:
    """Whether none is zero."""
    return np.asarray(array.all(axis, keepdims=keep))


def nonzeros(array: Array, axis: Any, keep: bool) -> Array:
    """How many are not zero."""
    return np.asarray(np.count_nonzero(array, axis=axis, keepdims=keep))


def largest(array: Array, axis: Any, keep: bool) -> Array:
    """Of floats NaN, where one is."""
    return np.asarray(array.max(axis, keepdims=keep))


def smallest(array: Array, axis: Any, keep: bool) -> Array:
    """Of floats NaN, where one is."""
    return np.asarray(array.min(axis, keepdims=keep))


def norm(array: Array, p: Any, axis: Any, keep: bool) -> Array:
    """(sum of |x| ** p) ** (1 / p) over the axes; p "fro" is 2."""
    power = 2.0 if p in ("fro", None) else float(p)
    size = np.abs(array)
    if power == np.inf:
        return np.asarray(size.max(axis, keepdims=keep))
    if power == 2.0:
        return np.asarray(np.sqrt((size * size).sum(axis, keepdims=keep)))
    return np.asarray((size**power).sum(axis, keepdims=keep) ** (1 / power))


def extreme(array: Array, dim: int, keep: bool, find: Callable[..., Array]) -> Pair:
    """find: np.argmax or np.argmin; of equal values the first."""
    places = np.expand_dims(find(array, axis=dim), dim)
    values = np.take_along_axis(array, places, dim)
    return Pair(values, places) if keep else Pair(values.squeeze(dim), places.squeeze(dim))


def order(array: Array, dim: int, falling: bool) -> Array:
    """Places by rising or falling value; equal ones keep their order."""
    if not falling:
        return np.argsort(array, axis=dim, kind="stable")
    # Of the array turned round, so that equal values still keep their order, whatever the dtype.
    turned = np.argsort(np.flip(array, dim), axis=dim, kind="stable")
    return np.flip(array.shape[dim] - 1 - turned, dim)


def sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    """view(2, 3) and view((2, 3)) mean the same."""
    return tuple(given[0]) if len(given) == 1 and not isinstance(given[0], int) else given


def flattened(shape: tuple[int, ...], first: int, last: int) -> tuple[int, ...]:
    """A shape whose axes first to last are one."""
    joined = int(np.prod(shape[first : last + 1], dtype=np.int64))
    return (*shape[:first], joined, *shape[last + 1 :])


def expanded(shape: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that is wanted, with -1 for an axis's own length."""
    own = (1,) * (len(wanted) - len(shape)) + shape
    return tuple(length if size == -1 else size for size, length in zip(wanted, own, strict=True))
