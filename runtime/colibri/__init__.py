"""Colibri: late-interaction search that runs where PyTorch cannot.

    import colibri
    model = colibri.load()
    model.rerank("how many people live in Berlin?", ["Berlin has 3.7 million inhabitants.", "Bread is baked."])

Importing this module loads nothing else; each name below is loaded when it is first used.
"""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from colibri.version import __version__ as __version__

if TYPE_CHECKING:
    from colibri.encoding import Report
    from colibri.errors import (
        ArtefactError,
        ArtefactNotFound,
        ColibriError,
        DocumentNotFound,
        ExportError,
        InputError,
        InputTypeError,
        MissingExtra,
        ProviderError,
        ShapeError,
        StoreDamaged,
        StoreError,
        StoreLocked,
        StoreUnfinished,
    )
    from colibri.index import Document, Hit, Index
    from colibri.model import Colibri, Result, load
    from colibri.providers import Provider
    from colibri.scoring import maxsim
    from colibri.vectors import TokenVectors

# onnxruntime's builds (1.32, its Privacy.md) report to their maker and keep a device id in the home folder, unless this
# is set before they start. Whoever wants that can set it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOME = {
    "Colibri": "model",
    "Result": "model",
    "Provider": "providers",
    "Report": "encoding",
    "load": "model",
    "maxsim": "scoring",
    "TokenVectors": "vectors",
    "Index": "index",
    "Document": "index",
    "Hit": "index",
} | dict.fromkeys(
    [
        "ArtefactError",
        "ArtefactNotFound",
        "ColibriError",
        "DocumentNotFound",
        "ExportError",
        "InputError",
        "InputTypeError",
        "MissingExtra",
        "ProviderError",
        "ShapeError",
        "StoreDamaged",
        "StoreError",
        "StoreLocked",
        "StoreUnfinished",
    ],
    "errors",
)

__all__ = [
    "ArtefactError",
    "ArtefactNotFound",
    "Colibri",
    "ColibriError",
    "Document",
    "DocumentNotFound",
    "ExportError",
    "Hit",
    "Index",
    "InputError",
    "InputTypeError",
    "MissingExtra",
    "Provider",
    "ProviderError",
    "Report",
    "Result",
    "ShapeError",
    "StoreDamaged",
    "StoreError",
    "StoreLocked",
    "StoreUnfinished",
    "TokenVectors",
    "load",
    "maxsim",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"colibri.{_HOME[name]}"), name)
    raise AttributeError(f"module 'colibri' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


# A frozen program starts itself as the process that reads files (colibri.files.room), follows folders
# (colibri.files.follow) or holds Qdrant Edge (colibri.stores.edge_worker), for want of a `python -m`.
if getattr(sys, "frozen", False) or "__compiled__" in globals():
    for _variable, _module in (
        ("COLIBRI_FILES_ROOM", "colibri.files.room.__main__"),
        ("COLIBRI_FILES_FOLLOW", "colibri.files.follow.__main__"),
        ("COLIBRI_STORES_EDGE", "colibri.stores.edge_worker"),
    ):
        if os.environ.pop(_variable, ""):
            import_module(_module).main()
            os._exit(0)
