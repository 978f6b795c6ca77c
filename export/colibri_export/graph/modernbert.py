"""ModernBERT (arXiv 2412.13663): pre-norm, rotary, most layers see a window only, GeGLU, no biases."""

import onnx_ir as ir

from colibri.artefact import Architecture
from colibri_export.graph.attention import Shape, rotary, rotary_attention
from colibri_export.graph.blocks import GraphBuilder, Weights, gelu, layer_norm, sum_and_norm


def hidden_states(g: GraphBuilder, architecture: Architecture, weights: Weights) -> ir.Value:
    """The last layer's rows (batch, tokens, hidden) of the graph's ids, after the final norm."""
    a = architecture
    assert a.rotary_base is not None
    assert a.local_rotary_base is not None
    assert a.global_every is not None
    size = a.hidden // a.heads
    far = Shape(a.heads, size), rotary(g, a.rotary_base, size)
    near = Shape(a.heads, size, a.local_window), rotary(g, a.local_rotary_base, size)
    x = layer_norm(g, weights, weights.embed(g, g.ids), "embedding_norm", a.norm_epsilon, bias=False)
    normed = x  # the first layer has no norm of its own
    for layer in range(a.layers):
        name = f"layers.{layer}."
        shape, turn = near if layer % a.global_every else far
        mixed = rotary_attention(g, weights, normed, name + "qkv", shape, turn, bias=False)
        mixed = weights.linear(g, mixed, name + "attention_out")
        x, normed = sum_and_norm(g, weights, mixed, x, name + "ffn_norm", a.norm_epsilon)
        value, gate = g.split(weights.linear(g, normed, name + "ffn_in"), 2)
        narrow = weights.linear(g, g.op("Mul", gelu(g, value), gate), name + "ffn_out")
        following = f"layers.{layer + 1}.attention_norm" if layer + 1 < a.layers else "final_norm"
        x, normed = sum_and_norm(g, weights, narrow, x, following, a.norm_epsilon)
    return normed
