"""Accents as TeX and roff write them, and the letters that come out."""

import unicodedata

_MARKS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328",
    "b": "\u0331", "t": "\u0361",
}  # fmt: skip
"""Of TeX: the command behind the backslash, and the mark that stands on the letter."""


def accented(mark: str, letter: str) -> str:
    """A letter with an accent. mark: as TeX names it; an unknown one changes nothing."""
    letter = {"\u0131": "i", "\u0237": "j"}.get(letter, letter)  # those without a dot stand there for the accent
    return unicodedata.normalize("NFC", letter[:1] + _MARKS.get(mark, "") + letter[1:]) if letter else ""


def is_accent(command: str) -> bool:
    """Whether a command of TeX puts something on a letter."""
    return command in _MARKS
