"""Numerals of lists in the forms that Word counts in."""

import pytest

from colibri.files.kinds.office.docx_numerals import numeral


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("decimal", {0: "0", 7: "7", 1_000: "1000"}),
        ("decimalZero", {3: "03", 12: "12"}),
        ("lowerLetter", {1: "a", 26: "z", 27: "aa", 53: "aaa", 10_000: "10000"}),
        ("upperRoman", {4: "IV", 1994: "MCMXCIV", 4_000: "4000"}),
        ("ordinal", {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 13: "13th", 21: "21st", 112: "112th"}),
        ("japaneseCounting", {1: "一", 10: "十", 12: "十二", 20: "二十", 99: "九十九", 105: "一〇五"}),
        ("something new", {5: "5"}),
    ],
)
def test_a_count_is_shown_in_its_form(form: str, wanted: dict[int, str]) -> None:
    assert {number: numeral(number, form) for number in wanted} == wanted
