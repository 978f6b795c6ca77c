"""What every store does. tests/store_contract.py holds any implementation to it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

from numpy.typing import ArrayLike

from colibri.index import Document, Hit, Stored
from colibri.vectors import TokenVectors


@runtime_checkable
class Store(Protocol):
    """Documents by id, found by MaxSim. What a call has returned is kept; what it raised for has changed nothing, but
    for StoreUnfinished, of a store elsewhere: it names what is in, and the same call again puts the rest.

    `where` is a filter over payloads, as `colibri.index.where` describes. Errors: InputError (and InputTypeError,
    ShapeError) for what was given, StoreError for what became of the store.
    """

    @property
    def dim(self) -> int:
        """Width of its rows."""
        ...

    @property
    def space_id(self) -> str:
        """Which model's rows it holds; "" unknown."""
        ...

    def add(self, documents: Iterable[Document | Mapping[str, Any]]) -> int:
        """Add documents whose ids are new, all or none; how many. Raises InputError for an id that is there."""
        ...

    def upsert(self, documents: Iterable[Document | Mapping[str, Any]]) -> int:
        """Add documents, replacing those of the same ids, all or none; how many. Of one id given twice the later."""
        ...

    def delete(self, ids: str | Sequence[str] | None = None, *, where: Mapping[str, Any] | None = None) -> int:
        """Delete documents by id or by filter (one of the two); how many there were."""
        ...

    def get(self, ids: str | Sequence[str], *, vectors: bool = False) -> list[Stored | None]:
        """Documents by id, in the order asked for, None for what is not there."""
        ...

    def count(self, where: Mapping[str, Any] | None = None) -> int:
        """How many documents."""
        ...

    def documents(self, where: Mapping[str, Any] | None = None, *, vectors: bool = False) -> Iterator[Stored]:
        """Every document, or those a filter keeps, one by one, each once."""
        ...

    def __len__(self) -> int: ...

    def __contains__(self, found_id: str) -> bool: ...

    def __getitem__(self, found_id: str) -> Stored:
        """The document of an id. Raises DocumentNotFound, which is a KeyError."""
        ...

    def __iter__(self) -> Iterator[Stored]: ...

    def search(
        self,
        query: str | TokenVectors | ArrayLike,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        offset: int = 0,
        min_score: float | None = None,
    ) -> list[Hit]:
        """The k best documents behind the first `offset`, best first, of those whose `normalised` is at least
        `min_score`. query: a text, vectors of one query, or rows (tokens, dim)."""
        ...

    def search_batch(
        self,
        queries: Sequence[str] | TokenVectors,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        offset: int = 0,
        min_score: float | None = None,
    ) -> list[list[Hit]]:
        """`search` for many queries at once."""
        ...

    async def asearch(
        self,
        query: str | TokenVectors | ArrayLike,
        k: int = 10,
        where: Mapping[str, Any] | None = None,
        *,
        explain: bool = False,
        offset: int = 0,
        min_score: float | None = None,
    ) -> list[Hit]:
        """`search` on a thread of the running loop's executor."""
        ...

    def close(self) -> None:
        """Let go of everything; closing twice is fine."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *found: object) -> None: ...
