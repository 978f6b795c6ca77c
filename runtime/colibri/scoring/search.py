"""The public functions: check what was given, choose who answers, split the work."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from colibri.errors import InputError, ShapeError
from colibri.scoring import compiled, engine, meaning
from colibri.scoring.collection import (
    Collection,
    Floats,
    collection,
    cores,
    document_ids,
    query_rows,
    token_weights,
    unlooked,
)
from colibri.scoring.names import INTEGERS
from colibri.vectors import Offsets, TokenVectors

if TYPE_CHECKING:
    from colibri.scoring.kernel import Compiled

# The generic kernel multiplies integers as float32; the others add int32, which a very wide row could overflow.
_WIDEST = {"generic": meaning.LARGEST_EXACT_DIM}
_WIDEST_OTHERS = 65_536


class Top(NamedTuple):
    """The best documents, best first; of equal scores the earlier place first."""

    ids: Offsets
    """(k,) int64, their places."""
    scores: Floats
    """(k,) float32."""


class BestTokens(NamedTuple):
    """For each document and query token, the document token that matches best."""

    tokens: Offsets
    """(n, q) int64, counted from the document's first; the earliest of equal ones."""
    similarities: Floats
    """(n, q) float32. Times the query's weights and summed over q, they are the score."""


def maxsim(
    query: ArrayLike, docs: TokenVectors, weights: ArrayLike | None = None, *, threads: int | None = None
) -> Floats:
    """Score every document against one query: for each query token its best match among the document's, summed.

    Returns (n,) float32. Arguments and errors: see `colibri.scoring`.
    """
    found, rows, given, threads = _checked(query, docs, weights, threads)
    kernel = _kernel(found, len(rows), len(found.rows))
    if kernel is None:
        return meaning.scores(_meant(found, rows, given), found.rows, found.scales, found.starts)
    return compiled.scores(
        kernel, compiled.pack(kernel, rows, given, found), found, compiled.Stream(found.starts), threads
    )


def maxsim_batch(queries: TokenVectors, docs: TokenVectors, *, threads: int | None = None) -> Floats:
    """`maxsim` of many queries: (queries, n) float32. The queries' own weights count.

    Each row has the bits that `maxsim` gives for that query alone.
    """
    if queries.space_id and docs.space_id and queries.space_id != docs.space_id:
        raise ShapeError("queries and documents were encoded by different models: encode both with one")
    found = collection(docs)
    threads = cores(threads)
    checked = []
    for i, rows in enumerate(queries):
        own = slice(queries.starts[i], queries.starts[i + 1])
        rows = query_rows(rows, docs.dim)  # noqa: PLW2901
        checked.append((rows, token_weights(None if queries.weights is None else queries.weights[own], len(rows))))
    if not checked:
        return np.empty((0, len(docs)), np.float32)
    kernel = _kernel(found, len(queries.rows), len(found.rows))
    if kernel is None:
        return np.stack(
            [meaning.scores(_meant(found, rows, w), found.rows, found.scales, found.starts) for rows, w in checked]
        )
    return compiled.batch(kernel, [compiled.pack(kernel, rows, w, found) for rows, w in checked], found, threads)


def top_k(
    query: ArrayLike,
    docs: TokenVectors | Sequence[TokenVectors],
    k: int,
    weights: ArrayLike | None = None,
    *,
    threads: int | None = None,
) -> Top:
    """The k best documents (all, when there are fewer), as `maxsim` scores them, without keeping all scores.

    `docs` may be several collections, of any kinds and one dim: places then count on from one to the next, and the
    result is that of one collection with all their documents, while none is copied. Of none, nothing is best.

    Raises InputError when k is below 1; else see `colibri.scoring`.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k: found {k!r}, wanted a whole number from 1")
    several = [docs] if isinstance(docs, TokenVectors) else list(docs)
    places: list[Offsets] = [np.zeros(0, np.int64)]
    scores: list[Floats] = [np.zeros(0, np.float32)]
    parts: list[compiled.Part] = []
    checked = [_checked(query, some, weights, threads) for some in several]
    first = 0
    for some, (found, rows, given, _) in zip(several, checked, strict=True):
        kernel = _kernel(found, len(rows), len(found.rows))
        if kernel is not None:
            parts.append(compiled.Part(kernel, compiled.pack(kernel, rows, given, found), found, first))
        elif len(some):
            meant = _meant(found, rows, given)
            own, best = meaning.top(meant, found.rows, found.scales, found.starts, min(int(k), len(some)))
            places.append(own + first)
            scores.append(best)
        first += len(some)
    if parts:
        own, best = compiled.top(parts, min(int(k), first), cores(threads))
        places.append(own)
        scores.append(best)
    return Top(*compiled.best_of(np.concatenate(places), np.concatenate(scores), int(k)))


def maxsim_subset(
    query: ArrayLike,
    docs: TokenVectors,
    doc_ids: ArrayLike | Sequence[int],
    weights: ArrayLike | None = None,
    *,
    threads: int | None = None,
) -> Floats:
    """`maxsim` of the documents at places `doc_ids` (any order, also more than once): (len(doc_ids),) float32."""
    found, rows, given, threads = _checked(query, docs, weights, threads)
    ids = document_ids(doc_ids, len(docs))
    stream = compiled.Stream.of(found, ids)
    kernel = _kernel(found, len(rows), int(stream.starts[-1]))
    if kernel is None:
        return _of_stream(_meant(found, rows, given), found, stream)
    return compiled.scores(kernel, compiled.pack(kernel, rows, given, found), found, stream, threads)


def maxsim_picked(
    query: ArrayLike,
    some: Sequence[tuple[TokenVectors, Offsets]],
    weights: ArrayLike | None = None,
    *,
    threads: int | None = None,
) -> list[Floats]:
    """`maxsim_subset` of several collections of integer rows and one dim, at once: (n,) float32 each.

    some: collections, and places in each (n,) int64, which are not checked: each of them has a row. Nothing is looked
    at of any other document, where `maxsim_subset` looks at all scales the first time. Scales that are not finite give
    scores that are not.
    """
    if not some:
        return []
    threads, rows = cores(threads), query_rows(query, some[0][0].dim)
    given = token_weights(weights, len(rows))
    parts: list[compiled.Some] = []
    found: list[Floats | None] = []
    packed: dict[tuple[str, bool], compiled.Packed] = {}
    for docs, ids in some:
        own = unlooked(docs)
        stream = compiled.Stream.of(own, ids)
        kernel = _kernel(own, len(rows), int(stream.starts[-1]))
        if kernel is None:
            found.append(_of_stream(_meant(own, rows, given), own, stream))
            continue
        alike = (own.kind, own.ordinary_scales)
        if alike not in packed:
            packed[alike] = compiled.pack(kernel, rows, given, own)
        parts.append(compiled.Some(kernel, packed[alike], own, stream))
        found.append(None)
    scored = iter(compiled.several(parts, threads))
    return [next(scored) if one is None else one for one in found]


def best_tokens(
    query: ArrayLike, docs: TokenVectors, doc_ids: ArrayLike | Sequence[int], weights: ArrayLike | None = None
) -> BestTokens:
    """Which token of each of some documents answers each query token, and how well: what a score is made of.

    Those of integers are the definition's, scales included: summed in its order they are the score to the bit.
    `weights` are checked and change nothing: multiply the similarities by them for what each token adds to the score.
    """
    found, rows, _, _ = _checked(query, docs, weights, None)
    ids = document_ids(doc_ids, len(docs))
    return _best_tokens(_meant(found, rows, None), [(found, document) for document in ids.tolist()])


def best_tokens_picked(query: ArrayLike, some: Sequence[tuple[TokenVectors, int]]) -> BestTokens:
    """`best_tokens` of documents of several collections of integer rows, at least one: of each its collection and its
    place there. Nothing else is looked at, as `maxsim_picked` does."""
    rows = query_rows(query, some[0][0].dim)
    return _best_tokens(meaning.prepare(rows, None, integer=True), [(unlooked(docs), place) for docs, place in some])


def _best_tokens(meant: meaning.Query, some: Sequence[tuple[Collection, int]]) -> BestTokens:
    count = len(meant.rows)
    tokens, similarities = np.zeros((len(some), count), np.int64), np.zeros((len(some), count), np.float32)
    every = np.arange(count)
    for i, (found, document) in enumerate(some):
        own = slice(found.starts[document], found.starts[document + 1])
        scales = found.scales if found.scales.size == 1 else found.scales[own]
        all_pairs = meaning.similarities(meant, found.rows[own], scales)
        tokens[i] = all_pairs.argmax(axis=1)
        similarities[i] = all_pairs[every, tokens[i]] * meant.finals
    return BestTokens(tokens, similarities)


def _checked(
    query: ArrayLike, docs: TokenVectors, weights: ArrayLike | None, threads: int | None
) -> tuple[Collection, Floats, Floats | None, int]:
    rows = query_rows(query, docs.dim)
    given = token_weights(weights, len(rows))
    return collection(docs), rows, given, cores(threads)


def _kernel(c: Collection, query_tokens: int, document_tokens: int) -> "Compiled | None":
    dim = c.dim
    if query_tokens == 0 or document_tokens == 0 or dim == 0:
        return None  # nothing to do, which NumPy does without ado
    kernel = engine.kernel(c.kind, query_tokens * document_tokens * dim)
    if kernel is not None and c.kind in INTEGERS and dim > _WIDEST.get(kernel.kernel, _WIDEST_OTHERS):
        return None
    return kernel


def _meant(c: Collection, rows: Floats, weights: Floats | None) -> meaning.Query:
    return meaning.prepare(rows, weights, integer=c.kind in INTEGERS)


def _of_stream(meant: meaning.Query, c: Collection, stream: compiled.Stream) -> Floats:
    """Scores of some of a collection, by NumPy."""
    own = _rows_of(stream, c)
    return meaning.scores(meant, c.rows[own], c.scales if c.scales.size == 1 else c.scales[own], stream.starts)


def _rows_of(stream: compiled.Stream, c: Collection) -> Offsets:
    """Which of the collection's rows a stream's tokens are."""
    assert stream.ids is not None
    lengths = np.diff(stream.starts)
    shifts: NDArray[np.int64] = np.repeat(c.starts[stream.ids] - stream.starts[:-1], lengths)
    return shifts + np.arange(stream.starts[-1])
