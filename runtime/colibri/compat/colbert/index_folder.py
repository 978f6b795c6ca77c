"""The folder of an index: a `colibri.Index` with a passage a document, and JSON files beside it that users of the
original packages read. What SQLite holds is the truth; the files are written anew where they differ.

A passage's number (pid) is its document's id. Numbers are never used twice, also after the last one was removed.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colibri.compat.colbert.asserted import NotThere
from colibri.compat.colbert.infra.config.config import METADATA, ColBERTConfig
from colibri.compat.not_here import not_here
from colibri.compat.options import warn
from colibri.errors import InputError, InputTypeError, StoreError

if TYPE_CHECKING:
    from colibri.compat.colbert.modeling.checkpoint import Checkpoint
    from colibri.index import Index
    from colibri.model import Colibri

Payloads = Sequence[Mapping[str, Any] | None] | None

_OURS = ("index.json", "index.sqlite", "index.sqlite-wal", "index.sqlite-shm", "segments", "writer.lock")
_REPLACED = (".json", ".pt", ".partial")  # and what the original packages write
_CHUNK_TOKENS = 16_384
REENCODED = ".colibri"


def checked_name(name: object, option: str) -> str:
    """The name or path of an index. Raises InputTypeError for what is neither, InputError for an empty one, which
    would be the folder of all of them."""
    if not isinstance(name, str | os.PathLike):
        raise InputTypeError(f"{option}: found {name!r}, wanted the name of an index, or a path")
    said = os.fspath(name)
    if said.strip() in ("", ".", ".."):
        raise InputError(f"{option}: found {said!r}, wanted the name of an index, or a path")
    return str(said)


def is_index(folder: Path) -> bool:
    """Whether a folder holds an index of Colibri."""
    return (folder / "index.sqlite").is_file()


def is_plaid(folder: Path) -> bool:
    """Whether a folder holds what colbert-ai and RAGatouille wrote: residual codes."""
    return folder.is_dir() and not is_index(folder) and any(folder.glob("*.codes.pt"))


def opened(folder: Path, model: "Colibri") -> "Index":
    """The index of a folder, to be searched and written with this model.

    Raises NotThere (also a FileNotFoundError) where there is none, StoreError for one of another model.
    """
    from colibri.index import Index

    restored(folder)
    if not is_index(folder):
        raise NotThere(2, "no index there; Indexer(...).index(...) makes one", str(folder))
    return Index.open(folder, model, create=False)


def built(
    folder: Path,
    checkpoint: "Checkpoint",
    passages: Sequence[str],
    config: ColBERTConfig,
    payloads: Payloads = None,
    *,
    progress: bool = False,
    beside: Callable[["Index", Path], None] | None = None,
) -> None:
    """Make an index of passages in place of what is there. It gets its name when it is complete: until then, and where
    that fails or is killed, the old one stands.

    payloads  one a passage
    beside    writes more files into the folder

    Raises StoreError for a folder that holds files of others.
    """
    import glob
    import shutil

    from colibri.index import Index, being_made, is_abandoned

    restored(folder)
    _refuse_others(folder)
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.????????.partial"):
        if is_abandoned(left):
            shutil.rmtree(left, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}.partial")
    try:
        with Index.open(partial, checkpoint.colibri, checkpoint.dim) as index, being_made(partial):
            index.add(documents(checkpoint, passages, 0, payloads, progress=progress), split=False)
            write_metadata(partial, config, len(passages))
            if beside is not None:
                beside(index, partial)
        _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def documents(
    checkpoint: "Checkpoint", passages: Sequence[str], first: int, payloads: Payloads = None, *, progress: bool = False
) -> Iterator[dict[str, Any]]:
    """Passages as documents, encoded as they are asked for: cut at the checkpoint's `doc_maxlen`, numbered from
    `first`. progress: a bar on stderr."""
    from colibri.machine import progress_bar
    from colibri.vectors import TokenVectors

    chunks = checkpoint.colibri.stream_documents(
        passages, checkpoint.dim, dtype="int8", max_tokens=checkpoint.document_tokens, chunk_tokens=_CHUNK_TOKENS
    )
    done = 0
    with progress_bar(len(passages), "encoding passages", progress) as advance:
        for chunk in chunks:
            assert chunk.scales is not None
            assert chunk.spans is not None
            for i in range(len(chunk)):
                own = slice(chunk.starts[i], chunk.starts[i + 1])
                starts = chunk.starts[i : i + 2] - chunk.starts[i]
                vectors = TokenVectors(
                    chunk.rows[own], starts, chunk.spans[own], space_id=chunk.space_id, scales=chunk.scales[own]
                )
                payload = None if payloads is None else payloads[done]
                yield {"id": str(first + done), "text": passages[done], "payload": payload, "vectors": vectors}
                advance(len(vectors.rows))
                done += 1


def added(index: "Index", checkpoint: "Checkpoint", passages: Sequence[str], payloads: Payloads = None) -> list[int]:
    """Add passages with the next numbers, all in one transaction; those numbers."""
    while True:
        first = next_pid(index)
        try:
            index.add(documents(checkpoint, passages, first, payloads), split=False)
        except InputError:
            if next_pid(index) == first:
                raise
            continue  # another process was faster, and has taken these numbers
        return list(range(first, first + len(passages)))


def next_pid(index: "Index") -> int:
    """The first number that no passage has or had."""
    here = max((int(found) for found, _ in index.payloads() if found.isdecimal()), default=-1) + 1
    with suppress(OSError, ValueError, LookupError, TypeError):
        said = json.loads((index.path / METADATA).read_text(encoding="utf-8"))
        return max(here, int(said["num_passages"]))
    return here


def pids(index: "Index") -> list[int]:
    """The numbers of all passages, rising."""
    return sorted(int(found) for found, _ in index.payloads())


def reencoded(
    folder: Path,
    checkpoint: "Checkpoint",
    collection: Iterable[str] | None,
    config: ColBERTConfig,
    payloads: Callable[[int], Payloads] | None = None,
    beside: Callable[["Index", Path], None] | None = None,
) -> Path:
    """Where the passages of a PLAID folder are an index of Colibri: the same name and ".colibri", made once.

    payloads: gives them for so many passages

    Raises NotHere where nothing has its texts.
    """
    where = folder.with_name(folder.name + REENCODED)
    restored(where)
    if is_index(where):
        return where
    if collection is None:
        texts = folder / "collection.json"
        if not texts.is_file():
            not_here(
                f"Reading {folder}",
                "it holds PLAID's residual codes and no collection.json",
                "give its texts (collection=) and they are encoded anew",
            )
        collection = json.loads(texts.read_text(encoding="utf-8"))
    passages = [str(text) for text in collection or ()]
    warn("%s: PLAID's files; its %d passages are encoded anew into %s, once", folder, len(passages), where)
    given = None if payloads is None else payloads(len(passages))
    built(where, checkpoint, passages, config, given, progress=True, beside=beside)
    return where


def lengths_of(config: ColBERTConfig) -> ColBERTConfig:
    """What an index's settings say that its model does not: how long texts may be, and how wide rows are."""
    said = {name: getattr(config, name) for name in ("dim", "doc_maxlen", "query_maxlen", "checkpoint")}
    return ColBERTConfig(**{name: value for name, value in said.items() if name in config.assigned})


def write_metadata(folder: Path, config: ColBERTConfig, passages: int) -> None:
    """metadata.json as `ColBERTConfig.load_from_index` reads it; passages: numbers used so far."""
    shown = config.export()
    shown["collection"] = None if isinstance(shown["collection"], list | tuple) else shown["collection"]
    write_json(folder / METADATA, {"config": shown, "num_passages": passages})


def write_json(path: Path, value: Any) -> None:
    """A JSON file, at once or not at all."""
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=True, default=str)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


def restored(folder: Path) -> None:
    """A process that was killed between the two renames of `_swap` left the old index under another name."""
    import glob

    if folder.exists() or not folder.parent.is_dir():
        return
    left = sorted(folder.parent.glob(f".{glob.escape(folder.name)}.????????.old"))
    if len(left) == 1:
        warn("%s: brought back from %s, where a process was killed while replacing it", folder, left[0].name)
        left[0].rename(folder)


def _refuse_others(folder: Path) -> None:
    """Replacing a folder deletes what it holds; what nobody's index wrote is not ours to delete."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise StoreError(f"{folder}: is a file; an index is a folder")
    others = [entry.name for entry in folder.iterdir() if entry.name not in _OURS and entry.suffix not in _REPLACED]
    if others:
        raise StoreError(f"{folder}: holds files that are no index's ({', '.join(sorted(others)[:3])}); name another")


def _swap(partial: Path, folder: Path) -> None:
    import glob
    import shutil

    from colibri.index import unwritten

    old = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}.old")
    try:
        with unwritten(folder):
            if folder.exists():
                folder.rename(old)
            partial.rename(folder)
            for left in folder.parent.glob(f".{glob.escape(folder.name)}.????????.old"):  # of the killed as well
                shutil.rmtree(left, ignore_errors=True)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise StoreError(f"{folder}: cannot be replaced ({error.strerror})") from error
