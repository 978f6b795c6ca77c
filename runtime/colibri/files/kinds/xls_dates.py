"""Dates of an Excel workbook of old: a cell holds a number of days, and its number format says that it is one.

office-oxide gives the number. Record by record over the workbook's stream, [MS-XLS] 2.4.
"""

import re
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta

Cells = dict[tuple[int, int], str]
"""(row, column), from 0 -> the date."""

_FORMAT, _XF, _SHEET, _EPOCH_1904, _END = 0x41E, 0xE0, 0x85, 0x22, 0x0A
_NUMBER, _RK, _MANY_RK, _FORMULA = 0x203, 0x27E, 0xBD, 0x06
_BUILT_IN = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
# Of a format's code: quoted and escaped characters, [red], fill and width are no letters of a date; [h] is.
_SILENT = re.compile(r'"[^"]*"?|\\.|[_*].|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_DATE = re.compile(r"[dmyhsge]", re.IGNORECASE)
_LAST_DAY = 2_958_466  # the year 10000


def dates(workbook: bytes) -> dict[str, Cells]:
    """By the names of sheets. workbook: the stream "Workbook". What is damaged holds none."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    sheets: list[tuple[str, int]] = []
    since_1904 = False
    for kind, data in _records(workbook, 0):
        if kind == _FORMAT and len(data) > 5:
            codes[struct.unpack_from("<H", data)[0]] = _string(data[2:], 2)
        elif kind == _XF and len(data) > 3:
            formats.append(struct.unpack_from("<H", data, 2)[0])
        elif kind == _SHEET and len(data) > 7:
            sheets.append((_string(data[6:], 1), struct.unpack_from("<I", data)[0]))
        elif kind == _EPOCH_1904:
            since_1904 = data[:1] == b"\1"
    dated = {place for place, number in enumerate(formats) if _is_date(number, codes)}
    return {name: _cells(workbook, at, dated, since_1904) for name, at in sheets} if dated else {}


def _records(workbook: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Up to the end of the part that begins there."""
    while at + 4 <= len(workbook):
        kind, size = struct.unpack_from("<HH", workbook, at)
        if kind == _END:
            return
        yield kind, workbook[at + 4 : at + 4 + size]
        at += 4 + size


def _string(data: bytes, width: int) -> str:
    """Its length in `width` bytes, whether its characters have two bytes, then they."""
    length = int.from_bytes(data[:width], "little")
    wide = data[width : width + 1] and data[width] & 1
    body = data[width + 1 :]
    return body[: 2 * length].decode("utf-16-le", "replace") if wide else body[:length].decode("latin-1")


def _is_date(number: int, codes: dict[int, str]) -> bool:
    if number not in codes:
        return number in _BUILT_IN
    code = _SILENT.sub("", codes[number].split(";")[0])
    return "general" not in code.lower() and _DATE.search(code) is not None and not re.search(r"[#?]|0(?![0]*$)", code)


def _cells(workbook: bytes, at: int, dated: set[int], since_1904: bool) -> Cells:
    found: Cells = {}
    for kind, data in _records(workbook, at):
        for row, column, style, days in _numbers(kind, data):
            if style in dated and 0 <= days < _LAST_DAY:
                found[row, column] = _shown(days, since_1904)
    return found


def _numbers(kind: int, data: bytes) -> Iterator[tuple[int, int, int, float]]:
    """Row, column, style and value of the cells in a record."""
    if kind == _MANY_RK and len(data) >= 6:
        row, first = struct.unpack_from("<HH", data)
        for place in range((len(data) - 6) // 6):
            style, packed = struct.unpack_from("<HI", data, 4 + 6 * place)
            yield row, first + place, style, _unpacked(packed)
    elif kind == _RK and len(data) >= 10:
        row, column, style, packed = struct.unpack_from("<HHHI", data)
        yield row, column, style, _unpacked(packed)
    elif kind in {_NUMBER, _FORMULA} and len(data) >= 14 and (kind == _NUMBER or data[12:14] != b"\xff\xff"):
        row, column, style, value = struct.unpack_from("<HHHd", data)
        yield row, column, style, value


def _unpacked(packed: int) -> float:
    """[MS-XLS] 2.5.217: RkNumber."""
    if packed & 2:
        value = float(struct.unpack("<i", struct.pack("<I", packed))[0] >> 2)
    else:
        value = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return value / 100 if packed & 1 else value


def _shown(days: float, since_1904: bool) -> str:
    """ISO 8601 without seconds that are none; the time alone below a day."""
    seconds = round(days * 86_400)
    clock = f"{seconds // 3_600 % 24:02}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")
    if days < 1 and not since_1904:
        return clock
    # Excel holds 1900 for a leap year: its day 60 never was.
    first = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 31 if days < 60 else 30)
    day = (first + timedelta(seconds=seconds)).date().isoformat()
    return f"{day} {clock}" if seconds % 86_400 else day
