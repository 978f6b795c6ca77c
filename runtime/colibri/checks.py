"""What callers give is refused here, before any work, by messages that say where and what was wanted."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard, TypeVar

import numpy as np

from colibri.artefact import Manifest
from colibri.errors import InputError, InputTypeError

Word = TypeVar("Word", bound=str)


def is_count(value: object) -> TypeGuard[int]:
    """Whether it is a whole number from 1; True is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 1


def optional_count(name: str, value: object) -> None:
    """Refuse what is neither a whole number from 1 nor None."""
    if value is not None and not is_count(value):
        raise InputError(f"{name}: found {value!r}, wanted a whole number from 1, or None")


def one_count(**given: object) -> int | None:
    """What is said by one of several names for the same count; None: by none of them. Raises InputError."""
    said = {name: value for name, value in given.items() if value is not None}
    for name, value in said.items():
        optional_count(name, value)
    (first, count), *others = said.items() or [("", None)]
    for name, value in others:
        if value != count:
            raise InputError(f"{name}: found {value!r}, and {first} {count!r}; give one of them")
    return count  # type: ignore[return-value] # as checked


@dataclass(frozen=True)
class Ranked:
    """A document to be ranked by its text."""

    text: str
    id: str | None = None
    payload: dict[str, Any] | None = None


class HasText(Protocol):
    """A `colibri.Document`, which stands above this."""

    @property
    def id(self) -> str: ...
    @property
    def text(self) -> str | None: ...
    @property
    def payload(self) -> Mapping[str, Any] | None: ...


_FIELDS = ("id", "text", "payload", "vectors", "borders")


def ranked_documents(documents: Iterable[object]) -> list[Ranked]:
    """Texts, mappings and `colibri.Document`s, or an error that says which is none. A lone one is refused."""
    lone = isinstance(documents, Mapping) and "text" in documents
    if lone or isinstance(documents, str | bytes) or not hasattr(documents, "__iter__"):
        raise InputTypeError(f"documents: found {type(documents).__name__}, wanted a list of strings or mappings")
    return [_ranked(given, f"documents[{i}]") for i, given in enumerate(documents)]


def _ranked(given: object, where: str) -> Ranked:
    if isinstance(given, str):
        return Ranked(given)
    if isinstance(given, Mapping):
        if unknown := [str(name) for name in given if name not in _FIELDS]:
            raise InputError(f"{where}: unknown field {', '.join(unknown)}; there is {', '.join(_FIELDS)}")
        found = dict(given)
    elif all(hasattr(given, name) for name in _FIELDS):
        found = {name: getattr(given, name) for name in _FIELDS}
    else:
        raise InputTypeError(f"{where}: found {type(given).__name__}, wanted str, a mapping or a colibri.Document")
    if found.get("vectors") is not None:
        raise InputError(f"{where}: has vectors, and a text is wanted; `score` ranks ready vectors")
    text, name, payload = (found.get(field) for field in ("text", "id", "payload"))
    if text is None:
        raise InputError(f"{where}: no text")
    for field, value in (("text", text), ("id", name)):
        if value is not None and not isinstance(value, str):
            raise InputTypeError(f"{where}: {field} is {type(value).__name__}, wanted str")
    if payload is not None and not isinstance(payload, Mapping):
        raise InputTypeError(f"{where}: payload is {type(payload).__name__}, wanted a mapping")
    return Ranked(text, name, None if payload is None else dict(payload))


def whole(name: str, value: object) -> int:
    """A whole number from 0; True and False are none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise InputError(f"{name}: found {value!r}, wanted a whole number from 0")
    return int(value)


def optional_finite(name: str, value: object) -> float | None:
    """A finite number, or None."""
    if value is None:
        return None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise InputTypeError(f"{name}: found {type(value).__name__}, wanted a finite number, or None")
    try:
        found = float(value)
    except OverflowError:  # a whole number beyond 1e308
        found = math.inf
    if not math.isfinite(found):
        raise InputError(f"{name}: found {value!r}, wanted a finite number, or None")
    return found


def listed_texts(texts: Iterable[str], what: str, *, all_strings: bool = True) -> list[str]:
    """A list of strings, or an error that says which is not. A lone string is refused: its letters are not meant.

    all_strings: False leaves items that are no strings to whoever encodes them
    """
    listed = list(iterable_texts(texts, what))
    for i, text in enumerate(listed if all_strings else ()):
        if not isinstance(text, str):
            raise InputTypeError(f"{what}[{i}]: found {type(text).__name__}, wanted str")
    return listed


def iterable_texts(texts: Iterable[str], what: str) -> Iterable[str]:
    """Anything that gives texts one by one."""
    if isinstance(texts, str | bytes) or not hasattr(texts, "__iter__"):
        raise InputTypeError(f"{what}: found {type(texts).__name__}, wanted a list of strings")
    return texts


def wanted_dims(manifest: Manifest, dims: int | Iterable[int] | None, default: int) -> tuple[int, ...]:
    """Widths that there are heads for, each once; None is the default."""
    if dims is None:
        return (default,)
    if not isinstance(dims, Iterable) or isinstance(dims, str):
        return (one_dim(manifest, dims),)
    wanted = tuple(dict.fromkeys(one_dim(manifest, dim) for dim in dims))
    if not wanted:
        raise InputError(f"dims: an empty list; {manifest.name} has {', '.join(map(str, manifest.dims))}")
    return wanted


def one_dim(manifest: Manifest, dim: object) -> int:
    """A width that there is a head for."""
    if not is_count(dim) or dim not in manifest.dims:
        raise InputError(f"dim {dim!r}: {manifest.name} has heads for {', '.join(map(str, manifest.dims))}")
    return int(dim)


def one_of(name: str, value: object, wanted: Sequence[Word]) -> Word:
    """The value, which has to be one of the wanted words."""
    if value not in wanted:
        raise InputError(f"{name}: found {value!r}, wanted {' or '.join(map(repr, wanted))}")
    return wanted[wanted.index(value)]
