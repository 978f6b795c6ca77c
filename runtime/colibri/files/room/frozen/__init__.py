"""What PyInstaller has to know: modules that are loaded by name, and the artefacts that come along.

PyInstaller finds it by itself (entry point `pyinstaller40`). A frozen program reads files in a process of its own as
any other does; see `colibri.files.room` for the one thing it has to mind.
"""

from pathlib import Path


def hook_dirs() -> list[str]:
    """Where hook-colibri.py lies."""
    return [str(Path(__file__).parent)]
