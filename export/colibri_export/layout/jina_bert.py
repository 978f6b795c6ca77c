"""JinaBERT, as jinaai/jina-bert-implementation names it: jina-colbert-v1-en, jina-embeddings-v2-base-en and -small-en.

BERT with attention biases in place of positions (ALiBi, both directions) and a gated feed-forward. config.json calls it
"bert"; only its names are followed, its code is never run. Ours: word, types (the row added to every token),
embedding_norm, and a layer's qkv, attention_out, attention_norm, ffn_in (value and gate side by side, no bias),
ffn_out, ffn_norm.
"""

from collections.abc import Mapping
from typing import Any

from colibri.artefact import Architecture
from colibri.errors import ExportError
from colibri_export.layout.bert import linear, norm
from colibri_export.layout.config import Config
from colibri_export.layout.tensor import Tensor, matrix, table

PREFIXES = ("bert.", "model.", "")
UNUSED = ("pooler.",)
WORD = "embeddings.word_embeddings.weight"
KEYS = """hidden_act position_embedding_type feed_forward_type layer_norm_eps type_vocab_size emb_pooler
    model_max_length"""
_NORMED = "normed queries and keys (jina-embeddings-v2-base-code, -de, -es, -zh) are a network without a builder"
OTHERS = {"layer_norm_q.": _NORMED, "layer_norm_k.": _NORMED, "up_gated_layer.": _NORMED}
_ACTIVATIONS = {"geglu": "gelu", "reglu": "relu"}


def is_described_by(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is of this family: its model_type is BERT's, so its positions tell."""
    return config.get("model_type") in ("bert", "jina_bert") and config.get("position_embedding_type") == "alibi"


def architecture(config: Config) -> Architecture:
    """The facts of config.json. Raises ExportError that names the key."""
    config.require(hidden_act="gelu")
    gated = config.document.get("feed_forward_type")
    if gated not in _ACTIVATIONS:
        raise ExportError(f"{config.where}: feed_forward_type {gated!r}, this exporter knows {', '.join(_ACTIVATIONS)}")
    hidden, heads = config.heads()
    return Architecture(
        family="jina-bert",
        layers=config.number("num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        intermediate=config.number("intermediate_size"),
        vocabulary=config.number("vocab_size"),
        max_positions=config.number("max_position_embeddings"),
        position_offset=0,
        activation=_ACTIVATIONS[gated],
        norm_epsilon=config.number("layer_norm_eps", float),
        rotary_base=None,
        local_rotary_base=None,
        local_window=None,
        global_every=None,
    )


def tensors(a: Architecture) -> dict[str, Tensor]:
    """Our name -> where it lies."""
    types = Tensor(("embeddings.token_type_embeddings.weight",), ((None, a.hidden),), lambda parts: parts[0][0])
    found = {
        "word": table(WORD, a.vocabulary, a.hidden),
        "types": types,
        **norm("embedding_norm", "embeddings.LayerNorm", a.hidden),
    }
    for i in range(a.layers):
        ours, theirs = f"layers.{i}.", f"encoder.layer.{i}."
        qkv = tuple(f"{theirs}attention.self.{part}" for part in ("query", "key", "value"))
        found |= linear(f"{ours}qkv", qkv, a.hidden, a.hidden)
        found |= linear(f"{ours}attention_out", (f"{theirs}attention.output.dense",), a.hidden, a.hidden)
        found |= norm(f"{ours}attention_norm", f"{theirs}attention.output.LayerNorm", a.hidden)
        found[f"{ours}ffn_in.weight"] = matrix((f"{theirs}mlp.gated_layers.weight",), 2 * a.intermediate, a.hidden)
        found |= linear(f"{ours}ffn_out", (f"{theirs}mlp.wo",), a.hidden, a.intermediate)
        found |= norm(f"{ours}ffn_norm", f"{theirs}mlp.layernorm", a.hidden)
    return found
