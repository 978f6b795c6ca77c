"""Documents of whatever keeps them by id, as a mapping has them: `index[id]`, `id in index`."""

from collections.abc import Sequence
from typing import Protocol

from colibri.errors import DocumentNotFound, InputTypeError
from colibri.index.document import LONGEST_ID, Stored, encodable


class Holder(Protocol):
    """An index, or another store."""

    def get(self, ids: str | Sequence[str], *, vectors: bool = False) -> list[Stored | None]:
        """See `Index.get`."""


def can_be_there(found_id: object) -> bool:
    """Whether there may be a document of that id. Raises InputTypeError for what is no string, such as a place."""
    if not isinstance(found_id, str):
        raise InputTypeError(f"id: found {type(found_id).__name__}, wanted str; documents are found by their ids")
    return 0 < len(found_id) <= LONGEST_ID and encodable(found_id)


def document_of(holder: Holder, found_id: object) -> Stored:
    """The document of an id. Raises DocumentNotFound, which is a KeyError, and InputTypeError."""
    found = holder.get(str(found_id))[0] if can_be_there(found_id) else None
    if found is None:
        raise DocumentNotFound(f"{found_id!r}: no document of that id; `get` gives None for such")
    return found
