"""Read a Hugging Face folder as named tensors of one shape, whichever family it is of.

Whatever the checkpoint calls them, the rest of the exporter sees the names of `colibri_export.layout`; a matrix is
(inputs, outputs), as ONNX multiplies it, where PyTorch stores (outputs, inputs).
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from colibri.artefact import Architecture
from colibri.errors import ExportError
from colibri_export import layout
from colibri_export.layout.tensor import Floats, Tensor
from colibri_export.role_files import RoleFiles, encoder_folder, read_json, read_role_files
from colibri_export.tensor_files import TensorFiles

log = logging.getLogger(__name__)

STANFORD_HEAD = "linear.weight"
# What transformers stores for masked-language models beside the encoder: BERT, RoBERTa, ModernBERT. No row needs it.
_MLM_HEADS = ("cls.", "lm_head.", "decoder.bias", "decoder.weight", "head.dense.", "head.norm.")
BLOCK_ROWS = 16_384  # of the vocabulary at once: 250,004 x 1,024 float32 weights whole would be 1 GB

Find = Callable[[Mapping[str, Any], str], tuple[layout.Layout, Architecture]]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder opened for reading; tensors are read from the memory-mapped files one at a time."""

    folder: Path
    architecture: Architecture
    role_files: RoleFiles
    files: TensorFiles
    _tensors: Mapping[str, Tensor]
    _prefix: str
    find: Find
    """What told its layout; a sibling is read the same way."""

    @property
    def modules(self) -> tuple[dict[str, Any], ...]:
        """modules.json (sentence-transformers, PyLate), empty where there is none."""
        return self.role_files.modules

    @property
    def tokenizer_folder(self) -> Path:
        """Where tokenizer.json lies: at the top, or (older sentence-transformers) beside the encoder."""
        return self.folder if (self.folder / "tokenizer.json").is_file() else self.files.folder

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """All backbone tensors by our names, in the order they are stored."""
        return self._tensors

    def tensor_names(self) -> Iterator[str]:
        """All backbone tensors in the order they are stored."""
        return iter(self._tensors)

    def read(self, name: str) -> Floats:
        """One tensor by our name, float32: tables (rows, hidden), matrices (inputs, outputs), vectors.

        Raises ExportError when a value is not finite.
        """
        tensor = self._tensors[name]
        return tensor.make([self.files.read(self._prefix + source) for source in tensor.sources])

    def vocabulary_blocks(self) -> Iterator[Floats]:
        """The rows of `word`, (up to BLOCK_ROWS, hidden) float32 at a time."""
        key = self._prefix + self._tensors["word"].sources[0]
        for first in range(0, self.architecture.vocabulary, BLOCK_ROWS):
            yield self.files.read(key, first, first + BLOCK_ROWS)

    def linear_head(self) -> Floats | None:
        """The Stanford layout's `linear.weight` (dim, hidden), if the checkpoint has one."""
        return self.files.read(STANFORD_HEAD) if STANFORD_HEAD in self.files.keys else None

    def backbone_hash(self, update: Callable[[bytes], None]) -> None:
        """Feed every backbone tensor (name, shape, float32 bytes) to a hash."""
        for name in self.tensor_names():
            if name == "word":
                update(f"word {(self.architecture.vocabulary, self.architecture.hidden)}".encode())
                for block in self.vocabulary_blocks():
                    update(np.ascontiguousarray(block).data)  # type: ignore[arg-type]
                continue
            array = self.read(name)
            update(f"{name} {array.shape}".encode())
            update(np.ascontiguousarray(array).data)  # type: ignore[arg-type]

    def require_same_backbone(self, other: "Checkpoint") -> None:
        """Raise ExportError, naming the first tensor whose stored bytes differ, unless `other` has our backbone."""
        for tensor in self._tensors.values():
            for source in tensor.sources:
                ours, theirs = self._prefix + source, other._prefix + source
                if theirs not in other.files.keys or not self._same(ours, other.files, theirs):
                    raise ExportError(
                        f"{other.folder}: its backbone is another one than that of {self.folder}: {source} differs; "
                        "a head fits only the backbone it was trained on"
                    )

    def _same(self, ours: str, files: TensorFiles, theirs: str) -> bool:
        if (self.files.dtype(ours), self.files.shape(ours)) != (files.dtype(theirs), files.shape(theirs)):
            return False
        blocks = zip(self.files.raw_blocks(ours, BLOCK_ROWS), files.raw_blocks(theirs, BLOCK_ROWS), strict=True)
        return all(a == b for a, b in blocks)


def open_checkpoint(folder: Path, find: Find = layout.find) -> Checkpoint:
    """Open a folder with config.json and model.safetensors (or several, with an index).

    find: what tells the layout and the facts from config.json and its path

    The encoder may lie in a folder of its own that modules.json names. Raises ExportError when the family is unknown, a
    file is missing or damaged, or tensors are missing, unknown or of another shape than config.json says (all of them
    named at once).
    """
    role_files = read_role_files(folder)
    encoder = encoder_folder(folder, role_files.modules)
    config_path = encoder / "config.json"
    family, architecture = find(read_json(config_path), str(config_path))
    files = TensorFiles(encoder)
    prefix = next((p for p in family.prefixes if p + family.word in files.keys), None)
    if prefix is None:
        raise ExportError(f"{encoder}: no {family.word} under any of {family.prefixes}")
    for key in sorted(files.keys):
        if reason := next((family.others[part] for part in family.others if part in key), None):
            raise ExportError(f"{encoder}: {key}: {reason}")
    tensors = family.tensors(architecture)
    problems = _tensor_problems(tensors, files, prefix, family.unused)
    if problems:
        raise ExportError(f"{encoder}: " + "; ".join(problems))
    if heads := sorted(key for key in files.keys - _sources(tensors, prefix) if key.startswith(_MLM_HEADS)):
        log.info("%s: ignored, a head that guesses masked words: %s", encoder, ", ".join(heads))
    return Checkpoint(folder, architecture, role_files, files, tensors, prefix, find)


def _tensor_problems(
    tensors: Mapping[str, Tensor], files: TensorFiles, prefix: str, unused: tuple[str, ...]
) -> list[str]:
    shapes = {
        prefix + source: shape
        for tensor in tensors.values()
        for source, shape in zip(tensor.sources, tensor.shapes, strict=True)
    }
    ignored = (*(prefix + name for name in unused), *_MLM_HEADS)
    unknown = {key for key in files.keys - shapes.keys() - {STANFORD_HEAD} if not key.startswith(ignored)}
    problems = [f"missing {key}" for key in sorted(shapes.keys() - files.keys)]
    problems += [f"unknown {key}" for key in sorted(unknown)]
    for key in sorted(shapes.keys() & files.keys):
        found, wanted = files.shape(key), shapes[key]
        if len(found) != len(wanted) or any(w not in (None, f) for f, w in zip(found, wanted, strict=True)):
            problems.append(f"{key} is {found}, config.json says {wanted}")
    return problems


def _sources(tensors: Mapping[str, Tensor], prefix: str) -> frozenset[str]:
    return frozenset(prefix + source for tensor in tensors.values() for source in tensor.sources)
