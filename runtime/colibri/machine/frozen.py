"""Whether this is a program of its own, without a Python beside it, and how it can be started again."""

import sys
from typing import Any


def frozen_by() -> str | None:
    """What made a program of this copy: "PyInstaller" (or another that sets sys.frozen), "Nuitka", or None. A module
    or program that Nuitka compiled, and that runs beside Python, is none."""
    if getattr(_compiled(), "standalone", False):
        return "Nuitka"
    return "PyInstaller" if getattr(sys, "frozen", False) else None


def program() -> str:
    """What starts a frozen program again: of Nuitka's, sys.executable names a file that is not there."""
    return str(getattr(_compiled(), "process_exe", None) or sys.executable)


def _compiled() -> Any:
    return globals().get("__compiled__")
