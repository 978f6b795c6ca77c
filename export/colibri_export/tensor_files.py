"""The safetensors files of a checkpoint: one, or several with an index, read piece by piece from the memory map."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from colibri.errors import ExportError
from colibri_export.layout.tensor import Floats

log = logging.getLogger(__name__)

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_READABLE = ("F64", "F32", "F16", "BF16")


class TensorFiles:
    """Named tensors of a folder. Nothing is read until it is asked for, and no file stays open: pages of a mapped file
    count as this process's memory as long as it is, and a checkpoint has gigabytes of them."""

    def __init__(self, folder: Path) -> None:
        """Look at every file. Raises ExportError when there is none, one is damaged, or only pickles are there."""
        self.folder = folder
        self.paths = _paths(folder)
        self._entries: dict[str, tuple[Path, str, tuple[int, ...]]] = {}
        for path in self.paths:
            opened = open_file(path)
            for key in opened.keys():  # noqa: SIM118 - not a mapping
                piece = opened.get_slice(key)
                self._entries[key] = (path, str(piece.get_dtype()), tuple(piece.get_shape()))
        if doubles := [key for key in self._entries if self.dtype(key) == "F64"]:
            log.info("%s: %d tensors are float64 and are rounded to float32", folder, len(doubles))

    @property
    def keys(self) -> frozenset[str]:
        """Names of all tensors."""
        return frozenset(self._entries)

    def shape(self, key: str) -> tuple[int, ...]:
        """Of one tensor."""
        return self._entries[key][2]

    def dtype(self, key: str) -> str:
        """Of one tensor, as safetensors spells it: F32, BF16, ..."""
        return self._entries[key][1]

    def read(self, key: str, first: int = 0, last: int | None = None) -> Floats:
        """A tensor, or its rows from `first` to before `last`, in float32.

        Raises ExportError for fp8 and integers, and for values that are not finite.
        """
        if self.dtype(key) not in _READABLE:
            raise ExportError(
                f"{self.folder}: {key} is {self.dtype(key)}, this exporter reads {', '.join(_READABLE)}; "
                "a quantised checkpoint has to be turned into floats first"
            )
        piece = self._piece(key)
        stored = piece[:] if last is None else piece[first : min(last, self.shape(key)[0])]
        with np.errstate(over="ignore"):  # a float64 beyond float32 becomes inf, which is refused below
            array: Floats = stored.astype(np.float32, copy=False)
        if not np.isfinite(array).all():
            raise ExportError(f"{self.folder}: {key} holds values that are not finite in float32")
        return array

    def raw_blocks(self, key: str, block_rows: int) -> Iterator[bytes]:
        """The stored bytes of a tensor, some rows at a time."""
        piece = self._piece(key)
        count = self.shape(key)[0]
        for first in range(0, count, block_rows):
            yield piece[first : min(first + block_rows, count)].tobytes()

    def _piece(self, key: str) -> Any:
        return open_file(self._entries[key][0]).get_slice(key)


def open_file(path: Path) -> Any:
    """A safetensors file. Raises ExportError when it is not whole."""
    try:
        return safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as error:
        raise ExportError(f"{path}: not a whole safetensors file ({error})") from error


def _paths(folder: Path) -> list[Path]:
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    if not (folder / INDEX).is_file():
        pickles = sorted(path.name for pattern in ("*.bin", "*.pt") for path in folder.glob(pattern))
        if not pickles:
            raise ExportError(f"{folder}: no weights; wanted {WHOLE}")
        raise ExportError(
            f"{folder}: only {', '.join(pickles)} (a pickle, never loaded); wanted {WHOLE}, into which "
            "--convert-pickles turns pytorch_model.bin without running it"
        )
    try:
        names = set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
        paths = [folder / name for name in sorted(names)]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ExportError(f"{folder / INDEX}: not an index of safetensors files ({error})") from error
    for path in paths:
        if path.parent != folder or not path.is_file():
            raise ExportError(f"{folder / INDEX}: names {path.name}, which is not there; download it again")
    return paths
