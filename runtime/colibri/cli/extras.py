"""The extras of the package: what each needs, and whether that is here."""

import sys
from importlib import metadata, util
from typing import Any

from colibri.machine import install_command

_ZSTD = ("backports.zstd",) if sys.version_info < (3, 14) else ()
_FILES = ("pypdfium2", "chardet", "webencodings", *_ZSTD)
_SERVER = ("msgspec", "orjson", "prometheus_client", "starlette", "uvicorn")
_EXPORT = ("huggingface_hub", "onnx", "onnx_ir", "packaging", "safetensors", "tokenizers")
EXTRAS = {
    "cpu": ("onnxruntime",),
    "gpu": ("onnxruntime-gpu",),
    "files": _FILES,
    "files-all": (*_FILES, "office_oxide", "olefile"),
    "desktop": (*_SERVER, "watchfiles"),
    "server": _SERVER,
    "hub": ("huggingface_hub",),
    "tokenizers": ("tokenizers",),
    "numba": ("numba",),
    "kernels": ("numba", "ziglang"),
    "export": _EXPORT,
    "prune": (*_EXPORT, "wordfreq"),
    "optimum": (*_EXPORT, "optimum", "torch", "transformers"),
    "haystack": ("haystack",),
    "langchain": ("langchain_core",),
    "llama-index": ("llama_index.core",),
    "mcp": ("msgspec", "orjson", "prometheus_client", "starlette", "uvicorn", "mcp"),
    "openvino": ("onnxruntime", "onnxruntime_ep_openvino"),
    "rerankers": ("rerankers",),
    "qdrant": ("qdrant_client",),
    "qdrant-edge": ("qdrant_edge",),
    "tensorrt": ("tensorrt_rtx",),
}
"""Modules, but of onnxruntime the distributions: several have the same module, and overwrite each other's files."""


def extras() -> dict[str, dict[str, Any]]:
    """Each with its state ("installed", "partly installed", "not installed"), what it lacks, and the command."""
    found = {}
    for extra, needs in EXTRAS.items():
        lacks = [name for name in needs if not _is_here(name)]
        state = "installed" if not lacks else "not installed" if len(lacks) == len(needs) else "partly installed"
        command = install_command(extra)
        if extra in _INSTEAD and lacks and _has_distribution(_INSTEAD[extra]):
            command = f"pip uninstall {_INSTEAD[extra]}, then {command}"
        found[extra] = {"state": state, "lacks": lacks, "command": command}
    return found


_INSTEAD = {"cpu": "onnxruntime-gpu", "openvino": "onnxruntime-gpu", "gpu": "onnxruntime"}


def _is_here(name: str) -> bool:
    if name.partition("-")[0] == "onnxruntime":
        return _has_distribution(name)
    try:
        return util.find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def _has_distribution(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
