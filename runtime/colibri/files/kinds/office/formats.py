"""Numbers as a workbook shows them, by their number format (ECMA-376 part 1, 18.8.31).

Taken: sections for negative numbers and zero, and their conditions; 0 # ? . , % E+ with padding and thousands; quoted,
escaped and plain characters; the symbol of [$€-407]; dates and durations (format_dates.py). Left: colours, widths
(_x and *x), fractions (# ?/?, shown as decimals), names of months in other languages than English.
"""

import re
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache

from colibri.files.kinds.office.format_codes import Section, chosen, sections
from colibri.files.kinds.office.format_dates import is_date, shown_date

_WIDE = Context(prec=400, rounding=ROUND_HALF_UP)
_DIGITS = 308  # before and after the point, of the largest and the smallest number of a workbook
_MOST_PLACES = 30
_LARGEST = 10**21
_LONGEST = 255  # characters of a format, as Excel allows
_SILENT = frozenset({",", "[red]", "[black]", "[blue]", "[cyan]", "[green]", "[magenta]", "[white]", "[yellow]"})


@lru_cache(32_768)
def shown_number(raw: str, code: str = "", *, from_1904: bool = False) -> str:
    """raw: as stored, "0.25"; code: its format, "0%". What is no number is returned as it is."""
    try:
        number = Decimal(raw.strip())
    except InvalidOperation:
        return raw
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS or len(code) > _LONGEST:
        return raw
    section, signed = chosen(sections(code), number)
    if is_date(section):
        return shown_date(number, section, from_1904=from_1904) or _general(number)
    general = not section or any(token.lower() in {"general", "@", "/"} and not plain for token, plain in section)
    if general or abs(number) >= _LARGEST:
        return _general(number)
    return _digits(number, section, signed) or _general(number)


def _general(number: Decimal) -> str:
    """A whole number in full, any other to the 15 digits that a workbook keeps."""
    if number == number.to_integral_value(context=_WIDE) and abs(number) < _LARGEST:
        return str(int(number))
    return f"{float(number):.15g}".replace("e", "E")


def _digits(number: Decimal, section: Section, signed: bool) -> str:
    signs = [token if not plain else "" for token, plain in section]
    point = signs.index(".") if "." in signs else len(signs)
    digits = [at for at, sign in enumerate(signs) if sign in {"0", "#", "?"}]
    power = next((at for at, sign in enumerate(signs) if sign.lower() in {"e+", "e-"}), len(signs))
    whole, rest = [at for at in digits if at < point], [at for at in digits if point < at < power][:_MOST_PLACES]
    if power < len(signs):
        return f"{float(number):.{len(rest)}E}"
    thousands = len(re.match(",*", "".join(signs[digits[-1] + 1 :]))[0]) if digits else 0  # type: ignore[index]
    number = number.scaleb(2 * signs.count("%") - 3 * thousands, _WIDE)
    number = number.quantize(Decimal(1).scaleb(-len(rest)), context=_WIDE)
    before, _, after = f"{abs(number):f}".partition(".")
    before = before.lstrip("0").zfill(sum(signs[at] == "0" for at in whole)) if before != "0" or whole else ""
    while after and signs[rest[len(after) - 1]] != "0" and after.endswith("0"):
        after = after[:-1]
    if whole and "," in signs[whole[0] : whole[-1]] and before:
        before, whole = f"{int(before):,}", whole[:1]
    shown = dict(zip(rest, after, strict=False)) | _spread(before, whole)
    literal = {at: token for at, (token, plain) in enumerate(section) if plain or token not in _SILENT}
    pieces = [shown.get(at, "") if at in digits else literal.get(at, "") for at in range(len(section))]
    return ("-" if signed and number < 0 else "") + "".join(pieces).strip()


def _spread(digits: str, places: list[int]) -> dict[int, str]:
    """One digit a place from the right ("000-0000"), the rest at the first."""
    if not places:
        return {}
    cut = max(len(digits) - len(places) + 1, 0)
    shown = {places[0]: digits[:cut]}
    return shown | dict(zip(reversed(places[1:]), reversed(digits[cut:]), strict=False))
