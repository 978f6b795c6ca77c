"""Numbers by their format: what Excel shows for them in English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.office.formats import shown_number

SHOWN = [
    ("18460.0", "", "18460"),
    ("18460", "General", "18460"),
    ("0.30000000000000004", "", "0.3"),
    ("1E+300", "", "1E+300"),
    ("0.25", "0%", "25%"),
    ("0.255", "0.0%", "25.5%"),
    ("0.0005", "0.00%", "0.05%"),
    ("2.5", "0", "3"),
    ("-5", "0.00", "-5.00"),
    ("1234.5", "#,##0.00", "1,234.50"),
    ("1234567", "#,##0", "1,234,567"),
    ("0", "#,##0", "0"),
    ("0.5", "#.00", ".50"),
    ("-1234.5", "#,##0.00;(#,##0.00)", "(1,234.50)"),
    ("0", '0;-0;"none"', "none"),
    ("-3", '0;"minus "0', "minus 3"),
    ("12.5", '#,##0.00 "kr"', "12.50 kr"),
    ("12.5", "[$€-407]#,##0.00", "€12.50"),
    ("5", "_-* #,##0.00\\ _€_-", "5.00"),
    ("1234", "00000", "01234"),
    ("123456789", "000-00-0000", "123-45-6789"),
    ("5551234567", "(000) 000-0000", "(555) 123-4567"),
    ("12345678", "0.0,,", "12.3"),
    ("12345", "0.00E+00", "1.23E+04"),
    ("0.5", "# ?/?", "0.5"),
    ("1.5", "0.##", "1.5"),
    ("3", '[<5]"few";0', "few"),
    ("7", '[<5]"few";0', "7"),
    ("5", "[Red]0;[Blue]-0", "5"),
    ("5", ";;;", "5"),
    ("3.0", "@", "3"),
    ("7", '"Berth "0', "Berth 7"),
    ("abc", "0", "abc"),
    ("nan", "0", "nan"),
    ("1e999999999", "0", "1e999999999"),
]
DATES = [
    ("45352", "yyyy-mm-dd", "2024-03-01"),
    ("45352", "m/d/yy", "3/1/24"),
    ("45352", "dddd, mmmm dd, yyyy", "Friday, March 01, 2024"),
    ("45352", 'yyyy"年"m"月"d"日"', "2024年3月1日"),
    ("45352", "[$-407]d. mmm yy;@", "1. Mar 24"),
    ("45352", "mmmmm-yy", "M-24"),
    ("45352.75", "d mmm yyyy h:mm AM/PM", "1 Mar 2024 6:00 PM"),
    ("45352.5", "dd.mm.yyyy hh:mm", "01.03.2024 12:00"),
    ("0.5", "h:mm:ss", "12:00:00"),
    ("0.03125", "mm:ss", "45:00"),
    ("1.5", "[h]:mm", "36:00"),
    ("0.5", "[mm]", "720"),
    ("45352.123456", "hh:mm:ss.000", "02:57:46.598"),
    ("0.99999999", "hh:mm:ss", "00:00:00"),
    ("1", "yyyy-mm-dd", "1900-01-01"),
    ("59", "yyyy-mm-dd", "1900-02-28"),
    ("61", "yyyy-mm-dd", "1900-03-01"),
    ("-1", "yyyy", "-1"),
    ("9999999", "yyyy", "9999999"),
]


@pytest.mark.parametrize(("raw", "code", "wanted"), SHOWN + DATES)
def test_a_number_is_shown_by_its_format(raw: str, code: str, wanted: str) -> None:
    assert shown_number(raw, code) == wanted


def test_days_are_counted_from_1904_where_the_workbook_says_so() -> None:
    assert shown_number("43890", "yyyy-mm-dd", from_1904=True) == "2024-03-01"


@given(st.text(alphabet='0#?.,%/;"\\[]_*@ymdhsAaMPpGeneral+-E <>=$€', max_size=12), st.floats(allow_nan=False))
def test_no_format_stops_a_workbook(code: str, number: float) -> None:
    assert shown_number(repr(number), code)


@given(st.integers(-(10**14), 10**14))
def test_a_whole_number_is_shown_in_full(number: int) -> None:
    assert shown_number(f"{number}.0") == str(number)
    assert shown_number(str(number), "#,##0").replace(",", "") == str(number)
