"""A Dense module of sentence-transformers or PyLate: one layer of a head."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from colibri.errors import ExportError
from colibri_export.layout.tensor import Floats
from colibri_export.role_files import read_json
from colibri_export.tensor_files import TensorFiles

Activation = Literal["Identity", "GELU", "ReLU", "Tanh"]
_DENSE_KEYS = {
    *("in_features", "out_features", "bias", "activation_function", "use_residual"),
    *("module_input_name", "module_output_name"),
}


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


def read_dense(folder: Path, inputs: int, *, of_tokens: bool = False) -> Dense:
    """One Dense module of sentence-transformers or PyLate (pylate/models/Dense.py).

    of_tokens: whether its config.json must say that it reads and writes token_embeddings, as MultiVectorEncoder's does
    """
    config = read_json(folder / "config.json")
    for key in ("module_input_name", "module_output_name") if of_tokens else ():
        if (config.get(key) or config.get("module_input_name")) != "token_embeddings":
            raise ExportError(f"{folder}/config.json: {key} {config.get(key)!r}, wanted 'token_embeddings'")
    if unknown := sorted(config.keys() - _DENSE_KEYS):
        raise ExportError(f"{folder}/config.json: {', '.join(unknown)}: unknown, so what it computes is not known")
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
