"""Where in a text something stands. Apart from `vectors`: who reads a query, or another process's answer, needs no
NumPy."""

from typing import NamedTuple


class Span(NamedTuple):
    """Characters start to end - 1 of a document's text."""

    start: int
    end: int
