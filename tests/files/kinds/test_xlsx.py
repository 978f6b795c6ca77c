"""Excel files: sheets by name, cells as shown, each a place; what stands beside them; large and odd ones."""

import tracemalloc

import pytest

from colibri.files.kinds.office import xlsx
from colibri.files.kinds.office.sheets import column_name
from colibri.files.text import FileText, Unreadable
from office_files import by_place, element, office, relations, source

MAIN = "xl/workbook.xml"


def workbook(
    sheets: dict[str, str],
    parts: dict[str, str | bytes] | None = None,
    *,
    named: dict[str, tuple[str, str]] | None = None,
    properties: str = "",
    strict: bool = False,
) -> bytes:
    """sheets: name -> what is in its part."""
    tabs = "".join(f'<x:sheet name="{name}" sheetId="{n}" r:id="s{n}"/>' for n, name in enumerate(sheets, 1))
    return office(
        MAIN,
        element("x:workbook", f"{properties}<x:sheets>{tabs}</x:sheets>", strict=strict),
        {f"s{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n, _ in enumerate(sheets, 1)} | (named or {}),
        {
            f"xl/worksheets/sheet{n}.xml": element("x:worksheet", inner, strict=strict)
            for n, inner in enumerate(sheets.values(), 1)
        }
        | (parts or {}),
        strict=strict,
    )


def rows(*found: str) -> str:
    return f"<x:sheetData>{''.join(found)}</x:sheetData>"


def row(number: int, *cells: str) -> str:
    return f'<x:row r="{number}">{"".join(cells)}</x:row>'


def inline(reference: str, text: str) -> str:
    return f'<x:c r="{reference}" t="inlineStr"><x:is><x:t>{text}</x:t></x:is></x:c>'


def value(reference: str, text: str, kind: str = "", style: int = 0) -> str:
    about = f' t="{kind}"' if kind else ""
    return f'<x:c r="{reference}" s="{style}"{about}><x:v>{text}</x:v></x:c>'


def read(data: bytes) -> FileText:
    return xlsx.read(source(data, "budget.xlsx"))


@pytest.mark.parametrize("strict", [False, True])
def test_cells_stand_in_rows_under_the_sheet_s_name_each_a_place(strict: bool) -> None:
    sheets = {
        "Costs": rows(
            row(2, inline("B2", "Item"), inline("D2", "Sum")), row(7, inline("B7", "Boat"), value("D7", "18460"))
        ),
        "Plan B": rows(row(1, inline("A1", "later"))),
    }
    found = read(workbook(sheets, strict=strict))
    assert found.text == "Costs\nItem\tSum\nBoat\t18460\n\nPlan B\nlater"
    assert by_place(found) == [
        ("Costs", "Costs"), ("Costs!B2", "Item"), ("Costs!D2", "Sum"), ("Costs!B7", "Boat"), ("Costs!D7", "18460"),
        ("Plan B", "Plan B"), ("Plan B!A1", "later"),
    ]  # fmt: skip


def test_strings_are_joined_over_runs_and_readings_left() -> None:
    strings = element(
        "x:sst",
        "<x:si><x:t>plain</x:t></x:si>"
        "<x:si><x:r><x:rPr/><x:t>har</x:t></x:r><x:r><x:t>bour</x:t></x:r></x:si>"
        "<x:si><x:t>東京</x:t><x:rPh sb='0' eb='2'><x:t>トウキョウ</x:t></x:rPh><x:phoneticPr fontId='1'/></x:si>"
        "<x:si><x:t>one_x000D_\ntwo_x000D_three _x263A_</x:t></x:si>",
    )
    cells = row(1, *(value(f"{column_name(n + 1)}1", str(n), "s") for n in range(5)))
    data = workbook({"S": rows(cells)}, {"xl/strings.xml": strings}, named={"t": ("sharedStrings", "strings.xml")})
    assert read(data).text == "S\nplain\tharbour\t東京\tone\ntwo\nthree ☺"


STYLES = element(
    "x:styleSheet",
    '<x:numFmts><x:numFmt numFmtId="164" formatCode="d\\.\\ mmmm\\ yyyy"/><x:numFmt numFmtId="165" '
    'formatCode="#,##0.00\\ &quot;kr&quot;"/><x:numFmt numFmtId="166" formatCode="[h]:mm"/></x:numFmts>'
    '<x:cellStyleXfs><x:xf numFmtId="9"/><x:xf numFmtId="9"/></x:cellStyleXfs><x:cellXfs>'
    + "".join(f'<x:xf numFmtId="{code}"/>' for code in (0, 14, 164, 9, 10, 165, 166, 22, 49, 21))
    + '</x:cellXfs><x:dxfs><x:dxf><x:numFmt numFmtId="164" formatCode="0"/></x:dxf></x:dxfs>',
)
SHOWN = [
    ("18460.0", 0, "18460"), ("0.1", 0, "0.1"), ("0.30000000000000004", 0, "0.3"), ("1E-3", 0, "0.001"),
    ("45352", 1, "2024-03-01"), ("45352", 2, "1. March 2024"), ("0.25", 3, "25%"), ("0.255", 4, "25.50%"),
    ("18460.5", 5, "18,460.50 kr"), ("1.5", 6, "36:00"), ("45352.75", 7, "2024-03-01 18:00"), ("9783161484100", 0,
    "9783161484100"), ("12", 8, "12"), ("0.75", 9, "18:00:00"), ("-3", 0, "-3"), ("45352", 77, "45352"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "style", "wanted"), SHOWN)
def test_numbers_are_shown_by_their_style(raw: str, style: int, wanted: str) -> None:
    data = workbook(
        {"S": rows(row(1, value("A1", raw, style=style)))}, {"xl/st.xml": STYLES}, named={"t": ("styles", "st.xml")}
    )
    assert read(data).text == f"S\n{wanted}"


def test_the_epoch_of_1904_is_kept() -> None:
    data = workbook(
        {"S": rows(row(1, value("A1", "43890", style=1)))},
        {"xl/st.xml": STYLES},
        named={"t": ("styles", "st.xml")},
        properties='<x:workbookPr date1904="1"/>',
    )
    assert read(data).text == "S\n2024-03-01"


def test_booleans_errors_dates_and_results_of_formulas_are_as_shown() -> None:
    cells = row(
        1,
        value("A1", "1", "b"),
        value("B1", "0", "b"),
        value("C1", "#DIV/0!", "e"),
        value("D1", "2024-03-01T00:00:00", "d"),
        '<x:c r="E1" t="str"><x:f>CONCAT("hid","den")</x:f><x:v>boat</x:v></x:c>',
        '<x:c r="F1"><x:f>1+1</x:f><x:v>2</x:v></x:c>',
        '<x:c r="G1" s="4"/>',
    )
    assert read(workbook({"S": rows(cells)})).text == "S\nTRUE\tFALSE\t#DIV/0!\t2024-03-01\tboat\t2"


def test_cells_without_references_are_counted() -> None:
    cells = "<x:row><x:c><x:v>1</x:v></x:c><x:c><x:v>2</x:v></x:c></x:row><x:row><x:c><x:v>3</x:v></x:c></x:row>"
    assert by_place(read(workbook({"S": rows(cells)})))[1:] == [("S!A1", "1"), ("S!B1", "2"), ("S!A2", "3")]


def test_merged_cells_stand_once_even_where_old_values_lie_below() -> None:
    cells = rows(
        row(1, inline("A1", "wide"), inline("B1", "old"), inline("C1", "free")),
        row(2, inline("A2", "tall"), inline("B2", "x")),
        row(3, inline("A3", "old"), inline("B3", "y")),
    )
    merged = '<x:mergeCells count="2"><x:mergeCell ref="A1:B1"/><x:mergeCell ref="A2:A3"/></x:mergeCells>'
    assert read(workbook({"S": cells + merged})).text == "S\nwide\tfree\ntall\tx\ny"


def test_comments_stand_at_their_cells_and_threads_once() -> None:
    legacy = (
        '<x:authors><x:author>tc={1}</x:author><x:author>Ada</x:author></x:authors><x:commentList><x:comment ref="A1" '
        'authorId="0"><x:text><x:t>[Threaded comment] Which boat?</x:t></x:text></x:comment><x:comment ref="B7" '
        'authorId="1"><x:text><x:r><x:t>Ada:</x:t></x:r><x:r><x:t> too dear</x:t></x:r></x:text></x:comment>'
        "</x:commentList>"
    )
    threads = (
        '<xtc:threadedComment ref="A1" id="{1}"><xtc:text>Which boat?</xtc:text></xtc:threadedComment>'
        '<xtc:threadedComment ref="A1" parentId="{1}"><xtc:text>The red one.</xtc:text></xtc:threadedComment>'
    )
    beside = {"c": ("comments", "../comments1.xml"), "t": ("threadedComment", "../threaded.xml")}
    parts: dict[str, str | bytes] = {
        "xl/comments1.xml": element("x:comments", legacy),
        "xl/threaded.xml": element("xtc:ThreadedComments", threads),
        "xl/worksheets/_rels/sheet1.xml.rels": relations(beside),
    }
    found = by_place(read(workbook({"Costs": rows(row(1, inline("A1", "Boat")))}, parts)))
    assert found[2:] == [("Costs!B7", "Ada: too dear"), ("Costs!A1", "Which boat?\n\nThe red one.")]
    del parts["xl/threaded.xml"]
    assert "[Threaded comment] Which boat?" in read(workbook({"Costs": rows(row(1, inline("A1", "Boat")))}, parts)).text


def test_text_boxes_and_charts_stand_at_their_corner() -> None:
    cell = "<xdr:col>{}</xdr:col><xdr:row>{}</xdr:row>".format
    corner = f"<xdr:from>{cell(2, 4)}</xdr:from><xdr:to>{cell(9, 9)}</xdr:to>"
    words = "".join(f"<a:p><a:r><a:t>{word}</a:t></a:r></a:p>" for word in ("Ask", "Bo"))
    shape = f"<xdr:sp><xdr:txBody>{words}</xdr:txBody></xdr:sp>"
    frame = '<xdr:graphicFrame><c:chart r:id="c1"/></xdr:graphicFrame>'
    drawing = f"<xdr:twoCellAnchor>{corner}{shape}</xdr:twoCellAnchor><xdr:absoluteAnchor>{frame}</xdr:absoluteAnchor>"
    parts: dict[str, str | bytes] = {
        "xl/worksheets/_rels/sheet1.xml.rels": relations({"d": ("drawing", "../drawings/d.xml")}),
        "xl/drawings/d.xml": element("xdr:wsDr", drawing),
        "xl/drawings/_rels/d.xml.rels": relations({"c1": ("chart", "../charts/c.xml")}),
        "xl/charts/c.xml": element("c:chartSpace", "<c:ser><c:tx><c:v>Boats</c:v></c:tx></c:ser>"),
    }
    assert by_place(read(workbook({"S": ""}, parts)))[1:] == [("S!C5", "Ask\nBo"), ("S", "Boats")]


def test_headers_stand_once_without_their_codes() -> None:
    header = (
        "<x:headerFooter><x:oddHeader>"
        '&amp;L&amp;"Arial,Bold"&amp;12Harbour &amp;KFF0000R&amp;&amp;D&amp;C&amp;A</x:oddHeader>'
        "<x:oddFooter>&amp;CPage &amp;P</x:oddFooter></x:headerFooter>"
    )
    sheet = rows(row(1, inline("A1", "x"))) + header
    assert read(workbook({"S": sheet, "T": sheet})).text == "S\nx\n\nHarbour R&D\n\nT\nx"


def test_names_of_empty_sheets_stand_at_the_end() -> None:
    assert read(workbook({"Sheet1": rows(), "Sheet2": ""})).text == "Sheet1\n\nSheet2"
    found = read(workbook({"Notes": "", "S": rows(row(1, inline("A1", "x")))}))
    assert by_place(found) == [("S", "S"), ("S!A1", "x"), ("Notes", "Notes")]


def test_a_missing_and_a_damaged_sheet_are_named_and_the_others_read() -> None:
    tabs = '<x:sheets><x:sheet name="Gone" r:id="nowhere"/></x:sheets>'
    data = workbook(
        {"S": rows(row(1, inline("A1", "kept"))), "T": ""}, {"xl/worksheets/sheet2.xml": "<x"}, properties=tabs
    )
    found = read(data)
    assert found.text == "S\nkept"
    assert found.remarks[0] == "sheet Gone is missing"
    assert found.remarks[1].startswith("xl/worksheets/sheet2.xml is damaged")


def test_a_row_is_a_place_once_a_workbook_has_many_cells() -> None:
    wide = [row(n, *(value(f"{column_name(c)}{n}", "7") for c in range(1, 101))) for n in range(1, 203)]
    labels = [place.label for place in read(workbook({"S": rows(*wide)})).places]
    assert labels[-3:] == ["S!CV200", "S!A201", "S!A202"]
    assert len(labels) == 1 + 20_000 + 2


def test_a_long_sheet_is_read_in_little_memory() -> None:
    count = 20_000
    long = "".join(f'<x:row r="{n}"><x:c r="A{n}"><x:v>{n}</x:v></x:c></x:row>' for n in range(1, count + 1))
    data = workbook({"S": rows(long)})
    del long
    tracemalloc.start()
    found = read(data)
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.text.endswith(f"\n{count}")
    # 1.5 MB were measured; a tree of the whole sheet takes 17 MB.
    assert peak - size < 4 << 20


def test_strange_numbers_of_strings_and_styles_do_not_stop_a_sheet() -> None:
    cells = row(1, value("A1", "99", "s"), value("B1", "x", "s"), value("C1", "-1", "s"), value("D1", "5", style=4000))
    assert read(workbook({"S": rows(cells + '<x:row r="x"><x:c r="?"><x:v>6</x:v></x:c></x:row>')})).text == "S\n5\n6"


def test_a_workbook_that_is_none_says_so() -> None:
    with pytest.raises(Unreadable, match=r"xl/workbook\.xml is damaged"):
        read(office(MAIN, "\0\0\0binary"))
