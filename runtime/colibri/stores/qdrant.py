"""QdrantStore: documents in a Qdrant collection, through the user's own client."""

import logging
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from colibri import checks
from colibri.errors import InputError, InputTypeError, MissingExtra, StoreError
from colibri.machine import install_command
from colibri.stores.client_engine import ClientEngine
from colibri.stores.filters import ID, OURS
from colibri.stores.layout import CENTROIDS, FORMAT, Layout, chosen, new_names
from colibri.stores.opening import Space, space_of, widths_of
from colibri.stores.point_store import PointStore
from colibri.stores.points import OWN
from colibri.stores.retrying import Retries

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from colibri.model import Colibri

log = logging.getLogger(__name__)

_BATCH_BYTES = 8 << 20


class QdrantStore(PointStore):
    """Documents in a collection of a Qdrant server, a cluster, or the client's local mode: see `Store`.

    One point a passage. The user's payload stays at top level and ours is all under `_colibri`, so that his own client
    goes on beside: what it wrote is found and counted here too (under the point's id), and never changed.
    """

    def __init__(
        self,
        client: "QdrantClient",
        collection: str,
        *,
        model: "Colibri | str | os.PathLike[str] | None" = None,
        using: str | None = None,
        dims: int | Sequence[int] | None = None,
        space_id: str | None = None,
        create: bool = True,
        centroids: bool = False,
        datatype: Literal["float32", "float16"] = "float32",
        on_disk: bool = False,
        shards: int | None = None,
        replicas: int | None = None,
        write_consistency: int | None = None,
        ordering: Literal["weak", "medium", "strong"] | None = None,
        consistency: int | Literal["majority", "quorum", "all"] | None = None,
        timeout: int | None = None,
        retries: int = 5,
        backoff: float = 0.25,
        batch_bytes: int = _BATCH_BYTES,
    ) -> None:
        """Use the collection as it is, or make one.

        client      yours; never made or closed here. An AsyncQdrantClient is refused
        model       what encodes texts: a loaded model, or what `colibri.load` takes. None: what the collection's
                    metadata names; for a new one the model that comes along
        using       name of the vector ("": the one without); None: the collection's only one, or colibri-<width>
        dims        widths to keep; the widest ranks. None: the collection's, for a new one the model's smallest
        space_id    for vectors of your own encoder, in place of a model: a name for their space ("" for none)
        create      whether to make a collection where there is none. Of such a one: centroids keeps room for a first
                    stage of centroids, datatype and on_disk say how rows are stored, shards, replicas and
                    write_consistency are the server's shard_number, replication_factor, write_consistency_factor
        ordering    of writes; consistency: of reads; timeout: whole seconds of a call; as the server means them
        retries     times that a call is done again which may be: 429, 5xx, a connection lost, an answer cut short.
                    backoff: seconds before the first of them, doubled for each, unless the server names a time
        batch_bytes of one request of writing, about

        Raises MissingExtra without qdrant-client, StoreError for a collection that cannot hold the model's rows, all
        before anything is written.
        """
        _check_client(client)
        if not isinstance(collection, str) or not collection:
            raise InputTypeError(f"collection: found {collection!r}, wanted a name")
        _check_options(retries, batch_bytes, shards=shards, replicas=replicas, write_consistency=write_consistency)
        checks.one_of("datatype", datatype, ["float32", "float16"])
        if ordering is not None:
            checks.one_of("ordering", ordering, ["weak", "medium", "strong"])
        engine = ClientEngine(
            client,
            collection,
            retries=Retries(count=retries, first=backoff),
            timeout=timeout,
            ordering=ordering,
            consistency=consistency,
        )
        widths = widths_of(dims)
        found = engine.describe()
        written: Mapping[str, Any] = {}
        if found is None:
            if not create:
                raise StoreError(f"{collection}: no such collection")
            space = space_of(collection, {}, model, space_id, widths, new=True)
            written = _metadata(space, using)
            engine.create(
                new_names(space.dims or [], using),
                written,
                sparse=CENTROIDS if centroids else None,
                datatype=None if datatype == "float32" else datatype,
                on_disk=on_disk or None,
                shard_number=shards,
                replication_factor=replicas,
                write_consistency_factor=write_consistency,
            )
            found = engine.describe()
            if found is None:
                raise StoreError(f"{collection}: was made, and is not there; does another client delete it?")
        own = found.own or written  # a server before 1.16 keeps no metadata
        space = space_of(collection, own, model, space_id, widths, new=False)
        layout = chosen(found, using, space.dims)
        space.check(found, layout)
        if not own:
            _check_points(engine, collection, space.id)
            _tell_lacking(engine, collection, layout)
        super().__init__(
            engine,
            layout,
            space.model,
            name=collection,
            space_id=space.id,
            batch_bytes=batch_bytes,
            foreign=True,
            own=own,
        )

    def __repr__(self) -> str:
        return f"QdrantStore({self._name!r}, dims={list(self.dims)})"


def _metadata(space: Space, using: str | None) -> dict[str, Any]:
    names = {str(dim): name for dim, name in new_names(space.dims or [], using).items()}
    return {"format": FORMAT, "space_id": space.id, "model": space.name, "names": names}


def _check_points(engine: ClientEngine, collection: str, space_id: str) -> None:
    """Refuse a collection that says nothing of itself, and holds points of ours of another space."""
    one = next(iter(engine.scroll(OURS, [ID, f"{OWN}.space"])), None)
    there = "" if one is None else str((one.own or {}).get("space", ""))
    if there and space_id and not space_id.startswith(there):
        raise StoreError(
            f"{collection}: holds documents of another model (space {there[:8]}), whose vectors do not compare with "
            f"those of this one (space {space_id[:8]}); name the model they were made with, or another collection"
        )


def _tell_lacking(engine: ClientEngine, collection: str, layout: Layout) -> None:
    """A point without the vector is left out of every answer without a word."""
    name = layout.names[layout.dims[0]]
    try:
        lacking = engine.count({"must_not": [{"has_vector": name}]})
    except StoreError as error:  # a server before 1.13 has no such condition
        log.info("%s: whether points lack the vector %r is not known (%s)", collection, name, error)
        return
    if lacking:
        log.warning(
            "%s: %s of its %s points lack the vector %r, and no search here finds them",
            collection,
            f"{lacking:,}",
            f"{engine.count(None):,}",
            name,
        )


def _check_client(client: object) -> None:
    try:
        from qdrant_client import AsyncQdrantClient, QdrantClient  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra(
            f"QdrantStore needs qdrant-client (colibri-edge[qdrant]): {install_command('qdrant')}"
        ) from error
    if isinstance(client, AsyncQdrantClient):
        raise InputTypeError(
            "client: found an AsyncQdrantClient, wanted a QdrantClient; in asyncio there is "
            "`await store.asearch(query)`, and `await asyncio.to_thread(store.add, documents)`"
        )
    if not isinstance(client, QdrantClient):
        raise InputTypeError(f"client: found {type(client).__name__}, wanted a qdrant_client.QdrantClient")


def _check_options(retries: int, batch_bytes: int, **counts: int | None) -> None:
    if retries != 0 and not checks.is_count(retries):
        raise InputError(f"retries: found {retries!r}, wanted a whole number from 0")
    if not checks.is_count(batch_bytes):
        raise InputError(f"batch_bytes: found {batch_bytes!r}, wanted a whole number from 1")
    for name, value in counts.items():
        checks.optional_count(name, value)
