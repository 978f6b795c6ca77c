"""Another process with the Python, the colibri and the packages of this one."""

import os
import sys
from pathlib import Path

from colibri.machine.frozen import frozen_by, program

_CODE = (
    "import importlib, os, sys, typing; module, home, *paths = sys.argv[1:]; sys.path.insert(0, home); import colibri; "
    "del sys.path[0]; sys.path += [path for path in paths if path not in sys.path]; "
    "importlib.import_module(module).main()"
)
"""As `python -m module`, with the colibri of this process, and what else it can import found last: an email.py beside
the program must not be taken for Python's."""


def another_python(module: str, variable: str) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a process that runs a module's `main`. sys.executable must name a Python.

    variable  set to "1" in a frozen program, which starts itself: `import colibri` sees it and runs the module
    """
    environment = dict(os.environ)
    if frozen_by():
        return [program()], environment | {variable: "1"}
    # -P: a json.py in the folder that one happens to be in is not run.
    flags = ["-P", *(["-E"] if sys.flags.ignore_environment else []), *(["-s"] if sys.flags.no_user_site else [])]
    return [sys.executable, *flags, "-c", _CODE, module, *_import_paths()], environment


def _import_paths() -> list[str]:
    """Where this process finds colibri, and then all modules, the folder that it is in aside."""
    home = Path(__file__).resolve().parents[2]
    return [str(home), *(str(Path(path).absolute()) for path in sys.path if path)]
