"""Run by PyInstaller where a program imports colibri."""

from importlib import metadata, util
from pathlib import Path

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

import colibri
from colibri.artefact import find, shipped

_APART = ("colibri.server", "colibri.ui", "colibri.cli", "colibri.files.room.frozen")
"""Parts that a program which needs them imports by their names; hook-colibri.cli.py for the command."""

_RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-migraphx")

_READERS = ("backports.zstd", "chardet", "office_oxide", "olefile", "pypdfium2", "webencodings")
"""Of the extras [files] and [files-all], loaded by name when a file wants them."""


def _is_here(name: str) -> bool:
    try:
        return util.find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


hiddenimports = collect_submodules("colibri", filter=lambda name: not name.startswith(_APART))
hiddenimports += filter(_is_here, _READERS)
datas = collect_data_files("colibri")
# Kernels compiled ahead are shared libraries, which the line above leaves out.
_LIBRARIES = Path(colibri.__file__).parent / "scoring" / "libraries"
datas += [(str(file), "colibri/scoring/libraries") for file in _LIBRARIES.glob("*") if file.is_file()]
# In a checkout artefacts lie beside the package; frozen, they are in it as a wheel has them.
datas += [
    (str(file), f"colibri/artefacts/{name}")
    for name in shipped()
    if (folder := find(name).folder).parent.name != "artefacts"
    for file in folder.iterdir()
    if file.is_file()
]
# Which of the runtimes is installed is asked of their metadata.
for name in ("colibri-edge", *_RUNTIMES):
    try:
        datas += copy_metadata(name)
    except metadata.PackageNotFoundError:  # of the runtimes one is here; colibri itself may be on a path alone
        continue
