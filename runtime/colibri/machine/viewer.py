"""Opening a file with the program that this system has for it, or its folder, never by way of a shell."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

_WAIT_SECONDS = 10.0
"""For a program that hands the file on; one that shows it itself goes on after that."""


_RUNS: dict[str, str] = {
    "win32": ".appref-ms .bat .chm .cmd .com .cpl .exe .hta .inf .ins .jar .js .jse .lnk .msc .msi .msp .pif .ps1 .py "
    ".pyw .pyz .reg .scf .scr .sct .settingcontent-ms .url .vbe .vbs .ws .wsc .wsf .wsh",
    "darwin": ".action .app .command .fileloc .inetloc .terminal .tool .webloc .workflow",
    "linux": ".appimage .desktop .run",
}
"""Endings whose files a desktop runs, or follows elsewhere, when they are opened."""


def runs(place: Path, platform: str = sys.platform) -> bool:
    """Whether to open a file would run it."""
    name = place.name.rstrip(". ").lower()
    if platform == "darwin" and not place.suffix and os.access(place, os.X_OK):
        return True
    return name.endswith(tuple(_RUNS.get(platform, _RUNS["linux"]).split()))


def open_file(path: Path, *, wait_seconds: float = _WAIT_SECONDS) -> str | None:
    """Show a file, or a folder, to the user; why that failed, or None.

    path  absolute: what begins with a dash would be an option. What opening would run is not opened
    """
    if (why := _not_to_be_shown(path)) is not None:
        return why
    if runs(path):
        return f"{path}: to open it would run it; open it yourself"
    if sys.platform == "win32":
        try:
            os.startfile(path)
        except OSError as error:
            return f"{path}: {error.strerror or error}"
        return None
    return _by_opener(path, wait_seconds)


def show_in_folder(path: Path, *, wait_seconds: float = _WAIT_SECONDS) -> str | None:
    """Show the folder of a file, with the file chosen in it where the desktop can; why that failed, or None.

    path  absolute
    """
    if (why := _not_to_be_shown(path)) is not None:
        return why
    if sys.platform == "win32":  # 1 is what it ends with when all is well
        return _handed(f'explorer.exe /select,"{path}"', "explorer.exe", wait_seconds, codes=(0, 1))
    if sys.platform == "darwin":
        return _handed(["open", "-R", os.fspath(path)], "open", wait_seconds)
    return _by_opener(path.parent, wait_seconds)


def _not_to_be_shown(path: Path) -> str | None:
    if not path.is_absolute():
        return f"{path}: not an absolute path"
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where it may not look
        return f"{path}: no such file"
    return None


def _by_opener(path: Path, wait_seconds: float) -> str | None:
    if sys.platform == "darwin":
        return _handed(["open", os.fspath(path)], "open", wait_seconds)
    for program, *words in (["xdg-open"], ["gio", "open"]):
        if (found := shutil.which(program)) is not None:
            return _handed([found, *words, os.fspath(path)], program, wait_seconds)
    return "neither xdg-open nor gio is here, which open files: install xdg-utils"


def _handed(words: Sequence[str] | str, program: str, wait_seconds: float, codes: Sequence[int] = (0,)) -> str | None:
    """stderr goes to a file: a program that goes on must not find a pipe that nobody reads."""
    with tempfile.TemporaryFile() as said:
        try:
            child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=sys.platform != "win32",  # Ctrl-C and a closed terminal are not for it
            )
        except OSError as error:
            return f"{program}: {error.strerror or error}"
        try:
            code = child.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            # It is on its own now, but must not stay as a zombie of a program that goes on when it ends.
            threading.Thread(target=child.wait, daemon=True).start()
            return None
        if code in codes:
            return None
        said.seek(0)
        told = " ".join(said.read(2_000).decode("utf-8", "replace").split())
        return f"{program} ended with code {code}{f': {told}' if told else ''}"
