"""What /v1/search asks of an index: which words, and whether they need a model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from colibri.index import Hit, Index, Mode
from colibri.index import asked as read
from colibri.model import Colibri
from colibri.server.api import answers
from colibri.server.api.hits import found_of, meaning_of, wanted_count
from colibri.server.api.index_messages import SearchAnswer, SearchRequest
from colibri.server.encoding import Encoded, encode
from colibri.server.problems import invalid
from colibri.server.work import Ticket
from colibri.stores import PointStore
from colibri.vectors import TokenVectors


@dataclass(frozen=True)
class Searched:
    """encoded: the query; None where no model was asked. mode: by what documents were found."""

    hits: list[Hit]
    mode: Mode
    encoded: Encoded | None

    @property
    def screened(self) -> bool:
        """Whether sign bits chose which passages were scored."""
        return any(hit.screened for hit in self.hits)


async def searched(
    index: Index | PointStore, model: Colibri, asked: SearchRequest, query: list[str], ticket: Ticket
) -> Searched:
    """The answer of an index. Raises Problem for words where there are none."""
    mode = await asyncio.to_thread(_possible, index, asked.mode or "meaning")
    options: dict[str, Any] = {
        "explain": bool(asked.spans),
        "passages": asked.passages or 3,
        "offset": asked.offset or 0,
        "min_score": asked.min_score,
    }
    if isinstance(index, Index):  # what a store elsewhere finds is exact
        options["exact"] = bool(asked.exact)
    if mode != "meaning":
        options |= {"mode": mode, "typing": bool(asked.typing)}
    encoded = None
    if mode != "words":
        left = query if mode == "meaning" else [read(query[0], typing=bool(asked.typing)).meaning]
        encoded = await encode(model, left, "query", index.dim, ticket, slice_texts=1)
        options |= {"text": query[0]} if mode == "both" else {}
    given = query[0] if encoded is None else encoded.slices[0]
    hits = await asyncio.to_thread(lambda: index.search(given, wanted_count(asked), asked.where, **options))
    return Searched(hits, mode, encoded)


def search_answer(index: Index, model: Callable[[], Colibri], asked: SearchRequest) -> SearchAnswer:
    """The answer of an index, found in this thread. model: loads it, where it is needed. Raises Problem 422."""
    query = asked.query if isinstance(asked.query, str) else asked.query.text
    spans, mode = bool(asked.spans), _possible(index, asked.mode or "meaning")
    rows: TokenVectors | None = None
    if (
        mode != "words"
        and (left := query if mode == "meaning" else read(query, typing=bool(asked.typing)).meaning).strip()
    ):
        rows = model().encode_queries([left], index.dim)
    hits = index.search(
        query if rows is None else rows,
        wanted_count(asked),
        asked.where,
        spans,
        passages=asked.passages or 3,
        offset=asked.offset or 0,
        min_score=asked.min_score,
        mode=mode,
        typing=bool(asked.typing),
        exact=bool(asked.exact),
        text=query if mode == "both" else None,
    )
    tokens = 0 if rows is None else len(rows.rows)
    given_back, meaning = asked.return_documents is not False, None if rows is None else meaning_of(model(), mode)
    return SearchAnswer(
        model=index.model_name,
        mode=mode,
        screened=any(hit.screened for hit in hits),
        usage=answers.Usage(tokens, tokens),
        results=[found_of(hit, meaning, text=given_back, spans=spans) for hit in hits],
    )


def _possible(index: Index | PointStore, wanted: Mode) -> Mode:
    """Meaning alone where both was wanted and there are no words: the answer says so."""
    if wanted == "meaning":
        return wanted
    why = index.why_no_words() if isinstance(index, Index) else "a collection elsewhere has none"
    if why is None:
        return wanted
    if wanted == "words":
        raise invalid("mode", f"found words, which this index has not: {why}")
    return "meaning"
