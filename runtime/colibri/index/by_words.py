"""Passages by their words: which ones FTS5 finds, how well, and which documents have a phrase."""

import re
import sqlite3
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colibri.explain import Match
from colibri.index.asking import Asked, Phrase, parts_of
from colibri.index.storage import words
from colibri.index.storage.catalogue import SEGMENT_SHIFT
from colibri.index.storage.cutting import Word, words_in, words_of
from colibri.index.storage.passage_words import SHARED
from colibri.vectors import Offsets, Span

FREQUENT = 0.05
"""Share of passages from which on a word is not asked for, unless all are so frequent: at 100,000 passages an OR of all
words takes seven times as long as one of the rare ones, for the same gain (benchmarks/NOTES.md)."""
ALWAYS = 2_000  # passages: to look at so many takes a millisecond, and a small index has no frequent words
MOST_ROWS = 200
"""Passages that words bring to a ranking."""
_MOST_TERMS = 32  # the rarest of a long query
_MOST_ENDINGS = 1_000  # words that begin alike; more of them are as good as a frequent one
_ONE_BY_ONE = 500  # rows; of more, all documents' numbers are read at once
_LISTED = 5  # chosen passages whose rows are listed in the time that one row takes to be looked up
_SLOTS_AT_ONCE = 500
_PLACE = (1 << SEGMENT_SHIFT) - 1

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """A passage that has some of the words.

    document, first, passages  its document, as the catalogue has it
    slot                       its own
    score                      BM25, from 0 on
    """

    document: int
    first: int
    passages: int
    slot: int
    score: float


def found(
    connection: sqlite3.Connection,
    asked: Asked,
    passages: int,
    chosen: dict[int, Offsets] | None,
    *,
    documents: int | None = None,
) -> list[Found]:
    """The best passages, best first.

    passages   how many there are in all
    chosen     segment -> places of those that may be found, rising; None: all
    documents  of how many documents, where there are so many, and their passages before the next one's; None: the best
               MOST_ROWS passages
    """
    expression = _expression(connection, asked, passages, alone=documents is not None)
    if expression is None:
        return []
    most = f" LIMIT {MOST_ROWS}" if chosen is None and documents is None else ""
    rows = connection.execute(f"SELECT rowid, rank FROM words WHERE words MATCH ? ORDER BY rank{most}", (expression,))
    shift = words.shift_of(connection)
    own = None if chosen is None else _rows_of(connection, chosen, passages, shift)
    kept: list[Found] = []
    owners: set[int] = set()
    for number, rank in rows:
        if own is not None and number not in own:
            continue
        one = _placed(connection, number, shift, -rank)
        if one is None or not _is_chosen(one.slot, chosen):
            continue
        kept.append(one)
        owners.add(one.document)
        if (len(owners) > documents) if documents is not None else (len(kept) >= MOST_ROWS):
            break
    return kept


def _expression(connection: sqlite3.Connection, asked: Asked, passages: int, *, alone: bool) -> str | None:
    """What FTS5 is asked; None: no word of the query stands anywhere, or none that says something.

    alone: whether nothing but words is asked, so that the beginning of a word that is being typed counts however many
    words begin so. Beside a meaning it would say nothing, and "wh" stands in 73,000 of 100,000 passages: 0.3 s.
    """
    counted = [(count, term) for term in asked.terms if (count := _count(connection, term))]
    most = max(FREQUENT * passages, ALWAYS)
    needed = {part.words for phrase in asked.required for part in parts_of(phrase)}
    rare = [pair for pair in counted if pair[0] <= most or pair[1].words in needed]
    rare = rare or [pair for pair in counted if alone or not pair[1].prefix]
    rare.sort(key=lambda pair: pair[0])
    return " OR ".join(term.match for _, term in rare[:_MOST_TERMS]) or None


def _count(connection: sqlite3.Connection, term: Phrase) -> int:
    """In how many passages a term stands at most."""
    whole, last = term.words[:-1] if term.prefix else term.words, term.words[-1]
    counts = [_of_word(connection, word) for word in whole]
    if term.prefix:
        counts.append(_of_beginning(connection, last))
    return min(counts)


def _of_word(connection: sqlite3.Connection, word: str) -> int:
    row = connection.execute("SELECT doc FROM temp.terms WHERE term = ?", (word,)).fetchone()
    return 0 if row is None else int(row[0])


def _of_beginning(connection: sqlite3.Connection, beginning: str) -> int:
    end = beginning + "\U0010ffff"
    total, endings = connection.execute(
        "SELECT coalesce(sum(doc), 0), count(*) FROM "
        "(SELECT doc FROM temp.terms WHERE term >= ? AND term <= ? LIMIT ?)",
        (beginning, end, _MOST_ENDINGS),
    ).fetchone()
    return 1 << 40 if endings == _MOST_ENDINGS else int(total)


def _placed(connection: sqlite3.Connection, number: int, shift: int, score: float) -> Found | None:
    """The passage of a row; None for one that there is no more of."""
    row = connection.execute(
        "SELECT number, first, passages FROM documents WHERE number <= ? ORDER BY number DESC LIMIT 1",
        (number >> shift,),
    ).fetchone()
    if row is None or not all(isinstance(value, int) for value in row):
        return None
    document, first, passages = row
    place = number - (document << shift)
    return Found(document, first, passages, first + place, max(score, 0.0)) if place < passages else None


def _rows_of(
    connection: sqlite3.Connection, chosen: dict[int, Offsets], passages: int, shift: int
) -> Container[int] | None:
    """The rows of chosen passages in `words`; None where it is cheaper to look up each row that is found.

    Looking one up takes 15 us, and of n chosen ones among all passages some MOST_ROWS * passages / n are; to list the
    chosen takes 3 us each.
    """
    count = sum(map(len, chosen.values()))
    if count * count > MOST_ROWS * _LISTED * passages:
        return None
    slots = [(segment << SEGMENT_SHIFT) + place for segment, places in chosen.items() for place in places.tolist()]
    own: set[int] = set()
    for at in range(0, len(slots), _SLOTS_AT_ONCE):
        some = slots[at : at + _SLOTS_AT_ONCE]
        rows = connection.execute(
            "SELECT d.number, p.slot - d.first FROM passages AS p JOIN documents AS d ON d.number = p.document "
            f"WHERE p.slot IN ({', '.join('?' * len(some))})",
            some,
        )
        own.update((number << shift) + place for number, place in rows if isinstance(number, int))
    return own


def _is_chosen(slot: int, chosen: dict[int, Offsets] | None) -> bool:
    if chosen is None:
        return True
    places = chosen.get(slot >> SEGMENT_SHIFT)
    if places is None:
        return False
    at = int(np.searchsorted(places, slot & _PLACE))
    return at < len(places) and int(places[at]) == slot & _PLACE


def having(connection: sqlite3.Connection, phrase: Phrase) -> Numbers:
    """The numbers of documents that have a phrase, rising."""
    shift = words.shift_of(connection)
    most = SHARED + 1
    if len(phrase.words) <= most:
        return _documents_of(connection, phrase, shift)
    # A long phrase may lie in two passages: its parts are in the document, and its text says the rest.
    parts = [phrase.words[at : at + most] for at in range(len(phrase.words) - most + 1)]
    kept: set[int] | None = None
    for i, part in enumerate(parts):
        own = Phrase(part, phrase.prefix and i == len(parts) - 1)
        some = set(_documents_of(connection, own, shift).tolist())
        kept = some if kept is None else kept & some
    return np.array(sorted(n for n in kept or () if _has(connection, n, phrase)), np.int64)


def _has(connection: sqlite3.Connection, number: int, phrase: Phrase) -> bool:
    """Whether a document has a phrase, by its text and the words about it."""
    found = words.whole(connection, number)
    if found is None:
        return False
    text, payload, _ = found
    wanted = re.compile(rf"(?:^| ){re.escape(' '.join(phrase.words))}{'' if phrase.prefix else '(?: |$)'}")
    shown = "" if text is None else text.decode("utf-8", "surrogatepass")
    return any(wanted.search(words_of(one)) for one in (shown, words.about_of(payload)))


def _documents_of(connection: sqlite3.Connection, phrase: Phrase, shift: int) -> Numbers:
    rows = connection.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid", (phrase.match,))
    keys = np.unique(np.fromiter((number >> shift for (number,) in rows), np.int64))
    if len(keys) <= _ONE_BY_ONE:
        found = (
            connection.execute("SELECT max(number) FROM documents WHERE number <= ?", (key,)).fetchone()[0]
            for key in keys.tolist()
        )
        return np.unique(np.array([number for number in found if number is not None], np.int64))
    everyone = np.fromiter(_numbers(connection), np.int64)
    places = np.searchsorted(everyone, keys, "right") - 1
    return np.unique(everyone[places[places >= 0]])


def _numbers(connection: sqlite3.Connection) -> Iterator[int]:
    for (number,) in connection.execute("SELECT number FROM documents ORDER BY number"):
        yield number


def matches(asked: Asked, text: str, start: int, end: int) -> tuple[Match, ...]:
    """Where the query's words stand in a passage, a Match for each: of similarity 1."""
    cut = words_in(text[start:end])
    shown: dict[int, list[Match]] = {}
    for term in asked.terms:
        for at in range(len(cut) - len(term.words) + 1):
            own = cut[at : at + len(term.words)]
            if not _is(own, term):
                continue
            for place, (span, word) in enumerate(zip(term.spans, own, strict=True), at):
                there = Span(start + word.start, start + word.end)
                shown.setdefault(place, []).append(Match(span, there, 1.0, 1.0))
    return tuple(match for place in sorted(shown) for match in shown[place])


def _is(found: Sequence[Word], term: Phrase) -> bool:
    same = all(word.word == wanted for word, wanted in zip(found[:-1], term.words[:-1], strict=True))
    last, wanted = found[-1].word, term.words[-1]
    return same and (last.startswith(wanted) if term.prefix else last == wanted)


def in_order(rows: Sequence[Found]) -> dict[int, list[Found]]:
    """Document -> its passages among some, best first, in the order of the best."""
    kept: dict[int, list[Found]] = {}
    for row in rows:
        kept.setdefault(row.document, []).append(row)
    return kept
