"""Opens a file of the index with the program that this desktop has for it, or shows the folder that it lies in.

Only what the index has as a file, and still is that file: its real path must lie below the folder that was indexed, so
that a link that took its place leads nowhere. No shell is asked, and what is opened is given as one word.
"""

import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from colibri.files import owner, real
from colibri.index import Index
from colibri.machine import runs
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
    if runs(place):
        raise Problem(409, "FILE_RUNS", f"{place.name}: to open it would run it; show its folder instead")
    if sys.platform == "win32":
        _started_by_windows(place)
    else:
        _started([*_opener(), str(place)], place)


def reveal(index: Index, found_id: str) -> None:
    """Show the folder, with the file chosen in it where the desktop can."""
    place = file_to_open(index, found_id)
    if sys.platform == "win32":
        _started(f'explorer.exe /select,"{place}"', place, codes=(0, 1))  # 1 is what it ends with when all is well
    elif sys.platform == "darwin":
        _started(["open", "-R", str(place)], place)
    else:
        _started([*_opener(), str(place.parent)], place)


def _opener() -> list[str]:
    if sys.platform == "darwin":
        return ["open"]
    for words in (["xdg-open"], ["gio", "open"]):
        if (program := shutil.which(words[0])) is not None:
            return [program, *words[1:]]
    raise Problem(501, "NOTHING_OPENS", "neither xdg-open nor gio is here: install xdg-utils")


def _started(words: Sequence[str] | str, place: Path, codes: Sequence[int] = (0,)) -> None:
    """It may go on for as long as what it opened; what ends at once with an error is said."""
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            start_new_session=sys.platform != "win32",  # Ctrl-C of this program is not the viewer's
        )
    except OSError as error:
        raise Problem(501, "NOTHING_OPENS", f"{place.name}: {error.strerror or error}") from None
    try:
        code = process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, daemon=True).start()  # else it stays as a zombie when it ends
        return
    if code not in codes:
        said = f"no program opens {place.name} here, or it failed (exit code {code}); open {place} yourself"
        raise Problem(501, "NOTHING_OPENS", said)


def _started_by_windows(place: Path) -> None:
    try:
        os.startfile(place)  # type: ignore[attr-defined,unused-ignore]
    except OSError as error:
        raise Problem(501, "NOTHING_OPENS", f"no program opens {place.name} here ({error.strerror or error})") from None
