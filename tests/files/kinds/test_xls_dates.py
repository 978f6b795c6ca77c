"""Days of an old workbook become dates where their format says so."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.xls_dates import dates


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def text(value: str, width: str) -> bytes:
    return struct.pack(f"<{width}B", len(value), 1) + value.encode("utf-16-le")


def workbook(cells: bytes, formats: dict[int, str], since_1904: bool = False) -> bytes:
    """One sheet, a style for each format in their order."""
    start = record(0x809, bytes(16)) + record(0x22, bytes([since_1904, 0]))
    for number, code in formats.items():
        start += record(0x41E, struct.pack("<H", number) + text(code, "H")) if code else b""
        start += record(0xE0, struct.pack("<HH16x", 0, number))
    place = len(start) + 4 + 8 + 2 * len("Gäste") + 4
    start += record(0x85, struct.pack("<IH", place, 0) + text("Gäste", "B")) + record(0x0A)
    return start + record(0x809, bytes(16)) + cells + record(0x0A)


def number(row: int, column: int, style: int, value: float) -> bytes:
    return record(0x203, struct.pack("<HHHd", row, column, style, value))


@pytest.mark.parametrize(
    ("code", "days", "shown"),
    [
        ("", 45_360, "2024-03-09"),
        ("d. mmmm yyyy", 45_360.75, "2024-03-09 18:00"),
        ("[$-407]dd/mm/yy hh:mm:ss", 45_360.000011574, "2024-03-09 00:00:01"),
        ("[h]:mm", 0.5, "12:00"),
        ("yyyy", 59, "1900-02-28"),
        ("yyyy", 61, "1900-03-01"),
        ("mm:ss.0", 0.25, "06:00"),
    ],
)
def test_a_format_of_days_shows_a_date(code: str, days: float, shown: str) -> None:
    found = dates(workbook(number(3, 2, 1, days), {0: "", 164 if code else 14: code}))
    assert found == {"Gäste": {(3, 2): shown}}


@pytest.mark.parametrize("code", ["General", "0.00", '#,##0 "days"', "0.0E+00", "[Red]0", "@"])
def test_other_formats_show_none(code: str) -> None:
    assert not dates(workbook(number(0, 0, 1, 45_360), {0: "", 164: code})).get("Gäste")


def test_numbers_are_kept_in_four_ways() -> None:
    whole, hundredths = 45_360 << 2 | 2, 4_536_050 << 2 | 3
    cells = record(0x27E, struct.pack("<HHHI", 0, 0, 1, whole))
    cells += record(0xBD, struct.pack("<HHHIHIH", 1, 4, 1, hundredths, 0, whole, 5))
    cells += record(0x06, struct.pack("<HHHd", 2, 0, 1, 1.0) + bytes(8))
    cells += record(0x06, struct.pack("<HHHQ", 3, 0, 1, 0xFFFF << 48) + bytes(8))  # a formula that gives a text
    assert dates(workbook(cells, {0: "", 14: ""})) == {
        "Gäste": {(0, 0): "2024-03-09", (1, 4): "2024-03-09 12:00", (2, 0): "1900-01-01"}
    }


def test_days_may_be_counted_from_1904() -> None:
    assert dates(workbook(number(0, 0, 1, 0), {0: "", 14: ""}, since_1904=True)) == {"Gäste": {(0, 0): "1904-01-01"}}


@given(st.binary(max_size=300))
def test_a_damaged_stream_holds_none_or_some(data: bytes) -> None:
    for stream in (data, workbook(data, {0: "", 14: ""}), workbook(number(0, 0, 1, 1), {0: "", 14: ""})[: len(data)]):
        assert isinstance(dates(stream), dict)
