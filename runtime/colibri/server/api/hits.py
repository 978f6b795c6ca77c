"""What the index finds, as /v1/search answers it."""

from collections.abc import Callable

from colibri.index import Hit, Match, Mode, highlights
from colibri.model import Colibri
from colibri.server.api import answers
from colibri.server.api.index_messages import (
    Characters,
    Found,
    Passage,
    SearchRequest,
    TokenMatch,
)
from colibri.server.problems import invalid

_MOST_SPANS = 100


def wanted_count(asked: SearchRequest) -> int:
    """How many documents. Raises Problem where two fields say two things, or for too many."""
    if asked.k is not None and asked.top_n is not None and asked.k != asked.top_n:
        raise invalid("top_n", f"found {asked.top_n:,}, and k {asked.k:,}; send one of them")
    k = asked.k or asked.top_n or 10
    if asked.spans and k > _MOST_SPANS:
        field = "k" if asked.k is not None else "top_n"
        raise invalid("spans", f"wanted a {field} of at most {_MOST_SPANS} with them, found {k:,}")
    return k


def meaning_of(model: Colibri, mode: Mode) -> Callable[[str], float] | None:
    """What words mean to a model, for what is shown of hits; None where they were found by the query's very words."""
    return None if mode == "words" else model.word_weight


def found_of(hit: Hit, meaning: Callable[[str], float] | None, *, text: bool, spans: bool) -> Found:
    """A hit in an answer.

    meaning  see `highlights`. text: with its text. spans: with what answered the query, where that was asked for
    """
    # Words about the document have nothing to show in its text.
    shown = next((one for one in hit.passages if one.end > one.start), next(iter(hit.passages), None))
    words = None
    if spans and shown is not None and hit.text is not None:
        words = highlights(shown.matches, hit.text, meaning=meaning)
    return Found(
        id=hit.id,
        relevance_score=hit.score,
        normalised_score=hit.normalised,
        words_score=hit.words,
        fit=hit.fit,
        document=answers.RankedDocument(hit.text) if text and hit.text is not None else None,
        payload=hit.payload,
        highlights=None if words is None else [Characters(*word) for word in words],
        passages=[
            Passage(
                start=one.start,
                end=one.end,
                relevance_score=one.score,
                matches=[_match(match) for match in one.matches] if spans else None,
            )
            for one in hit.passages
        ],
    )


def _match(match: Match) -> TokenMatch:
    return TokenMatch(
        query=Characters(*match.query),
        document=Characters(*match.document),
        similarity=match.similarity,
        weight=match.weight,
        also=[Characters(*span) for span in match.also] or None,
    )
