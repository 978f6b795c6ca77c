"""Opening a file with the program that this system has for it, never by way of a shell."""

import os
import subprocess
import sys
import tempfile
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
    if not path.is_absolute():
        return f"{path}: not an absolute path"
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where it may not look
        return f"{path}: no such file"
    if runs(path):
        return f"{path}: to open it would run it; open it yourself"
    if sys.platform == "win32":
        try:
            os.startfile(path)
        except OSError as error:
            return f"{path}: {error.strerror or error}"
        return None
    program = "open" if sys.platform == "darwin" else "xdg-open"
    return _handed(program, path, wait_seconds)


def _handed(program: str, path: Path, wait_seconds: float) -> str | None:
    """stderr goes to a file: a program that goes on must not find a pipe that nobody reads."""
    with tempfile.TemporaryFile() as said:
        try:
            child = subprocess.Popen(
                [program, os.fspath(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,  # Ctrl-C and a closed terminal are not for it
            )
        except FileNotFoundError:
            brings = " (package xdg-utils)" if program == "xdg-open" else ""
            return f"there is no {program} here{brings}, which opens files"
        except OSError as error:
            return f"{program}: {error.strerror or error}"
        try:
            code = child.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            child.returncode = 0  # it is on its own now, and not to be warned of when this process ends
            return None
        if code == 0:
            return None
        said.seek(0)
        words = " ".join(said.read(2_000).decode("utf-8", "replace").split())
        return f"{program} ended with code {code}{f': {words}' if words else ''}"
