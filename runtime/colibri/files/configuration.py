"""What the user's configuration file says of an index, in the words of a run: roots, and options of each of them.

It holds for the user's own indexes alone; `colibri.own` says which those are, and reads the file.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from colibri.errors import InputError
from colibri.files.chosen_kinds import checked_kinds
from colibri.files.gitignore import Pattern
from colibri.files.walk import shown
from colibri.own import Settings, name_of, nearest, settings_of


@dataclass(frozen=True)
class Configured:
    """roots: files and folders, there or not. options: fields of `Wanted`, for every root of the index."""

    file: Path | None = None
    roots: tuple[Path, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def configured(place: Path) -> Configured:
    """Of the index in a folder. An option that the file does not have any more is taken back.

    Raises InputError for a file that cannot be understood, a pattern that can match nothing, a kind that there is not.
    """
    name = name_of(place)
    if name is None:
        return Configured()
    found = settings_of(name)
    return Configured(found.file, found.roots, {"ignores": _patterns(found), "kinds": _kinds(found)})


def _patterns(settings: Settings) -> tuple[str, ...]:
    for text in settings.ignore:
        try:
            Pattern(os.fsencode(text))
        except ValueError as error:
            raise InputError(
                f"{settings.file}: ignore: {text!r}: {error}; wanted is a pattern such as '*.log' or 'drafts/'"
            ) from error
    return settings.ignore


def _kinds(settings: Settings) -> tuple[str, ...]:
    try:
        return checked_kinds(settings.kinds, nearest)
    except InputError as error:
        raise InputError(f"{settings.file}: kinds: {error}") from error


def first_there(roots: Sequence[Path]) -> bool:
    """Whether any of some roots is there."""
    return any(os.path.lexists(root) for root in roots)


def coming_back(place: Path, roots: Iterable[str]) -> list[str]:
    """What is to be said of roots that were taken out of an index while the user's file names them."""
    found = configured(place)
    named = {shown(root.resolve()) for root in found.roots} | {shown(root) for root in found.roots}
    return [f"{root} is a root in {found.file}: the next `colibri index` adds it" for root in roots if root in named]
