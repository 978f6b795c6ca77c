"""Which of a collection's vectors a store uses, and why another cannot be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from colibri.errors import InputError, StoreError

MOST_NUMBERS = 1_048_575
"""Numbers of one multivector: a server refuses 2**20 and more (its validation.rs; issues 5925, 6929, 9408)."""
METADATA = "colibri"
FORMAT = 1
CENTROIDS = "colibri-centroids"
"""Name of the sparse vector that holds which centroids a passage's tokens are nearest to."""


@dataclass(frozen=True, kw_only=True)
class VectorKind:
    """One vector of a collection, as it was made.

    distance  "Dot", "Cosine", "Euclid" or "Manhattan"
    maxsim    whether it is a multivector compared by MAX_SIM
    datatype  "float32", "float16", "uint8", ...
    """

    size: int
    distance: str
    maxsim: bool
    datatype: str = "float32"

    def __str__(self) -> str:
        what = "MAX_SIM" if self.maxsim else "no multivector"
        return f"{self.size} wide, {self.distance.upper()}, {what}, {self.datatype}"


@dataclass(frozen=True, kw_only=True)
class Description:
    """A collection as it is. vectors: by name, "" for one without."""

    name: str
    vectors: Mapping[str, VectorKind]
    sparse: Sequence[str] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def own(self) -> Mapping[str, Any]:
        """What we wrote into its metadata. Raises StoreError for a newer format."""
        own = self.metadata.get(METADATA)
        if not isinstance(own, Mapping):
            return {}
        if own.get("format") != FORMAT:
            raise StoreError(
                f"{self.name}: format {own.get('format')!r} of Colibri's, this one reads {FORMAT}; upgrade colibri-edge"
            )
        return own


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The vectors in use.

    names      width -> name of its vector, widest first; the first is the one that ranks
    cosine     whether the engine makes rows unit ones, so that only such mean the same there
    centroids  whether there is a sparse vector of centroids
    """

    names: Mapping[int, str]
    cosine: bool
    centroids: bool

    @property
    def dims(self) -> tuple[int, ...]:
        """Widths, widest first."""
        return tuple(self.names)


def default_name(dim: int) -> str:
    """The name of a vector in a collection that we make."""
    return f"colibri-{dim}"


def new_names(dims: Sequence[int], using: str | None) -> dict[int, str]:
    """Names of the vectors of a new collection, widest first."""
    if using is not None and len(dims) > 1:
        raise InputError(f"using: one name for {len(dims)} widths; leave it out, and they are colibri-<width>")
    return {dim: default_name(dim) if using is None else using for dim in sorted(dims, reverse=True)}


def chosen(found: Description, using: str | None, dims: Sequence[int] | None) -> Layout:
    """The vectors of an existing collection that a store uses.

    using  name of one of them ("": the one without a name); None: what the widths, or its own metadata, say

    Raises StoreError that says what is there and what was wanted.
    """
    if using is not None:
        if using not in found.vectors:
            raise StoreError(f"{found.name}: has no vector {using!r}; there is {_listed(found)}")
        kind = found.vectors[using]
        if dims is not None and list(dims) != [kind.size]:
            raise StoreError(f"{found.name}: vector {using!r} is {kind.size} wide, wanted {', '.join(map(str, dims))}")
        names = {kind.size: using}
    elif dims is not None:
        names = {dim: _of_width(found, dim) for dim in sorted(set(dims), reverse=True)}
    else:
        names = _all_in_use(found)
    for name in names.values():
        _check(found, name)
    distances = {found.vectors[name].distance for name in names.values()}
    if len(distances) > 1:
        raise StoreError(f"{found.name}: its widths differ in distance; there is {_listed(found)}")
    return Layout(names=names, cosine=distances == {"Cosine"}, centroids=CENTROIDS in found.sparse)


def _of_width(found: Description, dim: int) -> str:
    fitting = [name for name, kind in found.vectors.items() if kind.size == dim and kind.maxsim]
    if default_name(dim) in fitting:
        return default_name(dim)
    if len(fitting) != 1:
        what = "no MAX_SIM vector" if not fitting else "several vectors"
        raise StoreError(
            f"{found.name}: has {what} of width {dim}; there is {_listed(found)}; name one with `using`, or make a "
            "collection that has it"
        )
    return fitting[0]


def _all_in_use(found: Description) -> dict[int, str]:
    ours = found.own.get("names")
    if isinstance(ours, Mapping):
        return {int(dim): str(name) for dim, name in sorted(ours.items(), key=lambda entry: -int(entry[0]))}
    fitting = {name: kind.size for name, kind in found.vectors.items() if kind.maxsim}
    if len(fitting) == 1 or (fitting and all(name == default_name(size) for name, size in fitting.items())):
        return {size: name for name, size in sorted(fitting.items(), key=lambda entry: -entry[1])}
    if not fitting:
        raise StoreError(f"{found.name}: has no MAX_SIM multivector, which MaxSim needs; there is {_listed(found)}")
    raise StoreError(f"{found.name}: has several MAX_SIM vectors, name one with `using`: {_listed(found)}")


def _check(found: Description, name: str) -> None:
    kind = found.vectors.get(name)
    if kind is None:
        raise StoreError(f"{found.name}: has no vector {name!r} any more; there is {_listed(found)}")
    if not kind.maxsim:
        raise StoreError(f"{found.name}: vector {name!r} is {kind}; wanted a multivector with MAX_SIM")
    if kind.distance not in {"Dot", "Cosine"}:
        raise StoreError(f"{found.name}: vector {name!r} is {kind}; MaxSim is a sum of dot products: wanted DOT")
    if kind.datatype == "uint8":
        raise StoreError(
            f"{found.name}: vector {name!r} keeps bytes, to which rows of floats would be cut: wanted float32"
        )


def _listed(found: Description) -> str:
    return "; ".join(f"{name!r} ({kind})" for name, kind in found.vectors.items()) or "none"
