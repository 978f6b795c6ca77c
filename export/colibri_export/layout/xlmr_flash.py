"""XLM-R with rotary positions, as jinaai/xlm-roberta-flash-implementation names it: jina-colbert-v2.

Only its names are followed; its code, which needs flash-attention and exports nowhere, is never run. Ours: word, types
(the one row added to every token), embedding_norm, and a layer's qkv, attention_out, attention_norm, ffn_in, ffn_out,
ffn_norm.
"""

from collections.abc import Mapping
from typing import Any

from colibri.artefact import Architecture
from colibri.errors import ExportError
from colibri_export.layout.config import Config
from colibri_export.layout.tensor import Tensor, matrix, table, vector

PREFIXES = ("roberta.", "model.", "bert.", "")
UNUSED = ("pooler.",)
WORD = "embeddings.word_embeddings.weight"
KEYS = """hidden_act position_embedding_type layer_norm_eps type_vocab_size emb_pooler lora_adaptations rotary_emb_base
    rope_theta rope_parameters load_trained_adapters lora_alpha lora_dropout_p lora_main_params_trainable lora_prompts
    lora_rank matryoshka_dimensions truncate_dim"""
_BASE = 10_000.0  # XLMRobertaFlashConfig's default; jina-embeddings-v3 says 20,000 in its own config


def is_described_by(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is of this family: it names no model_type, so its rotary positions tell."""
    return config.get("model_type") in (None, "xlm-roberta") and config.get("position_embedding_type") == "rotary"


def architecture(config: Config) -> Architecture:
    """The facts of config.json. Raises ExportError that names the key."""
    # emb_pooler and adapters would change rows; rotary scaling and interleaving are off in every known checkpoint.
    config.require(hidden_act="gelu", emb_pooler=None, lora_adaptations=None, type_vocab_size=1)
    hidden, heads = config.heads()
    if hidden // heads % 2:
        raise ExportError(f"{config.where}: heads of width {hidden // heads}: rotary positions turn pairs")
    return Architecture(
        family="xlm-roberta-flash",
        layers=config.number("num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        intermediate=config.number("intermediate_size"),
        vocabulary=config.number("vocab_size"),
        max_positions=config.number("max_position_embeddings"),
        position_offset=0,
        activation="gelu",
        norm_epsilon=config.number("layer_norm_eps", float),
        rotary_base=_rotary_base(config),
        local_rotary_base=None,
        local_window=None,
        global_every=None,
    )


def tensors(a: Architecture) -> dict[str, Tensor]:
    """Our name -> where it lies."""
    found = {
        "word": table(WORD, a.vocabulary, a.hidden),
        "types": Tensor(
            ("embeddings.token_type_embeddings.weight",), ((1, a.hidden),), lambda parts: parts[0].reshape(-1)
        ),
        **_both("embedding_norm", "emb_ln", a.hidden),
    }
    for i in range(a.layers):
        ours, theirs = f"layers.{i}.", f"encoder.layers.{i}."
        found |= _both(f"{ours}qkv", f"{theirs}mixer.Wqkv", 3 * a.hidden, a.hidden)
        found |= _both(f"{ours}attention_out", f"{theirs}mixer.out_proj", a.hidden, a.hidden)
        found |= _both(f"{ours}attention_norm", f"{theirs}norm1", a.hidden)
        found |= _both(f"{ours}ffn_in", f"{theirs}mlp.fc1", a.intermediate, a.hidden)
        found |= _both(f"{ours}ffn_out", f"{theirs}mlp.fc2", a.hidden, a.intermediate)
        found |= _both(f"{ours}ffn_norm", f"{theirs}norm2", a.hidden)
    return found


def _rotary_base(config: Config) -> float:
    for key in ("rotary_emb_base", "rope_theta"):
        if key in config.document:
            return float(config.number(key, float))
    parameters = config.document.get("rope_parameters")
    if isinstance(parameters, dict):
        return float(Config(parameters, f"{config.where}: rope_parameters").number("rope_theta", float, _BASE))
    return _BASE


def _both(ours: str, theirs: str, outputs: int, inputs: int | None = None) -> dict[str, Tensor]:
    """Weight and bias: of a matrix, or of a norm where there are no inputs."""
    name = f"{theirs}.weight"
    weight = vector(name, outputs) if inputs is None else matrix((name,), outputs, inputs)
    return {f"{ours}.weight": weight, f"{ours}.bias": vector(f"{theirs}.bias", outputs)}
