"""The process that holds a Qdrant Edge shard: takes messages on its standard input, answers, ends when that ends.

Edge keeps Python's lock while it works, panics on some input (an exception that `except Exception` lets through), and
lets one process open a folder: here none of that is the program's.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from colibri.machine import try_lock
from colibri.stores.edge_frames import receive, send

_PAGE = 256
_LOCKED = "WouldBlock"  # what Edge says of a folder that another program has open
_FACTS, _SPANS = "_colibri.facts", ["_colibri.spans", "_colibri.more"]


def main() -> None:
    """Serve one program."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program ends this process, whatever Ctrl-C means to it
    asked, answers = _pipes()
    shard = _Shard()
    while True:
        try:
            message = receive(asked)
        except EOFError:
            message = None
        if message is None:
            shard.close()
            return
        try:
            answer = {"gives": getattr(shard, message["does"])(**message["with"])}
        except _Locked:
            answer = {"locked": True}
        except ModuleNotFoundError as error:
            answer = {"missing": str(error)}
        except BaseException as error:  # a panic of Rust's is no Exception
            answer = {"error": f"{type(error).__name__}: {error}"}
        try:
            send(answers, answer)
        except BrokenPipeError:
            shard.close()
            return


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Both ends, where no library's print can get between the messages."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for own in (0, 1, 2):
        os.dup2(nothing, own)
    os.close(nothing)
    return asked, answers


class _Locked(Exception):
    """Another process has the folder open."""


class _Shard:
    """What messages ask for, by name."""

    def __init__(self) -> None:
        self._shard: Any = None
        self._lock: int | None = None

    def open(
        self,
        path: str,
        lock: str,
        facts: str,
        vectors: dict[str, int] | None,
        sparse: str | None,
        datatype: str,
        on_disk: bool,
        indexes: dict[str, str],
    ) -> None:
        """Load the shard there, or make one.

        lock: the file that is held from before Edge looks at the folder until this process is gone. Edge's own lock
        comes too late: what another process writes as it closes, a load that began before does not see, and hides for
        good (0.9.0: 3 of 56 times, `test_killed_during_ingest_nothing_acknowledged_is_lost`).
        facts: the file that says a store was made. vectors: name -> width, of a new one; None: it is there.
        """
        import qdrant_edge as edge  # noqa: PLC0415 - an extra

        self._edge = edge
        self._hold(lock)
        if vectors is None:
            try:
                self._shard = edge.EdgeShard.load(path)
            except BaseException as error:
                if _LOCKED in str(error):
                    raise _Locked from error
                raise
            return
        if Path(facts).exists():
            raise FileExistsError("another process made a store here meanwhile: open that one")
        if Path(path).exists():  # its making was interrupted: it was never opened
            shutil.rmtree(path)
        Path(path).mkdir(parents=True)
        whole = edge.HnswIndexConfig(m=0, ef_construct=16, full_scan_threshold=0)  # m=0: no graph, every search exact
        params = {
            name: edge.EdgeVectorParams(
                size=dim,
                distance=edge.Distance.Dot,
                multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim),
                datatype=getattr(edge.VectorStorageDatatype, datatype),
                hnsw_config=whole,
                memory=edge.Memory.Cold if on_disk else edge.Memory.Cached,
            )
            for name, dim in vectors.items()
        }
        config = edge.EdgeConfig(
            vectors=params,
            sparse_vectors=None if sparse is None else {sparse: edge.EdgeSparseVectorParams()},
            hnsw_config=whole,
        )
        self._shard = edge.EdgeShard.create(path, config)
        for name, kind in indexes.items():
            schema = getattr(edge.PayloadSchemaType, kind)
            self._shard.update(edge.UpdateOperation.create_field_index(name, schema))
        self._shard.flush()

    def _hold(self, lock: str) -> None:
        if self._lock is None:
            number = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
            if not try_lock(number):
                os.close(number)
                raise _Locked
            self._lock = number

    def close(self) -> None:
        """Write what is waiting, and let the folder go."""
        if self._shard is not None:
            self._shard.flush()
            self._shard.close()
            self._shard = None

    def put(self, points: list[dict[str, Any]]) -> None:
        """Upsert."""
        edge = self._edge
        given = [edge.Point(one["id"], self._vectors(one["vectors"]), one["payload"]) for one in points]
        self._shard.update(edge.UpdateOperation.upsert_points(given))

    def delete(self, condition: dict[str, Any]) -> None:
        """By filter."""
        self._shard.update(self._edge.UpdateOperation.delete_points_by_filter(self._filter(condition)))

    def set_vectors(self, name: str, vectors: dict[str, Any], own: dict[str, Any]) -> None:
        """One more vector for points, and fields under our key."""
        edge = self._edge
        points = [edge.PointVectors(key, self._vectors({name: rows})) for key, rows in vectors.items()]
        self._shard.update(edge.UpdateOperation.update_vectors(points))
        self._shard.update(edge.UpdateOperation.set_payload(list(vectors), own, "_colibri"))

    def retrieve(self, ids: list[str], fields: list[str] | None, vectors: list[str]) -> list[dict[str, Any]]:
        """Points by id."""
        wanted = True if fields is None else fields
        return [_found(record) for record in self._shard.retrieve(ids, wanted, vectors or False)]

    def query(self, asks: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        """Several questions, planned as one."""
        requests = [self._request(ask) for ask in asks]
        found = self._shard.query_batch(self._edge.QueryBatchRequest(requests))
        return [[_found(point) for point in points] for points in found]

    def scroll(
        self, condition: dict[str, Any] | None, fields: list[str] | None, vectors: list[str], offset: str | None
    ) -> dict[str, Any]:
        """A page of points, and where the next begins."""
        request = self._edge.ScrollRequest(
            offset=offset,
            limit=_PAGE,
            filter=self._filter(condition),
            with_payload=True if fields is None else fields,
            with_vector=vectors or False,
        )
        page, after = self._shard.scroll(request)
        return {"points": [_found(record) for record in page], "next": None if after is None else str(after)}

    def count(self, condition: dict[str, Any] | None) -> int:
        """Exactly."""
        found: int = self._shard.count(self._edge.CountRequest(filter=self._filter(condition), exact=True))
        return found

    def optimize(self) -> bool:
        """Merge segments, and drop what was deleted."""
        return bool(self._shard.optimize())

    def flush(self) -> None:
        """To the disk."""
        self._shard.flush()

    def _vectors(self, given: dict[str, Any]) -> dict[str, Any]:
        return {name: self._rows(rows) for name, rows in given.items()}

    def _rows(self, rows: Any) -> Any:
        if isinstance(rows, dict):
            return self._edge.SparseVector(rows["indices"], rows["values"])
        return rows

    def _request(self, ask: dict[str, Any]) -> Any:
        edge = self._edge
        hidden = [_FACTS] if ask["spans"] else [_FACTS, *_SPANS]
        return edge.QueryRequest(
            query=edge.Query.Nearest(self._rows(ask["rows"]), ask["using"]),
            limit=ask["limit"],
            filter=self._filter(ask["condition"]),
            params=edge.SearchParams(exact=True),
            prefetches=[self._prefetch(one) for one in ask["prefetch"]],
            with_payload=edge.PayloadSelector.Exclude(hidden),
            with_vector=ask["vectors"] or False,
        )

    def _prefetch(self, ask: dict[str, Any]) -> Any:
        edge = self._edge
        return edge.Prefetch(
            query=edge.Query.Nearest(self._rows(ask["rows"]), ask["using"]),
            limit=ask["limit"],
            filter=self._filter(ask["condition"]),
            params=edge.SearchParams(exact=True),
        )

    def _filter(self, condition: dict[str, Any] | None) -> Any:
        """A condition of `filters` as Edge's."""
        if condition is None:
            return None
        parts = {name: [self._condition(one) for one in condition[name]] for name in _PARTS if name in condition}
        return self._edge.Filter(**parts) if parts else self._edge.Filter(must=[self._condition(condition)])

    def _condition(self, one: dict[str, Any]) -> Any:
        edge = self._edge
        if "is_empty" in one:
            return edge.IsEmptyCondition(one["is_empty"]["key"])
        if "is_null" in one:
            return edge.IsNullCondition(one["is_null"]["key"])
        if "has_id" in one:
            return edge.HasIdCondition(one["has_id"])
        if "key" not in one:
            return self._filter(one)
        if "range" in one:
            return edge.FieldCondition(one["key"], range=edge.RangeFloat(**one["range"]))
        match = one["match"]
        return edge.FieldCondition(
            one["key"], match=edge.MatchAny(match["any"]) if "any" in match else edge.MatchValue(match["value"])
        )


_PARTS = ("must", "should", "must_not")


def _found(point: Any) -> dict[str, Any]:
    vectors = {
        name: np.asarray(rows, np.float32) for name, rows in (point.vector or {}).items() if isinstance(rows, list)
    }
    return {
        "id": str(point.id),
        "score": float(getattr(point, "score", 0.0)),
        "payload": point.payload or {},
        "vectors": vectors,
    }


if __name__ == "__main__":
    main()
    sys.exit(0)
