"""An index or store as frameworks' users name it."""

import os
from typing import TYPE_CHECKING, Any

from colibri.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from colibri.index import Index
    from colibri.stores import Store

__all__ = ["opened"]


def opened(index: Any, model: Any = None, *, dim: int | None = None, create: bool = False) -> "Index | Store":
    """A `colibri.Index` or any `colibri.stores.Store` as it is; the one in a folder, opened.

    model   what encodes its texts, as `Index.open` takes it, for a folder; dim: the width of its rows, likewise
    create  whether to make an index where there is none

    Raises InputTypeError for what is none of these, InputError for either beside an open one, and as `Index.open`
    does.
    """
    from colibri.index import Index
    from colibri.stores import Store

    if isinstance(index, str | os.PathLike):
        return Index.open(index, model, dim, create)
    if not isinstance(index, Index | Store):
        raise InputTypeError(
            f"index: found {type(index).__name__}, wanted a colibri.Index, one of colibri.stores or an index's folder"
        )
    for name, given in (("model", model), ("dim", dim)):
        if given is not None:
            raise InputError(f"{name}: found one beside an open index, which has its own; give it to Index.open")
    return index
