"""What is wanted of some texts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from colibri.artefact import Role, RoleName

LongDocuments = Literal["truncate", "error", "windows"]
"""What becomes of a document that does not fit in its role's `max_tokens`."""

Stored = Literal["float32", "float16", "int8"]
"""What rows are kept as; int8 with a scale a token, as `TokenVectors.quantize` defines."""


@dataclass(frozen=True)
class ByText:
    """What to call with a text's index and the tokens kept of it, or of one of its windows, as soon as it is done."""

    done: Callable[[int, int], object]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a call asks for.

    dims      widths, at least one
    dtype     what rows are stored as
    long      what becomes of a text that does not fit
    overlap   tokens that a window shares with the one before
    skip      whether a text that fails is left out, instead of ending the call
    what      what the texts are called in messages
    rules     the role's rules with lengths of this call's own; None: the artefact's
    """

    role: RoleName
    dims: tuple[int, ...]
    dtype: Stored = "float32"
    long: LongDocuments = "truncate"
    overlap: int = 0
    skip: bool = False
    what: str = "texts"
    rules: Role | None = None
