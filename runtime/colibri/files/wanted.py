"""What of a folder is indexed, and how: its options, which an index remembers with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from colibri.files.chosen_kinds import shown_kinds
from colibri.files.reading import Reading
from colibri.files.room.worker import Limits
from colibri.tokens import PASSAGE_TOKENS


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is indexed, and how. max_bytes: of a file; larger ones are skipped and named.

    max_seconds, max_memory_bytes  of reading one file, see `room`
    ignores, kinds                 of the user's configuration (`configuration`): patterns of what is left out, and the
                                   kinds that are read, as `checked_kinds` gives them; none: all
    """

    globs: Sequence[str] = ()
    hidden: bool = False
    ignore: bool = True
    max_bytes: int = 64 << 20
    max_seconds: float = Limits.seconds
    max_memory_bytes: int = Limits.memory_bytes
    text_field: str | None = None
    id_field: str | None = None
    split: bool = True
    passage_tokens: int = PASSAGE_TOKENS
    ignores: Sequence[str] = ()
    kinds: Sequence[str] = ()

    @property
    def limits(self) -> Limits:
        """As the room takes them."""
        reading = Reading(text_field=self.text_field, id_field=self.id_field)
        return Limits(seconds=self.max_seconds, memory_bytes=self.max_memory_bytes, reading=reading)

    @property
    def passages(self) -> int:
        """The most tokens of a passage, as an index knows it of each document; 0: a text is one."""
        return self.passage_tokens if self.split else 0

    def stored(self) -> dict[str, Any]:
        """What differs from the defaults, as JSON takes it; without the limits of reading, which are a run's."""
        found = {}
        for one in fields(self):
            value = getattr(self, one.name)
            value = tuple(value) if one.name in _LISTS else value
            if value != one.default and one.name not in _OF_A_RUN:
                found[one.name] = list(value) if one.name in _LISTS else value
        return found

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """From what `stored` gave. Options that a newer program knows are passed over."""
        names = {name.name for name in fields(cls)}
        found: dict[str, Any] = {name: value for name, value in stored.items() if name in names}
        return cls(**found | {name: tuple(found.get(name, ())) for name in _LISTS})


_OF_A_RUN = frozenset({"max_seconds", "max_memory_bytes"})
_LISTS = frozenset({"globs", "ignores", "kinds"})
_MB = 1 << 20
_SHOWN: dict[str, tuple[str, Callable[[Any], str]]] = {
    "globs": ("--glob", lambda value: " ".join(value) or "none"),
    "hidden": ("--hidden", lambda value: "yes" if value else "no"),
    "ignore": ("--ignore", lambda value: "yes" if value else "no"),
    "max_bytes": ("--max-mb", lambda value: f"{value // _MB:,}"),
    "text_field": ("--text-field", lambda value: value or "none"),
    "id_field": ("--id-field", lambda value: value or "none"),
    "split": ("--split", lambda value: "yes" if value else "no"),
    "passage_tokens": ("--passage-tokens", str),
    "ignores": ("ignore in config.toml:", lambda value: " ".join(value) or "none"),
    "kinds": ("kinds in config.toml:", lambda value: shown_kinds(value) or "all"),
}
"""How options are called on the command line, and in the configuration."""


def shown_options(wanted: Wanted) -> str:
    """Those that are not the default: "--glob *.md, --passage-tokens 90"; "" where all are."""
    return ", ".join(f"{_SHOWN[name][0]} {_SHOWN[name][1](value)}" for name, value in wanted.stored().items())


def shown_change(before: Wanted, after: Wanted) -> str:
    """What differs: "--passage-tokens 90 (was 180)"; "" where nothing does."""
    parts = []
    for name, (option, show) in _SHOWN.items():
        was, now = getattr(before, name), getattr(after, name)
        if show(was) != show(now):
            parts.append(f"{option} {show(now)} (was {show(was)})")
    return ", ".join(parts)
