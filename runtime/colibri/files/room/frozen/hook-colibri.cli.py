"""Run by PyInstaller where a program imports colibri.cli, as one that is the command itself does."""

from importlib import metadata, util

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

hiddenimports = collect_submodules("colibri.cli")
datas = []
if all(util.find_spec(name) for name in ("msgspec", "orjson", "prometheus_client", "starlette", "uvicorn")):
    hiddenimports += collect_submodules("colibri.server") + collect_submodules("colibri.ui")

# Commands come by entry points, ours of colibri_export among them.
for point in metadata.entry_points(group="colibri.commands"):
    package = point.module.partition(".")[0]
    hiddenimports += collect_submodules(package, on_error="ignore")  # what an extra that is not here would bring
    datas += collect_data_files(package)
    if point.dist is not None:
        datas += copy_metadata(point.dist.name)

# Versions that `colibri doctor` tells.
for name in ("numpy", "tokenizers", "numba", "huggingface_hub"):
    try:
        datas += copy_metadata(name)
    except metadata.PackageNotFoundError:
        continue
