"""Where the tensors of the BERT family lie in a checkpoint, and what shape config.json makes them have."""

from collections.abc import Iterator, Mapping
from typing import Any

from colibri.errors import ArtefactError, ExportError
from colibri.manifest import Architecture
from colibri.typed_json import parse

PREFIXES = ("bert.", "roberta.", "model.", "")
WORD = "embeddings.word_embeddings.weight"
POSITIONS = "embeddings.position_embeddings.weight"
TYPES = "embeddings.token_type_embeddings.weight"

# position_offset: XLM-R counts positions from padding id + 1 (transformers' create_position_ids_from_input_ids).
_FAMILIES = {"bert": "bert", "xlm-roberta": "xlm-roberta", "roberta": "xlm-roberta"}
_ONLY = {"hidden_act": "gelu", "position_embedding_type": "absolute"}
_PARTS = {
    "qkv": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention_out": ("attention.output.dense",),
    "attention_norm": ("attention.output.LayerNorm",),
    "ffn_in": ("intermediate.dense",),
    "ffn_out": ("output.dense",),
    "ffn_norm": ("output.LayerNorm",),
}


def tensor_names(architecture: Architecture) -> Iterator[str]:
    """Our names of all backbone tensors, in the order they are stored: word, positions, norm, layers."""
    yield from ("word", "positions", "embedding_norm.weight", "embedding_norm.bias")
    for layer in range(architecture.layers):
        for part in _PARTS:
            yield f"layers.{layer}.{part}.weight"
            yield f"layers.{layer}.{part}.bias"


def sources(name: str) -> tuple[str, ...]:
    """The checkpoint's names (without prefix) of what one of our tensors is made of."""
    if name == "word":
        return (WORD,)
    if name == "positions":
        return (POSITIONS, TYPES)
    if name.startswith("embedding_norm."):
        return (name.replace("embedding_norm", "embeddings.LayerNorm"),)
    _, layer, part, kind = name.split(".")
    return tuple(f"encoder.layer.{layer}.{source}.{kind}" for source in _PARTS[part])


def source_shapes(a: Architecture) -> dict[str, tuple[int | None, ...]]:
    """Checkpoint name (without prefix) -> shape; None where any size will do."""
    found: dict[str, tuple[int | None, ...]] = {
        WORD: (a.vocabulary, a.hidden),
        POSITIONS: (a.max_positions + a.position_offset, a.hidden),
        TYPES: (None, a.hidden),
    }
    matrices = {"ffn_in": (a.intermediate, a.hidden), "ffn_out": (a.hidden, a.intermediate)}
    for name in tensor_names(a):
        part = name.split(".")[-2] if "." in name else ""
        shape = (a.hidden,) if part.endswith("norm") else matrices.get(part, (a.hidden, a.hidden))
        for source in sources(name):
            found.setdefault(source, shape if source.endswith("weight") else shape[:1])
    return found


def architecture(config: Mapping[str, Any], where: str) -> Architecture:
    """The facts of config.json. where: its path, for errors. Raises ExportError that names the key."""
    model_type = config.get("model_type")
    if model_type not in _FAMILIES:
        raise ExportError(f"{where}: model_type {model_type!r}, this exporter knows {', '.join(_FAMILIES)}")
    for key, value in _ONLY.items():
        if config.get(key, value) != value:
            raise ExportError(f"{where}: {key} {config[key]!r}, this exporter knows {value!r}")

    def number(key: str, kind: type = int) -> Any:
        if key not in config:
            raise ExportError(f"{where}: no {key}")
        try:
            value = parse(kind, config[key], key)
        except ArtefactError as error:
            raise ExportError(f"{where}: {error}") from None
        if value <= 0:
            raise ExportError(f"{where}: {key} {value}, wanted more than 0")
        return value

    offset = 0
    if model_type != "bert":
        offset = 1 + (number("pad_token_id") if config.get("pad_token_id") is not None else 1)
    hidden, heads = number("hidden_size"), number("num_attention_heads")
    if hidden % heads:
        raise ExportError(f"{where}: num_attention_heads {heads} does not divide hidden_size {hidden}")
    return Architecture(
        family=_FAMILIES[model_type],
        layers=number("num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        intermediate=number("intermediate_size"),
        vocabulary=number("vocab_size"),
        max_positions=number("max_position_embeddings") - offset,
        position_offset=offset,
        activation="gelu",
        norm_epsilon=number("layer_norm_eps", float),
        rotary_base=None,
        local_rotary_base=None,
        local_window=None,
        global_every=None,
    )
