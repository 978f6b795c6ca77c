"""Which index a command is about, saying so, and opening it, for the commands that use one."""

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colibri.cli.options import ModelOptions
from colibri.cli.terminal import echo, visible
from colibri.errors import InputError, StoreError
from colibri.own import FOLDER, Which, checked_name, make_room, named_indexes, nearest, which

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from colibri.index import Index, RowKind
    from colibri.model import Colibri


class NamedPath(click.Path):
    """A path that has a name. An empty one, as of a shell's variable that is not set, would be the current folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if not os.fspath(value):
            self.fail("an empty path; wanted a file or folder ('.' is this one)", param, ctx)
        return super().convert(value, param, ctx)


class IndexName(click.types.StringParamType):
    """One of the user's own indexes, which may not be there yet."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name."""
        try:
            return checked_name(str(value))
        except InputError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Those that there are."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in named_indexes() if name.startswith(incomplete)]


@dataclass(frozen=True)
class IndexOptions:
    """What a command was told about its index. Which one that is, is found out, and said, when it is asked for."""

    folder: Path | None = None
    name: str | None = None

    @cached_property
    def which(self) -> Which:
        """Raises InputError, see `colibri.own.which`."""
        return which(self.folder, self.name)

    def place(self, *, quiet: bool = False) -> Path:
        """Its folder. On stderr goes which it is and why, unless a folder was named, or its JSON names it (quiet)."""
        found = self.which
        if self.folder is None and not quiet:
            echo(visible(f"index: {found.path} ({found.why})"), err=True)
        return found.path

    def existing(self, *, quiet: bool = False) -> Path:
        """The same of one that has to be there. Raises StoreError, with what to do, where nothing is."""
        found = self.which
        if not os.path.lexists(found.path):
            raise StoreError(f"{found.path}: no index there ({found.why}); {_what_to_do(found)}")
        if found.name is None and (told := _of_other_files(found)) is not None:
            raise StoreError(f"{found.path}: no index there ({found.why}); {told}")
        return self.place(quiet=quiet)


def index_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """--index, under these names, and --name. The command gets both as one argument, `named`: IndexOptions."""

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def collected(*, index_folder: Path | None, index_name: str | None, **given: Any) -> None:
            if index_folder is not None and index_name is not None:
                raise click.UsageError("either --index or --name: one says a folder, the other which of your own")
            command(named=IndexOptions(index_folder, index_name), **given)

        folder = click.option(
            *names, "index_folder", type=NamedPath(), metavar="FOLDER", multiple=True, callback=_only_one,
            help="Folder of the index. Default: COLIBRI_INDEX, else .colibri-index here or above, else your own.",
        )  # fmt: skip
        name = click.option(
            "--name", "index_name", type=IndexName(), metavar="NAME", multiple=True, callback=_only_one,
            help="One of your own indexes, by its name.",
        )  # fmt: skip
        return folder(name(collected))

    return decorated


def _only_one(ctx: click.Context, param: click.Parameter, value: tuple[Any, ...]) -> Any:
    """Of several, click would take the last, and pass over the others in silence. Raises BadParameter."""
    if len(value) > 1:
        told = ", ".join(map(str, value))
        raise click.BadParameter(f"found {told}, wanted one: {ctx.info_name} is about one index at a time", ctx, param)
    return value[0] if value else None


def is_index(place: Path) -> bool:
    """Whether an index lies in a folder."""
    from colibri.index import is_index_folder

    try:
        return is_index_folder({entry.name for entry in place.iterdir()})
    except OSError:
        return False


def open_index(
    place: Path, asked: ModelOptions, *, create: bool, rows: "RowKind | None" = None, pool: int | None = None
) -> "Index":
    """Open it with the model it was made with, unless another is named; loaded when needed, as the options say.

    rows, pool: as `Index.open` takes them."""
    from colibri.index import Index

    if create:
        make_room(place)
    return Index.open(place, asked.model, asked.dim, create, rows=rows, pool=pool, load=loader(asked))


def loader(asked: ModelOptions) -> "Callable[[str | os.PathLike[str] | None], Colibri]":
    """Loads a model as the options say; the index says which, and which of its widths."""
    return lambda source: replace(asked, model=None if source is None else os.fspath(source), dim=None).load()


def _of_other_files(found: Which) -> str | None:
    """What to do about a folder of no index: who names one means the files in it, or the index that lies beside them.
    None where there is no such folder to be seen; whoever opens it says what is wrong."""
    if os.path.isfile(found.path / _OF_AN_INDEX):  # noqa: PTH113 - Path.is_file raises for some names
        return None
    try:
        names = set(os.listdir(found.path))  # noqa: PTH208 - of names alone
    except (OSError, ValueError):
        return None
    if FOLDER in names:
        return f"its own is {found.path / FOLDER}"
    if names:
        how = found.why if found.why.startswith("-") else f"{found.why} set"
        return f"to search the files in it: `colibri index {shlex.quote(str(found.path))}`, both without {how}"
    return _what_to_do(found)


_OF_AN_INDEX = "index.sqlite"  # colibri.index, which loads NumPy, says so (tests/own/test_command.py)


def _what_to_do(found: Which) -> str:
    others = named_indexes()
    if found.name is None:
        named = f"; --name {found.path} is one of your own" if str(found.path) in others else ""
        return f"`colibri index PATH{f' {found.words}' if found.words else ''}` makes it{named}"
    if close := nearest(found.name, others):
        return f"the nearest of your own is --name {close}"
    named = f"; there is {', '.join(others)}" if others else ""
    return f"`colibri index PATH{f' {found.words}' if found.words else ''}` makes it{named}"
