"""ModernBERT (arXiv 2412.13663) as Hugging Face transformers names it: GTE-ModernColBERT, mxbai-edge-colbert, LateOn.

No biases anywhere. Ours: word, embedding_norm, final_norm, and a layer's attention_norm (all but the first), qkv,
attention_out, ffn_norm, ffn_in (value and gate side by side), ffn_out.
"""

from typing import Any

from colibri.artefact import Architecture
from colibri.errors import ExportError
from colibri_export.layout.config import Config
from colibri_export.layout.tensor import Tensor, matrix, table, vector

PREFIXES = ("model.", "modernbert.", "bert.", "")
UNUSED: tuple[str, ...] = ()
KEYS = """hidden_activation attention_bias mlp_bias norm_bias norm_eps layer_norm_eps local_attention layer_types
    global_attn_every_n_layers global_rope_theta local_rope_theta rope_parameters position_embedding_type"""
WORD = "embeddings.tok_embeddings.weight"


def architecture(config: Config) -> Architecture:
    """The facts of config.json, older keys (global_rope_theta) or newer (rope_parameters, layer_types)."""
    config.require(hidden_activation="gelu", attention_bias=False, mlp_bias=False, norm_bias=False)
    hidden, heads = config.heads()
    if hidden // heads % 2:
        raise ExportError(f"{config.where}: heads of width {hidden // heads}: rotary positions turn pairs")
    layers = config.number("num_hidden_layers")
    global_base = _rotary_base(config, "full_attention", "global_rope_theta", 160_000.0)
    # A null, unlike a missing key, says that local layers turn like global ones.
    local_default = global_base if "local_rope_theta" in config.document else 10_000.0
    return Architecture(
        family="modernbert",
        layers=layers,
        hidden=hidden,
        heads=heads,
        intermediate=config.number("intermediate_size"),
        vocabulary=config.number("vocab_size"),
        max_positions=config.number("max_position_embeddings"),
        position_offset=0,
        activation="gelu",
        norm_epsilon=config.number("norm_eps", float, 1e-5),
        rotary_base=global_base,
        local_rotary_base=_rotary_base(config, "sliding_attention", "local_rope_theta", local_default),
        # local_attention counts the tokens on both sides: each token sees half of it to its left and to its right.
        local_window=config.number("local_attention", int, 128) // 2 * 2 + 1,
        global_every=_global_every(config, layers),
    )


def tensors(a: Architecture) -> dict[str, Tensor]:
    """Our name -> where it lies."""
    found = {
        "word": table(WORD, a.vocabulary, a.hidden),
        "embedding_norm.weight": vector("embeddings.norm.weight", a.hidden),
    }
    for i in range(a.layers):
        ours, theirs = f"layers.{i}.", f"layers.{i}."
        if i:  # the first layer reads the embedding's norm
            found[f"{ours}attention_norm.weight"] = vector(f"{theirs}attn_norm.weight", a.hidden)
        found[f"{ours}qkv.weight"] = matrix((f"{theirs}attn.Wqkv.weight",), 3 * a.hidden, a.hidden)
        found[f"{ours}attention_out.weight"] = matrix((f"{theirs}attn.Wo.weight",), a.hidden, a.hidden)
        found[f"{ours}ffn_norm.weight"] = vector(f"{theirs}mlp_norm.weight", a.hidden)
        found[f"{ours}ffn_in.weight"] = matrix((f"{theirs}mlp.Wi.weight",), 2 * a.intermediate, a.hidden)
        found[f"{ours}ffn_out.weight"] = matrix((f"{theirs}mlp.Wo.weight",), a.hidden, a.intermediate)
    found["final_norm.weight"] = vector("final_norm.weight", a.hidden)
    return found


def _rotary_base(config: Config, kind: str, old_key: str, default: float) -> float:
    parameters: Any = config.document.get("rope_parameters")
    if isinstance(parameters, dict) and isinstance(parameters.get(kind), dict):
        new = Config(parameters[kind], f"{config.where}: rope_parameters.{kind}")
        new.require(rope_type="default")
        return float(new.number("rope_theta", float))
    return float(config.number(old_key, float, default))


def _global_every(config: Config, layers: int) -> int:
    """Every how many layers attention is global, the first one always."""
    kinds = config.document.get("layer_types")
    if kinds is None:
        return int(config.number("global_attn_every_n_layers", int, 3))
    every = next((i for i, kind in enumerate(kinds) if i and kind == "full_attention"), layers)
    wanted = ["sliding_attention" if i % every else "full_attention" for i in range(layers)]
    if kinds != wanted:
        raise ExportError(
            f"{config.where}: layer_types {kinds}: wanted full_attention in every n-th layer from the first"
        )
    return every
