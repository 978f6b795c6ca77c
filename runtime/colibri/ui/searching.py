"""A search of the page, from what was typed to files with their passages, and what each stage took."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from colibri.explain import Span
from colibri.index import Asked, Hit, Index, asked
from colibri.server import Problem, invalid
from colibri.ui.desk import Desk
from colibri.ui.filters import counts, where_of
from colibri.ui.found import Group, files_of, grouped
from colibri.ui.messages import Fit, Mode, SearchAnswer, SearchRequest, Took
from colibri.ui.shades import query_words
from colibri.vectors import TokenVectors

_SORTED = 200
"""Files that are put in order by time or name: those that fit best, whichever page of the answer is asked for."""
_ORDERS: dict[str, Callable[[Group], Any]] = {"time": lambda one: -one.changed_ns, "name": lambda one: one.name}
_LONGEST_QUERY = 10_000
"""Characters."""
_FITS: tuple[Fit, ...] = ("likely", "maybe", "unlikely")
_MORE = 4
_GOES_ON = re.compile(r"\w\w$")
"""What may be the beginning of a word: of one letter half of all words are, for 0.2 s at 100,000 passages."""
_PASSAGES = 4
"""Asked for of a document, of which one may be words about it."""


@dataclass(frozen=True, kw_only=True)
class _Question:
    """What the index is asked, once for a ranking and once for what it shows.

    query  rows, or the text where its words alone are looked for
    text   beside rows
    """

    query: TokenVectors | str
    text: str | None
    mode: Mode
    typing: bool

    async def ask(self, index: Index, k: int, **more: Any) -> list[Hit]:
        """The k best."""
        return await index.asearch(self.query, k, mode=self.mode, typing=self.typing, text=self.text, **more)


@dataclass(frozen=True, kw_only=True)
class _Ranked:
    """What the index ranked for a page of the answer.

    groups     the files of that page
    more       whether there are more behind it
    of_best    how many were put in order, where others were left out
    hits       all that were ranked, best first
    explained  whether those tell what answered
    """

    groups: list[Group]
    more: bool
    of_best: int | None
    hits: list[Hit]
    explained: bool


class Searching:
    """Searches of one page, one at a time: each uses all threads, and one that was given up never begins."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._index = desk.index
        self._one = asyncio.Lock()

    async def search(self, request: SearchRequest) -> SearchAnswer:
        """Files, best first. A cancellation ends it between two steps. Raises Problem 422 for what cannot be asked."""
        if len(request.query) > _LONGEST_QUERY:
            found, most = f"{len(request.query):,}", f"{_LONGEST_QUERY:,}"
            raise Problem(
                422, "VALIDATION_ERROR", f"the question is {found} characters long, and {most} are the most; shorten it"
            )
        began = time.perf_counter()
        async with self._one:
            held = await asyncio.to_thread(self._desk.holder.get)
            where = where_of(request.filters, held)
            mode = self._mode(request)
            counted = await asyncio.to_thread(counts, held, request.filters, datetime.now(UTC))
            answer = SearchAnswer(
                query=request.query,
                mode=mode,
                fit=None,
                query_words=[],
                took_ms=Took(),
                more=False,
                files=[],
                counts=counted,
            )
            request.typing = request.typing and _GOES_ON.search(request.query) is not None
            said = asked(request.query, typing=request.typing)
            if request.query.strip() and not (mode != "meaning" and said.is_nothing):
                await self._fill(answer, request, said, where)
            answer.took_ms.total = _ms(began)
            return answer

    def _mode(self, request: SearchRequest) -> Mode:
        modes = self._desk.modes
        if request.mode is not None and request.mode not in modes:
            raise invalid("mode", f"found {request.mode}, this index has {', '.join(modes)}")
        return request.mode or modes[0]

    async def _fill(
        self, answer: SearchAnswer, request: SearchRequest, said: Asked, where: dict[str, Any] | None
    ) -> None:
        took, at = answer.took_ms, time.perf_counter()
        question, spans = await self._question(answer.mode, request, said)
        answer.query_words = query_words(request.query, spans)
        took.encode, at = _ms(at), time.perf_counter()
        found = await self._ranked(question, request, where)
        answer.more, answer.of_best = found.more, found.of_best
        ranked, at = _ms(at), time.perf_counter()
        if answer.mode == "words":
            took.words = ranked
        else:
            took.score = ranked
        shown = found.hits
        if not found.explained:
            shown = await self._explained(question, [one for group in found.groups for one in group.ids])
        by_words = said if answer.mode == "both" else None
        hits = {hit.id: _with_its_words(hit, by_words) for hit in shown}
        answer.files = await asyncio.to_thread(files_of, found.groups, hits, request.query)
        if not request.offset:
            fits = {file.fit for file in answer.files}
            if request.sort != "fit":  # what fits may come on a later page
                fits = await asyncio.to_thread(lambda: {_with_its_words(hit, by_words).fit for hit in found.hits})
            answer.fit = next((fit for fit in _FITS if fit in fits), None)
        took.texts = _ms(at)

    async def _question(self, mode: Mode, request: SearchRequest, said: Asked) -> tuple[_Question, list[Span]]:
        """And the characters of the query that something may answer."""
        if mode == "words":
            spans = [span for term in said.terms for span in term.spans]
            return _Question(query=request.query, text=None, mode=mode, typing=request.typing), spans
        text = request.query if mode == "meaning" else said.meaning
        rows = await asyncio.to_thread(self._desk.encode, text)
        own = [] if rows.spans is None else [Span(*map(int, span)) for span in rows.spans]
        beside = None if mode == "meaning" else request.query
        typing = request.typing and mode != "meaning"
        return _Question(query=rows, text=beside, mode=mode, typing=typing), own

    async def _ranked(self, question: _Question, request: SearchRequest, where: dict[str, Any] | None) -> _Ranked:
        """The first page by fit is explained at once: most of what is ranked is shown, and asking for it again would
        search twice."""
        last = request.offset + request.k
        files = last if request.sort == "fit" else _SORTED
        wanted = files + 1
        at_once = request.sort == "fit" and not request.offset
        while True:
            more: dict[str, Any] = {"explain": True, "passages": _PASSAGES} if at_once else {"passages": 1}
            hits = await question.ask(self._index, wanted, where=where, **more)
            groups = grouped(hits)
            if len(groups) > files or len(hits) < wanted:
                break
            wanted *= _MORE
            at_once = False
        of_best = None
        if request.sort != "fit":
            of_best = _SORTED if len(groups) > _SORTED else None
            groups = groups[:_SORTED]
            groups.sort(key=_ORDERS[request.sort])
        return _Ranked(
            groups=groups[request.offset : last],
            more=len(groups) > last,
            of_best=of_best,
            hits=hits,
            explained=at_once,
        )

    async def _explained(self, question: _Question, ids: list[str]) -> list[Hit]:
        if not ids:
            return []
        return await question.ask(self._index, len(ids), ids=ids, explain=True, passages=_PASSAGES)


def _with_its_words(hit: Hit, said: Asked | None) -> Hit:
    """A code or a name that no meaning fits is found by its letters: where every word stands, a text may fit. None:
    words do not count."""
    if said is None or hit.fit != "unlikely" or not said.terms or not hit.words:
        return hit
    text = (hit.text or "").casefold()
    stands = all(word.casefold() in text for term in said.terms for word in term.words)
    # With accents and such where it is shown: to fold all of a long text can take seconds.
    stands = stands or said.stands_in(" ".join(passage.text or "" for passage in hit.passages))
    return replace(hit, fit="maybe") if stands else hit


def _ms(since: float) -> float:
    return round((time.perf_counter() - since) * 1000, 2)
