"""How much each word of a passage answered each word of a query."""

from collections.abc import Iterable, Mapping, Sequence

from colibri.explain import Match, Span, answering_words, whole_word
from colibri.ui.messages import Characters, Shade

_LEAST = 0.05
"""Share of the strongest answer below which nothing is to be seen."""


def query_words(query: str, spans: Sequence[Span]) -> list[Characters]:
    """The words that tokens of a query stand for, in order."""
    return [Characters(start=word.start, end=word.end) for word in sorted(set(words_of_tokens(query, spans).values()))]


def words_of_tokens(query: str, spans: Iterable[Span]) -> dict[Span, Span]:
    """Tokens of a query -> the words that they are of, without those that stand for nothing or for signs alone.

    Each is looked for once: that takes a while in a run of letters without a blank.
    """
    words = {span: whole_word(query, span) for span in set(spans) if span.end > span.start}
    return {span: word for span, word in words.items() if _says(query, word)}


def sums_of(
    asked: Mapping[Span, Span], text: str, start: int, end: int, found: Sequence[Match]
) -> dict[tuple[Span, Span], float]:
    """(word of the query, word of a text within [start, end)) -> what it adds to the score, where that is more than 0;
    where tokens were pooled, the words that the best row stands for share it.

    asked: the words of the query, by token. Words of a text are counted from `start`.
    """
    sums: dict[tuple[Span, Span], float] = {}
    for match in found:
        if match.query not in asked or match.weight <= 0:
            continue
        words = answering_words(text, match)
        for word in words:
            own = Span(max(word.start, start), min(word.end, end))
            if own.end > own.start and _says(text, own):
                key = (asked[match.query], Span(own.start - start, own.end - start))
                sums[key] = sums.get(key, 0.0) + match.weight / len(words)
    return sums


def shades(sums: dict[tuple[Span, Span], float], most: float) -> list[Shade]:
    """In the order of the text. most: the largest sum of all passages that are shown together."""
    if most <= 0:
        return []
    found = [
        Shade(query=(asked.start, asked.end), text=(own.start, own.end), score=round(min(weight / most, 1.0), 4))
        for (asked, own), weight in sums.items()
        if weight >= _LEAST * most
    ]
    return sorted(found, key=lambda one: (one.text, one.query))


def _says(text: str, span: Span) -> bool:
    return any(character.isalnum() for character in text[span.start : span.end])
