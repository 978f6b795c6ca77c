"""What an index holds of files: by root, by kind, and what the last run passed by."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from colibri.files.facts import known_files
from colibri.files.known import kind_of_reader
from colibri.files.looking import owner
from colibri.files.lost import why_gone
from colibri.files.roots import roots_of
from colibri.index import Index

NO_FILE = "no file"


@dataclass
class Holdings:
    """files      how many
    kinds      name of a kind -> files, documents and passages of it; documents that no file gave are "no file"
    roots      each with path, gone (why it is not there; None: it is), options, files, documents, when, skipped, more,
               not_read, left_out, without (see `roots.Root`)
    """

    files: int = 0
    kinds: dict[str, dict[str, int]] = field(default_factory=dict)
    roots: list[dict[str, Any]] = field(default_factory=list)


def what_is_held(index: Index) -> Holdings:
    """Of the newest commit."""
    known = known_files(index)
    roots = roots_of(index, known)
    found = Holdings(files=len(known), kinds=_kinds(index))
    files: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, entry in known.items():
        if (root := owner(path, roots)) is not None:
            files[root][0] += 1
            files[root][1] += len(entry.ids)
    for path, one in sorted(roots.items()):
        gone = why_gone(path, known, one.mounts) or None
        counts = {"files": files[path][0], "documents": files[path][1]}
        rest = {name: value for name, value in vars(one).items() if name not in {"wanted", "mounts", "missed"}}
        found.roots.append({"path": path, "gone": gone, "options": one.wanted.stored(), **counts, **rest})
    return found


def _kinds(index: Index) -> dict[str, dict[str, int]]:
    paths: dict[str, set[str]] = defaultdict(set)
    documents: dict[str, int] = defaultdict(int)
    passages: dict[str, int] = defaultdict(int)
    for _, payload, count in index.outlines():
        file = payload.get("file")
        reader = file.get("reader") if isinstance(file, dict) else None
        kind = kind_of_reader(reader) or NO_FILE
        if kind != NO_FILE:
            paths[kind].add(str(file["path"]) if isinstance(file, dict) and "path" in file else "")
        documents[kind] += 1
        passages[kind] += count
    return {
        kind: {"files": len(paths[kind]), "documents": documents[kind], "passages": passages[kind]}
        for kind in sorted(documents, key=lambda one: (-passages[one], one))
    }
