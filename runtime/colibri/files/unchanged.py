"""Documents of a changed file that are what the index has of them: a row among thousands, of which one was edited."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from colibri.errors import StoreDamaged
from colibri.files.facts import Known
from colibri.index import Document, Index, Stored

_AT_ONCE = 64
_MADE_OF = ("reader", "passages", "about", "places")


def without_those_that_stay(
    index: Index, before: Known, documents: Iterator[Document], kept: dict[str, Any]
) -> Iterator[Document]:
    """Those that have to be encoded.

    before  what the index has of the file
    kept    takes the payloads of the others, by their ids: their file has new facts
    """
    known = set(before.ids)
    while some := list(islice(documents, _AT_ONCE)):
        asked = [one.id for one in some if one.id in known]
        stored = {one.id: one for one in _stored(index, asked) if one is not None}
        for one in some:
            kept.pop(one.id, None)  # of one id given twice the later counts
            if (old := stored.get(one.id)) is not None and _same(old, one):
                kept[one.id] = one.payload
            else:
                stored.pop(one.id, None)
                yield one


def _stored(index: Index, ids: Sequence[str]) -> Sequence[Stored | None]:
    try:
        return index.get(ids)
    except StoreDamaged:  # to be written anew
        return ()


def _same(old: Stored, new: Document) -> bool:
    before, after = (old.payload or {}).get("file", {}), (new.payload or {}).get("file", {})
    return old.text == new.text and all(before.get(name) == after.get(name) for name in _MADE_OF)
