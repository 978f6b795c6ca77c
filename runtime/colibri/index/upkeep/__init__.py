"""Finds out whether the bytes of an index are safe, and mends them."""
