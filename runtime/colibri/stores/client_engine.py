"""A collection behind a qdrant-client: points as its models, its errors as ours."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from colibri.errors import StoreError
from colibri.stores.engine import Ask
from colibri.stores.filters import FACTS, ID, PASSAGE, Condition
from colibri.stores.layout import METADATA, Description, VectorKind
from colibri.stores.points import OWN, Found, Point, Sparse
from colibri.stores.retrying import Fault, Retries, done
from colibri.vectors import Rows

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_AGAIN_GRPC = frozenset({"ABORTED", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "UNKNOWN"})
_PAGE = 256
_SHOWN = 300  # characters of a server's answer
_INDEXED = {ID: "keyword", FACTS: "keyword", PASSAGE: "integer"}


class ClientEngine:
    """See `Engine`. The client is the user's: closing leaves it open."""

    def __init__(
        self,
        client: "QdrantClient",
        collection: str,
        *,
        retries: Retries,
        timeout: int | None,
        ordering: str | None,
        consistency: int | str | None,
    ) -> None:
        from qdrant_client import models  # noqa: PLC0415 - an extra

        self._client = client
        self._collection = collection
        self._models = models
        self._retries = retries
        self._limit: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
        self._writing = self._limit | ({} if ordering is None else {"ordering": models.WriteOrdering(ordering)})
        self._reading = self._limit | ({} if consistency is None else {"consistency": consistency})
        self._closed = self._indexed = False
        location = getattr(client, "init_options", {})
        # Local mode warns of parameters and indexes that it has no use for.
        self._local = location.get("location") == ":memory:" or location.get("path") is not None

    def call(self, what: str, work: Any, *words: Any, **options: Any) -> Any:
        """A call of the client, again where that may help. Raises StoreError."""
        if self._closed:
            raise StoreError(f"{self._collection}: the store is closed")
        named = f"{self._collection}: {what}"
        return done(named, lambda: work(self._collection, *words, **options), self._retries, fault)

    def close(self) -> None:
        """Nothing is sent any more."""
        self._closed = True

    def describe(self) -> Description | None:
        """The collection as it is; None where there is none."""
        if not self.call("asking whether it is there", self._client.collection_exists):
            return None
        info = self.call("asking what it is", self._client.get_collection)
        params = info.config.params
        given = params.vectors if isinstance(params.vectors, dict) else {"": params.vectors}
        kinds = {name: _kind(vector) for name, vector in given.items() if vector is not None}
        metadata = getattr(info.config, "metadata", None) or {}
        return Description(
            name=self._collection, vectors=kinds, sparse=tuple(params.sparse_vectors or ()), metadata=metadata
        )

    def create(self, vectors: dict[int, str], metadata: dict[str, Any], *, sparse: str | None, **options: Any) -> None:
        """Make the collection. vectors: width -> name. options: shards, replicas, ... as the client names them."""
        models = self._models
        datatype, on_disk = options.pop("datatype"), options.pop("on_disk")
        params = {
            name: models.VectorParams(
                size=dim,
                distance=models.Distance.DOT,
                multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
                hnsw_config=models.HnswConfigDiff(m=0),  # every search is exact: a graph would only cost
                datatype=datatype,
                on_disk=on_disk,
            )
            for dim, name in vectors.items()
        }
        try:
            self.call(
                "making it",
                self._client.create_collection,
                vectors_config=params[""] if list(params) == [""] else params,
                sparse_vectors_config=None if sparse is None else {sparse: models.SparseVectorParams()},
                metadata={METADATA: metadata},
                **{name: value for name, value in options.items() if value is not None},
                **self._limit,
            )
        except StoreError as error:
            if _status(error.__cause__) != 409:  # made meanwhile, by another or by a call whose answer was lost
                raise

    def _index_fields(self) -> None:
        """Payload indexes on our own fields, before the first write: made again they stay as they are."""
        self._indexed = True
        for name, kind in {} if self._local else _INDEXED.items():
            schema = self._models.PayloadSchemaType(kind)
            self.call("indexing a field", self._client.create_payload_index, name, field_schema=schema, **self._writing)

    def put(self, points: Sequence[Point]) -> None:
        if not self._indexed:
            self._index_fields()
        models = self._models
        given = [
            models.PointStruct(
                id=point.id,
                vector=self._vectors(point),
                payload=dict(point.payload),
            )
            for point in points
        ]
        self.call(f"writing {len(given)} points", self._client.upsert, points=given, wait=True, **self._writing)

    def _vectors(self, point: Point) -> Any:
        found = {name: self._rows(rows) for name, rows in point.vectors.items()}
        return found[""] if list(found) == [""] else found

    def _rows(self, rows: Rows | Sparse) -> Any:
        if isinstance(rows, Sparse):
            return self._models.SparseVector(indices=list(rows.indices), values=list(rows.values))
        return rows.tolist()

    def delete(self, condition: Condition) -> None:
        selector = self._models.FilterSelector(filter=self._filter(condition))
        self.call("deleting", self._client.delete, points_selector=selector, wait=True, **self._writing)

    def retrieve(
        self, ids: Sequence[str | int], fields: Sequence[str] | None = None, *, vectors: Sequence[str] = ()
    ) -> list[Found]:
        found = self.call(
            f"fetching {len(ids)} points",
            self._client.retrieve,
            ids=list(ids),
            with_payload=True if fields is None else list(fields),
            with_vectors=_wanted(vectors),
            **self._reading,
        )
        return [_found(record) for record in found]

    def query(self, asks: Sequence[Ask]) -> list[list[Found]]:
        requests = [self._request(ask) for ask in asks]
        found = self.call("searching", self._client.query_batch_points, requests=requests, **self._reading)
        return [[_found(point) for point in one.points] for one in found]

    def _request(self, ask: Ask) -> Any:
        models = self._models
        hidden = [FACTS] if ask.spans else [FACTS, f"{OWN}.spans", f"{OWN}.more"]
        return models.QueryRequest(
            query=self._rows(ask.rows),
            using=ask.using or None,
            limit=ask.limit,
            filter=self._filter(ask.condition),
            params=None if self._local else models.SearchParams(exact=True),
            prefetch=[self._prefetch(one) for one in ask.prefetch] or None,
            with_payload=models.PayloadSelectorExclude(exclude=hidden),
            with_vector=_wanted(ask.vectors),
        )

    def _prefetch(self, ask: Ask) -> Any:
        return self._models.Prefetch(
            query=self._rows(ask.rows),
            using=ask.using or None,
            limit=ask.limit,
            filter=self._filter(ask.condition),
            params=None if self._local else self._models.SearchParams(exact=True),
        )

    def scroll(
        self, condition: Condition | None, fields: Sequence[str] | None = None, *, vectors: Sequence[str] = ()
    ) -> Iterator[Found]:
        offset = None
        while True:
            page, offset = self.call(
                "reading",
                self._client.scroll,
                scroll_filter=self._filter(condition),
                limit=_PAGE,
                offset=offset,
                with_payload=True if fields is None else list(fields),
                with_vectors=_wanted(vectors),
                **self._reading,
            )
            yield from (_found(record) for record in page)
            if offset is None:
                return

    def count(self, condition: Condition | None) -> int:
        found = self.call(
            "counting", self._client.count, count_filter=self._filter(condition), exact=True, **self._limit
        )
        return int(found.count)

    def set_vectors(self, name: str, vectors: dict[str | int, Any], own: dict[str, Any]) -> None:
        points = [self._models.PointVectors(id=key, vector={name: self._rows(one)}) for key, one in vectors.items()]
        self.call("adding vectors", self._client.update_vectors, points=points, wait=True, **self._writing)
        self.call(
            "marking points",
            self._client.set_payload,
            payload=own,
            points=list(vectors),
            key=OWN,
            wait=True,
            **self._writing,
        )

    def set_metadata(self, own: dict[str, Any]) -> None:
        self.call("describing it", self._client.update_collection, metadata={METADATA: own}, **self._limit)

    def _filter(self, condition: Condition | None) -> Any:
        if condition is None:
            return None
        whole = condition if {"must", "should", "must_not"} & set(condition) else {"must": [condition]}
        return self._models.Filter(**whole)


def _kind(vector: Any) -> VectorKind:
    several = vector.multivector_config
    return VectorKind(
        size=vector.size,
        distance=_word(vector.distance),
        maxsim=several is not None and _word(several.comparator) == "max_sim",
        datatype=_word(vector.datatype or "float32"),
    )


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def _wanted(vectors: Sequence[str]) -> list[str] | bool:
    """The vector without a name is asked for by True."""
    return True if list(vectors) == [""] else list(vectors) or False


def _found(point: Any) -> Found:
    given = point.vector
    vectors = {} if given is None else given if isinstance(given, dict) else {"": given}
    rows = {name: np.asarray(one, np.float32) for name, one in vectors.items() if isinstance(one, list)}
    return Found(point.id, float(getattr(point, "score", 0.0) or 0.0), dict(point.payload or {}), rows)


def _status(error: BaseException | None) -> int | None:
    return getattr(error, "status_code", None)


def fault(error: Exception) -> Fault:
    """What an error of the client's means. Nothing of the request, where keys are, is shown."""
    after = getattr(error, "retry_after_s", None)
    if after is not None:
        return Fault(f"the server is busy ({error})", again=True, after=float(after))
    status = _status(error)
    if status is not None:
        content = bytes(getattr(error, "content", b"")).decode("utf-8", "replace")[:_SHOWN]
        return Fault(f"{status} {getattr(error, 'reason_phrase', '')}: {content}", again=status in _AGAIN)
    source = getattr(error, "source", None)
    if source is not None:
        again = type(source).__name__ not in {"UnsupportedProtocol", "InvalidURL", "LocalProtocolError"}
        return Fault(f"{type(source).__name__}: {source}"[:_SHOWN] or type(source).__name__, again=again)
    code = getattr(error, "code", None)
    if callable(code):
        name = getattr(code(), "name", str(code()))
        details = getattr(error, "details", lambda: "")()
        return Fault(f"{name}: {details}"[:_SHOWN], again=name in _AGAIN_GRPC)
    return Fault(f"{type(error).__name__}: {error}"[:_SHOWN], again=False)
