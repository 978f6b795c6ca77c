"""Read a Hugging Face folder (BERT family, XLM-R with absolute positions) as named tensors of one shape.

Whatever the checkpoint calls them, the rest of the exporter sees the names of `tensor_names`; a matrix is
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

Floats = NDArray[np.float32]

_PREFIXES = ("bert.", "roberta.", "model.", "")
# position_offset: XLM-R counts positions from padding id + 1 (transformers' create_position_ids_from_input_ids).
_FAMILIES = {"bert": "bert", "xlm-roberta": "xlm-roberta", "roberta": "xlm-roberta"}
_LAYER = {
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "ffn_in": "intermediate.dense",
    "ffn_out": "output.dense",
    "ffn_norm": "output.LayerNorm",
}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder opened for reading; tensors are read from the memory-mapped file one at a time."""

    folder: Path
    architecture: Architecture
    keys: frozenset[str]
    stanford: dict[str, Any] | None  # artifact.metadata, where the folder has one
    _file: Any
    _prefix: str

    def tensor_names(self) -> Iterator[str]:
        """All backbone tensors in the order they are stored: word, positions, norms, layers."""
        yield from ("word", "positions", "embedding_norm.weight", "embedding_norm.bias")
        for layer in range(self.architecture.layers):
            for part in ("qkv", *_LAYER):
                yield f"layers.{layer}.{part}.weight"
                yield f"layers.{layer}.{part}.bias"

    def read(self, name: str) -> Floats:
        """One tensor by our name, float32: word (vocabulary, hidden); positions (max_positions, hidden) with the token
        type row 0 added and the unused first rows of XLM-R cut; matrices (inputs, outputs); vectors."""
        if name == "positions":
            rows = self._source("embeddings.position_embeddings.weight")[self.architecture.position_offset :]
            both: Floats = rows + self._source("embeddings.token_type_embeddings.weight")[0]
            return both
        parts = [self._source(source) for source in self._sources(name)]
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts)
        is_matrix = joined.ndim == 2 and name != "word"
        return np.ascontiguousarray(joined.T) if is_matrix else joined

    def linear_head(self) -> Floats | None:
        """The Stanford layout's `linear.weight` (dim, hidden), if the checkpoint has one."""
        return self._get("linear.weight") if "linear.weight" in self.keys else None

    def backbone_hash(self, update: Callable[[bytes], None]) -> None:
        """Feed every backbone tensor (name, shape, float32 bytes) to a hash."""
        for name in self.tensor_names():
            array = self.read(name)
            update(f"{name} {array.shape}".encode())
            update(np.ascontiguousarray(array).data)  # type: ignore[arg-type]

    def _sources(self, name: str) -> list[str]:
        if name == "word":
            return ["embeddings.word_embeddings.weight"]
        if name.startswith("embedding_norm."):
            return [name.replace("embedding_norm", "embeddings.LayerNorm")]
        _, layer, part, kind = name.split(".")
        base = f"encoder.layer.{layer}."
        if part == "qkv":
            return [f"{base}attention.self.{x}.{kind}" for x in ("query", "key", "value")]
        return [f"{base}{_LAYER[part]}.{kind}"]

    def _source(self, name: str) -> Floats:
        return self._get(self._prefix + name)

    def _get(self, key: str) -> Floats:
        array: Floats = self._file.get_tensor(key).astype(np.float32, copy=False)
        return array


def open_checkpoint(folder: Path) -> Checkpoint:
    """Open a folder with config.json and model.safetensors.

    Raises ExportError when the family is unknown, a file is missing or damaged, or tensors are missing or unknown
    (all of them named at once).
    """
    config = _read_json(folder / "config.json")
    architecture = _architecture(config, folder)
    weights = folder / "model.safetensors"
    if not weights.is_file():
        reason = "only pytorch_model.bin (a pickle, never loaded)" if any(folder.glob("*.bin")) else "no weights"
        raise ExportError(f"{folder}: {reason}; wanted model.safetensors")
    try:
        file: Any = safe_open(weights, framework="numpy")
        keys = frozenset(file.keys())
    except (SafetensorError, OSError) as error:
        raise ExportError(f"{weights}: not a whole safetensors file ({error})") from error
    prefix = next((p for p in _PREFIXES if f"{p}embeddings.word_embeddings.weight" in keys), None)
    if prefix is None:
        raise ExportError(f"{weights}: no embeddings.word_embeddings.weight under any of {_PREFIXES}")
    metadata = folder / "artifact.metadata"
    checkpoint = Checkpoint(
        folder, architecture, keys, _read_json(metadata) if metadata.is_file() else None, file, prefix
    )
    _check_tensors(checkpoint, keys, weights)
    return checkpoint


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


def _architecture(config: dict[str, Any], folder: Path) -> Architecture:
    model_type = config.get("model_type")
    if model_type not in _FAMILIES:
        raise ExportError(f"{folder}: model_type {model_type!r}, this exporter knows {', '.join(_FAMILIES)}")
    wanted = {"hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in wanted.items():
        if config.get(key, value) != value:
            raise ExportError(f"{folder}/config.json: {key} {config[key]!r}, this exporter knows {value!r}")
    offset = 0 if model_type == "bert" else int(config.get("pad_token_id", 1)) + 1
    try:
        return Architecture(
            family=_FAMILIES[model_type],
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            vocabulary=config["vocab_size"],
            max_positions=config["max_position_embeddings"] - offset,
            position_offset=offset,
            activation="gelu",
            norm_epsilon=float(config["layer_norm_eps"]),
            rotary_base=None,
            local_rotary_base=None,
            local_window=None,
            global_every=None,
        )
    except KeyError as error:
        raise ExportError(f"{folder}/config.json: no {error.args[0]}") from error


def _check_tensors(checkpoint: Checkpoint, keys: frozenset[str], weights: Path) -> None:
    prefix = checkpoint._prefix
    wanted = {
        prefix + source
        for name in checkpoint.tensor_names()
        if name != "positions"
        for source in checkpoint._sources(name)
    }
    wanted |= {prefix + f"embeddings.{kind}_embeddings.weight" for kind in ("position", "token_type")}
    ignored = {f"{prefix}embeddings.position_ids", "linear.weight"}
    unknown = {key for key in keys - wanted - ignored if not key.startswith(f"{prefix}pooler.")}
    problems = [f"missing {key}" for key in sorted(wanted - keys)] + [f"unknown {key}" for key in sorted(unknown)]
    if problems:
        raise ExportError(f"{weights}: " + "; ".join(problems))
    vocabulary, hidden = checkpoint._file.get_slice(prefix + "embeddings.word_embeddings.weight").get_shape()
    expected = (checkpoint.architecture.vocabulary, checkpoint.architecture.hidden)
    if (vocabulary, hidden) != expected:
        raise ExportError(f"{weights}: word embeddings {(vocabulary, hidden)}, config.json says {expected}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ExportError(f"{path}: no such file; wanted a Hugging Face checkpoint folder") from error
    except ValueError as error:
        raise ExportError(f"{path}: not JSON ({error})") from error
    if not isinstance(document, dict):
        raise ExportError(f"{path}: wanted a JSON object")
    return document
