"""OpenDocument texts, zipped and flat, and what belongs to a file of each kind; what must not come out."""

import pytest

from colibri.files.text import Unreadable
from office_files import OPENDOCUMENT, by_place, packed
from open_document_files import body, cell, flat, p, read, row, sheet, zipped

NOTE = "<text:note><text:note-citation>1</text:note-citation><text:note-body>{}</text:note-body></text:note>"
COMMENT = "<office:annotation><dc:creator>Bo</dc:creator><dc:date>2024-03-01</dc:date>{}</office:annotation>"
FACTS = {
    "spans and links": ("<text:span>har</text:span><text:a xlink:href='#x'>bour</text:a>", "harbour"),
    "spaces": ("a<text:s/>b<text:s text:c='2'/>c \n  d", "a b  c d"),
    "spaces without end are capped": ("a<text:s text:c='1000000000'/>b", f"a{' ' * 64}b"),
    "a tab and a line break": ("a<text:tab/>b<text:line-break/>c", "a\tb\nc"),
    "ruby": ("<text:ruby><text:ruby-base>漢字</text:ruby-base><text:ruby-text>かんじ</text:ruby-text></text:ruby>",
             "漢字"),
    "a field": ("Berth <text:reference-ref>seven</text:reference-ref>", "Berth seven"),
    "an input field": ("<text:text-input text:description='x'>given</text:text-input>", "given"),
    "a soft hyphen": ("har\u00adbour", "harbour"),
    "a bookmark and a soft page break": ("a<text:bookmark text:name='x'/>b<text:soft-page-break/>c", "abc"),
    "a note": (f"Rent{NOTE.format(p('In crowns.'))} is due", "Rent is due\n\nIn crowns."),
    "a comment": (f"Rent{COMMENT.format(p('Check.'))} is due", "Rent is due\n\nCheck."),
    "a text box": (f"<draw:frame><draw:text-box>{p('in')}{p('box')}</draw:text-box></draw:frame>at", "at\n\nin\n\nbox"),
    "a shape": (f"at<draw:custom-shape>{p('star')}<svg:desc>a star</svg:desc></draw:custom-shape>", "at\n\nstar"),
    "a picture in the file": ("at<draw:frame><draw:image><office:binary-data>QUJD</office:binary-data></draw:image>"
                              "</draw:frame>", "at"),
    "a formula": ("x<draw:frame><draw:object><math:math><math:mi>E</math:mi><math:mo>=</math:mo><math:mi>m</math:mi>"
                  "<math:annotation>E = m</math:annotation></math:math></draw:object></draw:frame>", "x\n\nE=m"),
    "a tracked insertion": ("a<text:change-start text:change-id='c'/>b<text:change-end text:change-id='c'/>", "ab"),
}  # fmt: skip


@pytest.mark.parametrize("make", [zipped, flat])
@pytest.mark.parametrize(("inner", "wanted"), FACTS.values(), ids=FACTS)
def test_what_a_paragraph_shows_is_its_text(inner: str, wanted: str, make: object) -> None:
    data = zipped(p(inner)) if make is zipped else flat(p(inner))
    assert read(data).text == wanted


def test_deleted_text_and_forms_and_sources_of_indexes_are_left() -> None:
    gone = f"<text:changed-region><text:deletion>{p('gone')}</text:deletion></text:changed-region>"
    gone = f"<text:tracked-changes>{gone}</text:tracked-changes>"
    index = (
        "<text:table-of-content><text:table-of-content-source><text:index-title-template>template"
        f"</text:index-title-template></text:table-of-content-source><text:index-body>{p('Rent 3')}</text:index-body>"
        "</text:table-of-content>"
    )
    assert read(zipped(gone + f"<office:forms>{p('form')}</office:forms>" + index + p("kept"))).text == "Rent 3\n\nkept"


def test_headings_give_places_and_their_numbers_stay() -> None:
    heading = "<text:h text:outline-level='{}'>{}</text:h>"
    inner = (
        p("Before.")
        + heading.format(1, "<text:number>1</text:number>Rent")
        + f"<text:section>{heading.format(2, 'Deposit')}{p('Two months.')}</text:section>"
        + heading.format(1, "Pets")
    )
    assert by_place(read(zipped(inner))) == [
        ("1 Rent", "1 Rent"),
        ("1 Rent > Deposit", "Deposit\n\nTwo months."),
        ("Pets", "Pets"),
    ]


def level(at: int, form: str, more: str = "", name: str = "list-level-style-number") -> str:
    return f"<text:{name} text:level='{at}' style:num-format='{form}' {more}/>"


LISTS = (
    "<office:automatic-styles><text:list-style style:name='L1'>"
    + level(1, "1", "style:num-suffix='.'")
    + level(2, "a", "style:num-prefix='(' style:num-suffix=')'")
    + level(3, "i", "text:display-levels='3' text:start-value='4'")
    + level(10**17, "1", "text:display-levels='999999999999999999'")
    + "</text:list-style>"
    "<text:list-style style:name='L2'><text:list-level-style-bullet text:level='1'/></text:list-style>"
    "<style:style style:name='Off' style:list-style-name=''/>"
    "<style:style style:name='Below' style:parent-style-name='Off'/></office:automatic-styles>"
)
OUTLINE = (
    f"<office:document-styles {OPENDOCUMENT}><office:styles><text:outline-style>"
    + level(1, "1", name="outline-level-style")
    + level(2, "1", "text:display-levels='2'", name="outline-level-style")
    + level(3, "", name="outline-level-style")
    + "</text:outline-style></office:styles></office:document-styles>"
)


def items(*inner: str, about: str = "text:style-name='L1'") -> str:
    return f"<text:list {about}>{''.join(f'<text:list-item>{one}</text:list-item>' for one in inner)}</text:list>"


def listed(inner: str) -> list[str]:
    content = f"<office:document-content {OPENDOCUMENT}>{LISTS}{body(inner)}</office:document-content>"
    return read(packed({"content.xml": content, "styles.xml": OUTLINE})).text.split("\n\n")


def test_lists_are_counted_by_their_styles() -> None:
    deep = items(p("deep"), about="")
    nested = items(p("one") + p("more"), p("two") + items(p("a"), p("b") + deep, about=""), p("three"))
    assert listed(nested) == ["1. one", "more", "2. two", "(a) a", "(b) b", "2.b.iv deep", "3. three"]
    again = "text:style-name='L1' text:continue-numbering='true'"
    assert listed(items(p("x")) + items(p("y")) + items(p("z"), about=again)) == ["1. x", "1. y", "2. z"]
    jump = items(p("x")).replace("<text:list-item>", "<text:list-item text:start-value='7'>")
    header = "<text:list text:style-name='L1'><text:list-header><text:p>h</text:p></text:list-header></text:list>"
    assert listed(jump + header + items(p("dot"), about="text:style-name='L2'")) == ["7. x", "h", "dot"]


def test_headings_are_counted_by_the_outline_unless_their_style_says_no() -> None:
    heading = "<text:h text:outline-level='{}' {}>{}</text:h>".format
    found = listed(
        heading(1, "", "Rent")
        + heading(2, "", "Deposit")
        + heading(1, "text:style-name='Off'", "Preface")
        + heading(1, "text:style-name='Below'", "Thanks")
        + heading(1, "text:is-list-header='true'", "Between")
        + heading(1, "", "<text:number>II</text:number>Pets")
        + heading(2, "", "Cats")
        + heading(3, "", "Grey ones")
    )
    assert found == ["1 Rent", "1.1 Deposit", "Preface", "Thanks", "Between", "II Pets", "2.1 Cats", "Grey ones"]


def test_tables_of_a_text_are_rows_and_covered_cells_are_left() -> None:
    cell = "<table:table-cell>{}</table:table-cell>".format
    inner = f"<table:table><table:table-row>{cell(p('x'))}{cell(p('y'))}</table:table-row></table:table>"
    rows = (
        f"<table:table-header-rows><table:table-row>{cell(p('wide'))}<table:covered-table-cell>{p('old')}"
        "</table:covered-table-cell></table:table-row></table:table-header-rows>"
        f"<table:table-row>{cell(p('top') + inner)}{cell(p('side') + p('below'))}</table:table-row>"
    )
    assert read(zipped(p("a") + f"<table:table table:name='T'>{rows}</table:table>" + p("b"))).text == (
        "a\n\nwide\ntop\nx\ty\tside\nbelow\n\nb"
    )


MASTERS = (
    "<office:master-styles><style:master-page style:name='a'><style:header>{0}</style:header><style:footer>"
    "<text:p>Page <text:page-number>3</text:page-number></text:p></style:footer><style:footer-left>"
    "<text:p><text:date>00/00/0000</text:date></text:p>"
    "<text:p>Form 27b, page <text:page-number>3</text:page-number></text:p></style:footer-left>"
    "<draw:frame>{1}</draw:frame></style:master-page>"
    "<style:master-page style:name='b'><style:header>{0}</style:header></style:master-page></office:master-styles>"
).format(p("Letterhead"), p("Click to edit"))


def test_headers_and_footers_stand_once_and_the_rest_of_master_pages_is_left() -> None:
    styles = f"<office:document-styles {OPENDOCUMENT}><office:styles/>{MASTERS}</office:document-styles>"
    wanted = [("header", "Letterhead"), ("footer", "Form 27b, page")]
    assert by_place(read(zipped(p("Body."), parts={"styles.xml": styles}))) == wanted
    found = read(flat(p("Body."), before=MASTERS))
    assert found.text.startswith("Body.\n\nLetterhead")
    assert by_place(found) == wanted


CHART = (
    f"<office:document-content {OPENDOCUMENT}><office:automatic-styles>{p('style')}</office:automatic-styles>"
    f"<office:body><office:chart><chart:chart><chart:title>{p('Harbour dues')}</chart:title>"
    + sheet("local", row(cell(p("May")), cell(p("12"))), row(cell(p("June")), cell(p("NaN"))))
    + "</chart:chart></office:chart></office:body></office:document-content>"
)


def test_charts_and_formulas_of_their_own_parts_bring_their_words_once() -> None:
    frame = "<draw:frame><draw:object xlink:href='./{}'/><draw:image/></draw:frame>".format
    formula = (
        "<math xmlns='http://www.w3.org/1998/Math/MathML'><semantics><mrow><mi>E</mi><mo>=</mo><mi>m</mi>"
        "<mtext>for all</mtext></mrow><annotation>E = m</annotation></semantics></math>"
    )
    assert read(packed({"content.xml": formula})).text == "E=m for all"
    parts: dict[str, str | bytes] = {"Object 1/content.xml": CHART, "Object 2/content.xml": formula}
    inner = p(f"See{frame('Object 1')}") + p(frame("Object%202")) + p(frame("Object 1")) + p(frame("Gone")) + p("End.")
    assert read(zipped(inner, parts=parts)).text == "See\n\nHarbour dues\n\nMay\t12\n\nJune\n\nE=m for all\n\nEnd."
    page = f"<draw:page>{frame('Object 2')}</draw:page>"
    assert read(zipped(page, "presentation", parts)).text == "E=m for all"


META = (
    "<office:meta><dc:title>Lease</dc:title><meta:initial-creator>Ada</meta:initial-creator><dc:creator>Bo</dc:creator>"
    "<dc:language>nb-NO</dc:language><meta:creation-date>2024-03-01T10:00:00.123456789</meta:creation-date>"
    "<dc:date>soon</dc:date></office:meta>"
)


def test_what_the_file_says_of_itself_are_facts() -> None:
    parts: dict[str, str | bytes] = {"meta.xml": f"<office:document-meta {OPENDOCUMENT}>{META}</office:document-meta>"}
    for found in (read(zipped(p("x"), parts=parts)), read(flat(p("x"), before=META))):
        assert (found.title, found.author, found.language) == ("Lease", "Ada", "nb-NO")
        assert (found.created, found.modified) == ("2024-03-01T10:00:00.123456789", None)


def test_an_encrypted_file_is_named() -> None:
    manifest = (
        f"<manifest:manifest {OPENDOCUMENT}><manifest:file-entry manifest:full-path='content.xml'>"
        "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
    )
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        read(packed({"mimetype": "x", "META-INF/manifest.xml": manifest, "content.xml": b"\x8f\x02\xff"}))


def test_a_broken_part_costs_only_itself_and_a_missing_content_is_named() -> None:
    found = read(zipped(p("kept"), parts={"styles.xml": "<broken", "meta.xml": "<broken"}))
    assert found.text == "kept"
    assert [remark.split(" (")[0] for remark in found.remarks] == ["styles.xml is damaged"]
    with pytest.raises(Unreadable, match=r"content\.xml is missing"):
        read(packed({"mimetype": "x"}))
    with pytest.raises(Unreadable, match="the document is damaged"):
        read(b"<office:document")


def test_files_of_openoffice_1_are_read() -> None:
    old = (
        '<!DOCTYPE office:document-content PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "office.dtd">'
        '<office:document-content xmlns:office="http://openoffice.org/2000/office" xmlns:table='
        '"http://openoffice.org/2000/table" xmlns:text="http://openoffice.org/2000/text" office:class="spreadsheet">'
        f"<office:body>{sheet('Costs', row(cell(p('old'))))}</office:body></office:document-content>"
    )
    assert by_place(read(packed({"content.xml": old}))) == [("Costs", "Costs"), ("Costs!A1", "old")]
