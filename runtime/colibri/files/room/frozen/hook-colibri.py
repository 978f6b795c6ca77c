"""Run by PyInstaller where a program imports colibri."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

_APART = ("colibri.server", "colibri.cli", "colibri.files.room.frozen")
"""Parts that a program which needs them imports by their names."""

hiddenimports = collect_submodules("colibri", filter=lambda name: not name.startswith(_APART))
datas = collect_data_files("colibri")
