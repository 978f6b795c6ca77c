"""A checkpoint as transformers loads it: all of its tensors, no code but transformers' own, and the facts of it."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoModel

from colibri.artefact import Architecture
from colibri.errors import ExportError
from colibri_export.checkpoint import STANFORD_HEAD
from colibri_export.layout import Layout
from colibri_export.layout.config import Config
from colibri_export.layout.tensor import Tensor
from colibri_export.tensor_files import TensorFiles

# transformers' own names of one fact, where its attribute_map does not already make them one.
_INTERMEDIATE = ("intermediate_size", "hidden_dim", "ffn_dim", "d_ff", "n_inner", "encoder_ffn_dim")
_ACTIVATION = ("hidden_act", "activation", "hidden_activation", "activation_function")
_EPSILON = ("layer_norm_eps", "layer_norm_epsilon", "norm_eps", "rms_norm_eps")


def load(folder: Path) -> Any:
    """transformers' model of a folder, float32, in evaluation mode; every tensor of it from safetensors."""
    try:
        with quiet():
            config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            model, told = AutoModel.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except Exception as error:  # transformers raises whatever a config or a file makes it stumble over
        raise ExportError(f"{folder}: transformers {transformers.__version__} cannot load it ({error})") from error
    if config.is_encoder_decoder:
        raise ExportError(f"{folder}: {config.model_type} is an encoder and a decoder; wanted an encoder")
    _require_all_tensors(folder, model, told)
    return model.eval()


def _require_all_tensors(folder: Path, model: Any, told: Mapping[str, Any]) -> None:
    """Refuse what transformers only warns of. A tensor that is not found would be filled with random numbers."""
    # No row depends on the pooler.
    missing = [key for key in told["missing_keys"] if not key.startswith("pooler.")]
    inside = f"{model.base_model_prefix}."
    stored = TensorFiles(folder).keys
    # Beside a prefixed encoder lie other heads, such as that of its pre-training.
    prefixed = any(key.startswith(inside) for key in stored)
    unknown = [
        key for key in told["unexpected_keys"] if not prefixed or key.startswith(inside) or inside + key in stored
    ]
    unknown = [key for key in unknown if key != STANFORD_HEAD and not key.removeprefix(inside).startswith("pooler.")]
    if missing or unknown:
        problems = [f"missing {inside if prefixed else ''}{key}" for key in sorted(missing)]
        problems += [f"unknown {inside + key if inside + key in stored else key}" for key in sorted(unknown)]
        raise ExportError(f"{folder}: {'; '.join(problems)}")


def architecture_of(model: Any, document: Mapping[str, Any], where: str) -> Architecture:
    """The facts, by transformers' names where it has one for all families (config.attribute_map)."""
    config = model.config
    facts = Config({**document, **_known(config)}, where)
    table = next(
        (m for name, m in model.named_modules() if name.endswith("position_embeddings") and _is_table(m)), None
    )
    # transformers' convention: a position table with a padding row counts from behind it (RoBERTa, MPNet).
    offset = 0 if table is None or table.padding_idx is None else table.padding_idx + 1
    norm = next((m.eps for m in model.modules() if isinstance(m, torch.nn.LayerNorm)), None)
    hidden, heads = facts.heads()
    return Architecture(
        family=config.model_type,
        layers=facts.number("num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        intermediate=facts.number("intermediate_size"),
        vocabulary=len(model.get_input_embeddings().weight),
        max_positions=facts.number("max_position_embeddings") - offset,
        position_offset=offset,
        activation=str(next((getattr(config, key) for key in _ACTIVATION if hasattr(config, key)), "unknown")),
        norm_epsilon=facts.number("norm_epsilon", float, norm),
        rotary_base=None,
        local_rotary_base=None,
        local_window=None,
        global_every=None,
    )


def _known(config: Any) -> dict[str, Any]:
    names = ("hidden_size", "num_attention_heads", "num_hidden_layers", "max_position_embeddings")
    found = {name: getattr(config, name) for name in names if hasattr(config, name)}
    for name, aliases in (("intermediate_size", _INTERMEDIATE), ("norm_epsilon", _EPSILON)):
        found[name] = next((getattr(config, alias) for alias in aliases if hasattr(config, alias)), None)
    return found


def _is_table(module: Any) -> bool:
    return isinstance(module, torch.nn.Embedding)


def layout_of(folder: Path, architecture: Architecture) -> Layout:
    """Every float tensor by its own name: transformers has already said that they are what the model needs."""
    files = TensorFiles(folder)
    # Buffers such as position_ids are integers.
    unused = tuple(key for key in files.keys if files.dtype(key) == "I64")
    names = sorted(files.keys - {STANFORD_HEAD} - set(unused))
    tensors = {name: Tensor((name,), (files.shape(name),), lambda parts: parts[0]) for name in names}
    return Layout(lambda _: architecture, lambda _: tensors, names[0], ("",), unused)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what transformers, optimum and the tracer say to those who develop them."""
    told = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers.logging.set_verbosity(told)
