"""Serial numbers as the dates, times and durations that a workbook shows.

Taken: y m d h s, their elapsed forms [h] [m] [s], AM/PM, fractions of a second. Day 0 is 1899-12-30, before March 1900
one later (the format counts a 29 February 1900), or 1904-01-01.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from colibri.files.kinds.office.format_codes import Section

_DAYS = 2_958_466  # the first after the year 9999
_ELAPSED = {"h": 3_600, "m": 60, "s": 1}
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
_SILENT = frozenset({"general", "@"})


def is_date(section: Section) -> bool:
    return any(not plain and (token[0] in "ymdhsYMDHS" or _elapsed(token)) for token, plain in section)


def shown_date(serial: Decimal, section: Section, *, from_1904: bool = False) -> str:
    """ "" for a number that is no date."""
    if not 0 <= serial < _DAYS:
        return ""
    decimals = max((_decimals(section, at) for at in range(len(section))), default=0)
    seconds = round(float(serial) * 86_400, min(decimals, 6))
    epoch = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 31 if serial < 60 else 30)
    moment = epoch + timedelta(seconds=seconds)
    half_days = any(token.lower() in {"am/pm", "a/p"} and not plain for token, plain in section)
    pieces, skip = [], 0
    for at, (token, plain) in enumerate(section):
        if skip:
            skip -= 1
        elif plain:
            pieces.append(token)
        elif letter := _elapsed(token):
            pieces.append(str(int(seconds // _ELAPSED[letter])).zfill(len(token) - 2))
        elif token == "." and _decimals(section, at):
            skip = _decimals(section, at)
            pieces.append(f"{seconds % 1:.{skip}f}"[1:])
        elif token[0] in "mM":
            pieces.append(f"{moment.minute:0{min(len(token), 2)}}" if _minutes(section, at) else _month(moment, token))
        elif not token.startswith("["):
            pieces.append(_piece(moment, token, half_days))
    return "".join(pieces).strip()


def _piece(moment: datetime, token: str, half_days: bool) -> str:
    letter, width = token[0].lower(), len(token)
    if letter == "y":
        return f"{moment.year:04}" if width > 2 else f"{moment.year % 100:02}"
    if letter == "d":
        return f"{moment.day:0{width}}" if width < 3 else _WEEKDAYS[moment.weekday()][: 3 if width == 3 else None]
    if letter == "h":
        return f"{(moment.hour % 12 or 12) if half_days else moment.hour:0{min(width, 2)}}"
    if letter == "s":
        return f"{moment.second:0{min(width, 2)}}"
    if token.lower() in {"am/pm", "a/p"}:
        return ("AM" if moment.hour < 12 else "PM")[: 2 if width > 3 else 1]
    return "" if token.lower() in _SILENT else token


def _month(moment: datetime, token: str) -> str:
    width = len(token)
    if width <= 2:
        return f"{moment.month:0{width}}"
    return _MONTHS[moment.month - 1][: {3: 3, 5: 1}.get(width)]


def _minutes(section: Section, at: int) -> bool:
    """An m beside hours or seconds counts minutes."""
    letters = [_elapsed(token) or token[0].lower() if not plain else "" for token, plain in section]
    before = next((one for one in reversed(letters[:at]) if one in set("ymdhs")), "")
    after = next((one for one in letters[at + 1 :] if one in set("ymdhs")), "")
    return len(section[at][0]) <= 2 and (before == "h" or after == "s")


def _elapsed(token: str) -> str:
    """The letter of [h], [mm] or [ss]."""
    inner = token.strip("[]")
    return inner[0] if token.startswith("[") and inner and set(inner) in ({"h"}, {"m"}, {"s"}) else ""


def _decimals(section: Section, at: int) -> int:
    """Zeros after a point that follows seconds."""
    count = 0
    if section[at] == (".", False):
        while section[at + 1 + count : at + 2 + count] == (("0", False),):
            count += 1
    return count
