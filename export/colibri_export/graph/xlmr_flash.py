"""XLM-R with rotary positions (jina-colbert-v2): post-norm encoder, erf GELU, no position table.

The forward pass is that of jinaai/xlm-roberta-flash-implementation with prenorm off. JinaEmbeddingsV3Model of Hugging
Face transformers is the same network and the oracle of our tests.
"""

import onnx_ir as ir

from colibri.artefact import Architecture
from colibri_export.graph.attention import Shape, rotary, rotary_attention
from colibri_export.graph.blocks import LEAST_GELU, GraphBuilder, Weights, add_and_norm, gelu, layer_norm


def hidden_states(g: GraphBuilder, architecture: Architecture, weights: Weights) -> ir.Value:
    """The last layer's rows (batch, tokens, hidden) of the graph's ids."""
    assert architecture.rotary_base is not None
    epsilon = architecture.norm_epsilon
    shape = Shape(architecture.heads, architecture.hidden // architecture.heads)
    turn = rotary(g, architecture.rotary_base, shape.head_size)
    words = g.op("Add", weights.embed(g, g.ids), g.weight(weights.stored("types")))
    x = layer_norm(g, weights, words, "embedding_norm", epsilon)
    for layer in range(architecture.layers):
        name = f"layers.{layer}."
        mixed = rotary_attention(g, weights, x, name + "qkv", shape, turn, bias=True)
        mixed = weights.linear(g, mixed, name + "attention_out", bias=True)
        x = add_and_norm(g, weights, mixed, x, name + "attention_norm", epsilon)
        # Not BiasGelu, whose scratch buffer is as large as its output: 134 MB for 8,192 tokens of jina-colbert-v2.
        wide = gelu(g, weights.linear(g, x, name + "ffn_in", bias=True))
        narrow = weights.linear(g, wide, name + "ffn_out", bias=True, least=LEAST_GELU)
        x = add_and_norm(g, weights, narrow, x, name + "ffn_norm", epsilon)
    return x
