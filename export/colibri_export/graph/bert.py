"""BERT and XLM-R with absolute positions: post-norm encoder, erf GELU (arXiv 1810.04805, 1911.02116)."""

import onnx_ir as ir

from colibri.artefact import Architecture
from colibri_export.graph.attention import Shape, attention
from colibri_export.graph.blocks import LEAST_GELU, GraphBuilder, Weights, add_and_norm, bias_gelu


def hidden_states(g: GraphBuilder, architecture: Architecture, weights: Weights) -> ir.Value:
    """The last layer's rows (batch, tokens, hidden) of the graph's ids."""
    epsilon = architecture.norm_epsilon
    words = weights.embed(g, g.ids)
    x = add_and_norm(g, weights, words, _positions(g, weights, words), "embedding_norm", epsilon)
    shape = Shape(architecture.heads, architecture.hidden // architecture.heads)
    for layer in range(architecture.layers):
        name = f"layers.{layer}."
        mixed = weights.linear(g, attention(g, weights, x, name + "qkv", shape), name + "attention_out", bias=True)
        x = add_and_norm(g, weights, mixed, x, name + "attention_norm", epsilon)
        x = feed_forward(g, weights, x, name, epsilon)
    return x


def feed_forward(g: GraphBuilder, weights: Weights, x: ir.Value, name: str, epsilon: float) -> ir.Value:
    """The second half of a post-norm layer."""
    wide = bias_gelu(g, weights, weights.linear(g, x, name + "ffn_in"), name + "ffn_in.bias")
    narrow = weights.linear(g, wide, name + "ffn_out", bias=True, least=LEAST_GELU)
    return add_and_norm(g, weights, narrow, x, name + "ffn_norm", epsilon)


def _positions(g: GraphBuilder, weights: Weights, like: ir.Value) -> ir.Value:
    """Rows 0..tokens-1 of the position table, for every input of the batch. The table starts at the first real
    position, so BERT and XLM-R look the same here; XLM-R's rule for padding inside a text never applies."""
    count = g.op("Shape", g.ids, start=1, end=2)
    rows = g.op("Slice", g.weight(weights.stored("positions")), g.constant([0]), count, g.constant([0]))
    return g.op("Expand", rows, g.op("Shape", like))
