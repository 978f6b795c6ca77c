"""Which index is meant. The first of these that says one:

1. a folder that was named (`--index`), or one of the user's own by its name (`--name`)
2. the variable COLIBRI_INDEX, a folder; an empty one is none
3. `.colibri-index` of the current folder, or of the nearest one above it on the same file system, as git finds `.git`
4. the user's own, which is called "default"

Nothing is opened or made. What is at (3) and of another user is refused and not passed over (`trust`): answers of
another index than the one at hand would look like it held nothing.
"""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from colibri.errors import InputError
from colibri.machine import home
from colibri.own.configuration import configuration_file, trusted
from colibri.own.keeping import DEFAULT, name_of, own_index
from colibri.own.trust import why_not_trusted

FOLDER = ".colibri-index"
"""A folder's own index."""
VARIABLE = "COLIBRI_INDEX"
"""Names an index where nothing on the command line does."""


@dataclass(frozen=True, kw_only=True)
class Which:
    """An index, which may not be there yet.

    path   as it was named, or `.colibri-index` where it is of the current folder, else absolute
    why    in words: "COLIBRI_INDEX", "found in /home/me/notes", "your own"
    name   which of the user's own it is; None: none of them
    words  how a command line names it, where nothing else does; "" where the same command finds it again without
    """

    path: Path
    why: str
    name: str | None = None
    words: str = ""


def which(folder: str | os.PathLike[str] | None = None, name: str | None = None) -> Which:
    """The index that is meant. folder, name: what the user said; not both.

    Raises InputError for both, for what is no name, for one that was found and is another user's, and where only the
    user's own is left and no home folder is known.
    """
    if folder is not None and name is not None:
        raise InputError("either --index or --name: one says a folder, the other which of your own")
    if folder is not None:
        return Which(path=Path(folder), why="--index", name=name_of(Path(folder)), words=f"--index {_quoted(folder)}")
    if name is not None:
        place = own_index(name)
        words = f"--name {_quoted(place.name)}"
        return Which(path=place, why=f"your own, {words}", name=place.name, words=words)
    if said := os.environ.get(VARIABLE):
        path = _from_home(Path(said))
        return Which(path=path, why=VARIABLE, name=name_of(path))
    if (found := _upwards()) is not None:
        return found
    return Which(path=own_index(), why="your own", name=DEFAULT)


def _upwards() -> Which | None:
    try:
        here = Path.cwd()
        device = here.stat().st_dev
    except OSError:  # it was deleted meanwhile
        return None
    for folder in (here, *here.parents):
        try:
            if folder.stat().st_dev != device:
                return None
        except OSError:
            return None
        place = folder / FOLDER
        if os.path.lexists(place):  # a link to a disk that is not mounted is one, too
            if (why := why_not_trusted(place, trusted())) is not None:
                raise InputError(_refusal(place, why))
            return Which(path=Path(FOLDER) if folder == here else place, why=f"found in {folder}", name=name_of(place))
    return None


def _refusal(place: Path, why: str) -> str:
    return (
        f"{place}: {why}, and would read what goes into it and say which model is loaded, so it is not used without "
        f"being named: --index {place} uses it, --name {DEFAULT} your own; trusted = ['{place.parent}'] in "
        f"{configuration_file() or 'a file that COLIBRI_CONFIG names'} settles it for good"
    )


def _quoted(word: str | os.PathLike[str]) -> str:
    """As a shell takes it."""
    text = os.fspath(word)
    return f'"{text}"' if os.name == "nt" and " " in text else text if os.name == "nt" else shlex.quote(text)


def _from_home(path: Path) -> Path:
    """`~` at the beginning: of a variable that a unit or a .env file sets no shell has seen it."""
    user = home()
    return user.joinpath(*path.parts[1:]) if user and path.parts[:1] == ("~",) else path
