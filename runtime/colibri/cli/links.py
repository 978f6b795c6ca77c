"""Names of files as links (OSC 8), in terminals that are known to take them."""

import os
import sys
from pathlib import Path

from colibri.cli.terminal import visible

_PROGRAMS = {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "mintty", "rio", "Tabby", "WarpTerminal"}
_TERMS = ("alacritty", "contour", "foot", "xterm-ghostty", "xterm-kitty", "wezterm")
_VTE = 5000  # 0.50; the one before it crashed


def takes_links() -> bool:
    """Whether stdout takes links. FORCE_HYPERLINK decides where it is set: 0 for no."""
    if forced := os.environ.get("FORCE_HYPERLINK"):
        return forced != "0"
    said = os.environ.get
    if said("NO_COLOR") or said("TERM") == "dumb" or not sys.stdout.isatty():
        return False
    if said("SSH_CONNECTION"):  # the terminal would look for the file on its own machine
        return False
    if said("TERM_PROGRAM") in _PROGRAMS or (said("TERM") or "").startswith(_TERMS):
        return True
    vte = said("VTE_VERSION") or ""
    return (vte.isdecimal() and int(vte) >= _VTE) or any(map(said, ("WT_SESSION", "KONSOLE_VERSION", "DOMTERM")))


def linked(shown: str, path: str | None) -> str:
    """A name, styled or not, that leads to its file where stdout takes links. path: as an index has it."""
    if path is None or not takes_links():
        return shown
    from colibri.files import real

    try:
        address = Path(real(path)).as_uri()
    except ValueError:  # not absolute: of another system
        return shown
    return f"\x1b]8;;{visible(address)}\x1b\\{shown}\x1b]8;;\x1b\\"
