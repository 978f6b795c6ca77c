"""What a store asks of the engine behind it: a few operations on points, over HTTP or in a process beside this one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from colibri.stores.filters import Condition
from colibri.stores.points import Found, Point, Sparse
from colibri.vectors import Rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Ask:
    """One question.

    using      name of the vector that is scored ("" for one without)
    rows       (tokens, dim) float32, weights folded in; or a sparse vector, in a prefetch
    limit      how many points at most
    condition  which points count
    prefetch   questions whose answers are scored alone
    vectors    names of vectors to give back
    spans      whether the tokens' characters are given back
    """

    using: str
    rows: Rows | Sparse
    limit: int
    condition: Condition | None = None
    prefetch: tuple["Ask", ...] = ()
    vectors: tuple[str, ...] = ()
    spans: bool = False


class Engine(Protocol):
    """Points of one collection. What fails raises StoreError; threads may share it."""

    def put(self, points: Sequence[Point]) -> None:
        """Write points, replacing those of the same ids; all of them are kept when it returns."""
        ...

    def delete(self, condition: Condition) -> None:
        """Delete the points that it keeps."""
        ...

    def retrieve(
        self, ids: Sequence[str | int], fields: Sequence[str] | None = None, *, vectors: Sequence[str] = ()
    ) -> list[Found]:
        """Points by id, in any order, those that are there. fields: of the payload; None: all."""
        ...

    def query(self, asks: Sequence[Ask]) -> list[list[Found]]:
        """The best points of each question, best first. One request."""
        ...

    def scroll(
        self, condition: Condition | None, fields: Sequence[str] | None = None, *, vectors: Sequence[str] = ()
    ) -> Iterator[Found]:
        """Every point that a condition keeps. fields: of the payload; None: all."""
        ...

    def count(self, condition: Condition | None) -> int:
        """How many points it keeps, exactly."""
        ...

    def set_vectors(self, name: str, vectors: dict[str | int, Any], own: dict[str, Any]) -> None:
        """Give points one more vector, and fields under our key."""
        ...

    def set_metadata(self, own: dict[str, Any]) -> None:
        """Replace what the collection's metadata says under our name."""
        ...

    def close(self) -> None:
        """Let go; closing twice is fine."""
        ...
