"""What an export looks up and asks before it begins to write."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from colibri_export.checkpoint import Checkpoint
from colibri_export.folders import kept_folder
from colibri_export.heads import Head
from colibri_export.pickled import convert_pickled
from colibri_export.recipe import Recipe
from colibri_export.room import require_space
from colibri_export.sizes import sizes
from colibri_export.tensor_files import INDEX, WHOLE
from colibri_export.weights import VocabularyBits

log = logging.getLogger(__name__)


def require_room_for(
    checkpoint: Checkpoint, heads: Mapping[int, Head], names: Sequence[str], bits: VocabularyBits, out: Path
) -> None:
    """Raise ExportError where disk or memory have too little for an export of `names`."""
    kept = kept_folder(out)
    done = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) if kept.exists() else 0
    require_space(sizes(checkpoint.architecture, checkpoint.tensors, [*heads], names, bits), out, done)


def identity_of(checkpoint: Checkpoint, heads: Mapping[int, Head], bits: VocabularyBits) -> dict[str, Any]:
    """What decides the bytes of the weight files that an interrupted export leaves."""
    files = [path.stat() for path in checkpoint.files.paths]
    return {
        "format": 1,
        "files": [[path.name, s.st_size, s.st_mtime_ns] for path, s in zip(checkpoint.files.paths, files, strict=True)],
        "architecture": dataclasses.asdict(checkpoint.architecture),
        "heads": {str(dim): head.sha256() for dim, head in heads.items()},
        "vocabulary_bits": bits,
    }


def convert_pickles_of(folder: Path) -> None:
    """Turn a lone pytorch_model.bin into model.safetensors beside it."""
    pickle = folder / "pytorch_model.bin"
    if pickle.is_file() and not (folder / WHOLE).is_file() and not (folder / INDEX).is_file():
        names = convert_pickled(pickle, folder / WHOLE)
        log.info("%s: %d tensors of it are %s now", pickle, len(names), WHOLE)


def head_beside(recipe: Recipe, folder: Path) -> dict[int, Path]:
    """The head that a recipe finds in the checkpoint's folder, as a pickle or turned into safetensors."""
    if recipe.head_file is None:
        return {}
    turned = (folder / recipe.head_file).with_suffix(".safetensors")
    return {recipe.dims[0]: turned if turned.is_file() else folder / recipe.head_file}
