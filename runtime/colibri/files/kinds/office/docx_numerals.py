"""Numerals of lists: 1, 01, a, A, i, I, 1st and 一; whatever else a list counts with is shown as 1."""

from collections.abc import Callable

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_MOST_ROMAN = 3_999
_MOST_LETTERS = 26 * 4  # "dddd": from there on as a number
_HAN = "〇一二三四五六七八九"
_HAN_FORMS = (
    "chineseCounting", "chineseCountingThousand", "taiwaneseCounting", "taiwaneseCountingThousand", "japaneseCounting",
    "ideographDigital", "taiwaneseDigital", "japaneseDigitalTenThousand", "koreanDigital2",
)  # fmt: skip


def numeral(number: int, form: str) -> str:
    """form: of w:numFmt."""
    make = _FORMS.get(form, str)
    return make(number) if number > 0 else str(number)


def _roman(number: int) -> str:
    if number > _MOST_ROMAN:
        return str(number)
    text = ""
    for value, signs in _ROMAN:
        count, number = divmod(number, value)
        text += signs * count
    return text


def _letters(number: int) -> str:
    """a to z, then aa to zz, as Word counts."""
    if number > _MOST_LETTERS:
        return str(number)
    return chr(97 + (number - 1) % 26) * (1 + (number - 1) // 26)


def _ordinal(number: int) -> str:
    teen = number // 10 % 10 == 1
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _han(number: int) -> str:
    """Up to 99 as counted, from there on digit by digit."""
    if number > 99:
        return "".join(_HAN[int(digit)] for digit in str(number))
    tens, ones = divmod(number, 10)
    return (_HAN[tens] if tens > 1 else "") + ("十" if tens else "") + (_HAN[ones] if ones else "")


_FORMS: dict[str, Callable[[int], str]] = {
    "decimalZero": lambda number: f"{number:02}",
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "ordinal": _ordinal,
    **dict.fromkeys(_HAN_FORMS, _han),
}
