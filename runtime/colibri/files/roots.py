"""The files and folders that an index is filled from, their options, and what the last run passed by.

They are a note of the index (`Index.note`), "folders": {"format": 1, "roots": {path: facts}}. An index without one,
made before there were notes or repaired by a program that knows none, has the roots that its documents name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from colibri.errors import StoreError
from colibri.files.facts import Known, known_files
from colibri.files.looking import owner
from colibri.files.wanted import Wanted
from colibri.index import Index

_NOTE, _FORMAT = "folders", 1
_MOST = 1_000  # skipped files that are remembered of a root


@dataclass
class Root:
    """What an index knows of one.

    when      its last whole run ended (ISO 8601, UTC); "" none did
    skipped   path -> why nothing of it is found, up to 1,000; `more` counts the rest
    not_read  kinds that nothing reads, counted
    left_out  which rules left out how many
    mounts    folders in it with a file system of their own; itself, if it is one
    without   paths that were taken out by hand and stay out
    missed    whether the last run found it gone
    """

    wanted: Wanted = field(default_factory=Wanted)
    when: str = ""
    skipped: dict[str, str] = field(default_factory=dict)
    more: int = 0
    not_read: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    mounts: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    missed: bool = False

    def remember_skipped(self, skipped: Mapping[str, str]) -> None:
        """As far as there is room."""
        self.skipped = dict(list(skipped.items())[:_MOST])
        self.more = max(len(skipped) - _MOST, 0)

    def stored(self) -> dict[str, Any]:
        """As JSON takes it."""
        found = {name: value for name, value in vars(self).items() if name != "wanted" and value}
        return {"options": self.wanted.stored(), **found}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Root":
        """From what `stored` gave."""
        names = cls.__dataclass_fields__.keys() - {"wanted"}
        found = {name: value for name, value in stored.items() if name in names}
        return cls(wanted=Wanted.of(stored.get("options", {})), **found)


def roots_of(index: Index, known: Mapping[str, Known]) -> dict[str, Root]:
    """By path. known: its files. Raises StoreError where a newer program has written them."""
    found = _read(index.note(_NOTE), index)
    for path, entry in known.items():
        root = entry.facts.get("root")
        if isinstance(root, str) and owner(path, found) is None:
            found[root] = Root()
    return found


def current_roots(index: Index) -> dict[str, Root]:
    """By path, of the newest commit; what no note says its documents are asked for."""
    found = _read(index.note(_NOTE), index)
    return found or roots_of(index, known_files(index))


def noted_roots(index: Index) -> dict[str, Root]:
    """Those that are noted, by path: what documents name beside is left out. Raises as `roots_of` does."""
    return _read(index.note(_NOTE), index)


def change_roots(index: Index, change: Callable[[dict[str, Root]], object]) -> None:
    """Change them in one transaction, whatever another process has made of them meanwhile."""

    def changed(note: Any) -> Any:
        roots = _read(note, index)
        change(roots)
        return {"format": _FORMAT, "roots": {path: root.stored() for path, root in roots.items()}}

    index.set_note(_NOTE, changed)


def _read(note: Any, index: Index) -> dict[str, Root]:
    if note is None:
        return {}
    if note.get("format") != _FORMAT:
        raise StoreError(f"{index.path}: its folders were written by a newer colibri-edge; upgrade this one")
    return {path: Root.of(root) for path, root in note["roots"].items()}
