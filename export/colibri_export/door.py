"""What turns a checkpoint into variants: our builders (colibri_export.variants), or optimum (.optimum)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self

from colibri.artefact import Role, Variant
from colibri_export.checkpoint import Checkpoint
from colibri_export.heads import Head


class AnyWorkshop(Protocol):
    """Writes variants of one checkpoint into one folder."""

    @property
    def checkpoint(self) -> Checkpoint: ...
    @property
    def heads(self) -> Mapping[int, Head]: ...
    @property
    def folder(self) -> Path: ...
    @property
    def reference(self) -> str:
        """The variant that the others are compared with."""
        ...

    def for_roles(self, query: Role, document: Role) -> Self:
        """The same, for texts of these roles."""
        ...

    def elsewhere(self, folder: Path) -> Self:
        """The same for another folder."""
        ...

    def write(self, name: str) -> Variant:
        """Write one variant's graphs and weights; `parity` is left open."""
        ...


class Door(Protocol):
    """A checkpoint for which our builders are not used."""

    def choose(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """The variants to make, in order of preference; None: all it gives. Raises ExportError for others."""
        ...

    @property
    def checkpoint(self) -> Checkpoint: ...

    def workshop(self, heads: Mapping[int, Head], folder: Path, scratch: Path) -> AnyWorkshop:
        """What writes into `folder`. scratch: a folder for what it does not keep."""
        ...
