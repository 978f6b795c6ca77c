"""Texts as words for SQLite's FTS5: folded, and runs of scripts without spaces cut into pairs of characters.

A word is a run of letters and digits. Case and accents are folded (Straße, ÉCOLE, Łódź: strasse, ecole, lodz), marks
that carry vowels are kept (Hindi, Thai). A run of Chinese, Japanese, Thai, Lao, Khmer or Burmese characters ABC becomes
AB BC C: a phrase of pairs is found wherever its characters stand, and a single character begins some word.

FTS5 deletes from a contentless table by the very words that were indexed, so a text must be cut the same by every
program that will ever open the index. Characters are therefore told apart by Unicode 3.2, which every Python carries
unchanged, and by the ranges below; and FTS5 gets words between spaces, for its tokenizer `ascii`, which leaves all
beyond ASCII alone, where `unicode61` knows more with every version of SQLite.
"""

import re
import unicodedata
from typing import NamedTuple

LONGEST = 256
"""Characters of a word; of a longer one the first so many count."""

_OLD = unicodedata.ucd_3_2_0
_SPACELESS = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3041-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uaa60-\uaa7f\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_SPACELESS}]+")
_Ranges = tuple[tuple[int, int], ...]

_NEW_MARKS: _Ranges = (
    *((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F)),
    (0xE0000, 0xE0FFF),
)
"""What stands on a letter or says how it is drawn, later than Unicode 3.2 too; dropped."""
_NEW_SIGNS: _Ranges = ((0x2000, 0x2BFF), (0x2E00, 0x2E7F), (0x2FF0, 0x2FFF), (0xFE10, 0xFE1F), (0x1F000, 0x1FAFF))
"""Punctuation, currencies and pictures, later than Unicode 3.2 too."""
_NEW_CASED: _Ranges = (
    *((0x23F, 0x24F), (0x370, 0x3FF), (0x500, 0x52F), (0x10A0, 0x10FF), (0x13A0, 0x13FF), (0x1C90, 0x1CBF)),
    *((0x1E9E, 0x1E9E), (0x2C00, 0x2DFF), (0xA640, 0xA69F), (0xA722, 0xA7CA), (0xAB53, 0xABBF), (0x104B0, 0x104FF)),
    *((0x10C80, 0x10CFF), (0x118A0, 0x118DF), (0x16E40, 0x16E7F), (0x1E900, 0x1E943)),
)
"""Letters with two cases that came after Unicode 3.2 and before 14, which Python 3.11 has."""
_DROPPED = {0xAD, 0x640, 0x180E}  # a hyphen of the end of a line, what stretches Arabic, what joins Mongolian
_APART = {0x200B}  # where words of Thai or Khmer end, if somebody said so
_LIKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"})
_LIKE |= str.maketrans({"ð": "d", "ŋ": "n", "ĸ": "k", "ſ": "s"})


class Word(NamedTuple):
    """A word of a text and its characters there; those of a pair are the pair's."""

    word: str
    start: int
    end: int


class _Table(dict[int, str]):
    """What becomes of a character: nothing, a space, or folded letters; each looked up once."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _folded(code)
        return found


def words_of(text: str) -> str:
    """The words of a text, between spaces, in order."""
    folded = text.translate(_TABLE)
    if not folded.isascii():
        folded = _RUN.sub(_pairs, _OLD.normalize("NFC", folded))
    found = folded.split()
    return " ".join([word[:LONGEST] for word in found] if len(folded) > LONGEST else found)


def words_in(text: str) -> list[Word]:
    """The same with where they stand: slower, for queries and for what is shown."""
    found: list[Word] = []
    for start, end in _runs(text):
        words = words_of(text[start:end]).split()
        one = _RUN.search(words[0]) is None if words else True
        pairs = not one and len(words) == end - start
        for i, word in enumerate(words):
            found.append(Word(word, start + i, min(start + i + 2, end)) if pairs else Word(word, start, end))
    return found


def is_spaceless(word: str) -> bool:
    """Whether it is of a script that puts no spaces between words."""
    return _RUN.match(word) is not None


def word_begin(text: str, at: int) -> int:
    """Where the word begins that characters before and behind `at` belong to; `at` where it is between words."""
    least = max(0, at - LONGEST)
    while at > least and _joined(text, at):
        at -= 1
    return at


def word_end(text: str, at: int) -> int:
    """The same for its end."""
    most = min(len(text), at + LONGEST)
    while at < most and _joined(text, at):
        at += 1
    return at


def _joined(text: str, at: int) -> bool:
    """Whether the characters before and behind a place are of one word. In runs without spaces any place is an end."""
    if not 0 < at < len(text):
        return False
    before, behind = _TABLE[ord(text[at - 1])], _TABLE[ord(text[at])]
    if " " in before or " " in behind:
        return False
    return not (is_spaceless(before) or is_spaceless(behind))


def _runs(text: str) -> list[tuple[int, int]]:
    """Characters that stand together and are all of one kind: words, or runs of a script without spaces."""
    found: list[tuple[int, int]] = []
    begin, kind = 0, ""
    for at, character in enumerate(text):
        value = _TABLE[ord(character)]
        if not value:  # belongs to what it stands in
            continue
        own = "gap" if value == " " else "own" if " " in value else "run" if is_spaceless(value) else "word"
        if own != kind or own == "own":
            if kind not in {"", "gap"}:
                found.append((begin, at))
            begin, kind = at, own
    if kind not in {"", "gap"}:
        found.append((begin, len(text)))
    return found


def _pairs(run: re.Match[str]) -> str:
    text = run[0]
    return f" {' '.join([text[i : i + 2] for i in range(len(text))])} "


def _folded(code: int) -> str:
    character = chr(code)
    if code in _APART:
        return " "
    kind = _OLD.category(character)
    if code in _DROPPED or kind in {"Cf", "Me"} or _within(code, _NEW_MARKS):
        return ""
    if kind == "Cn":
        if _within(code, _NEW_SIGNS):
            return " "
        return character.casefold() if _within(code, _NEW_CASED) else character
    if kind[0] in "CZPS" and kind != "Co":
        return " "
    apart = _OLD.normalize("NFKD", "".join(map(str.casefold, _OLD.normalize("NFKD", character))))
    kept = "".join(map(_letter, apart.translate(_LIKE)))
    return f" {kept} " if " " in kept else kept


def _letter(character: str) -> str:
    """A part of a character: a letter, a digit, a mark that is more than an accent; else nothing or a space."""
    kind, place = _OLD.category(character), _OLD.combining(character)
    if kind[0] == "M":
        # Over, under or through a letter, or the vowel points of Hebrew and Arabic; what is left are vowels and tones.
        return "" if place >= 200 or place == 1 or 10 <= place <= 36 else character
    return character if kind[0] in "LN" or kind == "Co" else " "


def _within(code: int, ranges: _Ranges) -> bool:
    return any(first <= code <= last for first, last in ranges)


_TABLE = _Table()
