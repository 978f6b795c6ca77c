"""QdrantEdgeStore: documents in a folder that Qdrant Edge, the engine of a Qdrant server, keeps."""

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from colibri import checks
from colibri.errors import StoreDamaged, StoreError
from colibri.stores.edge_process import EdgeProcess
from colibri.stores.engine import Ask
from colibri.stores.filters import FACTS, ID, PASSAGE, Condition
from colibri.stores.layout import CENTROIDS, FORMAT, METADATA, Description, VectorKind, chosen, new_names
from colibri.stores.opening import space_of, widths_of
from colibri.stores.point_store import PointStore
from colibri.stores.points import Found, Point, Sparse

if TYPE_CHECKING:
    from colibri.model import Colibri

_FACTS_FILE = "colibri-store.json"
_SHARD, _LOCK_FILE = "shard", "lock"
_DATATYPES = {"float32": "Float32", "float16": "Float16", "turbo8": "Turbo8"}
_BATCH_BYTES = 8 << 20
_INDEXED = {ID: "Keyword", FACTS: "Keyword", PASSAGE: "Integer"}


class QdrantEdgeStore(PointStore):
    """Documents in a folder, one process at a time: see `Store`. The engine runs in a process of ours beside this one.

    What a call has returned survives this process and that one being killed. `colibri.Index` is smaller and faster on
    one machine; this is for what shall move to a Qdrant server later, or wants its filters (docs/scale.md).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        model: "Colibri | str | os.PathLike[str] | None" = None,
        dims: int | Sequence[int] | None = None,
        space_id: str | None = None,
        create: bool = True,
        centroids: bool = False,
        datatype: Literal["float32", "float16", "turbo8"] = "float32",
        on_disk: bool = False,
        lock_seconds: float = 10.0,
        batch_bytes: int = _BATCH_BYTES,
    ) -> None:
        """Open the store in a folder, or make one there.

        model, dims, space_id, create, centroids  as `QdrantStore` takes them
        datatype      of a new store's rows: "float32" is exact, "float16" half of it, "turbo8" a quarter
        on_disk       whether a new store's rows are read from the disk as they are needed, not kept in memory
        lock_seconds  how long to wait for another process that has the folder open

        Raises MissingExtra without qdrant-edge-py, StoreLocked when another process has it, StoreError otherwise.
        """
        folder = Path(path)
        checks.one_of("datatype", datatype, list(_DATATYPES))
        widths = widths_of(dims)
        facts = _read_facts(folder)
        if facts is None and not create:
            raise StoreError(f"{folder}: no store of Qdrant Edge")
        own = {} if facts is None else dict(Description(name=str(folder), vectors={}, metadata=facts).own)
        space = space_of(str(folder), own, model, space_id, widths, new=facts is None)
        if facts is None:
            names = new_names(space.dims or [], None)
            own = {
                "format": FORMAT,
                "space_id": space.id,
                "model": space.name,
                "names": {str(dim): name for dim, name in names.items()},
                "datatype": datatype,
                "sparse": centroids,
            }
        found = _described(folder, own)
        layout = chosen(found, None, space.dims)
        space.check(found, layout)
        engine = EdgeEngine(folder, own, new=facts is None, on_disk=on_disk, lock_seconds=lock_seconds)
        super().__init__(
            engine,
            layout,
            space.model,
            name=str(folder),
            space_id=space.id,
            batch_bytes=batch_bytes,
            foreign=False,
            own=own,
        )
        self.path = folder
        self._edge = engine

    def __repr__(self) -> str:
        return f"QdrantEdgeStore({str(self.path)!r}, dims={list(self.dims)})"

    def optimize(self) -> bool:
        """Merge what was written into few large parts, and free what was deleted; whether there was anything to do.

        It is never needed, and makes searches faster after much was written.
        """
        return self._edge.optimize()


class EdgeEngine:
    """See `Engine`: messages to the worker."""

    def __init__(self, folder: Path, own: dict[str, Any], *, new: bool, on_disk: bool, lock_seconds: float) -> None:
        self._folder = folder
        opening = {
            "path": str((folder / _SHARD).absolute()),
            "lock": str((folder / _LOCK_FILE).absolute()),
            "facts": str((folder / _FACTS_FILE).absolute()),
            "vectors": {name: int(dim) for dim, name in own["names"].items()} if new else None,
            "sparse": CENTROIDS if own.get("sparse") else None,
            "datatype": _DATATYPES[own["datatype"]],
            "on_disk": on_disk,
            "indexes": _INDEXED,
        }
        if new:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(f"{folder}: cannot be made ({error.strerror})") from error
        self._process = EdgeProcess(folder, opening, lock_seconds)
        if new:
            self.set_metadata(own)

    def optimize(self) -> bool:
        return bool(self._process.call("optimize"))

    @property
    def worker(self) -> int | None:
        """The worker's process id."""
        return self._process.number

    def put(self, points: Sequence[Point]) -> None:
        given = [{"id": one.id, "vectors": _sent(one.vectors), "payload": one.payload} for one in points]
        self._process.call("put", points=given)

    def delete(self, condition: Condition) -> None:
        self._process.call("delete", condition=condition)

    def retrieve(
        self, ids: Sequence[str | int], fields: Sequence[str] | None = None, *, vectors: Sequence[str] = ()
    ) -> list[Found]:
        wanted = None if fields is None else list(fields)
        found = self._process.call("retrieve", ids=list(ids), fields=wanted, vectors=list(vectors))
        return [Found(**one) for one in found]

    def query(self, asks: Sequence[Ask]) -> list[list[Found]]:
        found = self._process.call("query", asks=[_asked(ask) for ask in asks])
        return [[Found(**one) for one in points] for points in found]

    def scroll(
        self, condition: Condition | None, fields: Sequence[str] | None = None, *, vectors: Sequence[str] = ()
    ) -> Iterator[Found]:
        offset: str | None = None
        wanted = None if fields is None else list(fields)
        while True:
            page = self._process.call(
                "scroll", condition=condition, fields=wanted, vectors=list(vectors), offset=offset
            )
            yield from (Found(**one) for one in page["points"])
            offset = page["next"]
            if offset is None:
                return

    def count(self, condition: Condition | None) -> int:
        return int(self._process.call("count", condition=condition))

    def set_vectors(self, name: str, vectors: dict[str | int, Any], own: dict[str, Any]) -> None:
        self._process.call("set_vectors", name=name, vectors=_sent(vectors), own=own)

    def set_metadata(self, own: dict[str, Any]) -> None:
        target = self._folder / _FACTS_FILE
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
        try:
            with partial.open("w", encoding="utf-8") as file:
                json.dump({METADATA: own}, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        except OSError as error:
            raise StoreError(f"{target}: cannot be written ({error.strerror})") from error
        finally:
            partial.unlink(missing_ok=True)

    def close(self) -> None:
        self._process.close()


def _sent(vectors: Any) -> dict[str, Any]:
    return {
        name: {"indices": list(rows.indices), "values": list(rows.values)}
        if isinstance(rows, Sparse)
        else np.asarray(rows, np.float32)
        for name, rows in vectors.items()
    }


def _asked(ask: Ask) -> dict[str, Any]:
    return {
        "using": ask.using,
        "rows": _sent({"": ask.rows})[""],
        "limit": ask.limit,
        "condition": ask.condition,
        "prefetch": [_asked(one) for one in ask.prefetch],
        "vectors": list(ask.vectors),
        "spans": ask.spans,
    }


def _described(folder: Path, own: dict[str, Any]) -> Description:
    """The shard as we made it."""
    datatype = own["datatype"]
    try:
        kinds = {
            name: VectorKind(size=int(dim), distance="Dot", maxsim=True, datatype=datatype)
            for dim, name in own["names"].items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise StoreDamaged(f"{folder / _FACTS_FILE}: changed on disk ({error})") from error
    sparse = (CENTROIDS,) if own.get("sparse") else ()
    return Description(name=str(folder), vectors=kinds, sparse=sparse, metadata={METADATA: own})


def _read_facts(folder: Path) -> dict[str, Any] | None:
    """What a store's file says; None where there is none."""
    target = folder / _FACTS_FILE
    try:
        found = json.loads(target.read_text(encoding="utf-8"))
        if not isinstance(found[METADATA]["names"], dict) or found[METADATA]["datatype"] not in _DATATYPES:
            raise ValueError("names or datatype")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{target}: cannot be read ({error.strerror})") from error
    except (ValueError, LookupError, TypeError) as error:
        raise StoreDamaged(f"{target}: changed on disk ({error})") from error
    return dict(found)
