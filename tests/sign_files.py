"""Whether an index has the sign bits of its rows."""

import numpy as np

from colibri import Index
from colibri.scoring import sign_rows


def signed(index: Index) -> list[bool]:
    """Whether segments have sign bits, by number; those that they have are those of their rows."""
    with index._core.reading() as (_, snapshot):
        for segment in snapshot.segments:
            if segment.signs is not None:
                assert np.array_equal(segment.signs.rows, sign_rows(segment.docs))
        return [segment.signs is not None for segment in snapshot.segments]
