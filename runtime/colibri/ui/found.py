"""Hits of the index as files with their best passages."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from colibri.explain import Span
from colibri.files import is_gone, kind_of_reader, place
from colibri.index import Hit, PassageHit
from colibri.ui.held import NO_FILE, UNKNOWN, file_of, language_of
from colibri.ui.messages import FoundFile, Passage
from colibri.ui.shades import shades, sums_of, words_of_tokens

PASSAGES = 3
"""Of a file, at most."""
_PAGE = re.compile(r"p\. (\d{1,9})")
_NS = 1_000_000_000


@dataclass
class Group:
    """Documents of one file among the hits, best first."""

    key: str
    ids: list[str] = field(default_factory=list)
    score: float = 0.0
    changed_ns: int = 0
    name: str = ""


def grouped(hits: Sequence[Hit]) -> list[Group]:
    """By file; documents of none are each on their own."""
    found: dict[str, Group] = {}
    for hit in hits:
        file = file_of(hit.payload)
        path = path_of(file)
        key = f"file:{path}" if path is not None else f"id:{hit.id}"
        group = found.get(key)
        if group is None:
            changed = file.get("mtime_ns")
            group = found[key] = Group(key, score=hit.score, changed_ns=changed if isinstance(changed, int) else 0)
            group.name = (hit.id if path is None else os.path.basename(path)).casefold()  # noqa: PTH119
        if len(group.ids) < PASSAGES:
            group.ids.append(hit.id)
    return list(found.values())


def path_of(file: Mapping[str, Any]) -> str | None:
    """Where a document's file lies."""
    found = file.get("path")
    return found if isinstance(found, str) else None


def files_of(groups: Sequence[Group], hits: Mapping[str, Hit], query: str) -> list[FoundFile]:
    """Files as the page shows them. hits: by id, explained; one that is missing was deleted since."""
    chosen = [(group, _best([hits[one] for one in group.ids if one in hits])) for group in groups]
    asked = words_of_tokens(
        query, (match.query for _, passages in chosen for _, passage in passages for match in passage.matches)
    )
    sums = {
        id(passage): sums_of(asked, hit.text or "", passage.start, passage.end, passage.matches)
        for _, passages in chosen
        for hit, passage in passages
    }
    most = max((weight for own in sums.values() for weight in own.values()), default=0.0)
    return [
        _file(group, passages, [(hit, passage, sums[id(passage)]) for hit, passage in passages], most)
        for group, passages in chosen
        if passages
    ]


def _best(hits: Sequence[Hit]) -> list[tuple[Hit, PassageHit]]:
    """Passages of one file, best first: those that stand in a text, or one of words about it where none does."""
    every = [(hit, passage) for hit in hits for passage in hit.passages]
    every.sort(key=lambda pair: -pair[1].score)
    standing = [pair for pair in every if pair[1].end > pair[1].start]
    return standing[:PASSAGES] or every[:1]


def _file(
    group: Group,
    passages: Sequence[tuple[Hit, PassageHit]],
    shown: Sequence[tuple[Hit, PassageHit, dict[tuple[Span, Span], float]]],
    most: float,
) -> FoundFile:
    hit = passages[0][0]
    file = file_of(hit.payload)
    path, size, changed = path_of(file), file.get("size_bytes"), file.get("mtime_ns")
    language = language_of(file.get("language"))
    return FoundFile(
        id=hit.id,
        path=path,
        name=hit.id if path is None else os.path.basename(path),  # noqa: PTH119 - of another system's, maybe
        folder=None if path is None else os.path.dirname(path),  # noqa: PTH120
        kind=NO_FILE if path is None else kind_of_reader(file.get("reader")),
        modified=iso(changed) if isinstance(changed, int) else None,
        size=size if isinstance(size, int) else None,
        language=None if language == UNKNOWN else language,
        gone=path is not None and is_gone(path),
        score=group.score,
        fit=hit.fit,
        passages=[_passage(hit, passage, sums, most) for hit, passage, sums in shown],
    )


def _passage(hit: Hit, passage: PassageHit, sums: dict[tuple[Span, Span], float], most: float) -> Passage:
    at = place(replace(hit, passages=(passage,)))
    page = _PAGE.fullmatch(at.label)
    return Passage(
        id=hit.id,
        start=passage.start,
        end=passage.end,
        score=passage.score,
        normalised=hit.normalised * passage.score / hit.score if hit.score else 0.0,
        fit=hit.fit if passage.score >= hit.score else None,
        line=at.line,
        page=int(page[1]) if page else None,
        label=at.label,
        text=(hit.text or "")[passage.start : passage.end],
        matches=shades(sums, most),
    )


def iso(changed_ns: int) -> str | None:
    """A file's time; None: beyond what a calendar has."""
    try:
        return datetime.fromtimestamp(changed_ns // _NS, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return None
