"""Read a Hugging Face folder (BERT family, XLM-R with absolute positions) as named tensors of one shape.

Whatever the checkpoint calls them, the rest of the exporter sees the names of `layout.tensor_names`; a matrix is
(inputs, outputs), as ONNX multiplies it, where PyTorch stores (outputs, inputs).
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from colibri.errors import ExportError
from colibri.manifest import Architecture
from colibri_export import layout

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder opened for reading; tensors are read from the memory-mapped file one at a time."""

    folder: Path
    architecture: Architecture
    stanford: dict[str, Any] | None  # artifact.metadata, where the folder has one
    _file: Any
    _keys: frozenset[str]
    _prefix: str

    def tensor_names(self) -> Iterator[str]:
        """All backbone tensors in the order they are stored."""
        return layout.tensor_names(self.architecture)

    def read(self, name: str) -> Floats:
        """One tensor by our name, float32: word (vocabulary, hidden); positions (max_positions, hidden) with the token
        type row 0 added and the unused first rows of XLM-R cut; matrices (inputs, outputs); vectors.

        Raises ExportError when a value is not finite.
        """
        parts = [self._get(self._prefix + source) for source in layout.sources(name)]
        if name == "positions":
            rows, types = parts
            shifted: Floats = rows[self.architecture.position_offset :] + types[0]
            return shifted
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        is_matrix = joined.ndim == 2 and name != "word"
        return np.ascontiguousarray(joined.T) if is_matrix else joined

    def linear_head(self) -> Floats | None:
        """The Stanford layout's `linear.weight` (dim, hidden), if the checkpoint has one."""
        return self._get("linear.weight") if "linear.weight" in self._keys else None

    def backbone_hash(self, update: Callable[[bytes], None]) -> None:
        """Feed every backbone tensor (name, shape, float32 bytes) to a hash."""
        for name in self.tensor_names():
            array = self.read(name)
            update(f"{name} {array.shape}".encode())
            update(np.ascontiguousarray(array).data)  # type: ignore[arg-type]

    def _get(self, key: str) -> Floats:
        array: Floats = self._file.get_tensor(key).astype(np.float32, copy=False)
        if not np.isfinite(array).all():
            raise ExportError(f"{self.folder}: {key} holds values that are not finite")
        return array


def open_checkpoint(folder: Path) -> Checkpoint:
    """Open a folder with config.json and model.safetensors.

    Raises ExportError when the family is unknown, a file is missing or damaged, or tensors are missing, unknown or of
    another shape than config.json says (all of them named at once).
    """
    architecture = layout.architecture(_read_json(folder / "config.json"), str(folder / "config.json"))
    weights = folder / "model.safetensors"
    if not weights.is_file():
        reason = "only pytorch_model.bin (a pickle, never loaded)" if any(folder.glob("*.bin")) else "no weights"
        raise ExportError(f"{folder}: {reason}; wanted model.safetensors")
    try:
        file: Any = safe_open(weights, framework="numpy")
        keys = frozenset(file.keys())
    except (SafetensorError, OSError) as error:
        raise ExportError(f"{weights}: not a whole safetensors file ({error})") from error
    prefix = next((p for p in layout.PREFIXES if p + layout.WORD in keys), None)
    if prefix is None:
        raise ExportError(f"{weights}: no {layout.WORD} under any of {layout.PREFIXES}")
    problems = _tensor_problems(architecture, file, keys, prefix)
    if problems:
        raise ExportError(f"{weights}: " + "; ".join(problems))
    metadata = folder / "artifact.metadata"
    stanford = _read_json(metadata) if metadata.is_file() else None
    return Checkpoint(folder, architecture, stanford, file, keys, prefix)


def read_head(path: Path, dim: int, hidden: int) -> Floats:
    """A head matrix (dim, hidden) from a safetensors file that holds `linear.weight` or a single tensor."""
    try:
        with safe_open(path, framework="numpy") as file:
            keys = list(file.keys())
            key = "linear.weight" if "linear.weight" in keys else keys[0] if len(keys) == 1 else None
            if key is None:
                raise ExportError(f"{path}: which of {keys} is the head? wanted linear.weight")
            matrix: Floats = file.get_tensor(key).astype(np.float32, copy=False)
    except (SafetensorError, OSError) as error:
        raise ExportError(f"{path}: not a readable safetensors file ({error})") from error
    if matrix.shape != (dim, hidden):
        raise ExportError(f"{path}: head {matrix.shape}, wanted ({dim}, {hidden})")
    return matrix


def head_hash(matrix: Floats) -> str:
    """SHA-256 of a head's float32 bytes, (dim, hidden) row by row."""
    return hashlib.sha256(np.ascontiguousarray(matrix).tobytes()).hexdigest()


def _tensor_problems(architecture: Architecture, file: Any, keys: frozenset[str], prefix: str) -> list[str]:
    wanted = {prefix + name: shape for name, shape in layout.source_shapes(architecture).items()}
    ignored = {f"{prefix}embeddings.position_ids", "linear.weight"}
    unknown = {key for key in keys - wanted.keys() - ignored if not key.startswith(f"{prefix}pooler.")}
    problems = [f"missing {key}" for key in sorted(wanted.keys() - keys)]
    problems += [f"unknown {key}" for key in sorted(unknown)]
    for key in sorted(wanted.keys() & keys):
        found = tuple(file.get_slice(key).get_shape())
        if len(found) != len(wanted[key]) or any(w not in (None, f) for f, w in zip(found, wanted[key], strict=True)):
            problems.append(f"{key} is {found}, config.json says {wanted[key]}")
    return problems


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ExportError(f"{path}: no such file; wanted a Hugging Face checkpoint folder") from error
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path}: not JSON ({error})") from error
    if not isinstance(document, dict):
        raise ExportError(f"{path}: wanted a JSON object")
    return document
