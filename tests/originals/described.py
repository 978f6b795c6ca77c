"""What a call gave back, as JSON: types, shapes, dtypes, keys and plain values; the numbers of arrays stand apart."""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Calls = Mapping[str, Callable[[], Any]]
Outcomes = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


def outcomes(calls: Calls, arrays: Arrays) -> Outcomes:
    """Run each call, in order; what it gave, or which kind of error it raised. Numbers of arrays go into `arrays`."""
    found = {}
    for name, call in calls.items():
        try:
            found[name] = described(call(), arrays)
        except Exception as error:  # the kind of error is what is asked
            found[name] = {"raises": [kind.__name__ for kind in type(error).__mro__[:-2]], "message": short(error)}
    return found


def described(value: Any, arrays: Arrays) -> Any:
    """JSON of a value: scalars as they are; {"list"|"tuple": [...]}, {"dict": {...}}, {"array": kind, ...}."""
    if value is None or (isinstance(value, bool | int | float | str) and type(value).__module__ == "builtins"):
        return value
    if isinstance(value, Path):
        return {"path": value.name}
    if isinstance(value, dict):
        return {"dict": {str(key): described(entry, arrays) for key, entry in value.items()}}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [described(entry, arrays) for entry in value]}
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return _array(value, arrays)
    return {"object": type(value).__name__}


def short(error: Exception) -> str:
    """The first line of its message, without the folders of this machine."""
    lines = str(error).splitlines() or [""]
    return re.sub(r"(/[\w.+-]+){2,}", "PATH", lines[0])[:160]


def _array(value: Any, arrays: Arrays) -> dict[str, Any]:
    """Of a scalar of numpy its type; of an array or tensor also how many rows of each text are not zero (padding is,
    and in Stanford's package the place of a punctuation mark), and where those rows' numbers are (the same ones once).
    """
    kind = "ndarray" if isinstance(value, np.ndarray) else "scalar" if isinstance(value, np.generic) else "tensor"
    numbers = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    found = {"array": kind, "shape": list(numbers.shape), "dtype": str(value.dtype).removeprefix("torch.")}
    numbers = numbers.astype(np.int64) if numbers.dtype.kind in "iub" else np.round(numbers.astype(np.float32), 6) + 0
    if numbers.ndim >= 2 and numbers.shape[-1] > 8:
        is_row = (numbers != 0).any(axis=-1)
        found["kept"] = is_row.sum(axis=-1).reshape(-1).tolist()
        numbers = numbers[is_row]
    key = hashlib.sha256(numbers.tobytes() + str((numbers.shape, numbers.dtype)).encode()).hexdigest()[:12]
    arrays[key] = np.ascontiguousarray(numbers)
    return {**found, "values": key}
