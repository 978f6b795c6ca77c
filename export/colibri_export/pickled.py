"""Tensors out of torch.save's zip files, by a reader that executes nothing (colibri_export.pickle_steps)."""

import json
import re
import secrets
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from colibri.errors import ExportError
from colibri_export.layout.tensor import Floats
from colibri_export.pickle_steps import PickledTensor, Reader

SUFFIXES = (".bin", ".pt", ".pth")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,255}")
_LARGEST_PROGRAM = 64 << 20
_AT_ONCE = 16 << 20


def read_pickled(path: Path) -> dict[str, Floats]:
    """Every tensor in float32. Raises ExportError for what is no zip of named tensors, or not finite in float32."""
    found = {}
    with _opened(path) as archive:
        for name, tensor in _tensors(archive, path).items():
            raw = b"".join(_bytes(archive, tensor))
            with np.errstate(over="ignore"):
                found[name] = _floats(raw, tensor.dtype).reshape(tensor.shape)
            if not np.isfinite(found[name]).all():
                raise ExportError(f"{path}: {name} holds values that are not finite in float32")
    return found


def convert_pickled(path: Path, out: Path) -> tuple[str, ...]:
    """Write the tensors as they are, byte for byte, as a safetensors file, which appears when it is whole.

    Returns their names. Raises ExportError as `read_pickled` does, and where `out` is there.
    """
    if out.exists():
        raise ExportError(f"{out}: exists already; nothing was converted")
    with _opened(path) as archive:
        tensors = _tensors(archive, path)
        header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        at = 0
        for name, tensor in tensors.items():
            header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [at, at + tensor.length]}
            at += tensor.length
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        partial = out.with_name(f".{out.name}.{secrets.token_hex(4)}.partial")
        try:
            with partial.open("xb") as file:
                file.write(len(text).to_bytes(8, "little") + text)
                for tensor in tensors.values():
                    file.writelines(_bytes(archive, tensor))
            partial.replace(out)
        except OSError as error:
            raise ExportError(f"{out}: cannot be written ({error.strerror or error})") from error
        finally:
            partial.unlink(missing_ok=True)
    return tuple(tensors)


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise ExportError(f"{path}: no zip of torch.save ({error}); older pickles are never read") from error


def _tensors(archive: zipfile.ZipFile, path: Path) -> dict[str, PickledTensor]:
    programs = [name for name in archive.namelist() if name.endswith("data.pkl")]
    if len(programs) != 1:
        raise ExportError(f"{path}: {len(programs)} programs data.pkl in it, wanted the one that torch.save writes")
    root = programs[0].removesuffix("data.pkl")
    order = archive.read(f"{root}byteorder") if f"{root}byteorder" in archive.namelist() else b"little"
    if order.strip() != b"little" or archive.getinfo(programs[0]).file_size > _LARGEST_PROGRAM:
        raise ExportError(f"{path}: byte order {order!r} or a program too long; wanted little-endian tensors")
    try:
        found = Reader(archive, root).run(archive.read(programs[0]))
    except ExportError as error:
        raise ExportError(f"{path}: {error}; nothing of it was run") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, zipfile.BadZipFile) as error:
        raise ExportError(f"{path}: not a pickle of tensors ({error!r}); nothing of it was run") from error
    if not isinstance(found, dict) or not found:
        raise ExportError(f"{path}: a {type(found).__name__}, wanted a dictionary of named tensors")
    for name, tensor in found.items():
        if not isinstance(tensor, PickledTensor) or not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ExportError(f"{path}: {name!r:.80} is a {type(tensor).__name__}, wanted named tensors only")
    return found


def _bytes(archive: zipfile.ZipFile, tensor: PickledTensor) -> Iterator[bytes]:
    with archive.open(tensor.entry) as file:
        file.seek(tensor.offset)
        left = tensor.length
        while left:
            block = file.read(min(left, _AT_ONCE))
            if not block:
                raise ExportError(f"{archive.filename}: {tensor.entry} ends too soon")
            left -= len(block)
            yield block


def _floats(raw: bytes, dtype: str) -> Floats:
    if dtype == "BF16":
        widened: Floats = (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
        return widened
    kinds = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}
    if dtype not in kinds:
        raise ExportError(f"a tensor of {dtype}, wanted floats")
    return np.frombuffer(raw, kinds[dtype]).astype(np.float32)
