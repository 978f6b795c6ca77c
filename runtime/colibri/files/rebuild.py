"""An index made anew for another model, width, kind of rows or pool: beside the old one, which goes on answering until
the new is whole.

Texts are encoded again as they are stored; files are read by the run that follows. What is done by an interruption is
kept beside and taken up by the next rebuild for the same model.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from colibri.errors import ColibriError, InputError, StoreError, StoreLocked
from colibri.files import places
from colibri.files.documents import borders
from colibri.files.facts import known_files
from colibri.files.filling import COMMIT_SECONDS
from colibri.files.roots import roots_of
from colibri.files.walk import resolved, within
from colibri.files.wanted import Wanted
from colibri.index import Document, Index, RowKind, Stored, by_one_alone
from colibri.machine import counted
from colibri.tokens import PASSAGE_TOKENS

_NAME = "rebuild"
_FRESH = "rebuild.new"
_LOCK = "rebuild.lock"
_AT_ONCE = 64
Loader = Callable[[Any], Any]
"""What `Index.open` takes to load a model."""


def beside(index: Index) -> Path:
    """Where the new one is made."""
    return index.path / _NAME


def lengths(index: Index, paths: Sequence[Path], given: Mapping[str, Any], *, reset: bool = False) -> dict[str, int]:
    """Roots whose passages a run with these options (see `Refresh.plan`) makes anew -> the most tokens of one (0: a
    text is one)."""
    if not reset and given.keys().isdisjoint({"split", "passage_tokens"}):
        return {}
    roots = roots_of(index, known_files(index))
    named = [resolved(path) for path in paths]
    return {
        path: replace(Wanted() if reset else root.wanted, **given).passages
        for path, root in roots.items()
        if not named or any(within(path, one) for one in named)
    }


def left_beside(index: Index) -> str:
    """A sentence on what lies there, whose maker is at work or was interrupted; "" for nothing."""
    if not beside(index).exists():
        return ""
    try:
        with by_one_alone(index.path / _LOCK, ""):
            return "an interrupted --rebuild lies beside the index; the same command goes on with it"
    except StoreLocked:
        return "a --rebuild is at work beside the index"
    except StoreError:  # not ours to write to
        return "a --rebuild lies beside the index, at work or interrupted"


def make_anew(
    index: Index,
    model: str | None,
    dim: int | None,
    load: Loader,
    done: Callable[[int], object],
    passages: Mapping[str, int] | None = None,
    *,
    rows: RowKind | None = None,
    pool: int | None = None,
) -> None:
    """Encode all texts of an index again, with another model, width or pool (None: those it has), and swap.

    done      called with tokens as they are encoded
    passages  of roots that get others, as `lengths` gives them: so that no run encodes them once more
    rows      what rows are kept as; None: as they were

    Raises, before any work, InputError where documents have no text, and StoreLocked where another process, or thread,
    is at it.
    """
    if missing := index.without_text():
        raise InputError(f"{index.path}: {counted(missing, 'document')} without a text, which cannot be encoded again")
    with by_one_alone(index.path / _LOCK, f"{index.path}: another --rebuild is at work; this one changed nothing"):
        made = (rows or index.rows, pool or index.pool)
        _make_anew(index, model, dim, load, done, passages or {}, *made)


def _make_anew(
    index: Index,
    model: str | None,
    dim: int | None,
    load: Loader,
    done: Callable[[int], object],
    passages: Mapping[str, int],
    rows: RowKind,
    pool: int,
) -> None:
    place = beside(index)
    name = model or index.model_name
    while True:
        commits = index.commits()
        with _opened(place, name, dim or (index.dim if model is None else None), load, rows, pool) as new:
            _fill(index, new, done, passages)
        if index.take_over(place, commits):
            break
    shutil.rmtree(place, ignore_errors=True)


def _opened(place: Path, model: str, dim: int | None, load: Loader, rows: RowKind, pool: int) -> Index:
    """Begun before by an interrupted rebuild, or new where that was for another model, kind of rows or pool. Where none
    can be made, as for a width that the model has no head for, what was begun stays."""
    if place.exists():
        with suppress(ColibriError):
            return Index.open(place, model, dim, rows=rows, pool=pool, load=load)
        fresh = place.with_name(_FRESH)
        shutil.rmtree(fresh, ignore_errors=True)  # of one that was killed here
        Index.open(fresh, model, dim, rows=rows, pool=pool, load=load).close()
        shutil.rmtree(place)
        fresh.rename(place)
    return Index.open(place, model, dim, rows=rows, pool=pool, load=load)


def _fill(old: Index, new: Index, done: Callable[[int], object], lengths: Mapping[str, int]) -> None:
    """Make the new one hold what the old one does."""
    kept: set[str] = set()
    documents = _to_encode(old, new, kept, lengths)
    waiting = next(documents, None)
    while waiting is not None:
        passages, batch = waiting
        new.upsert(
            batch,
            split=bool(passages),
            passage_tokens=passages or PASSAGE_TOKENS,
            progress=done,
            commit_every=COMMIT_SECONDS,
        )
        waiting = next(documents, None)
    if gone := [found for found, _ in new.payloads() if found not in kept]:
        new.delete(gone)


def _to_encode(
    old: Index, new: Index, kept: set[str], lengths: Mapping[str, int]
) -> Iterator[tuple[int, list[Document]]]:
    """Batches of documents that were split alike, but those that the new one has. kept: takes all ids."""
    stored = old.documents()
    while some := [_with_length(one, lengths) for one in islice(stored, _AT_ONCE)]:
        kept |= {one.id for one in some}
        there = new.get([one.id for one in some])
        batches: dict[int, list[Document]] = {}
        for one, other in zip(some, there, strict=True):
            if other is None or (other.text, other.payload) != (one.text, one.payload):
                batches.setdefault(_passages(one), []).append(_document(one))
        yield from batches.items()


def _with_length(one: Stored, lengths: Mapping[str, int]) -> Stored:
    """A document as it is to be."""
    own = one.payload or {}
    file = own.get("file")
    if not isinstance(file, dict) or not isinstance(file.get("root"), str) or file["root"] not in lengths:
        return one
    return replace(one, payload={**own, "file": {**file, "passages": lengths[file["root"]]}})


def _passages(one: Stored) -> int:
    file = (one.payload or {}).get("file")
    found = file.get("passages") if isinstance(file, dict) else None
    return found if isinstance(found, int) and found >= 0 else PASSAGE_TOKENS


def _document(one: Stored) -> Document:
    file = (one.payload or {}).get("file")
    packed = file.get("places") if isinstance(file, dict) else None
    found = borders(one.text or "", places.unpacked(packed)) if packed else None
    return Document(id=one.id, text=one.text, payload=one.payload, borders=found)
