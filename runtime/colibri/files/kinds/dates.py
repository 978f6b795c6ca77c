"""Dates as documents declare them, to ISO 8601."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s?(Z|[+-]\d{2}:?\d{2})?)?\b.*"
)
_LONGEST = 100
_WRITTEN = ("%d %B %Y", "%B %d, %Y", "%d %b %Y", "%b %d, %Y", "%B %d %Y", "%d. %B %Y", "%B %Y")


def iso_date(text: str) -> str | None:
    """ "2024/5/3" is 2024-05-03, "May 3, 2024" too; a year stays a year. None for what is no date."""
    text = " ".join(text[:_LONGEST].strip(" <>[]\"'").split())
    if re.fullmatch(r"\d{4}", text):
        return text
    if found := _ISO.fullmatch(text):
        year, month, day, time, zone = found.groups()
        date = f"{year}-{int(month):02}" + (f"-{int(day):02}" if day else "")
        return date + (f"T{time}{zone or ''}" if time and day else "") if _valid(date) else None
    for form in _WRITTEN:
        try:
            return datetime.strptime(text, form).strftime("%Y-%m-%d" if "%d" in form else "%Y-%m")
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _valid(date: str) -> bool:
    try:
        datetime.fromisoformat(date if len(date) > 7 else f"{date}-01")
    except ValueError:
        return False
    return True
