"""Messages between a program and its Edge worker: JSON, with arrays of numbers behind it.

A frame is two lengths (8 bytes each, little endian), the JSON, the bytes. In the JSON an array is {"$rows": [begin,
shape]}, float32 little endian at that byte.
"""

import json
import struct
from typing import IO, Any

import numpy as np

_LENGTHS = struct.Struct("<QQ")
_ROWS = "$rows"


def send(pipe: IO[bytes], message: Any) -> None:
    """Write one message. Raises OSError where nobody reads."""
    arrays: list[bytes] = []
    at = 0

    def put(value: Any) -> Any:
        nonlocal at
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{type(value).__name__} cannot be sent")
        data = np.ascontiguousarray(value, "<f4").tobytes()
        arrays.append(data)
        at += len(data)
        return {_ROWS: [at - len(data), list(value.shape)]}

    head = json.dumps(message, default=put).encode()
    pipe.write(_LENGTHS.pack(len(head), at) + head)
    for data in arrays:
        pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """The next message; None at the end. Raises EOFError where one ends early."""
    lengths = pipe.read(_LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise EOFError
    head_bytes, body_bytes = _LENGTHS.unpack(lengths)
    head, body = pipe.read(head_bytes), pipe.read(body_bytes)
    if len(head) < head_bytes or len(body) < body_bytes:
        raise EOFError

    def get(value: dict[str, Any]) -> Any:
        if list(value) != [_ROWS]:
            return value
        begin, shape = value[_ROWS]
        return np.frombuffer(body, "<f4", int(np.prod(shape)), begin).reshape(shape)

    return json.loads(head, object_hook=get)
