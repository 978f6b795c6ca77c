"""JSON values as frozen dataclasses, with the path of whatever does not fit.

Unknown keys are refused, and missing ones that have no default: a rule that this version does not know must never be
ignored in silence.
"""

import dataclasses
import math
import types
import typing
from typing import Any, Literal

from colibri.errors import ArtefactError


def parse_typed(kind: Any, value: object, path: str) -> Any:
    """`value` as `kind`, which is made of dataclasses, dict[str, X], tuple[X, ...], X | None, Literal and scalars only.

    path names the value in errors. Raises ArtefactError with the path of the first thing that does not fit.
    """
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _parse_fields(kind, value, path)
    if origin is types.UnionType:
        return None if value is None else parse_typed(args[0], value, path)
    if origin is Literal:
        if value not in args:
            raise ArtefactError(f"{path}: found {value!r}, wanted one of {', '.join(map(repr, args))}")
        return value
    if origin is dict:
        items = _expect(dict, value, path).items()
        return {key: parse_typed(args[1], item, f"{path}.{key}") for key, item in items}
    if origin is tuple:
        items = _expect(list, value, path)
        if args[-1] is not ... and len(items) != len(args):
            raise ArtefactError(f"{path}: found {len(items)} values, wanted {len(args)}")
        return tuple(parse_typed(args[0], item, f"{path}[{i}]") for i, item in enumerate(items))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ArtefactError(f"{path}: found {value}, wanted a finite number")
    return _expect(kind, value, path)


def _parse_fields(kind: Any, value: object, path: str) -> Any:
    document = _expect(dict, value, path or "(root)")
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    names = [field.name for field in fields]
    needed = [field.name for field in fields if field.default is dataclasses.MISSING]
    dot = f"{path}." if path else ""
    problems = [f"{dot}{key}: unknown key" for key in document if key not in names]
    problems += [f"{dot}{name}: missing" for name in needed if name not in document]
    if problems:
        raise ArtefactError("; ".join(problems))
    return kind(
        **{name: parse_typed(hints[name], document[name], f"{dot}{name}") for name in names if name in document}
    )


def _expect(kind: type, value: object, path: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ArtefactError(f"{path}: found {value!r:.80}, wanted {kind.__name__}")
    return value
