"""What a query asks of words: those that count, phrases that must be there, and what must not.

    red "exact phrase" -blue     documents that have the phrase and not blue; red makes them rank higher

Quotation marks may be typographic. A minus excludes at the beginning of a word alone: e-mail and --flag are words, and
so is all else that query languages know (AND, NEAR, *, ^, :). A quotation mark that nothing closes is no operator.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from colibri.errors import InputError
from colibri.index.storage.cutting import Word, is_spaceless, words_in, words_of
from colibri.index.storage.passage_words import SHARED
from colibri.span import Span

Mode = Literal["meaning", "words", "both"]
MODES: tuple[Mode, ...] = get_args(Mode)

_MOST = 256  # words of a query that are looked at

_OPEN, _CLOSE = '"“„‟«', '"”“‟»'
_PHRASE = re.compile(rf"(?:(?<![^\s(])-)?(?<!\w)[{_OPEN}]([^{_OPEN}{_CLOSE}]*)[{_CLOSE}](?!\w)")
_BEGUN = re.compile(rf"(?:(?<![^\s(])-)?(?<!\w)[{_OPEN}]([^{_OPEN}{_CLOSE}]*)$")
_MINUS = re.compile(r"(?<![^\s(])-(?=[^\s-])(\S+)")


@dataclass(frozen=True)
class Phrase:
    """Words that stand one after the other; often one.

    prefix  whether the last one may go on
    spans   the characters of each in the query
    """

    words: tuple[str, ...]
    prefix: bool = False
    spans: tuple[Span, ...] = ()

    @property
    def match(self) -> str:
        """For FTS5. Words hold letters and digits alone."""
        return f'"{" ".join(self.words)}"{" *" if self.prefix else ""}'


@dataclass(frozen=True)
class Asked:
    """A query of words.

    meaning   the query for an encoder: operators and what they exclude are blanks, so that characters stay in their
              places
    terms     what makes a passage rank higher, those of `required` among them
    required  what documents must have. excluded: what they must not have
    """

    query: str
    meaning: str
    terms: tuple[Phrase, ...]
    required: tuple[Phrase, ...] = ()
    excluded: tuple[Phrase, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to look for: no word, or only such as must not be there."""
        return not self.meaning.strip()

    @property
    def narrows(self) -> bool:
        """Whether documents are left out."""
        return bool(self.required or self.excluded)

    def stands_in(self, text: str) -> bool:
        """Whether each of the words that are wanted stands in a text, in whatever case and with whatever accents, also
        as a part of a longer one."""
        cut = words_of(text) if self.terms else ""
        return bool(self.terms) and all(word in cut for term in self.terms for word in term.words)


def checked_mode(found: object) -> Mode:
    """One of the three. Raises InputError."""
    for known in MODES:
        if found == known:
            return known
    raise InputError(f"mode: found {found!r}, wanted {', '.join(MODES[:-1])} or {MODES[-1]}")


def asked(query: str, *, typing: bool = False) -> Asked:
    """A query, read. typing: whether its last word is not written to its end, nor a phrase closed."""
    left = list(query)
    required: list[Phrase] = []
    excluded: list[Phrase] = []

    def take(match: re.Match[str], *, goes_on: bool = False) -> None:
        """A phrase or an exclusion out of what is left."""
        minus = match[0].startswith("-")
        found = _phrase(query, *match.span(1), goes_on=goes_on and not minus)
        kept = not minus or found is None  # a minus before no word is none
        for at in range(*match.span()):
            if not kept or not match.start(1) <= at < match.end(1):
                left[at] = " "
        if found is not None:
            (excluded if minus else required).append(found)

    for match in _PHRASE.finditer(query):
        take(match)
    if typing and (begun := _BEGUN.search("".join(left))):
        take(begun, goes_on=True)
    for match in _MINUS.finditer("".join(left)):
        take(match)
    meaning = "".join(left)
    loose = list(meaning)
    for phrase in required:
        for span in phrase.spans:
            loose[span.start : span.end] = " " * (span.end - span.start)
    terms = [*(part for phrase in required for part in parts_of(phrase)), *_terms("".join(loose), goes_on=typing)]
    kept = {(term.words, term.prefix): term for term in reversed(terms)}
    return Asked(query, meaning, tuple(reversed(kept.values())), tuple(required), tuple(excluded))


def parts_of(phrase: Phrase) -> list[Phrase]:
    """A phrase so that each part of it is whole in one passage."""
    most = SHARED + 1
    starts = range(0, len(phrase.words), most)
    return [
        Phrase(phrase.words[at : at + most], phrase.prefix and at == starts[-1], phrase.spans[at : at + most])
        for at in starts
    ]


def _phrase(query: str, start: int, end: int, *, goes_on: bool) -> Phrase | None:
    found = [Word(w, s + start, e + start) for w, s, e in words_in(query[start:end])]
    if not found:
        return None
    begins = is_single(found)
    if not begins and is_spaceless(found[-1].word) and len(found[-1].word) == 1:
        found.pop()  # the end of a run, which may go on in a document
    prefix = begins or (goes_on and found[-1].end == len(query))
    return Phrase(tuple(w.word for w in found), prefix, tuple(Span(w.start, w.end) for w in found))


def is_single(found: Sequence[Word]) -> bool:
    """Whether words end with a run of a single character, which any pair may begin with."""
    last = found[-1]
    if not is_spaceless(last.word) or len(last.word) > 1:
        return False
    return len(found) < 2 or not is_spaceless(found[-2].word) or found[-2].end <= last.start


def _terms(text: str, *, goes_on: bool) -> list[Phrase]:
    found = words_in(text)
    terms = []
    for i, word in enumerate(found[:_MOST]):
        single = is_spaceless(word.word) and len(word.word) == 1
        if single and not is_single(found[: i + 1]):
            continue
        ends = goes_on and word.end == len(text)
        terms.append(Phrase((word.word,), single or ends, (Span(word.start, word.end),)))
    return terms
