"""Centroids of the rows: a first stage that any engine with sparse vectors runs, for collections beyond a full scan.

Each passage keeps, as a sparse vector, which centroids its tokens are nearest to, and how near. A query names the
`probes` nearest centroids of each of its tokens; their dot product chooses the passages that MaxSim then scores. The
centroids come from a sample of the store's own rows, and lie, as int8, in the collection's metadata under a version:
passages that another version wrote, or none, are scored in full beside, so that nothing is left out unseen.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.errors import StoreDamaged
from colibri.quantised import quantised_rows
from colibri.stores.engine import Ask
from colibri.stores.filters import Condition
from colibri.stores.layout import CENTROIDS
from colibri.stores.points import Sparse
from colibri.vectors import Rows, TokenVectors

PROBES = 4
VERSION = "_colibri.centroids"
_ROUNDS = 6
_AT_ONCE = 8_192


@dataclass(frozen=True, eq=False)
class Codebook:
    """integers (centroids, dim) int8 times scales (centroids,) float32: rows of length 1, but for rounding."""

    integers: NDArray[np.int8]
    scales: NDArray[np.float32]

    @cached_property
    def rows(self) -> NDArray[np.float32]:
        """(centroids, dim)."""
        return self.integers.astype(np.float32) * self.scales[:, None]

    @cached_property
    def version(self) -> str:
        """Of exactly these."""
        return hashlib.sha256(self.integers.tobytes() + self.scales.astype("<f4").tobytes()).hexdigest()[:16]

    @classmethod
    def trained(cls, sample: NDArray[np.float32], count: int, seed: int = 0) -> "Codebook":
        """Spherical k-means over (tokens, dim) rows; the same for the same sample and seed."""
        rng = np.random.default_rng(seed)
        unit = _unit(sample)
        rows = unit[rng.choice(len(unit), min(count, len(unit)), replace=False)]
        for _ in range(_ROUNDS):
            nearest = np.concatenate([(part @ rows.T).argmax(1) for part in _parts(unit)])
            sums, counts = np.zeros_like(rows), np.bincount(nearest, minlength=len(rows))
            order = np.argsort(nearest, kind="stable")
            kept = np.flatnonzero(counts)
            sums[kept] = np.add.reduceat(unit[order], (np.cumsum(counts) - counts)[kept], axis=0)
            empty = np.flatnonzero(counts == 0)
            sums[empty] = unit[rng.choice(len(unit), len(empty))]
            rows = _unit(sums)
        return cls(*quantised_rows(rows))

    def metadata(self) -> dict[str, Any]:
        """What lies in the collection's metadata."""
        return {
            "version": self.version,
            "count": len(self.scales),
            "rows": base64.b64encode(self.integers.tobytes()).decode(),
            "scales": base64.b64encode(self.scales.astype("<f4").tobytes()).decode(),
        }

    @classmethod
    def of(cls, metadata: object, dim: int) -> "Codebook | None":
        """Read from a collection's metadata; None where there is none. Raises StoreDamaged for what is none."""
        if not isinstance(metadata, Mapping):
            return None
        try:
            integers = np.frombuffer(base64.b64decode(metadata["rows"]), np.int8).reshape(-1, dim)
            scales = np.frombuffer(base64.b64decode(metadata["scales"]), "<f4").astype(np.float32)
            found = cls(integers, scales)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreDamaged(f"centroids cannot be read ({error}); train them again") from error
        if found.version != metadata.get("version"):
            raise StoreDamaged("centroids are not those that were written; train them again")
        return found

    def sparse_of(self, rows: Rows) -> tuple[Sparse, str]:
        """A passage's sparse vector, and the version it is of. rows: (tokens, dim)."""
        near = np.asarray(rows, np.float32) @ self.rows.T
        nearest = near.argmax(1)
        best: dict[int, float] = {}
        for token, centroid in enumerate(nearest.tolist()):
            best[centroid] = max(best.get(centroid, -np.inf), float(near[token, centroid]))
        order = sorted(best)
        return Sparse(order, [best[centroid] for centroid in order]), self.version

    def prefetch(self, query: TokenVectors, whole: Ask, candidates: int) -> tuple[Ask, ...]:
        """The questions that choose candidates: by centroids, and in full what has none of this version."""
        near = query.rows @ self.rows.T
        weights = np.ones(len(near), np.float32) if query.weights is None else query.weights
        probes = min(PROBES, near.shape[1])
        found: dict[int, float] = {}
        for token, centroids in enumerate(np.argpartition(-near, probes - 1, axis=1)[:, :probes].tolist()):
            for centroid in centroids:
                found[centroid] = found.get(centroid, 0.0) + float(near[token, centroid] * weights[token])
        order = sorted(found)
        sparse = Sparse(order, [found[centroid] for centroid in order])
        current: Condition = {"key": VERSION, "match": {"value": self.version}}
        also = [] if whole.condition is None else [whole.condition]
        return (
            Ask(using=CENTROIDS, rows=sparse, limit=candidates, condition={"must": [current, *also]}),
            Ask(using=whole.using, rows=whole.rows, limit=candidates, condition={"must": also, "must_not": [current]}),
        )


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return found.astype(np.float32)


def _parts(rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [rows[first : first + _AT_ONCE] for first in range(0, len(rows), _AT_ONCE)]
