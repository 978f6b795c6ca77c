"""What single texts gave, gathered into TokenVectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from colibri.encoding.order import Stored
from colibri.errors import ColibriError
from colibri.vectors import Rows, Spans, TokenVectors


@dataclass
class Report:
    """What happened to the texts of a call; give one as `report` and read it at any time.

    texts      done so far, failed ones included
    tokens     run through the model, dropped rows included
    truncated  texts that were cut at the role's `max_tokens`
    split      texts that were made into several windows
    failed     index of a text that was left out -> why
    """

    texts: int = 0
    tokens: int = 0
    truncated: int = 0
    split: int = 0
    failed: dict[int, ColibriError] = field(default_factory=dict)

    def add(self, index: int, entries: "Sequence[Entry]") -> None:
        """Count what became of the text at `index`, which did not fail."""
        self.tokens += sum(entry.tokens for entry in entries)
        self.truncated += any(entry.truncated for entry in entries)
        self.split += len(entries) > 1


@dataclass(frozen=True)
class Entry:
    """The rows of one text, or of one window of it, at each dim."""

    rows: Mapping[int, Rows]
    scales: Mapping[int, NDArray[np.float32]]
    """Of int8 rows; empty for others."""
    spans: Spans
    weights: NDArray[np.float32] | None
    tokens: int
    """How many the model was given; some of their rows are dropped."""
    truncated: int


class Chunk:
    """Entries until they are packed."""

    def __init__(self, dims: Sequence[int], dtype: Stored, space_id: str, *, weighted: bool) -> None:
        self._dims = dims
        self._dtype = dtype
        self._space_id = space_id
        self._weighted = weighted
        self._entries: list[Entry] = []
        self._sources: list[int] = []
        self.tokens = 0

    def add(self, entry: Entry, source: int) -> None:
        """One more, made of the text at `source`."""
        self._entries.append(entry)
        self._sources.append(source)
        self.tokens += len(entry.spans)

    def pack(self) -> dict[int, TokenVectors]:
        """All that was added, at each dim; then it is empty."""
        entries, self._entries = self._entries, []
        sources, self._sources, self.tokens = np.array(self._sources, np.int64), [], 0
        starts = np.cumsum([0, *(len(entry.spans) for entry in entries)], dtype=np.int64)
        spans = np.concatenate([np.zeros((0, 2), np.int32), *(entry.spans for entry in entries)])
        weights = None
        if self._weighted:
            given = (entry.weights for entry in entries if entry.weights is not None)
            weights = np.concatenate([np.zeros(0, np.float32), *given])
        return {
            dim: TokenVectors(
                np.concatenate([np.zeros((0, dim), self._dtype), *(entry.rows[dim] for entry in entries)]),
                starts,
                spans,
                weights,
                self._space_id,
                sources=sources,
                scales=self._scales(entries, dim),
            )
            for dim in self._dims
        }

    def _scales(self, entries: list[Entry], dim: int) -> NDArray[np.float32] | None:
        if self._dtype != "int8":
            return None
        return np.concatenate([np.zeros(0, np.float32), *(entry.scales[dim] for entry in entries)])


def stored(rows: Rows, dtype: Stored) -> tuple[Rows, NDArray[np.float32] | None]:
    """float32 rows (n, dim) of one text as they are kept, and their scales if those are int8.

    Raises InputError for rows that are not finite, which int8 cannot hold.
    """
    if dtype != "int8":
        return rows.astype(dtype, copy=False), None
    quantised = TokenVectors(rows, np.array([0, len(rows)], np.int64)).quantize()
    return quantised.rows, quantised.scales


def joined(parts: list[TokenVectors]) -> TokenVectors:
    """Parts end to end, at least one. The list is emptied on the way, so that little more than the whole is held."""
    if len(parts) == 1:
        return parts.pop()
    dim, dtype = parts[0].dim, parts[0].rows.dtype
    rows = np.empty((sum(len(part.rows) for part in parts), dim), dtype)
    beside = without_rows(parts)
    row = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        rows[row : row + len(part.rows)] = part.rows
        row += len(part.rows)
    return replace(beside, rows=rows)


def without_rows(parts: Sequence[TokenVectors]) -> TokenVectors:
    """Parts end to end, at least one, with rows that are all one zero: it has the shape of the whole, and not its size.

    `sources` are those of the parts; where a part has none, its texts follow those before it.
    """
    first = parts[0]
    counts = np.cumsum([0, *(len(part.rows) for part in parts)])
    texts = np.cumsum([0, *map(len, parts)])
    starts = [part.starts[1:] + before for part, before in zip(parts, counts[:-1], strict=True)]
    sources = [
        np.arange(len(part)) + before if part.sources is None else part.sources
        for part, before in zip(parts, texts[:-1], strict=True)
    ]
    spans = [part.spans for part in parts if part.spans is not None]
    weights = [part.weights for part in parts if part.weights is not None]
    scales = [part.scales for part in parts if part.scales is not None]
    return TokenVectors(
        np.broadcast_to(np.zeros(1, first.rows.dtype), (int(counts[-1]), first.dim)),
        np.concatenate([np.zeros(1, np.int64), *starts]),
        np.concatenate(spans) if len(spans) == len(parts) else None,
        np.concatenate(weights) if len(weights) == len(parts) else None,
        first.space_id,
        sources=np.concatenate(sources),
        scales=np.concatenate(scales) if len(scales) == len(parts) else None,
    )
