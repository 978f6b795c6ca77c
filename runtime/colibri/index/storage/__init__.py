"""Keeps the bytes of an index safe."""
