"""Points into an engine, in batches by bytes; a call that fails half-way says what is in."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from colibri.errors import StoreUnfinished
from colibri.stores.engine import Engine
from colibri.stores.filters import ID, PASSAGE, Condition
from colibri.stores.incoming import Incoming
from colibri.stores.layout import CENTROIDS, Layout
from colibri.stores.points import OWN, Point, Sparse, payloads, point_id
from colibri.vectors import Rows

NUMBER_BYTES = 21  # a float32 in JSON, as Python writes it: -0.12345678806304932 and a comma
_MOST_POINTS = 1_000
_MOST_IDS = 500  # documents of one condition that deletes what is left of former versions


@dataclass(eq=False)
class _Batch:
    """Points of one request. ending: documents whose last point is among them, with their number of passages."""

    points: list[Point] = field(default_factory=list)
    size: int = 0
    ids: dict[str, None] = field(default_factory=dict)
    ending: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class Writer:
    """How documents become points and requests. sparse: makes a passage's sparse vector and its version, or None."""

    engine: Engine
    layout: Layout
    space_id: str
    keep_text: bool
    batch_bytes: int
    sparse: "Callable[[Rows], tuple[Sparse, str]] | None" = None

    def run(self, documents: Iterable[Incoming], total: int, done: Callable[[int], object]) -> None:
        """Write them all. done: called with the tokens of each that is in.

        Raises StoreUnfinished when something is in and not all.
        """
        kept: dict[str, int] = {}
        tokens: dict[str, int] = {}
        batch = _Batch()
        try:
            for batch in self._batches(documents, tokens):
                self.engine.put(batch.points)
                self._drop_former(batch.ending)
                kept |= batch.ending
                for name in batch.ending:
                    done(tokens.pop(name))
        except Exception as error:
            unsure = tuple(name for name in batch.ids if name not in kept)
            left = total - len(kept) - len(unsure)
            raise StoreUnfinished(
                f"{error}. Of {total:,} documents {len(kept):,} are in, {len(unsure):,} may be, {left:,} are not; the "
                "same call again puts the rest",
                tuple(kept),
                unsure,
                left,
            ) from error

    def _batches(self, documents: Iterable[Incoming], tokens: dict[str, int]) -> Iterator[_Batch]:
        batch = _Batch()
        for document in documents:
            name = document.document.id
            points = self.points(document)
            tokens[name] = sum(len(one.rows[self.layout.dims[0]]) for one in document.passages or ())
            # Its first passage last: until that is in, the document is not there.
            for left, point in reversed(list(enumerate(points))):
                size = request_bytes(point)
                if batch.points and (batch.size + size > self.batch_bytes or len(batch.points) >= _MOST_POINTS):
                    yield batch
                    batch = _Batch()
                batch.points.append(point)
                batch.size += size
                batch.ids[name] = None
                if left == 0:
                    batch.ending[name] = len(points)
        if batch.points:
            yield batch

    def points(self, document: Incoming) -> list[Point]:
        """One a passage."""
        passages = document.passages or ()
        heads = payloads(
            document.document,
            [one.span for one in passages],
            [one.tokens for one in passages],
            self.space_id,
            keep_text=self.keep_text,
            more=[one.more for one in passages],
        )
        found = []
        for i, (passage, payload) in enumerate(zip(passages, heads, strict=True)):
            vectors: dict[str, Rows | Sparse] = {name: passage.rows[dim] for dim, name in self.layout.names.items()}
            if self.sparse is not None:
                vectors[CENTROIDS], payload[OWN]["centroids"] = self.sparse(passage.rows[self.layout.dims[0]])
            if document.digest:
                payload[OWN]["digest"] = document.digest
            found.append(Point(point_id(document.document.id, i), vectors, payload))
        return found

    def _drop_former(self, ending: dict[str, int]) -> None:
        """Passages beyond a document's last one are of a former version, or of a call that ended half-way."""
        names = list(ending)
        for first in range(0, len(names), _MOST_IDS):
            self.engine.delete(former({name: ending[name] for name in names[first : first + _MOST_IDS]}))


def former(passages: dict[str, int]) -> Condition:
    """The passages of documents beyond so many."""
    by_count: dict[int, list[str]] = {}
    for name, count in passages.items():
        by_count.setdefault(count, []).append(name)
    return {
        "should": [
            {"must": [{"key": ID, "match": {"any": names}}, {"key": PASSAGE, "range": {"gte": count}}]}
            for count, names in by_count.items()
        ]
    }


def request_bytes(point: Point) -> int:
    """About what it takes in a request's JSON, rather more than less."""
    numbers = sum(len(rows.values) if isinstance(rows, Sparse) else rows.size for rows in point.vectors.values())
    return numbers * NUMBER_BYTES + len(json.dumps(point.payload)) + 200
