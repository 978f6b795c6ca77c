"""A hit of the index as /v1/search answers it."""

from colibri.index import Hit, Match, highlights
from colibri.server.api import answers
from colibri.server.api.index_messages import Characters, Found, Passage, TokenMatch


def found_of(hit: Hit, *, text: bool, spans: bool) -> Found:
    """A hit in an answer. text: with its text. spans: with what answered the query, where that was asked for."""
    words = highlights(hit.passages[0].matches, hit.text) if spans and hit.passages and hit.text is not None else None
    return Found(
        id=hit.id,
        relevance_score=hit.score,
        normalised_score=hit.normalised,
        fit=hit.fit,
        words_score=hit.words,
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
    )
