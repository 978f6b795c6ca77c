"""Queries and documents that scoring is tested with, in every form that documents are stored in."""

import functools

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

import reference
from colibri.vectors import Kind, TokenVectors

Rows = NDArray[np.float32]

KINDS: tuple[Kind, ...] = ("float32", "float16", "int8", "int4")


def unit_rows(rng: np.random.Generator, length: int, dim: int) -> Rows:
    """Random rows of length 1, (length, dim)."""
    return reference.unit_rows(rng.normal(size=(length, dim))).astype(np.float32)


def stored(docs: TokenVectors, kind: Kind) -> TokenVectors:
    """float32 documents in another form; of an odd dim, which int4 does not have, int8 for it."""
    if kind == "int4" and docs.dim % 2:
        kind = "int8"
    if kind == "int8":
        return docs.quantize()
    if kind == "int4":
        return docs.quantize("int4")
    return TokenVectors(docs.rows.astype(kind), docs.starts)


class Ragged:
    """A query and documents of random rows, from a seed."""

    def __init__(self, query_tokens: int, lengths: list[int], dim: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.query = unit_rows(rng, query_tokens, dim)
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        self.packed = TokenVectors(unit_rows(rng, int(starts[-1]), dim), starts)
        self.weights = rng.uniform(0, 2, query_tokens).astype(np.float32)

    @functools.cached_property
    def documents(self) -> list[Rows]:
        """Each document's rows."""
        return list(self.packed)

    def __repr__(self) -> str:
        return f"Ragged({len(self.query)}, {np.diff(self.packed.starts).tolist()}, {self.packed.dim})"

    def tolerance(self) -> float:
        """What two float scores may differ by: 1e-6 a query token, of weights up to 2."""
        return 2e-6 * max(1, len(self.query))


lengths = st.lists(st.integers(1, 12), min_size=1, max_size=12)
ragged = st.builds(Ragged, st.integers(1, 20), lengths, st.integers(1, 17), st.integers(0, 999))
kinds = st.sampled_from(KINDS)


def picked(docs: TokenVectors, order: NDArray[np.int64] | list[int]) -> TokenVectors:
    """Some documents as a collection of their own."""
    rows = np.concatenate([docs[int(i)] for i in order])
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(docs[int(i)]) for i in order], dtype=np.int64)])
    scales = None
    if docs.scales is not None:
        scales = np.concatenate([docs.scales[docs.starts[i] : docs.starts[i + 1]] for i in order])
    return TokenVectors(rows, starts, scales=scales)
