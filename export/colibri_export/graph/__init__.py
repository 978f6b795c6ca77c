"""ONNX graphs from weights: one builder a family of architectures, over shared blocks."""

from collections.abc import Callable, Mapping, Sequence

import onnx_ir as ir

from colibri.artefact import Architecture
from colibri_export.graph import bert, jina_bert, modernbert, xlmr_flash
from colibri_export.graph.blocks import Dialect, GraphBuilder, Weights
from colibri_export.graph.head import token_vectors
from colibri_export.weights import StoredDense

_HIDDEN_STATES: dict[str, Callable[[GraphBuilder, Architecture, Weights], ir.Value]] = {
    "bert": bert.hidden_states,
    "xlm-roberta": bert.hidden_states,
    "xlm-roberta-flash": xlmr_flash.hidden_states,
    "jina-bert": jina_bert.hidden_states,
    "modernbert": modernbert.hidden_states,
}


def build(
    architecture: Architecture,
    weights: Weights,
    heads: Mapping[int, Sequence[StoredDense]],
    dialect: Dialect,
    *,
    masked: bool,
    in_turns: bool = True,
) -> ir.Model:
    """ids (batch, tokens) int64 [, attention_mask the same] -> tokens_{dim} (batch, tokens, dim) for every head.

    in_turns: as in GraphBuilder
    """
    g = GraphBuilder(dialect, masked=masked, in_turns=in_turns)
    rows = _HIDDEN_STATES[architecture.family](g, architecture, weights)
    outputs = {f"tokens_{dim}": (token_vectors(g, rows, layers), dim) for dim, layers in heads.items()}
    return g.finish(outputs, architecture.family)
