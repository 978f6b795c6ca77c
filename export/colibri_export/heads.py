"""Heads: what turns the backbone's rows into token vectors of one width.

Mostly one matrix; PyLate checkpoints may have several Dense modules with biases, activations and residuals.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from colibri.errors import ExportError
from colibri_export.checkpoint import STANFORD_HEAD, Checkpoint, open_checkpoint
from colibri_export.dense import Dense, read_dense
from colibri_export.layout.tensor import Floats
from colibri_export.pickled import SUFFIXES, read_pickled
from colibri_export.role_files import module_kind, read_json
from colibri_export.tensor_files import open_file

log = logging.getLogger(__name__)

_BIASED = ({"weight", "bias"}, {"linear.weight", "linear.bias"})
_ROWS_CHANGE_NOTHING = ("Transformer", "Pooling", "Normalize")  # modules that no token row depends on


@dataclass(frozen=True)
class Head:
    """Layers from the backbone's width to `dim`; the L2 norm that follows is not part of it."""

    layers: tuple[Dense, ...]
    truncated_from: int | None = None
    """Set where this is only the first rows of a wider head."""

    @classmethod
    def linear(cls, matrix: Floats) -> "Head":
        """One matrix (dim, hidden), no bias."""
        return cls((Dense(weight=matrix),))

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return len(self.layers[-1].weight)

    def sha256(self) -> str:
        """Of a lone matrix its float32 bytes, (dim, hidden) row by row; of several layers all their numbers."""
        digest = hashlib.sha256()
        plain = len(self.layers) == 1 and self.layers[0].is_matrix
        for layer in self.layers:
            if not plain:
                residual = layer.residual if isinstance(layer.residual, str) else layer.residual is not None
                digest.update(f"{layer.weight.shape} {layer.bias is not None} {layer.activation} {residual}".encode())
            for array in (layer.weight, layer.bias, layer.residual):
                if isinstance(array, np.ndarray):
                    digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def is_prefix_of(self, wider: "Head") -> bool:
        """Whether it is the first rows of a wider matrix."""
        (*_, ours), (*_, theirs) = self.layers, wider.layers
        alone = len(self.layers) == len(wider.layers) == 1 and ours.is_matrix and theirs.is_matrix
        return alone and self.dim < wider.dim and np.array_equal(theirs.weight[: self.dim], ours.weight)

    def truncated(self, dim: int) -> "Head":
        """The first `dim` outputs only; they are normalised again after. An approximation: heads of a Matryoshka model
        need not be prefixes of one another (jina-colbert-v2's are not)."""
        *before, last = self.layers
        residual = last.residual
        if isinstance(residual, str):
            residual = np.eye(len(last.weight), dtype=np.float32)
        cut = Dense(
            weight=last.weight[:dim],
            bias=None if last.bias is None else last.bias[:dim],
            activation=last.activation,
            residual=None if residual is None else residual[:dim],
        )
        return Head((*before, cut), truncated_from=self.dim)


def own_head(checkpoint: Checkpoint) -> Head | None:
    """The head a checkpoint brings: Stanford's linear.weight, the Dense modules of modules.json, or none.

    Where it brings both, the one counts whose files count (RoleFiles.form), and that is told.
    """
    matrix = checkpoint.linear_head()
    dense = any(module_kind(module) == "Dense" for module in checkpoint.modules)
    by_modules = checkpoint.role_files.form in {"pylate", "multivector"}
    if matrix is not None and dense:
        counts, other = (STANFORD_HEAD, "the Dense modules")[:: -1 if by_modules else 1]
        log.warning("%s: has two heads, %s and %s; the first one counts", checkpoint.folder, counts, other)
    if matrix is None or (dense and by_modules):
        return _head_of_modules(checkpoint)
    hidden = checkpoint.architecture.hidden
    if matrix.ndim != 2 or matrix.shape[1] != hidden:
        raise ExportError(f"{checkpoint.folder}: {STANFORD_HEAD} {matrix.shape}, wanted (dim, {hidden})")
    return Head.linear(matrix)


def _head_of_modules(checkpoint: Checkpoint) -> Head | None:
    where = f"{checkpoint.folder}/modules.json"
    multivector = checkpoint.role_files.form == "multivector"
    kinds = [module_kind(module) for module in checkpoint.modules]
    known = (*_ROWS_CHANGE_NOTHING, *(("MultiVectorMask",) if multivector else ()))
    if bad := [kind for kind in kinds if kind not in {"Dense", *known}]:
        raise ExportError(f"{where}: module {bad[0]}, this exporter knows Dense")
    layers: list[Dense] = []
    width = checkpoint.architecture.hidden
    for module in checkpoint.modules:
        folder = checkpoint.folder / module["path"]
        if module_kind(module) == "Dense":
            layers.append(read_dense(folder, width, of_tokens=multivector))
            width = len(layers[-1].weight)
    if multivector:
        _require_unit_rows(checkpoint, kinds)
    return Head(tuple(layers)) if layers else None


def _require_unit_rows(checkpoint: Checkpoint, kinds: list[str]) -> None:
    """sentence-transformers' MultiVectorEncoder gives the rows that its modules leave, so the last word on them must be
    a Normalize of tokens; PyLate and Stanford always normalise."""
    where = f"{checkpoint.folder}/modules.json"
    last = max((i for i, kind in enumerate(kinds) if kind == "Normalize"), default=-1)
    if last < max((i for i, kind in enumerate(kinds) if kind == "Dense"), default=0):
        raise ExportError(
            f"{where}: {', '.join(kinds)}: wanted a Normalize behind the last Dense; rows have length 1 here"
        )
    for i, kind in enumerate(kinds):
        if kind != "Normalize":
            continue
        config = checkpoint.folder / checkpoint.modules[i]["path"] / "config.json"
        if config.is_file() and (read := read_json(config).get("module_input_name")) != "token_embeddings":
            raise ExportError(f"{config}: module_input_name {read!r}, wanted 'token_embeddings'")
        if i < last:
            raise ExportError(f"{where}: {', '.join(kinds)}: a Normalize before a Dense is no head this exporter knows")


def gather(
    checkpoint: Checkpoint, sources: Mapping[int, Path], truncate: Sequence[int], dims: Sequence[int] | None
) -> dict[int, Head]:
    """Dim -> head, the default dim first.

    sources   dim -> safetensors file with one matrix, or folder of a sibling checkpoint that has the same backbone
    truncate  widths to cut from the next wider head there is
    dims      widths to keep, the first one the default; None: every head, widest first

    A dim without a head is refused, never truncated unasked.
    """
    own = own_head(checkpoint)
    available = {*sources, *truncate, *([] if own is None else [own.dim])}
    if not available:
        raise ExportError(
            f"{checkpoint.folder}: no head: no linear.weight, no Dense module, "
            "and none given (--head DIM=FILE or a recipe)"
        )
    wanted = list(dict.fromkeys(dims)) if dims else sorted(available, reverse=True)
    missing = [dim for dim in wanted if dim not in available]
    if missing:
        there = ", ".join(map(str, sorted(available)))
        raise ExportError(
            f"no head for dim {', '.join(map(str, missing))}; there is {there}. A head of its own: --head DIM=FILE; "
            "the first dims of a wider one, an approximation: --truncate-head DIM"
        )
    whole = {dim: _given(checkpoint, path, dim) for dim, path in sources.items() if dim in wanted or truncate}
    if own is not None:
        whole.setdefault(own.dim, own)
    cut = {}
    for dim in truncate:
        wider = [other for other in whole if other > dim]
        if dim in whole or not wider:
            raise ExportError(
                f"--truncate-head {dim}: {'has a head of its own' if dim in whole else 'no wider head'}; "
                f"there is {', '.join(map(str, sorted(whole)))}"
            )
        cut[dim] = whole[min(wider)].truncated(dim)
    return {dim: (whole | cut)[dim] for dim in wanted}


def read_matrix(path: Path, dim: int, hidden: int) -> Floats:
    """A head matrix (dim, hidden) from a safetensors file that holds `linear.weight` or a single tensor."""
    opened = open_file(path)
    keys = list(opened.keys())
    key = STANFORD_HEAD if STANFORD_HEAD in keys else keys[0] if len(keys) == 1 else None
    if key is None:
        raise ExportError(f"{path}: which of {keys} is the head? wanted {STANFORD_HEAD}, or weight and bias alone")
    matrix: Floats = opened.get_tensor(key).astype(np.float32, copy=False)
    if matrix.shape != (dim, hidden) or not np.isfinite(matrix).all():
        raise ExportError(f"{path}: head {matrix.shape}, wanted ({dim}, {hidden}) of finite numbers")
    return matrix


def read_head(path: Path, dim: int, hidden: int) -> Head:
    """A head from a file: a safetensors file with one matrix, or one layer's weight and bias, there or in a zip of
    torch.save (BGE-M3's colbert_linear.pt), of which nothing is run."""
    if path.suffix in SUFFIXES:
        tensors = read_pickled(path)
    else:
        opened = open_file(path)
        if set(opened.keys()) not in _BIASED:
            return Head.linear(read_matrix(path, dim, hidden))
        tensors = {key: opened.get_tensor(key).astype(np.float32, copy=False) for key in opened.keys()}  # noqa: SIM118
    found = {key.removeprefix("linear."): array for key, array in tensors.items()}
    shapes = {key: array.shape for key, array in found.items()}
    wanted = {"weight": (dim, hidden), "bias": (dim,)}
    if "weight" not in shapes or shapes != {key: wanted.get(key) for key in shapes}:
        raise ExportError(f"{path}: {shapes}, wanted weight ({dim}, {hidden}) and perhaps bias ({dim},)")
    if not all(np.isfinite(array).all() for array in found.values()):
        raise ExportError(f"{path}: holds values that are not finite")
    return Head((Dense(weight=found["weight"], bias=found.get("bias")),))


def _given(checkpoint: Checkpoint, path: Path, dim: int) -> Head:
    if not path.is_dir():
        return read_head(path, dim, checkpoint.architecture.hidden)
    sibling = open_checkpoint(path, checkpoint.find)
    checkpoint.require_same_backbone(sibling)
    head = own_head(sibling)
    if head is None or head.dim != dim:
        raise ExportError(f"{path}: its head is {None if head is None else head.dim} wide, wanted {dim}")
    return head
