"""Where an index lies, and opening it, for the commands that use one."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colibri.cli.options import ModelOptions

if TYPE_CHECKING:
    from colibri.index import Index
    from colibri.model import Colibri

DEFAULT = ".colibri-index"


class NamedPath(click.Path):
    """A path that has a name. An empty one, as of a shell's variable that is not set, would be the current folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if not os.fspath(value):
            self.fail("an empty path; wanted a file or folder ('.' is this one)", param, ctx)
        return super().convert(value, param, ctx)


def is_index(place: Path) -> bool:
    """Whether an index lies in a folder."""
    from colibri.index import is_index_folder

    try:
        return is_index_folder({entry.name for entry in place.iterdir()})
    except OSError:
        return False


def open_index(place: Path, asked: ModelOptions, *, create: bool) -> "Index":
    """Open it with the model it was made with, unless another is named; loaded when needed, as the options say."""
    from colibri.index import Index

    return Index.open(place, asked.model, asked.dim, create, load=loader(asked))


def loader(asked: ModelOptions) -> "Callable[[str | os.PathLike[str] | None], Colibri]":
    """Loads a model as the options say; the index says which, and which of its widths."""
    return lambda source: replace(asked, model=None if source is None else os.fspath(source), dim=None).load()
