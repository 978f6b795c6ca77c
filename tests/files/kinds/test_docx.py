"""What paragraphs and tables of Word show: each feature by a marked word, and what must not come out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rounds import rounds
from word_files import cell, paragraph, read, run, table, text_of, word

FIELD = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>REF codeword</w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r>{}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
CHOICE = (
    '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:name w:val="x"/><w:ddList>{}<w:listEntry w:val="red"/>'
    '<w:listEntry w:val="blue"/></w:ddList></w:ffData></w:fldChar></w:r><w:r><w:instrText>FORMDROPDOWN</w:instrText>'
    '</w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
BOX = (
    '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx><w:txbxContent>{0}</w:txbxContent>'
    "</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>{0}</w:txbxContent></v:textbox>"
    "</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
)
FACTS = {
    "a tracked insertion": (f"<w:ins>{run('ninety')}</w:ins>", "ninety"),
    "a tracked deletion": (f"a<w:del><w:r><w:delText>thirty</w:delText></w:r></w:del>{run('left')}", "left"),
    "a deletion that kept w:t": (f"<w:del>{run('thirty')}</w:del>{run('left')}", "left"),
    "a deletion within an insertion": (f"<w:ins><w:del>{run('thirty')}</w:del>{run('new')}</w:ins>", "new"),
    "text moved away": (f"<w:moveFrom>{run('moved')}</w:moveFrom>{run('left')}", "left"),
    "text moved here": (f"<w:moveTo>{run('moved')}</w:moveTo>", "moved"),
    "an inline control": (f"<w:sdt><w:sdtPr/><w:sdtContent>{run('nine')}</w:sdtContent></w:sdt>", "nine"),
    "a smart tag": (f"<w:smartTag>{run('Bergen')}</w:smartTag>", "Bergen"),
    "customXml": (f"<w:customXml>{run('element')}</w:customXml>", "element"),
    "a hyperlink": (f'<w:hyperlink r:id="rId9">{run("the rules")}</w:hyperlink>', "the rules"),
    "a simple field": (f'<w:fldSimple w:instr="REF x">{run("fourteen")}</w:fldSimple>', "fourteen"),
    "a complex field": (FIELD.format(run("fifteen")), "fifteen"),
    "a chosen entry": (CHOICE.format('<w:result w:val="1"/>'), "blue"),
    "the entry that is chosen at first": (run("in ") + CHOICE.format("") + run("."), "in red."),
    "a choice that no entry has": (CHOICE.format('<w:default w:val="7"/>') + run("left"), "left"),
    "a text box with a fallback": (BOX.format(paragraph(run("blue box"))), "blue box"),
    "a text box of VML": (
        f"<w:r><w:pict><v:shape><v:textbox><w:txbxContent>{paragraph(run('old box'))}</w:txbxContent></v:textbox>"
        "</v:shape></w:pict></w:r>",
        "old box",
    ),
    "WordArt": ('<w:r><w:pict><v:shape><v:textpath string="Draft"/></v:shape></w:pict></w:r>', "Draft"),
    "ruby": (
        "<w:r><w:ruby><w:rubyPr/><w:rt><w:r><w:t>かんじ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢字</w:t></w:r>"
        "</w:rubyBase></w:ruby></w:r>",
        "漢字",
    ),
    "an equation": ("<m:oMath><m:r><m:t>E=mc</m:t></m:r></m:oMath>", "E=mc"),
    "a fraction": (
        "<m:oMath><m:f><m:num><m:r><m:t>profit</m:t></m:r></m:num><m:den><m:r><m:t>sales</m:t></m:r></m:den></m:f>"
        "</m:oMath>",
        "profit/sales",
    ),
    "a no-break hyphen": ("<w:r><w:t>co</w:t><w:noBreakHyphen/><w:t>op</w:t></w:r>", "co-op"),
    "a soft hyphen": ("<w:r><w:t>har</w:t><w:softHyphen/><w:t>bour\u00adside</w:t></w:r>", "harbourside"),
    "a tab": ("<w:r><w:t>left</w:t><w:tab/><w:t>right</w:t></w:r>", "left\tright"),
    "a line break": ("<w:r><w:t>one</w:t><w:br/><w:t>two</w:t><w:cr/><w:t>three</w:t></w:r>", "one\ntwo\nthree"),
    "a symbol of Unicode": ('<w:r><w:t>5 </w:t><w:sym w:font="Arial" w:char="20AC"/></w:r>', "5 €"),
    "a symbol of Symbol": ('<w:r><w:sym w:font="Symbol" w:char="F061"/><w:t>-ray</w:t></w:r>', "α-ray"),
    "a box of Wingdings": ('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:t> paid</w:t></w:r>', "☑ paid"),
    "right to left": (f'<w:dir w:val="rtl"><w:bdo w:val="rtl">{run("שלום")}</w:bdo></w:dir>', "שלום"),
    "entities of XML": (run("R&amp;D &lt; &#252;"), "R&D < ü"),
    "words over runs": (run("har") + run("bour"), "harbour"),
}


@pytest.mark.parametrize(("body", "wanted"), FACTS.values(), ids=FACTS)
def test_what_a_paragraph_shows_is_its_text(body: str, wanted: str) -> None:
    assert text_of(paragraph(body)) == wanted


@pytest.mark.parametrize(("body", "wanted"), FACTS.values(), ids=FACTS)
def test_a_strict_file_says_the_same(body: str, wanted: str) -> None:
    assert read(word(paragraph(body), strict=True)).text == wanted


def test_a_field_in_a_field_s_code_is_code() -> None:
    inner = FIELD.format(run("hidden"))
    begin, separate, end = (f'<w:r><w:fldChar w:fldCharType="{one}"/></w:r>' for one in ("begin", "separate", "end"))
    assert text_of(paragraph(f"{begin}{inner}{separate}{run('shown')}{end}{run(' after')}")) == "shown after"


def test_a_field_that_never_ends_does_not_swallow_what_follows() -> None:
    begun = paragraph('<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>X</w:instrText></w:r>')
    assert text_of(begun + paragraph(run("still here"))) == "still here"


def test_a_field_s_result_may_span_paragraphs() -> None:
    begin, end = FIELD.format("\0").split("\0")
    body = paragraph(begin + run("Contents")) + paragraph(run("Rent 3")) + paragraph(end) + paragraph(run("Rent"))
    assert text_of(body) == "Contents\n\nRent 3\n\nRent"


def test_a_paragraph_whose_mark_is_deleted_runs_on() -> None:
    gone = "<w:rPr><w:del w:id='1'/></w:rPr>"
    assert text_of(paragraph(run("one "), gone) + paragraph(run("two"))) == "one two"
    assert text_of(paragraph(run("last"), gone)) == "last"
    assert text_of(paragraph(run("one"), gone) + table(cell(paragraph(run("x")))) + paragraph(run("two"))) == (
        "one\n\nx\n\ntwo"
    )


def test_old_properties_of_a_tracked_change_are_left() -> None:
    change = '<w:pPrChange><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:pPrChange>'
    assert read(word(paragraph(run("plain"), change))).places == ()


def test_controls_hold_blocks_and_rows() -> None:
    block = f"<w:sdt><w:sdtContent>{paragraph(run('landlord'))}</w:sdtContent></w:sdt>"
    row = f"<w:tbl><w:sdt><w:sdtContent><w:tr>{cell(paragraph(run('in a row')))}</w:tr></w:sdtContent></w:sdt></w:tbl>"
    of_cell = (
        f"<w:tbl><w:tr><w:sdt><w:sdtContent>{cell(paragraph(run('in a cell')))}</w:sdtContent></w:sdt></w:tr></w:tbl>"
    )
    assert text_of(block + row + of_cell) == "landlord\n\nin a row\n\nin a cell"


def test_rows_are_lines_and_cells_stand_between_tabs() -> None:
    rows = [cell(paragraph(run(f"a{n}"))) + cell(paragraph(run(f"b{n}"))) for n in (1, 2)]
    assert text_of(paragraph(run("before")) + table(*rows) + paragraph(run("after"))) == (
        "before\n\na1\tb1\na2\tb2\n\nafter"
    )


def test_merged_cells_stand_once() -> None:
    wide = cell(paragraph(run("wide")), '<w:gridSpan w:val="2"/>')
    tall = cell(paragraph(run("tall")), '<w:vMerge w:val="restart"/>')
    covered = cell(paragraph(run("tall")), "<w:vMerge/>")
    old = cell(paragraph(run("old"))) + cell(paragraph(run("old")), '<w:hMerge w:val="continue"/>')
    right = cell(paragraph(run("right")))
    assert text_of(table(wide, tall + right, covered + right, old)) == "wide\ntall\tright\nright\nold"


def test_a_deleted_row_and_a_deleted_cell_are_left() -> None:
    gone = "<w:trPr><w:del w:id='1'/></w:trPr>" + cell(paragraph(run("gone")))
    kept = cell(paragraph(run("kept"))) + cell(paragraph(run("gone")), "<w:cellDel/>")
    assert text_of(table(gone, kept)) == "kept"


def test_a_table_in_a_cell_is_read_in_its_place() -> None:
    inner = table(cell(paragraph(run("x"))) + cell(paragraph(run("y"))), cell(paragraph(run("z"))))
    assert text_of(table(cell(paragraph(run("top")) + inner + "<w:p/>") + cell(paragraph(run("side"))))) == (
        "top\nx\ty\nz\tside"
    )


@settings(deadline=None, max_examples=rounds(quick=20, soak=60))
@given(st.lists(st.sampled_from(sorted(FACTS)), min_size=1, max_size=6))
def test_features_do_not_disturb_each_other(names: list[str]) -> None:
    body = "".join(paragraph(FACTS[name][0]) for name in names)
    assert text_of(body) == "\n\n".join(FACTS[name][1] for name in names)
    assert text_of(table(*(cell(paragraph(FACTS[name][0])) for name in names))) == "\n".join(
        FACTS[name][1] for name in names
    )
