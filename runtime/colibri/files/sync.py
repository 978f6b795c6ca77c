"""An index kept up to date with files: what is new or changed is read, what is gone leaves.

A file is one document, its absolute path its id; a row of a .jsonl or .csv file is one of its own, "path#line" or
"path#id". What is known of a file lies under "file" in the payload: path, root, suffix, size_bytes, mtime_ns, sha256.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from colibri.errors import ColibriError, MissingExtra
from colibri.files import readers
from colibri.files.walk import Found, Troubles, shown, walk
from colibri.index import Document, Index
from colibri.tokens import PASSAGE_TOKENS

_BATCH_DOCUMENTS = 256  # one transaction: what an interruption costs
_BATCH_CHARACTERS = 2 << 20


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is indexed, and how. max_bytes: of a file; larger ones are skipped and named."""

    globs: Sequence[str] = ()
    hidden: bool = False
    ignore: bool = True
    max_bytes: int = 64 << 20
    text_field: str | None = None
    id_field: str | None = None
    split: bool = True
    passage_tokens: int = PASSAGE_TOKENS


@dataclass
class Summary:
    """What happened. skipped: path -> why."""

    indexed: int = 0
    unchanged: int = 0
    removed: int = 0
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known:
    """What the index holds of a file: its facts, and the ids of its documents."""

    facts: dict[str, Any]
    ids: list[str]
    whole: bool


class Sync:
    """One run over some files."""

    def __init__(self, index: Index, wanted: Wanted) -> None:
        self._index = index
        self._wanted = wanted
        self.summary = Summary()
        self._known_files: dict[str, _Known] = {}
        self._batch: list[Document] = []
        self._characters = 0

    def plan(self, roots: Sequence[Path]) -> list[tuple[Found, Path]]:
        """Files that may have to be read, with their roots. Unchanged ones are counted, those that are gone removed.

        Raises InputError for a root that is not there.
        """
        troubles = Troubles()
        wanted = self._wanted
        found: dict[str, tuple[Found, Path]] = {}
        for root in roots:
            for one in walk([root], troubles, globs=wanted.globs, hidden=wanted.hidden, ignore=wanted.ignore):
                if one.given or readers.readable(one.path):
                    found.setdefault(shown(one.path), (one, root.resolve()))
        self.summary.skipped |= troubles.unreadable
        known = self._known(roots)
        self._remove(known, found, troubles)
        due = []
        for path, entry in found.items():
            if _is(known.get(path), entry[0]):
                self.summary.unchanged += 1
            else:
                due.append(entry)
        self._known_files = known
        return due

    def run(self, due: Sequence[tuple[Found, Path]], done: Callable[[int], object]) -> Summary:
        """Read and index them. done: called with the tokens of each document."""
        for one, root in due:
            path = shown(one.path)
            try:
                self._file(one, root, path, done)
            except (readers.Unreadable, MissingExtra) as error:
                self.summary.skipped[path] = str(error)
            except OSError as error:
                if isinstance(error, ColibriError):
                    raise
                self.summary.skipped[path] = error.strerror or str(error)
        self._flush(done)
        return self.summary

    def _file(self, one: Found, root: Path, path: str, done: Callable[[int], object]) -> None:
        if one.size_bytes > self._wanted.max_bytes:
            self.summary.skipped[path] = (
                f"{one.size_bytes >> 20:,} MB, more than {self._wanted.max_bytes >> 20} (--max-mb)"
            )
            return
        data = one.path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        suffix = one.path.suffix.lower().removeprefix(".")
        facts = {"path": path, "root": shown(root), "suffix": suffix, "size_bytes": one.size_bytes}
        facts |= {"mtime_ns": one.mtime_ns, "sha256": digest}
        before = self._known_files.get(path)
        if before is not None and before.whole and before.facts.get("sha256") == digest:
            self._touch(before, facts)
            self.summary.unchanged += 1
            return
        if one.path.suffix.lower() in readers.RECORDS:
            self._records(one, facts, data, done)
        else:
            text = readers.text_of(one.path, data)
            if text.strip():
                self._add(Document(id=path, text=text, payload={"file": facts}), done)
                self.summary.indexed += 1
            else:
                self.summary.skipped[path] = "holds no text"
                self._index.delete(before.ids if before else [])

    def _touch(self, before: "_Known", facts: dict[str, Any]) -> None:
        """The same bytes at another time: their new facts, and nothing is encoded."""
        payloads = {}
        for stored in self._index.get(before.ids):
            if stored is not None:
                own = stored.payload or {}
                line = {"line": own["file"]["line"]} if "line" in own.get("file", {}) else {}
                payloads[stored.id] = {**own, "file": {**facts, **line}}
        self._index.set_payloads(payloads)

    def _records(self, one: Found, facts: dict[str, Any], data: bytes, done: Callable[[int], object]) -> None:
        """Rows of one file in one transaction: half a file would look like a whole one."""
        self._flush(done)
        path = facts["path"]

        def documents() -> Iterator[Document]:
            for row in readers.records(one.path, data, self._wanted.text_field, self._wanted.id_field):
                fields = {**row.fields, "file": {**facts, "line": row.line}}
                yield Document(id=f"{path}#{row.line if row.id is None else row.id}", text=row.text, payload=fields)

        self._upsert(documents(), done)
        self._index.delete(where={"file.path": path, "file.sha256": {"$ne": facts["sha256"]}})
        self.summary.indexed += 1

    def _add(self, document: Document, done: Callable[[int], object]) -> None:
        self._batch.append(document)
        self._characters += len(document.text or "")
        if len(self._batch) >= _BATCH_DOCUMENTS or self._characters >= _BATCH_CHARACTERS:
            self._flush(done)

    def _flush(self, done: Callable[[int], object]) -> None:
        batch, self._batch, self._characters = self._batch, [], 0
        if batch:
            self._upsert(iter(batch), done)

    def _upsert(self, documents: Iterator[Document], done: Callable[[int], object]) -> None:
        tokens = self._wanted.passage_tokens
        self._index.upsert(documents, split=self._wanted.split, passage_tokens=tokens, progress=done)

    def _known(self, roots: Sequence[Path]) -> dict[str, _Known]:
        """Of files at or below the roots."""
        places = [shown(root.resolve()).rstrip("/\\") for root in roots]
        found: dict[str, _Known] = {}
        for found_id, payload in self._index.payloads({"file.path": {"$exists": True}}):
            facts = {**payload["file"]}
            facts.pop("line", None)
            path = facts["path"]
            if not any(path == place or path.startswith((f"{place}/", f"{place}\\")) for place in places):
                continue
            before = found.get(path)
            if before is None:
                found[path] = _Known(facts, [found_id], True)
            else:
                before.ids.append(found_id)
                if before.facts != facts:
                    found[path] = _Known(before.facts, before.ids, False)
        return found

    def _remove(self, known: dict[str, _Known], found: dict[str, tuple[Found, Path]], troubles: Troubles) -> None:
        """What is not there any more leaves; what is only out of sight (an unreadable folder, another --glob) stays."""
        gone = []
        for path, entry in known.items():
            hidden = any(path == place or path.startswith(f"{place}/") for place in troubles.unreadable)
            if path not in found and not hidden and (not self._wanted.globs or not Path(path).exists()):
                gone += entry.ids
                self.summary.removed += 1
        if gone:
            self._index.delete(gone)


def _is(known: _Known | None, found: Found) -> bool:
    """Whether a file is as the index has it, by its time and size."""
    if known is None or not known.whole:
        return False
    return known.facts.get("mtime_ns") == found.mtime_ns and known.facts.get("size_bytes") == found.size_bytes
