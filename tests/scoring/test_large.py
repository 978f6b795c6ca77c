"""Collections of millions of tokens: places and bytes beyond 2^31, in memory and in a file, against NumPy on a sample.

`pytest --hypothesis-profile=soak` takes 10 million tokens of 256 dims or 128 dims (2.6 GB); else 200,000.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from colibri.scoring import best_tokens, engine, maxsim, maxsim_subset, meaning, top_k
from colibri.scoring.collection import collection
from colibri.scoring.names import INTEGERS
from colibri.vectors import Kind, TokenVectors

SOAK = settings.default.max_examples >= 500  # type: ignore[union-attr]
TOKENS = 10_000_000 if SOAK else 200_000
BEYOND = 2**31
DIMS: list[tuple[Kind, int]] = [("int8", 64), ("float16", 64), ("int8", 256), ("float16", 128), ("int4", 128)]
SAMPLE = 50


def rows_of(kind: Kind, dim: int, first: int, count: int) -> NDArray[Any]:
    """Rows that differ everywhere and cost nothing to make again, in pieces of a million values."""
    rng = np.random.default_rng([dim, first])
    if kind == "int8":
        return rng.integers(-127, 128, (count, dim), np.int8)
    if kind == "int4":
        return rng.integers(0, 256, (count, dim // 2), np.uint8)
    return rng.standard_normal((count, dim), np.float32).astype(np.float16)


@pytest.fixture(scope="module", params=DIMS, ids=lambda param: f"{param[0]}-{param[1]}")
def docs(request: pytest.FixtureRequest) -> TokenVectors:
    """Documents of 20 to 300 tokens."""
    kind, dim = request.param
    rng = np.random.default_rng(dim)
    starts = np.concatenate([[0], np.cumsum(rng.integers(20, 301, TOKENS // 160))]).astype(np.int64)
    starts = np.concatenate([starts[starts < TOKENS], [TOKENS]])
    rows = np.empty((TOKENS, dim // 2), np.uint8) if kind == "int4" else np.empty((TOKENS, dim), kind)
    for first in range(0, TOKENS, 50_000):
        rows[first : first + 50_000] = rows_of(kind, dim, first, min(50_000, TOKENS - first))
    scales = rng.uniform(0.001, 0.01, TOKENS).astype(np.float32) if kind in INTEGERS else None
    return TokenVectors(rows, starts, scales=scales)


def wanted(query: NDArray[Any], docs: TokenVectors, ids: NDArray[Any]) -> NDArray[Any]:
    """The definition's scores of some documents, each alone."""
    integer = docs.kind in INTEGERS
    scores = []
    for i in ids:
        own = slice(docs.starts[i], docs.starts[i + 1])
        scales = None if docs.scales is None else docs.scales[own]
        alone = collection(TokenVectors(docs.rows[own], docs.starts[i : i + 2] - docs.starts[i], scales=scales))
        scores.append(
            meaning.scores(meaning.prepare(query, None, integer=integer), alone.rows, alone.scales, alone.starts)[0]
        )
    return np.array(scores, np.float32)


def assert_same(found: NDArray[Any], scores: NDArray[Any], docs: TokenVectors) -> None:
    """The same bits of integers; floats by the size of their rows."""
    if docs.kind in INTEGERS:
        np.testing.assert_array_equal(found, scores)
    else:
        np.testing.assert_allclose(found, scores, rtol=1e-5)


@pytest.fixture(params=["numpy", "fastest"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers: NumPy, or the fastest kernel that can run here, in a state of the engine that ends with the test."""
    if request.param == "fastest":
        if find_spec("numba") is None:
            pytest.skip("numba is not installed: there are no kernels")
        from colibri.scoring.kernels.choice import choose_kernel

        monkeypatch.setattr(engine, "_state", engine._State())
        monkeypatch.setenv("COLIBRI_KERNEL", choose_kernel(None))


@pytest.mark.usefixtures("kernel")
def test_a_large_collection(docs: TokenVectors, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    query = rng.standard_normal((32, docs.dim), np.float32)
    ids = np.concatenate([rng.integers(0, len(docs), SAMPLE), [0, len(docs) - 1]])
    scores = maxsim(query, docs)
    expected = wanted(query, docs, ids)
    assert_same(scores[ids], expected, docs)
    assert_same(maxsim_subset(query, docs, ids), expected, docs)
    found = top_k(query, docs, 100)
    order = np.argsort(-scores, kind="stable")[:100]
    np.testing.assert_array_equal(found.ids, order)
    np.testing.assert_array_equal(found.scores, scores[order])
    tokens, similarities = best_tokens(query, docs, [len(docs) - 1])
    assert tokens.max() < docs.starts[-1] - docs.starts[-2]
    np.testing.assert_allclose(similarities.sum(), scores[-1], rtol=1e-5)
    if SOAK and docs.dim == 64:  # on disk they are a view of a file, which may begin anywhere
        docs.save(tmp_path / "large")
        mapped = TokenVectors.load(tmp_path / "large", mmap=True)
        np.testing.assert_array_equal(top_k(query, mapped, 100).ids, order)
        np.testing.assert_array_equal(maxsim_subset(query, mapped, ids), maxsim_subset(query, docs, ids))


def test_the_full_numbers_reach_beyond_31_bits() -> None:
    bits = {"int4": 4, "int8": 8, "float16": 16}
    sizes = [10_000_000 * dim * bits[kind] // 8 for kind, dim in DIMS]
    assert [size > BEYOND for size in sizes] == [False, False, True, True, False]
