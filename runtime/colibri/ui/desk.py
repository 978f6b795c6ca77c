"""What the page works with: one index, what encodes questions for it, and what keeps it fresh."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from colibri import __version__
from colibri.explain import Span
from colibri.files import what_is_held
from colibri.index import Hit, Index
from colibri.server import Problem
from colibri.ui.filters import counts, where_of
from colibri.ui.found import Group, files_of, grouped
from colibri.ui.held import Holder
from colibri.ui.messages import (
    Indexing,
    Mode,
    PassageAnswer,
    PassageRequest,
    PassedCount,
    RootState,
    SearchAnswer,
    SearchRequest,
    State,
    Took,
)
from colibri.ui.shades import query_words
from colibri.vectors import TokenVectors

_SORTED = 200
"""Documents that are put in order by time or name: the best ones."""
_MORE = 4


class Desk:
    """Everything here blocks, and is called in threads."""

    def __init__(
        self, index: Index, encode: Callable[[str], TokenVectors], *, can_open: bool, can_change: bool
    ) -> None:
        """encode: a question's rows, float32. can_open: whether files are opened on this machine. can_change: whether
        folders are added and forgotten."""
        self.index = index
        self._encode = encode
        self._can_open = can_open
        self._can_change = can_change
        self._holder = Holder(index)

    def state(self) -> State:
        """What there is."""
        stats, held = self.index.stats(), what_is_held(self.index)
        roots = [
            RootState(path=one["path"], documents=one["documents"], present=one["gone"] is None, problem=one["gone"])
            for one in held.roots
        ]
        passed = sum(len(one["skipped"]) + one["more"] for one in held.roots)
        return State(
            name=_name(self.index.path),
            index=str(self.index.path),
            version=__version__,
            model=stats.model,
            documents=stats.documents,
            passages=stats.passages,
            tokens=stats.tokens,
            bytes=stats.disk_bytes,
            modes=["meaning"],
            can_open=self._can_open,
            can_change=self._can_change,
            watching=False,
            note=None,
            roots=roots,
            indexing=Indexing(),
            passed_over=PassedCount(count=passed),
        )

    def search(self, asked: SearchRequest) -> SearchAnswer:
        """Files, best first."""
        began = time.perf_counter()
        took = Took()
        held = self._holder.get()
        where = where_of(asked.filters, held)
        roots = sorted({root.path for root in self.state().roots})
        mode: Mode = "meaning"
        if asked.mode not in {None, mode}:
            raise Problem(422, "VALIDATION_ERROR", f"mode: found {asked.mode}, this index has {mode}")
        answer = SearchAnswer(
            query=asked.query,
            mode=mode,
            fit=None,
            query_words=[],
            took_ms=took,
            more=False,
            files=[],
            counts=counts(held, asked.filters, roots, datetime.now(UTC)),
        )
        if asked.query.strip():
            rows = self._encode(asked.query)
            took.encode = _ms(began)
            spans = [] if rows.spans is None else [Span(*map(int, span)) for span in rows.spans]
            answer.query_words = query_words(asked.query, spans)
            at = time.perf_counter()
            groups, answer.more = self._ranked(rows, asked, where)
            took.score = _ms(at)
            at = time.perf_counter()
            ids = [one for group in groups for one in group.ids]
            hits = self._explained(rows, ids)
            answer.files = files_of(groups, hits, asked.query)
            answer.fit = answer.files[0].fit if answer.files and not asked.offset else None
            took.texts = _ms(at)
        took.total = _ms(began)
        return answer

    def _ranked(self, rows: TokenVectors, asked: SearchRequest, where: object) -> tuple[list[Group], bool]:
        """The files of a page of the answer, and whether there are more."""
        last = asked.offset + asked.k
        wanted = max(last + 1, _SORTED) if asked.sort != "fit" else last + 1
        while True:
            hits = self.index.search(rows, wanted, where, passages=1)  # type: ignore[arg-type]
            groups = grouped(hits)
            if asked.sort != "fit" or len(groups) > last or len(hits) < wanted:
                break
            wanted *= _MORE
        if asked.sort == "time":
            groups.sort(key=lambda group: -group.changed_ns)
        elif asked.sort == "name":
            groups.sort(key=lambda group: group.name)
        return groups[asked.offset : last], len(groups) > last

    def _explained(self, rows: TokenVectors, ids: list[str]) -> dict[str, Hit]:
        if not ids:
            return {}
        found = self.index.search(rows, len(ids), ids=ids, explain=True, passages=4)
        return {hit.id: hit for hit in found}

    def passage(self, asked: PassageRequest) -> PassageAnswer:
        """A passage with what stands around it. Raises Problem 404 for a document that is not there."""
        stored = self.index.get(asked.id)[0]
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
