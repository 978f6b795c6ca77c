"""Why a document scored as it did: which of its characters answered each token of the query, and how well."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from colibri.errors import InputError, InputTypeError
from colibri.scoring import BestTokens, best_tokens, best_tokens_picked
from colibri.vectors import Span, Spans, TokenVectors

__all__ = ["Match", "Span", "highlights", "matches", "whole_word"]


@dataclass(frozen=True)
class Match:
    """Which characters answered a token of the query.

    query        the query token's characters in the query, (0, 0) for markers and mask tokens
    document     the best token's characters in the document's text, (0, 0) where a token stands for no text
    similarity   their dot product (cosine, for unit rows)
    weight       what it adds to the score: the similarity times the query token's weight
    also         where tokens were pooled (`TokenVectors.pooled`), the other characters of the text that the best row
                 stands for, as much as for `document`, in order
    """

    query: Span
    document: Span
    similarity: float
    weight: float
    also: tuple[Span, ...] = ()

    @property
    def answers(self) -> tuple[Span, ...]:
        """All characters of the text that the best row stands for; none where it stands for no text."""
        return tuple(span for span in (self.document, *self.also) if span.end > span.start)


_NOWHERE = Span(0, 0)
_NO_SPACE = re.compile(r"\S+")
_LONGEST_WORD = 256


def matches(
    query: TokenVectors, docs: TokenVectors, place: int, spans: Spans | None, more: Spans | None = None
) -> tuple[Match, ...]:
    """One Match for each token of a query (TokenVectors of one text), against document `place` of docs.

    spans  (tokens, 2) int32, the characters behind each of the document's tokens; None: nobody knows
    more   (further, 3) int32, what else its rows stand for, as `TokenVectors.more_spans`; None: nothing

    Times the query's weights, similarities summed in `colibri.scoring.meaning`'s order are the score.
    """
    found = best_tokens(query[0], docs, [place])
    return next(_told(query, found, [(spans, more)]))


def all_matches(
    query: TokenVectors, passages: Sequence[tuple[TokenVectors, int, Spans | None, Spans | None]]
) -> list[tuple[Match, ...]]:
    """`matches` of several, of integer rows: for each docs, place, spans and more. What is asked of a query is asked
    once."""
    if not passages:
        return []
    found = best_tokens_picked(query[0], [(docs, place) for docs, place, _, _ in passages])
    return list(_told(query, found, [(spans, more) for _, _, spans, more in passages]))


def _told(
    query: TokenVectors, found: BestTokens, spans: Sequence[tuple[Spans | None, Spans | None]]
) -> Iterator[tuple[Match, ...]]:
    """For each passage, its best tokens as matches; spans: of its tokens, and further ones."""
    weights = np.ones(len(query.rows), np.float32) if query.weights is None else query.weights
    count = len(query.rows)
    asked = [_NOWHERE] * count if query.spans is None else [Span(*span) for span in query.spans.tolist()]
    weighted = (found.similarities * weights).tolist()
    for (own, more), tokens, similarities, adds in zip(
        spans, found.tokens, found.similarities.tolist(), weighted, strict=True
    ):
        there = [_NOWHERE] * count if own is None else [Span(*span) for span in own[tokens].tolist()]
        also: list[tuple[Span, ...]] = [()] * count
        if more is not None:
            also = [tuple(Span(*span) for span in more[more[:, 0] == token, 1:].tolist()) for token in tokens.tolist()]
        yield tuple(map(Match, asked, there, similarities, adds, also))


def highlights(
    found: Sequence[Match], text: str, share: float = 0.3, meaning: Callable[[str], float] | None = None
) -> list[Span]:
    """What to show in bold: whole words of `text` that matter most to the score, in order, none overlapping.

    found  a passage's `matches`, of a search with explain=True
    text   the document's, whole: `hit.text`; `Hit.highlights` takes both from the hit
    share  0 to 1, of the largest sum
    meaning  how much a word means on its own, 0 to 1, as `Colibri.word_weight` knows for models that were taught it;
             what is below 0.5, such as "the", is left out though the query's tokens found it

    Each token of the query that stands for text gives its weight to the word its best token lies in; where tokens were
    pooled, in equal parts to the words that its best row stands for. Words with at least `share` of the largest sum are
    kept; punctuation only where nothing else answers.

        passage = hit.passages[0]
        bold = [hit.text[start:end] for start, end in highlights(passage.matches, hit.text)]

    Raises InputTypeError for what is no match or no text, InputError for matches that lie beyond the text, which then
    is another one or a part, and for a share that is none.
    """
    least_share = _checked_share(share)
    sums: dict[Span, float] = {}
    for match in _checked(found, text):
        if match.query.end > match.query.start:
            words = answering_words(text, match)
            for word in words:
                # In parts: with all of it for each, twice as many words were bold as of rows that are not pooled
                # (benchmarks/NOTES.md).
                sums[word] = sums.get(word, 0.0) + max(match.weight, 0.0) / len(words)
    sums = _telling(sums, text, meaning)
    least = least_share * max(sums.values(), default=0.0)
    kept = sorted(word for word, weight in sums.items() if weight >= least and weight > 0)
    merged: list[Span] = []
    for word in kept:
        if merged and word.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, word.end))
        else:
            merged.append(word)
    return merged


def _telling(sums: dict[Span, float], text: str, meaning: Callable[[str], float] | None) -> dict[Span, float]:
    """Without punctuation and words that mean little, as long as anything is left."""
    words = {word: weight for word, weight in sums.items() if any(c.isalnum() for c in text[word.start : word.end])}
    if meaning is not None:
        # Of the words shown for 125 questions in five languages that have articles and such, 51 were those; with this
        # 16, and of the question's own words that the text has 215 are shown where 220 were (benchmarks/NOTES.md).
        words = {word: weight for word, weight in words.items() if meaning(text[word.start : word.end]) >= 0.5} or words
    return words or sums


def _checked_share(share: object) -> float:
    if isinstance(share, bool) or not isinstance(share, int | float | np.integer | np.floating):
        raise InputTypeError(f"share: found {type(share).__name__}, wanted a number from 0 to 1")
    if not 0 <= share <= 1:
        raise InputError(f"share: found {share!r}, wanted a number from 0 to 1")
    return float(share)


def _checked(found: object, text: object) -> Sequence[Match]:
    """Matches of this text."""
    if not isinstance(text, str):
        raise InputTypeError(f"text: found {type(text).__name__}, wanted the document's text")
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        raise InputTypeError(f"matches: found {type(found).__name__}, wanted a passage's `matches`")
    for i, match in enumerate(found):
        if not isinstance(match, Match):
            raise InputTypeError(f"matches[{i}]: found {type(match).__name__}, wanted a colibri.explain.Match")
        for start, end in (match.document, *match.also):
            if 0 <= start <= end <= len(text):
                continue
            raise InputError(
                f"matches[{i}]: characters {start} to {end} of a text of {len(text):,}; wanted the whole text of the "
                "document that was found, `hit.text`"
            )
    return found


def whole_word(text: str, span: Span) -> Span:
    """The span, reaching to the ends of the words it begins and ends in. Scripts without spaces keep their tokens, and
    so do runs of more than 256 letters and digits, which are data and no words."""
    start, end = span
    # Each token of a question walks to the ends of its word: 512 of them over 10,000 letters took 18 s.
    first, last = max(0, start - _LONGEST_WORD), min(len(text), end + _LONGEST_WORD)
    while start > first and _joins(text[start - 1]) and _joins(text[start]):
        start -= 1
    while end < last and _joins(text[end]) and _joins(text[end - 1]):
        end += 1
    whole = Span(start, end)
    return span if end - start > _LONGEST_WORD and whole != span else whole


def answering_words(text: str, match: Match) -> list[Span]:
    """The words of a text that answer a token of the query, each once, in order. One, but where tokens were pooled."""
    found = set()
    for start, end in match.answers:
        for one in _NO_SPACE.finditer(text[start:end]):  # tokens that follow each other are one span
            found.add(whole_word(text, Span(start + one.start(), start + one.end())))
    return sorted(found)


def _joins(character: str) -> bool:
    """Whether it belongs to a word: letters, their marks, and digits, but not of scripts that write without spaces."""
    if "\u0e00" <= character <= "\u0eff" or "\u3040" <= character <= "\u9fff":
        return False
    return character.isalnum() or unicodedata.category(character)[0] == "M"
