"""Heads: what turns the backbone's rows into token vectors of one width.

Mostly one matrix; PyLate checkpoints may have several Dense modules with biases, activations and residuals.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from colibri.errors import ExportError
from colibri_export.checkpoint import STANFORD_HEAD, Checkpoint, module_kind, open_checkpoint, read_json
from colibri_export.layout.tensor import Floats
from colibri_export.tensor_files import TensorFiles, open_file

Activation = Literal["Identity", "GELU", "ReLU", "Tanh"]
_ROWS_CHANGE_NOTHING = ("Transformer", "Pooling", "Normalize")  # modules that no token row depends on


@dataclass(frozen=True, kw_only=True)
class Dense:
    """rows (n, inputs) -> activation(rows @ weight.T + bias) [+ rows, or rows @ residual.T]: (n, outputs)."""

    weight: Floats
    bias: Floats | None = None
    activation: Activation = "Identity"
    residual: Floats | Literal["rows"] | None = None

    @property
    def is_matrix(self) -> bool:
        """Whether it is a product and nothing else."""
        return self.bias is None and self.activation == "Identity" and self.residual is None


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
    """The head a checkpoint brings: Stanford's linear.weight, else the Dense modules of modules.json, else none."""
    matrix = checkpoint.linear_head()
    hidden = checkpoint.architecture.hidden
    if matrix is not None:
        if matrix.ndim != 2 or matrix.shape[1] != hidden:
            raise ExportError(f"{checkpoint.folder}: {STANFORD_HEAD} {matrix.shape}, wanted (dim, {hidden})")
        return Head.linear(matrix)
    layers = []
    width = hidden
    for module in checkpoint.modules:
        kind = module_kind(module)
        if kind == "Dense":
            layers.append(_dense(checkpoint.folder / module["path"], width))
            width = len(layers[-1].weight)
        elif kind not in _ROWS_CHANGE_NOTHING:
            raise ExportError(f"{checkpoint.folder}/modules.json: module {kind}, this exporter knows Dense")
    return Head(tuple(layers)) if layers else None


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
        raise ExportError(f"{path}: which of {keys} is the head? wanted {STANFORD_HEAD}")
    matrix: Floats = opened.get_tensor(key).astype(np.float32, copy=False)
    if matrix.shape != (dim, hidden) or not np.isfinite(matrix).all():
        raise ExportError(f"{path}: head {matrix.shape}, wanted ({dim}, {hidden}) of finite numbers")
    return matrix


def _given(checkpoint: Checkpoint, path: Path, dim: int) -> Head:
    if not path.is_dir():
        return Head.linear(read_matrix(path, dim, checkpoint.architecture.hidden))
    sibling = open_checkpoint(path, checkpoint.find)
    checkpoint.require_same_backbone(sibling)
    head = own_head(sibling)
    if head is None or head.dim != dim:
        raise ExportError(f"{path}: its head is {None if head is None else head.dim} wide, wanted {dim}")
    return head


def _dense(folder: Path, inputs: int) -> Dense:
    """One Dense module of sentence-transformers or PyLate (pylate/models/Dense.py)."""
    config = read_json(folder / "config.json")
    activation = str(config.get("activation_function", "")).rpartition(".")[2]
    if activation not in get_args(Activation):
        raise ExportError(
            f"{folder}/config.json: activation_function {config.get('activation_function')!r}, "
            f"this exporter knows {', '.join(get_args(Activation))}"
        )
    files = TensorFiles(folder)
    outputs = config.get("out_features")
    same_width = outputs == inputs
    residual: Any = config.get("use_residual", False)
    wanted: dict[str, tuple[Any, ...]] = {"linear.weight": (outputs, inputs)}
    if config.get("bias", True):
        wanted["linear.bias"] = (outputs,)
    if residual and not same_width:
        wanted["residual.weight"] = (outputs, inputs)
    found = {key: files.shape(key) for key in files.keys}
    if found != wanted:
        raise ExportError(f"{folder}: tensors {found}, its config.json and the layer before it say {wanted}")
    return Dense(
        weight=files.read("linear.weight"),
        bias=files.read("linear.bias") if "linear.bias" in wanted else None,
        activation=activation,  # type: ignore[arg-type]  # one of them, as checked
        residual=(files.read("residual.weight") if "residual.weight" in wanted else "rows") if residual else None,
    )
