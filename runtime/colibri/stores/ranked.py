"""From the best points to the best documents, as `Index.search` gives them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from colibri.artefact import Manifest, bounds, fit_of
from colibri.errors import StoreDamaged
from colibri.explain import Match, matches
from colibri.index import Hit, PassageHit, part_of
from colibri.stores.engine import Ask, Engine
from colibri.stores.filters import ID, Condition
from colibri.stores.points import Found, further_spans, point_id, restored, token_spans
from colibri.vectors import TokenVectors

log = logging.getLogger(__name__)

_MOST_MORE = 4  # times the limit of a question whose points were of too few documents


@dataclass(frozen=True, eq=False, kw_only=True)
class Wanted:
    """What a search gives back: k documents behind the first `offset`, whose `normalised` is at least `min_score`."""

    k: int
    passages: int
    explain: bool
    offset: int = 0
    min_score: float | None = None
    manifest: Manifest | None = None
    """Of the model, whose cutoffs say what fits a query."""
    dim: int = 0

    @property
    def documents(self) -> int:
        """How many are ranked for that."""
        return self.offset + self.k

    @property
    def first_limit(self) -> int:
        """Points asked for at first: some documents have several among the best."""
        return self.documents + min(self.documents, 20)


def ranked(engine: Engine, asks: Sequence[Ask], queries: Sequence[TokenVectors], wanted: Wanted) -> list[list[Hit]]:
    """The k best documents for each question. asks: with `first_limit`; queries: the same, for explanations."""
    found = engine.query(asks)
    return [
        _Ranking(engine, ask, query, wanted).hits(points)
        for ask, query, points in zip(asks, queries, found, strict=True)
    ]


class _Ranking:
    """One question's."""

    def __init__(self, engine: Engine, ask: Ask, query: TokenVectors, wanted: Wanted) -> None:
        self._engine = engine
        self._ask = ask
        self._query = query
        self._wanted = wanted

    def hits(self, points: list[Found]) -> list[Hit]:
        limit = self._ask.limit
        while True:
            groups = _grouped(points, limit)
            best = dict(list(groups.items())[: self._wanted.documents])
            heads = self._heads(best)
            whole = {name: own for name, own in best.items() if name in heads}
            if len(whole) >= self._wanted.documents or len(points) < limit:
                break
            limit *= _MOST_MORE
            points = self._engine.query([replace(self._ask, limit=limit)])[0]
        if gone := [name for name in best if name not in heads]:
            log.warning("%s: without its first passage, left out; `upsert` it again", ", ".join(map(repr, gone)))
        shown = self._shown(whole)
        self._complete(shown, exhausted=len(points) < limit)
        return [self._hit(heads[name], own) for name, own in shown.items()]

    def _shown(self, whole: Mapping[str, list[Found]]) -> dict[str, list[Found]]:
        """Those that are given back, of the best."""
        least, total = self._wanted.min_score, self._total
        good = [(name, own) for name, own in whole.items() if least is None or own[0].score / total >= least]
        return dict(good[self._wanted.offset : self._wanted.documents])

    @property
    def _total(self) -> float:
        """What `normalised` divides by."""
        return self._query.weight or 1.0

    def _heads(self, best: Mapping[str, list[Found]]) -> dict[str, Found]:
        """The first passage of each document, which holds its text; not of those that are not whole."""
        found = {name: one for name, own in best.items() for one in own if one.passage == 0}
        lacking = [point_id(name, 0) for name in best if name not in found]
        if lacking:
            found |= {one.document: one for one in self._engine.retrieve(lacking)}
        return found

    def _complete(self, best: dict[str, list[Found]], *, exhausted: bool) -> None:
        """Score what is left of documents that show fewer passages than they should."""
        lacking = {
            name: own[0].passages
            for name, own in best.items()
            if not exhausted and len(own) < min(self._wanted.passages, own[0].passages)
        }
        if not lacking:
            return
        these: Condition = {"key": ID, "match": {"any": list(lacking)}}
        ask = replace(self._ask, condition=these, limit=sum(lacking.values()), prefetch=())
        again = _grouped(self._engine.query([ask])[0], ask.limit)
        for name, own in again.items():
            if name in best and len(own) > len(best[name]):
                best[name] = own

    def _hit(self, head: Found, own: list[Found]) -> Hit:
        within = bounds(self._wanted.manifest, self._wanted.dim, self._query.weight)
        text, payload = restored(head)
        shown = tuple(
            PassageHit(
                one.span.start, one.span.end, one.score, self._matches(one), part_of(text, one.span.start, one.span.end)
            )
            for one in own[: self._wanted.passages]
        )
        fit = fit_of(within, own[0].score)
        return Hit(head.document, own[0].score, own[0].score / self._total, text, payload, shown, fit=fit)

    def _matches(self, found: Found) -> tuple[Match, ...]:
        if not self._wanted.explain:
            return ()
        rows = found.vectors.get(self._ask.using)
        if rows is None:
            raise StoreDamaged(f"{found.document!r}: the answer lacks its rows", (found.document,))
        docs = TokenVectors(rows, np.array([0, len(rows)], np.int64))
        return matches(self._query, docs, 0, token_spans(found, len(rows)), further_spans(found, len(rows)))


def _grouped(points: Iterable[Found], limit: int) -> dict[str, list[Found]]:
    """Points by their documents, both best first."""
    found: dict[str, list[Found]] = {}
    for point in list(points)[:limit]:
        found.setdefault(point.document, []).append(point)
    return found
