"""Times as people type them: 2025, 2025-01, 2025-01-31, 2025-01-31T17:30, today, yesterday, 7d, "2 weeks ago"; and as
they read them."""

import re
from datetime import UTC, datetime, timedelta

from colibri.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PERIOD = re.compile(r"(\d{4})(?:-?(\d{2}))?(?:-?(\d{2}))?", re.ASCII)
_BACK = re.compile(r"(\d{1,6})\s*([a-z]+)(?:\s+ago)?", re.ASCII)
_UNITS = {
    "s": "s sec secs second seconds",
    "min": "min mins minute minutes",
    "h": "h hour hours",
    "d": "d day days",
    "w": "w week weeks",
    "mo": "mo month months",
    "y": "y year years",
}
_UNIT = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_FORMS = "2025, 2025-01, 2025-01-31, 2025-01-31T17:30, today, yesterday, 7d, 2 weeks, 3 months, 1y"


def local(stamp: str) -> str:
    """A time with its zone (ISO 8601) by this machine's clock, as in "2025-01-31 17:30"; another text as it is."""
    try:
        when = datetime.fromisoformat(stamp)
        return stamp if when.tzinfo is None else when.astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return stamp


def moment(text: str, now: datetime, *, end: bool) -> int:
    """What a text means, in nanoseconds since 1970: of a year, a month or a day its begin, or, where it is the end
    that is asked for, the begin of the next. Without a zone it is this machine's time.

    now: with a zone; what "7d" counts back from

    Raises InputError, which says the forms.
    """
    said = " ".join(text.split()).casefold()
    try:
        return _nanoseconds(_moment(said, now, end))
    except (ValueError, OverflowError, OSError) as error:
        hint = "; m may be minutes (min) or months (mo)" if re.fullmatch(r"\d+ ?m", said) else ""
        raise InputError(f"{text!r} is no time{hint}; wanted one like {_FORMS}") from error


def _moment(said: str, now: datetime, end: bool) -> datetime:
    if said == "now":
        return now
    if said in {"today", "yesterday"}:
        that = now - timedelta(days=said == "yesterday")
        return _period(that.year, that.month, that.day, end)
    if found := _PERIOD.fullmatch(said):
        year, month, day = (None if part is None else int(part) for part in found.groups())
        assert year is not None
        return _period(year, month, day, end)
    if (back := _BACK.fullmatch(said)) and back[2] in _UNIT:
        return _back(now, int(back[1]), _UNIT[back[2]])
    own = datetime.fromisoformat(said.upper())
    return own if own.tzinfo is not None else own.astimezone()


def _period(year: int, month: int | None, day: int | None, end: bool) -> datetime:
    """Its begin, or that of the one after it, here: a day of a clock change has 23 or 25 hours."""
    begin = datetime(year, month or 1, day or 1)
    if end and day is not None:
        begin += timedelta(days=1)
    elif end and month is not None:
        begin = datetime(year + month // 12, month % 12 + 1, 1)
    elif end:
        begin = datetime(year + 1, 1, 1)
    return begin.astimezone()


def _back(now: datetime, count: int, unit: str) -> datetime:
    if unit in _SECONDS:
        return now - timedelta(seconds=count * _SECONDS[unit])
    months = now.year * 12 + now.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    for day in range(now.day, 27, -1):  # a month before the 31st of March is the last of February
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return now.replace(year=year, month=month + 1)


def _nanoseconds(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(microseconds=1) * 1_000
