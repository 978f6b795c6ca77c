"""What the page works with: one index, what encodes questions for it, and what keeps it fresh."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from colibri import __version__
from colibri.explain import Span
from colibri.index import Hit, Index
from colibri.server import Problem, invalid
from colibri.ui.filters import counts, where_of
from colibri.ui.found import Group, files_of, grouped
from colibri.ui.held import Holder
from colibri.ui.messages import (
    Mode,
    PassageAnswer,
    PassageRequest,
    SearchAnswer,
    SearchRequest,
    State,
    Took,
)
from colibri.ui.shades import query_words
from colibri.ui.tending import Tending, indexing_of, passed_count, roots_of
from colibri.vectors import TokenVectors

_SORTED = 200
"""Documents that are put in order by time or name: the best ones."""
_MORE = 4
_PASSAGES = 4
"""Asked for of a document, of which one may be words about it."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """index     what is searched
    encode    a question's rows, float32; called in threads
    tending   what keeps the index fresh; None: this page does not
    can_open  whether files are opened on this machine
    """

    index: Index
    encode: Callable[[str], TokenVectors]
    tending: Tending | None
    can_open: bool
    holder: Holder

    def state(self) -> State:
        """What there is. Blocks."""
        stats, held = self.index.stats(), self.holder.get()
        following = None if self.tending is None else self.tending.follower.state
        failed = None if self.tending is None else self.tending.failed
        roots = roots_of(self.index, held)
        return State(
            name=_name(self.index.path),
            index=str(self.index.path),
            version=__version__,
            model=stats.model,
            documents=stats.documents,
            passages=stats.passages,
            tokens=stats.tokens,
            bytes=stats.disk_bytes,
            modes=self.modes,
            can_open=self.can_open,
            can_change=self.tending is not None,
            watching=following is not None and following.watching,
            note=None if following is None else following.note,
            roots=roots,
            indexing=indexing_of(following, failed, empty=not roots),
            passed_over=passed_count(self.index),
        )

    @property
    def modes(self) -> list[Mode]:
        """How it can be searched, the best first."""
        return ["meaning"]


class Searching:
    """Searches of one page, one at a time: each uses all threads, and one that was given up never begins."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._index = desk.index
        self._one = asyncio.Lock()

    async def search(self, asked: SearchRequest) -> SearchAnswer:
        """Files, best first. A cancellation ends it between two steps."""
        began = time.perf_counter()
        async with self._one:
            took = Took()
            held = await asyncio.to_thread(self._desk.holder.get)
            where = where_of(asked.filters, held)
            mode = self._mode(asked)
            counted = await asyncio.to_thread(counts, held, asked.filters, datetime.now(UTC))
            answer = SearchAnswer(
                query=asked.query,
                mode=mode,
                fit=None,
                query_words=[],
                took_ms=took,
                more=False,
                files=[],
                counts=counted,
            )
            if asked.query.strip():
                await self._fill(answer, asked, where)
            took.total = _ms(began)
            return answer

    def _mode(self, asked: SearchRequest) -> Mode:
        modes = self._desk.modes
        if asked.mode is not None and asked.mode not in modes:
            raise invalid("mode", f"found {asked.mode}, this index has {', '.join(modes)}")
        return asked.mode or modes[0]

    async def _fill(self, answer: SearchAnswer, asked: SearchRequest, where: dict[str, Any] | None) -> None:
        took, at = answer.took_ms, time.perf_counter()
        rows = await asyncio.to_thread(self._desk.encode, asked.query)
        took.encode, at = _ms(at), time.perf_counter()
        spans = [] if rows.spans is None else [Span(*map(int, span)) for span in rows.spans]
        answer.query_words = query_words(asked.query, spans)
        groups, answer.more = await self._ranked(rows, asked, where)
        took.score, at = _ms(at), time.perf_counter()
        ids = [one for group in groups for one in group.ids]
        hits = await self._explained(rows, ids)
        answer.files = await asyncio.to_thread(files_of, groups, hits, asked.query)
        answer.fit = answer.files[0].fit if answer.files and not asked.offset else None
        took.texts = _ms(at)

    async def _ranked(
        self, rows: TokenVectors, asked: SearchRequest, where: dict[str, Any] | None
    ) -> tuple[list[Group], bool]:
        """The files of a page of the answer, and whether there are more."""
        last = asked.offset + asked.k
        wanted = max(last + 1, _SORTED) if asked.sort != "fit" else last + 1
        while True:
            hits = await self._index.asearch(rows, wanted, where, passages=1)
            groups = grouped(hits)
            if asked.sort != "fit" or len(groups) > last or len(hits) < wanted:
                break
            wanted *= _MORE
        if asked.sort == "time":
            groups.sort(key=lambda group: -group.changed_ns)
        elif asked.sort == "name":
            groups.sort(key=lambda group: group.name)
        return groups[asked.offset : last], len(groups) > last

    async def _explained(self, rows: TokenVectors, ids: list[str]) -> dict[str, Hit]:
        if not ids:
            return {}
        found = await self._index.asearch(rows, len(ids), ids=ids, explain=True, passages=_PASSAGES)
        return {hit.id: hit for hit in found}


def passage(index: Index, asked: PassageRequest) -> PassageAnswer:
    """A passage with what stands around it. Raises Problem 404 for a document that is not there."""
    stored = index.get(asked.id)[0]
    if stored is None:
        raise Problem(404, "RESOURCE_NOT_FOUND", "the index has no document of that id any more; search again")
    text = stored.text or ""
    start = min(asked.start, len(text))
    end = min(max(asked.end, start), len(text))
    first, last = max(start - asked.around, 0), min(end + asked.around, len(text))
    return PassageAnswer(
        id=asked.id,
        start=start,
        end=end,
        text=text[first:last],
        text_start=first,
        text_end=last,
        whole_length=len(text),
    )


def _ms(since: float) -> float:
    return round((time.perf_counter() - since) * 1000, 2)


def _name(folder: Path) -> str:
    return folder.resolve().parent.name if folder.name == ".colibri-index" else folder.name
