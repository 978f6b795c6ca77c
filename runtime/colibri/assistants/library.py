"""The indexes that an assistant may look into, and what it may ask of them. Every answer is bounded."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colibri.assistants import reading
from colibri.assistants.answers import Characters, IndexEntry, Listing, Passage, Reading, Result, Results
from colibri.errors import ColibriError, InputError

if TYPE_CHECKING:
    from colibri.index import Hit, Index, Mode, PassageHit, Stored

MOST_RESULTS = 20
MOST_CHARACTERS = 16_000
"""Of all texts of a search together: some 4,000 tokens of the assistant's model."""
PASSAGE_CHARACTERS = 1_500
LONGEST_QUERY = 4_000
_PASSAGES = 3  # of each document


def named(places: Sequence[Path], known: Mapping[Path, str | None] | None = None) -> dict[str, Path]:
    """Names for indexes: those that are known, else their folders', or, of a hidden `.colibri-index`, that of the
    folder around it; of two alike the second gets a number."""
    found: dict[str, Path] = {}
    for place in places:
        whole = Path(place).absolute()
        own = (known or {}).get(place) or (whole.parent.name if whole.name.startswith(".") else whole.name) or "index"
        names = chain([own], (f"{own}-{i}" for i in count(2)))
        found[next(name for name in names if name not in found)] = whole
    return found


class Library:
    """Named indexes, each opened when it is first asked for, and its model loaded with the first question. Threads may
    share it."""

    def __init__(self, places: Mapping[str, Path], open_index: "Callable[[Path], Index]") -> None:
        """open_index: opens an index that is there; raises StoreError. At least one place."""
        self._places = dict(places)
        self._open = open_index
        self._opened: dict[str, Index] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """In the order they were given."""
        return list(self._places)

    def close(self) -> None:
        """Let go of files."""
        with self._lock:
            for index in self._opened.values():
                index.close()
            self._opened.clear()

    def listed(self) -> Listing:
        """Every index, also one that cannot be asked now, and why."""
        return Listing(indexes=[self._entry(name) for name in self._places])

    def search(
        self, query: str, index: str | None = None, k: int = 5, where: Mapping[str, Any] | None = None
    ) -> Results:
        """The k best documents. Raises InputError for what cannot be asked, StoreError for an index that cannot."""
        if not query.strip():
            raise InputError("query: empty; wanted a question, or words of what is sought")
        if len(query) > LONGEST_QUERY:
            raise InputError(f"query: {len(query):,} characters, wanted up to {LONGEST_QUERY:,}; ask in a sentence")
        if not 1 <= k <= MOST_RESULTS:
            raise InputError(f"k: found {k}, wanted 1 to {MOST_RESULTS}")
        name = self._name(index)
        opened = self._index(name)
        mode: Mode = "both" if opened.why_no_words() is None else "meaning"
        hits = opened.search(query, k, where, explain=True, passages=_PASSAGES, mode=mode)
        room = _Room(MOST_CHARACTERS)
        results = [_result(hit, room) for hit in hits]
        return Results(index=name, query=query, results=results, note=_note(name, hits, where))

    def read(
        self,
        found_id: str,
        start: int | None = None,
        end: int | None = None,
        neighbours: int = 1,
        index: str | None = None,
    ) -> Reading:
        """The passages that [start, end) touches, with so many on either side; without a start, from the beginning.

        Raises InputError for what there is not.
        """
        if neighbours < 0:
            raise InputError(f"neighbours: found {neighbours}, wanted a whole number from 0")
        name = self._name(index)
        stored = self._index(name).get(found_id)[0]
        if stored is None:
            raise InputError(f"id {found_id!r}: index {name!r} has no such document; take an id that `search` gave")
        if stored.text is None:
            raise InputError(f"id {found_id!r}: index {name!r} keeps no texts, so there is nothing to read here")
        wanted = reading.window(stored.passages, len(stored.text), start, end, neighbours)
        return _reading(name, stored, stored.text, wanted)

    def _entry(self, name: str) -> IndexEntry:
        try:
            index = self._index(name)
            stats, folders = index.stats(), index.note("folders")
            keeps = index.without_text() < stats.documents or not stats.documents
            return IndexEntry(
                name=name,
                documents=stats.documents,
                passages=stats.passages,
                model=stats.model,
                folders=_folders(folders),
                keeps_texts=keeps,
            )
        except ColibriError as error:
            return IndexEntry(
                name=name, documents=0, passages=0, model="", folders=[], keeps_texts=False, problem=str(error)
            )

    def _name(self, given: str | None) -> str:
        if given is None:
            if len(self._places) == 1:
                return next(iter(self._places))
            raise InputError(f"index: not said; there is {self._there()}")
        if given not in self._places:
            raise InputError(f"index {given!r}: no such index; there is {self._there()}")
        return given

    def _there(self) -> str:
        return ", ".join(map(repr, self._places))

    def _index(self, name: str) -> "Index":
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._open(self._places[name])
            return self._opened[name]


class _Room:
    """Characters that an answer may still have."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def take(self, wanted: int) -> int:
        """So many, or what is left."""
        own = min(wanted, self.left)
        self.left -= own
        return own


def _note(name: str, hits: "Sequence[Hit]", where: Mapping[str, Any] | None) -> str | None:
    if not hits:
        return f"nothing found in index {name!r}" if where is None else "nothing that the filter keeps"
    if all(hit.fit == "unlikely" for hit in hits):
        return "nothing fits well: these came nearest, and may have nothing to do with the query"
    return None


def _folders(note: Any) -> list[str]:
    """Of the note that `colibri.files` keeps with an index."""
    roots = note.get("roots") if isinstance(note, Mapping) else None
    return sorted(roots) if isinstance(roots, Mapping) else []


def _result(hit: "Hit", room: _Room) -> Result:
    from colibri.files import is_gone, place  # noqa: PLC0415 - `initialize` is answered before

    payload = hit.payload or {}
    file = payload.get("file")
    facts: Mapping[str, Any] = file if isinstance(file, Mapping) else {}
    path, title = facts.get("path"), facts.get("title", payload.get("title"))
    shown = [one for one in hit.passages if one.end > one.start]
    return Result(
        id=hit.id,
        place=str(place(hit)),
        path=path if isinstance(path, str) else None,
        title=title if isinstance(title, str) else None,
        modified=_time(facts.get("mtime_ns")),
        score=round(hit.normalised, 4),
        fit=hit.fit,
        passages=[] if hit.text is None else [_passage(hit.text, one, room) for one in shown],
        gone=isinstance(path, str) and is_gone(path),
    )


def _passage(text: str, one: "PassageHit", room: _Room) -> Passage:
    from colibri.explain import highlights  # noqa: PLC0415

    own = room.take(min(one.end - one.start, PASSAGE_CHARACTERS))
    shown = one.start + own
    return Passage(
        start=one.start,
        end=one.end,
        text=reading.whole(text[one.start : shown]),
        cut=shown < one.end,
        highlights=[
            Characters(start=span.start, end=span.end) for span in highlights(one.matches, text) if span.end <= shown
        ],
    )


def _time(mtime_ns: object) -> str | None:
    if not isinstance(mtime_ns, int):
        return None
    with suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat(timespec="seconds")
    return None


def _reading(name: str, stored: "Stored", text: str, wanted: "reading.Window") -> Reading:
    file = (stored.payload or {}).get("file")
    path = file.get("path") if isinstance(file, Mapping) else None
    line = f":{text.count(chr(10), 0, wanted.start) + 1}" if isinstance(file, Mapping) and file.get("verbatim") else ""
    return Reading(
        index=name,
        id=stored.id,
        place=f"{path if isinstance(path, str) else stored.id}{line}",
        start=wanted.start,
        end=wanted.end,
        text=reading.whole(text[wanted.start : wanted.end]),
        whole_length=len(text),
        passages=[Characters(start=one.start, end=one.end) for one in wanted.passages],
        more_before=wanted.start > 0,
        more_after=wanted.end < len(text),
    )
