"""NumKong: packed float32 (its inner screening is int8, and scores are approximate). One call a document, GIL free.

Documents are packed beforehand, which is not timed; packing the query is.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numkong
import numpy as np

from colibri import TokenVectors
from colibri.scoring import Floats


def scorer(query: Floats, docs: TokenVectors, threads: int) -> Callable[[], Floats]:
    """A call that scores all documents on so many threads."""
    packed = [numkong.maxsim_pack(np.ascontiguousarray(rows), dtype="f32") for rows in docs]
    parts = [packed[len(packed) * i // threads : len(packed) * (i + 1) // threads] for i in range(threads)]
    pool = ThreadPoolExecutor(threads)

    def score() -> Floats:
        mine = numkong.maxsim_pack(query, dtype="f32")

        def some(part: list[numkong.MaxSimPackedMatrix]) -> list[float]:
            return [len(query) - numkong.maxsim_packed(mine, document) for document in part]

        found = pool.map(some, parts) if threads > 1 else map(some, parts)
        return np.asarray([score for part in found for score in part], np.float32)

    return score
