"""Values of a checkpoint's JSON files as facts, each checked when it is asked for."""

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from colibri.artefact import parse_typed
from colibri.errors import ArtefactError, ExportError
from colibri_export.facts import Facts


@dataclass(frozen=True, kw_only=True)
class OwnFacts:
    """What a checkpoint says of itself."""

    said: Facts = field(default_factory=Facts)
    """What stands in its file."""
    defaults: Facts = field(default_factory=Facts)
    """What the file's absence of a key has always meant to the library that wrote it."""
    file: str | None = None
    """The file's name; None where there is none."""


@dataclass(frozen=True)
class Said:
    """A JSON object whose values are checked when they are asked for."""

    document: Mapping[str, Any]
    where: str

    def get(self, key: str, kind: Any) -> Any:
        """The value, or None where the key is missing. Raises ExportError for a value of another kind."""
        if key not in self.document:
            return None
        try:
            return parse_typed(kind, self.document[key], key)
        except ArtefactError as error:
            raise ExportError(f"{self.where}: {error}") from None

    def length(self, key: str) -> int | None:
        """A number of tokens from 1, or None where the key is missing."""
        found: int | None = self.get(key, int)
        if found is not None and found < 1:
            raise ExportError(f"{self.where}: {key}: found {found}, wanted a number of tokens from 1")
        return found


def skiplist_of(words: tuple[str, ...] | None) -> dict[str, Any]:
    """skiplist and skiplist_words of `Facts` for PyLate's list of words; an empty one drops nothing."""
    if words is None:
        return {}
    if not words:
        return {"skiplist": "none"}
    return {"skiplist": "pylate", "skiplist_words": None if set(words) == set(string.punctuation) else words}
