"""BERT, and XLM-R with absolute positions, as Hugging Face transformers names them.

Ours: word, positions (the token type's row 0 added, XLM-R's unused first rows cut), embedding_norm, and a layer's qkv,
attention_out, attention_norm, ffn_in, ffn_out, ffn_norm.
"""

from functools import partial

from colibri.artefact import Architecture
from colibri.errors import ExportError
from colibri_export.layout.config import Config
from colibri_export.layout.tensor import Floats, Tensor, joined_vector, matrix, table, vector

PREFIXES = ("bert.", "roberta.", "model.", "")
UNUSED = ("pooler.", "embeddings.position_ids")
KEYS = "hidden_act position_embedding_type layer_norm_eps type_vocab_size"
WORD = "embeddings.word_embeddings.weight"
_POSITIONS = "embeddings.position_embeddings.weight"
_TYPES = "embeddings.token_type_embeddings.weight"


def architecture(config: Config) -> Architecture:
    """The facts of config.json. Raises ExportError that names the key."""
    config.require(hidden_act="gelu", position_embedding_type="absolute")
    family = "bert" if config.document["model_type"] == "bert" else "xlm-roberta"
    offset = 0
    if family == "xlm-roberta":
        # XLM-R counts positions from padding id + 1 (transformers' create_position_ids_from_input_ids).
        offset = 1 + (config.number("pad_token_id") if config.document.get("pad_token_id") is not None else 1)
    hidden, heads = config.heads()
    positions = config.number("max_position_embeddings") - offset
    if positions < 1:
        raise ExportError(f"{config.where}: max_position_embeddings {positions + offset}, of which {offset} are unused")
    return Architecture(
        family=family,
        layers=config.number("num_hidden_layers"),
        hidden=hidden,
        heads=heads,
        intermediate=config.number("intermediate_size"),
        vocabulary=config.number("vocab_size"),
        max_positions=positions,
        position_offset=offset,
        activation="gelu",
        norm_epsilon=config.number("layer_norm_eps", float),
        rotary_base=None,
        local_rotary_base=None,
        local_window=None,
        global_every=None,
    )


def tensors(a: Architecture) -> dict[str, Tensor]:
    """Our name -> where it lies."""
    found = {
        "word": table(WORD, a.vocabulary, a.hidden),
        "positions": Tensor(
            (_POSITIONS, _TYPES),
            ((a.max_positions + a.position_offset, a.hidden), (None, a.hidden)),
            partial(_positions, a.position_offset),
        ),
        **norm("embedding_norm", "embeddings.LayerNorm", a.hidden),
    }
    for i in range(a.layers):
        ours, theirs = f"layers.{i}.", f"encoder.layer.{i}."
        qkv = tuple(f"{theirs}attention.self.{part}" for part in ("query", "key", "value"))
        found |= linear(f"{ours}qkv", qkv, a.hidden, a.hidden)
        found |= linear(f"{ours}attention_out", (f"{theirs}attention.output.dense",), a.hidden, a.hidden)
        found |= norm(f"{ours}attention_norm", f"{theirs}attention.output.LayerNorm", a.hidden)
        found |= linear(f"{ours}ffn_in", (f"{theirs}intermediate.dense",), a.intermediate, a.hidden)
        found |= linear(f"{ours}ffn_out", (f"{theirs}output.dense",), a.hidden, a.intermediate)
        found |= norm(f"{ours}ffn_norm", f"{theirs}output.LayerNorm", a.hidden)
    return found


def _positions(offset: int, parts: list[Floats]) -> Floats:
    rows, types = parts
    shifted: Floats = rows[offset:] + types[0]
    return shifted


def linear(ours: str, theirs: tuple[str, ...], outputs: int, inputs: int) -> dict[str, Tensor]:
    return {
        f"{ours}.weight": matrix(tuple(f"{name}.weight" for name in theirs), outputs, inputs),
        f"{ours}.bias": joined_vector(tuple(f"{name}.bias" for name in theirs), outputs),
    }


def norm(ours: str, theirs: str, width: int) -> dict[str, Tensor]:
    return {f"{ours}.{part}": vector(f"{theirs}.{part}", width) for part in ("weight", "bias")}
