"""OpenDocument sheets, slides and drawings: cells and pages as places."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from office_files import by_place
from open_document_files import body, cell, flat, p, read, row, sheet, zipped
from rounds import rounds

COMMENT = "<office:annotation><dc:creator>Bo</dc:creator><dc:date>2024-03-01</dc:date>{}</office:annotation>"


@pytest.mark.parametrize("make", [zipped, flat])
def test_cells_of_sheets_are_places_and_repeated_ones_are_counted(make: object) -> None:
    sheets = sheet(
        "Costs",
        row(cell(p("Item")), cell(p("twice"), 2), cell(p("End"))),
        row(cell(repeated=16_384), repeated=4),
        row(cell(), cell(COMMENT.format(p("Check.")) + p("18460"), about="office:value='18460'")),
        row(cell(about="office:value-type='float' office:value='7'"), repeated=2),
        row(cell(repeated=16_384), repeated=1_048_570),
    ) + sheet("Plan B", row("<table:covered-table-cell/>", cell(p("one") + p("two"))))
    found = read(zipped(sheets, "spreadsheet") if make is zipped else flat(sheets, "spreadsheet"))
    assert found.text == "Costs\nItem\ttwice\ttwice\tEnd\n18460\nCheck.\n7\n7\n\nPlan B\none\ntwo"
    assert [label for label, _ in by_place(found)] == [
        "Costs", "Costs!A1", "Costs!B1", "Costs!C1", "Costs!D1", "Costs!B6", "Costs!A7", "Costs!A8",
        "Plan B", "Plan B!A1",
    ]  # fmt: skip


def test_a_workbook_in_a_flat_text_does_not_make_it_one() -> None:
    held = body(sheet("S", row(cell(p("in")))), "spreadsheet")
    inner = f"<draw:object><office:document>{held}</office:document></draw:object>"
    found = read(flat(p("a") + inner + sheet("T", row(cell(p("x")), cell(p("y"))))))
    assert (found.text, found.places) == ("a\n\nin\n\nx\ty", ())


def test_names_of_empty_sheets_stand_at_the_end() -> None:
    assert read(zipped(sheet("A") + sheet("B", row(cell())), "spreadsheet")).text == "A\n\nB"
    found = read(zipped(sheet("A") + sheet("B", row(cell(p("x")))), "spreadsheet"))
    assert by_place(found) == [("B", "B"), ("B!A1", "x"), ("A", "A")]


def test_what_is_repeated_without_end_is_capped() -> None:
    many = row(cell(p("abcdefg"), 16_384), repeated=1_048_576)
    assert len(read(zipped(sheet("S", many, many, many), "spreadsheet")).text) < 40_000


@settings(deadline=None, max_examples=rounds(quick=20, soak=40))
@given(
    st.lists(st.tuples(st.sampled_from(["", "x", "yy"]), st.integers(1, 3)), min_size=1, max_size=6), st.integers(1, 3)
)
def test_repeated_cells_say_the_same_as_written_ones(cells: list[tuple[str, int]], lines: int) -> None:
    short = row(*(cell(p(text), count) for text, count in cells), repeated=lines)
    long = row(*(cell(p(text)) for text, count in cells for _ in range(count))) * lines
    assert read(zipped(sheet("S", short), "spreadsheet")) == read(zipped(sheet("S", long), "spreadsheet"))


def slide(inner: str, notes: str = "") -> str:
    box = "<draw:frame><draw:text-box>{}</draw:text-box></draw:frame>".format
    spoken = f"<presentation:notes><draw:page-thumbnail/>{box(p(notes))}</presentation:notes>" if notes else ""
    return f"<draw:page>{''.join(box(p(one)) for one in inner.split('|'))}{spoken}</draw:page>"


def test_slides_are_places_with_their_notes_groups_and_tables() -> None:
    table = sheet("T", row(cell(p("a")), cell(p("b"))))
    grouped = f"<draw:page><draw:g><draw:g>{p('deep')}</draw:g></draw:g><draw:frame>{table}</draw:frame></draw:page>"
    footer = "<presentation:footer-decl presentation:name='f'>Harbour office</presentation:footer-decl>"
    found = read(zipped(footer + slide("Title|Words") + slide("Two", "Say hello.") + grouped, "presentation"))
    assert by_place(found) == [
        ("slide 1", "Title\n\nWords"),
        ("slide 2", "Two\n\nSay hello."),
        ("slide 3", "deep\n\na\tb"),
        ("footer", "Harbour office"),
    ]


def test_pages_of_a_drawing_are_places() -> None:
    assert by_place(read(zipped(slide("one") + slide("two"), "drawing"))) == [("p. 1", "one"), ("p. 2", "two")]
