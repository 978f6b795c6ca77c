"""Finding an index in a folder, or making one there.

Its facts stand twice: in the SQLite file, and in index.json for when that one cannot be read any more.
"""

import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from colibri import checks
from colibri.errors import InputError, StoreDamaged, StoreError, StoreLocked
from colibri.index.core import SEGMENTS, Core
from colibri.index.encoding import IndexModel
from colibri.index.storage import catalogue, words
from colibri.index.storage.catalogue import Catalogue
from colibri.index.storage.disk import Disk
from colibri.index.storage.lock import WriterLock, held, taken_over
from colibri.index.storage.row_layout import SCHEMES, RowKind, RowLayout, checked_kind, checked_layout
from colibri.index.storage.sharing import make_folders, share

if TYPE_CHECKING:
    from colibri.index.encoding import Loader
    from colibri.model import Colibri

LOCK = "writer.lock"
MAKING = "making.lock"
FACTS_FILE = "index.json"
_EXPORT = {FACTS_FILE, "documents.jsonl", "vectors-000001.safetensors"}
_STANDING = ("format", "scheme", "space_id", "model", "dim")  # facts that only a takeover changes; POOL is another


def opened(
    folder: Path,
    model: "Colibri | str | os.PathLike[str] | None",
    dim: int | None,
    space_id: str | None,
    pool: int | None,
    *,
    rows: str | None,
    create: bool,
    lock_seconds: float,
    disk: Disk,
    load: "Loader | None",
) -> Core:
    """See `Index.open`."""
    if not isinstance(lock_seconds, int | float) or isinstance(lock_seconds, bool) or not lock_seconds >= 0:
        raise InputError(f"lock_seconds: found {lock_seconds!r}, wanted seconds from 0")
    checks.optional_count("dim", dim)
    checks.optional_count("pool", pool)
    if space_id is not None and not isinstance(space_id, str):
        raise InputError(f"space_id: found {space_id!r}, wanted a name or None")
    if space_id is not None and model is not None:
        raise InputError("either a model or a space_id: the one says what encodes, the other that nothing here does")
    kind = None if rows is None else checked_kind(rows)
    lock = WriterLock(folder / LOCK, lock_seconds)
    if not _is_index(folder):
        _refuse_other_folders(folder, create)
        _make(folder, _new_facts(model, dim, space_id, kind or "int8", pool), disk, lock)
    shelf = Catalogue(folder)
    try:
        facts = _facts(folder, shelf)
        _check(folder, facts, dim, space_id, kind, pool)
        _heal(folder, facts)
        core = Core(folder, facts, shelf, disk, lock, load)
        if model is not None:
            core.use(IndexModel(model, load))
    except BaseException:
        shelf.close()
        raise
    return core


@contextmanager
def unwritten(folder: Path, seconds: float = 60.0) -> Iterator[None]:
    """For whoever renames the folder of an index: no writer is in the middle of something there. Writers that wait
    write into what then has the name. A folder without a writer's lock has no writer.

    seconds: how long to wait for one. Raises StoreLocked after so long.
    """
    if not (folder / LOCK).is_file():
        yield
        return
    with WriterLock(folder / LOCK, seconds).held():
        if sys.platform != "win32":  # which renames no folder of open files
            yield
            return
    yield


@contextmanager
def being_made(folder: Path) -> Iterator[None]:
    """Says of a folder that whoever fills it is alive, in whatever process."""
    while (own := held(folder / MAKING)) is None:
        pass
    try:
        yield
    finally:
        own.close()
        own.path.unlink(missing_ok=True)


@contextmanager
def by_one_alone(path: Path, said: str) -> Iterator[None]:
    """Work that two must not do at once, held by a lock file of its own.

    Raises StoreLocked, at once and with what is to be said, where another does it; StoreError where the file cannot be
    made.
    """
    own = None
    for _ in range(3):  # one that ended may have taken its file along
        try:
            own = own or held(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from error
    if own is None:
        raise StoreLocked(said)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps what is open
            path.unlink()
        own.close()


def is_abandoned(folder: Path) -> bool:
    """Whether whoever was filling it (see `being_made`) is dead."""
    try:
        own = taken_over(folder / MAKING)
    except OSError:  # it is not marked yet, or any more
        return False
    if own is None:
        return False
    own.close()
    return True


def may_write(folder: Path) -> bool:
    """Whether this user may change the index in a folder: neither the file system nor their rights forbid it."""
    return catalogue.writable(folder, folder / catalogue.FILE_NAME)


def is_index_folder(names: Collection[str]) -> bool:
    """Whether a folder that holds these names is an index, a damaged one too, or an export of one (see `transfer`).

    Without opening anything in it.
    """
    own = catalogue.FILE_NAME in names and not {FACTS_FILE, LOCK, SEGMENTS}.isdisjoint(names)
    return own or _EXPORT.issubset(names)


def _is_index(folder: Path) -> bool:
    """Whether there is one; a process that died while making it leaves none."""
    if not os.path.isfile(folder / catalogue.FILE_NAME):  # noqa: PTH113 - Path.is_file raises for some names
        return False
    shelf = Catalogue(folder)
    try:
        with shelf.reading() as connection:
            return catalogue.has_tables(connection)
    except StoreDamaged:
        return (folder / FACTS_FILE).is_file()
    finally:
        shelf.close()


def _refuse_other_folders(folder: Path, create: bool) -> None:
    try:
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: is a file; an index is a folder")
        names = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
        segments = folder / SEGMENTS
        rows = sum(entry.stat().st_size > 0 for entry in segments.iterdir()) if segments.is_dir() else 0
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder}: cannot be read ({error})") from error
    if FACTS_FILE in names and rows:  # of a process that died while making it there are none yet
        raise StoreDamaged(
            f"{folder}: its {catalogue.FILE_NAME} is gone or empty, which says whose rows the {rows} files in "
            f"{SEGMENTS} are; put that back from a copy, or remove the folder and index again"
        )
    if not create:
        raise StoreError(f"{folder}: no index there")
    ours = {SEGMENTS, LOCK, FACTS_FILE, *(catalogue.FILE_NAME + end for end in ("", "-wal", "-shm"))}
    if names - ours:
        raise StoreError(f"{folder}: holds other files and no index; name a new or empty folder")


def _new_facts(
    model: "Colibri | str | os.PathLike[str] | None",
    dim: int | None,
    space_id: str | None,
    kind: RowKind,
    pool: int | None,
) -> dict[str, str]:
    facts = {"format": str(words.FORMAT if words.has_fts5() else 1)}
    if space_id is not None:
        if pool is not None and pool > 1:
            raise InputError(
                f"pool: an index for vectors of your own (space_id) takes rows as they are; give it "
                f"TokenVectors.pooled({pool})"
            )
        if dim is None:
            raise InputError("dim: an index for vectors of your own (space_id) needs their width")
        return {**facts, **_facts_of(checked_layout(int(dim), kind)), "space_id": space_id, "model": ""}
    encoder = IndexModel(model)
    width = min(encoder.manifest.dims) if dim is None else checks.one_dim(encoder.manifest, dim)
    layout = checked_layout(width, kind)
    if pool is not None and pool > 1:
        facts[catalogue.POOL] = str(int(pool))
    return {**facts, **_facts_of(layout), "space_id": encoder.manifest.space_id, "model": encoder.name}


def _facts_of(layout: RowLayout) -> dict[str, str]:
    return {"scheme": layout.scheme, "dim": str(layout.dim)}


def _make(folder: Path, facts: dict[str, str], disk: Disk, lock: WriterLock) -> None:
    try:
        make_folders(folder, folder / SEGMENTS)
        disk.sync_folder(folder)
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder}: cannot be made ({error})") from error
    shelf = Catalogue(folder)
    try:
        with lock.held(), shelf.lent(create=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if not catalogue.has_tables(connection):  # else another process was faster
                write_facts_file(folder, facts)
                catalogue.make_tables(connection, facts)
                if facts["format"] == str(words.FORMAT):
                    words.begin(connection)
            connection.execute("COMMIT")
        disk.sync_folder(folder)
    finally:
        shelf.close()


def write_facts_file(folder: Path, facts: dict[str, str]) -> None:
    """index.json, at once or not at all."""
    partial = folder / f"{catalogue.FILE_NAME}.partial"
    standing = _standing(facts)
    try:
        with partial.open("w", encoding="utf-8", errors="surrogatepass") as file:
            json.dump({**standing, "crc": _crc(standing)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        share(partial)
        partial.replace(folder / FACTS_FILE)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({error.strerror})") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _facts(folder: Path, shelf: Catalogue) -> dict[str, str]:
    """From the SQLite file, or what never changes from index.json. Raises StoreDamaged when neither can be read."""
    try:
        with shelf.reading() as connection:
            facts = catalogue.read_facts(connection)
        if missing := {*catalogue.FACTS} - facts.keys():
            raise StoreDamaged(f"{folder}: {', '.join(sorted(missing))} of the index's facts are gone")
    except StoreDamaged:
        try:
            found = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
            standing = _standing(found)
        except (OSError, ValueError, LookupError, TypeError):
            standing, found = {}, {}
        if not standing or found.get("crc") != _crc(standing):
            raise
        return standing
    return facts


def _heal(folder: Path, facts: dict[str, str]) -> None:
    """index.json says what the SQLite file says, also when a takeover ended between the two."""
    with suppress(OSError, ValueError, StoreError):
        found = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        if any(found.get(name) != value for name, value in _standing(facts).items()):
            write_facts_file(folder, facts)


def _standing(facts: Mapping[str, str]) -> dict[str, str]:
    """Those of index.json. POOL, which older programs do not know, stands there where it says something."""
    pool = {catalogue.POOL: facts[catalogue.POOL]} if catalogue.pool_of(facts) > 1 else {}
    return {name: facts[name] for name in _STANDING} | pool


def _crc(standing: dict[str, str]) -> int:
    return catalogue.fact_crc(FACTS_FILE, json.dumps(standing, sort_keys=True))


def _check(
    folder: Path, facts: dict[str, str], dim: int | None, space_id: str | None, kind: RowKind | None, pool: int | None
) -> None:
    if int(facts["format"]) > catalogue.FORMAT or facts["scheme"] not in SCHEMES:
        raise StoreError(
            f"{folder}: format {facts['format']} ({facts['scheme']}), this runtime reads {catalogue.FORMAT} "
            f"({', '.join(SCHEMES)}); upgrade colibri-edge"
        )
    if kind is not None and kind != SCHEMES[facts["scheme"]]:
        raise StoreError(
            f"{folder}: has {SCHEMES[facts['scheme']]} rows, not {kind}; `colibri index --convert --rows {kind}` makes "
            "them those, or --rebuild encodes texts again"
        )
    if dim is not None and dim != int(facts["dim"]):
        raise StoreError(
            f"{folder}: has dim {facts['dim']}, not {dim}; for another width make another index, or this one anew "
            "(`colibri index --rebuild`)"
        )
    own = catalogue.pool_of(facts)
    if pool is not None and pool != own:
        said = f"pools tokens by {own}" if own > 1 else "pools no tokens"
        raise StoreError(
            f"{folder}: {said}, not by {pool}; for another pool make another index, or this one anew "
            f"(`colibri index --rebuild --pool {pool}`)"
        )
    if space_id is not None and space_id != facts["space_id"]:
        raise StoreError(f"{folder}: holds vectors of space {facts['space_id'][:16]!r}, not {space_id[:16]!r}")
