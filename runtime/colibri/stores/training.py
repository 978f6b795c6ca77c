"""Centroids for a store: trained from a sample of its rows, and each passage marked with its own."""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np

from colibri.errors import StoreError
from colibri.stores.centroids import VERSION, Codebook
from colibri.stores.engine import Engine
from colibri.stores.filters import OURS
from colibri.stores.layout import CENTROIDS, Layout

T = TypeVar("T")

_PASSAGES = 20_000  # of the sample
_ROWS_EACH = 16  # rows of the sample for a centroid
_MOST = 16_384
_AT_ONCE = 256  # passages marked by one request


def trained(engine: Engine, layout: Layout, count: int | None) -> Codebook:
    """Centroids of the store's rows. Raises StoreError where it has none."""
    name = layout.names[layout.dims[0]]
    # Ids are hashes, so that the first of them are a sample of all.
    found = [one.vectors[name] for one in islice(engine.scroll(OURS, [], vectors=[name]), _PASSAGES)]
    if not found:
        raise StoreError("centroids are made from a sample of the rows, and the store is empty")
    rows = np.concatenate(found)
    wanted = count or default_count(engine.count(OURS) * len(rows) // len(found))
    most = wanted * _ROWS_EACH
    if len(rows) > most:
        rows = rows[np.random.default_rng(0).choice(len(rows), most, replace=False)]
    return Codebook.trained(rows, wanted)


def default_count(tokens: int) -> int:
    """A power of two near 8 times the square root of the number of tokens: 4,096 for 400,000, 16,384 at most."""
    return int(min(_MOST, max(16, 2 ** round(math.log2(max(1.0, 8 * math.sqrt(tokens)))))))


def mark(engine: Engine, layout: Layout, codebook: Codebook, done: Callable[[int], object]) -> int:
    """Give each passage of ours that lacks it its sparse vector; how many. done: called with the tokens of each."""
    name = layout.names[layout.dims[0]]
    lacking = {"must": [OURS], "must_not": [{"key": VERSION, "match": {"value": codebook.version}}]}
    count = 0
    for page in _pages(engine.scroll(lacking, [], vectors=[name]), _AT_ONCE):
        found = {one.id: codebook.sparse_of(one.vectors[name])[0] for one in page}
        engine.set_vectors(CENTROIDS, found, {"centroids": codebook.version})
        count += len(page)
        for one in page:
            done(len(one.vectors[name]))
    return count


def _pages(given: Iterator[T], size: int) -> Iterator[list[T]]:
    while page := list(islice(given, size)):
        yield page
