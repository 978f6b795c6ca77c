"""Numbers that Word counts and does not store."""

import pytest

from colibri.files.kinds.office.docx_numerals import numeral
from colibri.files.text import FileText
from office_files import element
from word_files import STYLES, cell, paragraph, read, run, styled, table, word


def level(at: int, form: str, text: str, more: str = "", start: int = 1) -> str:
    counts = f'<w:start w:val="{start}"/><w:numFmt w:val="{form}"/>{more}<w:lvlText w:val="{text}"/>'
    return f'<w:lvl w:ilvl="{at}">{counts}</w:lvl>'


def listed(number: int, at: int, text: str) -> str:
    return paragraph(run(text), f'<w:numPr><w:ilvl w:val="{at}"/><w:numId w:val="{number}"/></w:numPr>')


NUMBERING = element(
    "w:numbering",
    '<w:abstractNum w:abstractNumId="0">'
    + level(0, "decimal", "%1", '<w:pStyle w:val="berschrift1"/>')
    + level(1, "lowerLetter", "%1.%2)", '<w:pStyle w:val="Klausel"/>')
    + level(2, "lowerRoman", "(%3)", '<w:lvlRestart w:val="1"/>')
    + '</w:abstractNum><w:abstractNum w:abstractNumId="1">'
    + level(0, "bullet", "·")
    + level(1, "chineseCountingThousand", "第%2条", start=9)
    + level(2, "upperRoman", "%1%2.%3", "<w:isLgl/>", start=4)
    + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="3"><w:abstractNumId w:val="0"/>'
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>',
)
NUMBERED = STYLES.replace(
    '<w:name w:val="heading 1"/>', '<w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
).replace(
    '<w:basedOn w:val="Titre2"/>', '<w:basedOn w:val="Titre2"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
)


def numbered(body: str) -> FileText:
    named = {"rId1": ("numbering", "numbering.xml"), "rId2": ("styles", "styles.xml")}
    return read(word(body, named, {"word/numbering.xml": NUMBERING, "word/styles.xml": NUMBERED}))


def test_numbers_that_word_counts_are_shown_and_stand_in_places() -> None:
    found = numbered(styled("Rent", "berschrift1") + styled("Deposit", "Klausel") + styled("Pets", "Klausel"))
    assert found.text == "1 Rent\n\n1.a) Deposit\n\n1.b) Pets"
    assert [place.label for place in found.places] == ["1 Rent", "1 Rent > 1.a) Deposit", "1 Rent > 1.b) Pets"]


@pytest.mark.parametrize(
    ("places", "wanted"),
    [
        ([(1, 0), (1, 1), (1, 1), (1, 0), (1, 1)], ["1", "1.a)", "1.b)", "2", "2.a)"]),
        ([(1, 2), (1, 1)], ["(i)", "1.b)"]),
        ([(1, 0), (1, 2), (1, 1), (1, 2), (1, 0), (1, 2)], ["1", "(i)", "1.b)", "(ii)", "2", "(i)"]),
        ([(1, 0), (3, 0), (1, 0)], ["1", "7", "8"]),
        ([(2, 1), (2, 1), (2, 1), (2, 2)], ["第九条", "第十条", "第十一条", "11.4"]),
        ([(2, 0), (9, 0), (1, 8)], ["", "", ""]),
    ],
)
def test_lists_count_as_word_does(places: list[tuple[int, int]], wanted: list[str]) -> None:
    found = numbered("".join(listed(number, at, "x") for number, at in places))
    assert found.text.split("\n\n") == [f"{number} x".strip() for number in wanted]


def test_empty_and_deleted_paragraphs_of_a_list() -> None:
    gone = paragraph("<w:del/>", '<w:numPr><w:numId w:val="1"/></w:numPr><w:rPr><w:del/></w:rPr>')
    body = listed(1, 0, "one") + gone + listed(1, 0, "two") + listed(1, 0, "") + listed(1, 0, "four")
    assert numbered(body).text == "1 one\n\n2 two\n\n4 four"
    rows = [cell(listed(1, 0, "")) + cell(paragraph(run(text))) for text in ("Boat", "Pier")]
    assert numbered(table(*rows)).text == "1\tBoat\n2\tPier"


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
