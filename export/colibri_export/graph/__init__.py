"""ONNX graphs from weights: one builder a family of architectures, over shared blocks."""
