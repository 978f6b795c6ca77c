"""Whose rows a store holds: those of a model, by what is given and what the collection says."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from colibri import checks
from colibri.errors import InputError, StoreError
from colibri.index import IndexModel
from colibri.stores.layout import Description, Layout

if TYPE_CHECKING:
    from colibri.model import Colibri


@dataclass(frozen=True, kw_only=True)
class Space:
    """id: which model's rows; "" unknown. name: what loads it, "" for none. dims: the widths asked for, or None."""

    id: str
    name: str
    dims: Sequence[int] | None
    model: Callable[[], IndexModel]
    known: IndexModel | None

    def check(self, found: Description, layout: Layout) -> None:
        """Refuse a collection whose vectors this model's rows cannot be."""
        if self.known is None:
            return
        manifest = self.known.manifest
        for dim, name in layout.names.items():
            if dim not in manifest.dims:
                heads = ", ".join(map(str, manifest.dims))
                raise StoreError(f"{found.name}: vector {name!r} is {dim} wide, {manifest.name} has heads for {heads}")
        if layout.cosine and manifest.query.weights_file is not None:
            raise StoreError(
                f"{found.name}: compares by COSINE, which forgets the weights that {manifest.name} gives its query's "
                "tokens; make a collection with DOT (QdrantStore does so where there is none)"
            )


def widths_of(dims: object) -> list[Any] | None:
    """Widths as a list; `space_of` refuses those that are none. Raises InputError for what is no list."""
    if dims is None:
        return None
    if isinstance(dims, int | np.integer):
        return [dims if isinstance(dims, bool) else int(dims)]
    if isinstance(dims, str) or not isinstance(dims, Iterable):
        raise InputError(f"dims: found {dims!r}, wanted a width or a list of them")
    return list(dims)


def space_of(
    where: str,
    own: Mapping[str, Any],
    model: "Colibri | str | os.PathLike[str] | None",
    space_id: str | None,
    dims: Sequence[int] | None,
    *,
    new: bool,
) -> Space:
    """Whose rows they are. own: what the collection's metadata says of itself; new: whether there is none yet.

    Raises StoreError where the collection is of another space, InputError for widths that are none.
    """
    for dim in dims or ():
        if not checks.is_count(dim):
            raise InputError(f"dims: found {dim!r}, wanted whole numbers from 1")
    if dims is not None and (not dims or len(set(dims)) < len(dims)):
        raise InputError(f"dims: found {list(dims)}, wanted one width or several different ones")
    if model is not None and space_id is not None:
        raise InputError("either a model or space_id, for vectors of your own encoder")
    written, name = str(own.get("space_id", "")), str(own.get("model", ""))
    if space_id is not None or (model is None and not new and not name):
        if new and dims is None:
            raise InputError("dims: a new store of vectors of your own wants their width")
        if space_id and written and space_id != written:
            raise StoreError(f"{where}: holds rows of the space {written!r}, not {space_id!r}")
        return Space(id=space_id or written, name="", dims=dims, model=lambda: _none(where), known=None)
    found = IndexModel(model if model is not None else name or None)
    manifest = found.manifest
    if written and written != manifest.space_id:
        raise StoreError(
            f"{where}: was made with {name or 'another encoder'} (space {written[:8]}), whose vectors do not compare "
            f"with those of {manifest.name} (space {manifest.space_id[:8]}); name the model it was made with, or "
            "another collection"
        )
    for dim in dims or ():
        checks.one_dim(manifest, dim)
    widths = [min(manifest.dims)] if new and dims is None else dims
    return Space(id=manifest.space_id, name=found.name, dims=widths, model=lambda: found, known=found)


def _none(where: str) -> IndexModel:
    raise StoreError(f"{where}: holds vectors of an encoder that is not known; give `model`, or vectors and not texts")
