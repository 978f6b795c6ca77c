"""Opens a file of the index with the program that this desktop has for it, or shows the folder that it lies in.

Only what the index has as a file, and still is that file: its real path must lie below the folder that was indexed, so
that a link that took its place leads nowhere. No shell is asked, and what is opened is given as one word.
"""

import os
import stat
from pathlib import Path

from colibri import machine
from colibri.files import owner, real
from colibri.index import Index
from colibri.server import Problem
from colibri.ui.found import path_of
from colibri.ui.held import file_of

_SECONDS = 5.0
"""In which a starter that fails has said so; those of a desktop end within one."""


def file_to_open(index: Index, found_id: str) -> Path:
    """The file of a document. Raises Problem: 404 where there is none, 409 where it is not what was indexed."""
    stored = index.get(found_id)[0]
    if stored is None:
        raise Problem(404, "RESOURCE_NOT_FOUND", "the index has no document of that id any more; search again")
    file = file_of(stored.payload)
    path, root = path_of(file), file.get("root")
    if path is None or not isinstance(root, str):
        raise Problem(404, "RESOURCE_NOT_FOUND", "this document is of no file: a program added it to the index")
    place = Path(real(path))
    try:
        found = place.lstat()
        true = os.path.realpath(place, strict=True)
        above = os.path.realpath(real(root), strict=True)
    except (FileNotFoundError, NotADirectoryError):
        raise Problem(404, "FILE_GONE", f"{path}: is not there any more") from None
    except (OSError, ValueError) as error:
        raise Problem(409, "FILE_NOT_OPENED", f"{path}: cannot be looked at ({error})") from None
    if not stat.S_ISREG(found.st_mode):
        raise Problem(409, "FILE_NOT_OPENED", f"{path}: was a file when it was indexed, and is none now; not opened")
    if owner(true, {above}) is None:
        raise Problem(409, "FILE_NOT_OPENED", f"{path}: leads out of {root} by now; not opened")
    return place


def open_file(index: Index, found_id: str) -> None:
    """Raises Problem where it cannot be, and for what would be run."""
    place = file_to_open(index, found_id)
    if machine.runs(place):
        raise Problem(409, "FILE_RUNS", f"{place.name}: to open it would run it; show its folder instead")
    _check(place, machine.open_file(place, wait_seconds=_SECONDS))


def reveal(index: Index, found_id: str) -> None:
    """Show the folder, with the file chosen in it where the desktop can."""
    place = file_to_open(index, found_id)
    _check(place, machine.show_in_folder(place, wait_seconds=_SECONDS))


def _check(place: Path, why: str | None) -> None:
    if why is not None:
        raise Problem(501, "NOTHING_OPENS", f"{place.name} is not opened: {why}; open {place} yourself")
