"""JinaBERT (jina-colbert-v1-en; arXiv 2310.19923): post-norm, biases of attention in place of positions, GeGLU.

The forward pass is that of jinaai/jina-bert-implementation without normed queries and keys. The activation is the exact
GELU, as there; text-embeddings-inference computes the tanh form.
"""

import onnx_ir as ir

from colibri.artefact import Architecture
from colibri_export.graph.alibi import alibi_attention
from colibri_export.graph.attention import Shape
from colibri_export.graph.blocks import GraphBuilder, Weights, add_and_norm, gelu, layer_norm
from colibri_export.graph.turns import in_turns

FEED_FORWARD_TOKENS = 1024
"""Of 8,192 tokens at once the gated product alone would be 201 MB, and what follows as much again."""


def hidden_states(g: GraphBuilder, architecture: Architecture, weights: Weights) -> ir.Value:
    """The last layer's rows (batch, tokens, hidden) of the graph's ids."""
    a = architecture
    shape = Shape(a.heads, a.hidden // a.heads)
    words = g.op("Add", weights.embed(g, g.ids), g.weight(weights.stored("types")))
    x = layer_norm(g, weights, words, "embedding_norm", a.norm_epsilon)
    for layer in range(a.layers):
        name = f"layers.{layer}."

        def feed_forward(rows: ir.Value, name: str = name) -> ir.Value:
            value, gate = g.split(weights.linear(g, rows, name + "ffn_in"), 2)
            active = gelu(g, value) if a.activation == "gelu" else g.op("Relu", value)
            return weights.linear(g, g.op("Mul", active, gate), name + "ffn_out", bias=True)

        mixed = alibi_attention(g, weights, x, name + "qkv", shape)
        mixed = weights.linear(g, mixed, name + "attention_out", bias=True)
        x = add_and_norm(g, weights, mixed, x, name + "attention_norm", a.norm_epsilon)
        narrow = in_turns(g, x, FEED_FORWARD_TOKENS, a.hidden, lambda rows, first: feed_forward(rows))
        x = add_and_norm(g, weights, narrow, x, name + "ffn_norm", a.norm_epsilon)
    return x
