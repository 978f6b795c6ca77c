"""Word files: each feature by a marked word, the order and the places, and what must not come out."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri.files.kinds.office import docx
from colibri.files.text import FileText, Unreadable
from office_files import element, office, packed, relations, source

CASES = Path(__file__).parents[1] / "cases" / "docx"


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(inner: str, properties: str = "") -> str:
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{inner}</w:p>"


def table(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def cell(inner: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner}</w:tc>"


def word(
    body: str,
    named: dict[str, tuple[str, str]] | None = None,
    parts: dict[str, str | bytes] | None = None,
    *,
    main: str = "word/document.xml",
    strict: bool = False,
) -> bytes:
    content = element("w:document", f"<w:body>{body}</w:body>", strict=strict)
    return office(main, content, named, parts, strict=strict)


def read(data: bytes) -> FileText:
    return docx.read(source(data, "letter.docx"))


def text_of(body: str) -> str:
    return read(word(body)).text


FIELD = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>REF codeword</w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r>{}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
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


NOTES = {"rId1": ("footnotes", "notes.xml"), "rId2": ("endnotes", "ends.xml"), "rId3": ("comments", "comments.xml")}


def notes(kind: str, *texts: str, first: int = 1) -> str:
    marks = f'<w:{kind} w:id="-1" w:type="separator"><w:p><w:r><w:separator/></w:r></w:p></w:{kind}>'
    every = "".join(f'<w:{kind} w:id="{n}">{paragraph(run(text))}</w:{kind}>' for n, text in enumerate(texts, first))
    return element(f"w:{kind}s", marks + every)


def test_notes_and_comments_stand_after_the_paragraph_that_refers_to_them() -> None:
    body = paragraph(
        run("Rent")
        + '<w:r><w:footnoteReference w:id="1"/></w:r><w:r><w:commentReference w:id="0"/></w:r>'
        + '<w:r><w:endnoteReference w:id="1"/></w:r>'
        + run(" is due.")
    )
    parts = {
        "word/notes.xml": notes("footnote", "In crowns."),
        "word/ends.xml": notes("endnote", "Since May."),
        "word/comments.xml": notes("comment", "Check this.", "Nobody refers to me.", first=0),
    }
    found = read(word(body + paragraph(run("Next.")), NOTES, dict(parts)))
    assert found.text.split("\n\n") == [
        "Rent is due.", "In crowns.", "Check this.", "Since May.", "Next.", "Nobody refers to me.",
    ]  # fmt: skip


def test_headers_and_footers_stand_once_at_the_end_with_places() -> None:
    named = {f"rId{n}": (kind, f"{kind}{n}.xml") for n, kind in enumerate(["header", "header", "footer"], 1)}
    parts: dict[str, str | bytes] = {
        "word/header1.xml": element("w:hdr", paragraph(run("Letterhead"))),
        "word/header2.xml": element("w:hdr", paragraph(run("Letterhead"))),
        "word/footer3.xml": element("w:ftr", paragraph(run("Form 27b"))),
    }
    found = read(word(paragraph(run("Body.")), named, parts))
    assert found.text == "Body.\n\nLetterhead\n\nForm 27b"
    assert [(found.text[place.start :].split("\n")[0], place.label) for place in found.places] == [
        ("Letterhead", "header"),
        ("Form 27b", "footer"),
    ]


STYLES = element(
    "w:styles",
    "<w:docDefaults/>"
    '<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="Titre2"><w:name w:val="Titre de clause"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
    '<w:style w:styleId="Klausel"><w:name w:val="Klausel"/><w:basedOn w:val="Titre2"/></w:style>'
    '<w:style w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>'
    '<w:style w:styleId="Plain"><w:name w:val="Plain"/><w:basedOn w:val="berschrift1"/>'
    '<w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style>',
)


def styled(text: str, style: str) -> str:
    return paragraph(run(text), f'<w:pStyle w:val="{style}"/>')


def test_headings_give_places_whatever_their_styles_are_called() -> None:
    body = (
        paragraph(run("Before."))
        + styled("1 Rent", "berschrift1")
        + paragraph(run("Nine hundred."))
        + styled("Deposit", "Klausel")
        + paragraph(run("Two months."))
        + styled("circle", "Loop")
        + styled("no heading", "Plain")
        + paragraph(run("Keys"), '<w:outlineLvl w:val="1"/>')
        + styled("2 Pets", "berschrift1")
    )
    found = read(word(body, {"rId1": ("styles", "styles.xml")}, {"word/styles.xml": STYLES}))
    assert [(found.text[place.start :].split("\n")[0], place.label) for place in found.places] == [
        ("1 Rent", "1 Rent"),
        ("Deposit", "1 Rent › Deposit"),
        ("Keys", "1 Rent › Keys"),
        ("2 Pets", "2 Pets"),
    ]


def test_without_styles_the_id_of_a_heading_tells() -> None:
    found = read(word(styled("Rent", "Heading1") + styled("Deposit", "Heading2")))
    assert [place.label for place in found.places] == ["Rent", "Rent › Deposit"]


def test_charts_and_smartart_bring_their_words_where_they_stand() -> None:
    value = "<c:pt idx='0'><c:v>{}</c:v></c:pt>"
    series = (
        f"<c:ser><c:tx><c:strRef><c:f>Sheet1!A1</c:f><c:strCache>{value.format('Boats')}</c:strCache></c:strRef></c:tx>"
        f"<c:cat><c:strRef><c:strCache>{value.format('May')}{value.format('June')}</c:strCache></c:strRef></c:cat>"
        f"<c:val><c:numRef><c:numCache><c:formatCode>0.0</c:formatCode>{value.format('12')}{value.format('3.25')}"
        "</c:numCache></c:numRef></c:val></c:ser>"
    )
    title = "<c:title><c:tx><c:rich><a:p><a:r><a:t>Harbour dues</a:t></a:r></a:p></c:rich></c:tx></c:title>"
    parts: dict[str, str | bytes] = {
        "word/charts/chart1.xml": element("c:chartSpace", f"<c:chart>{title}{series}{series}</c:chart>"),
        "word/diagrams/data1.xml": element(
            "dgm:dataModel",
            "<dgm:ptLst><dgm:pt><dgm:t><a:p><a:r><a:t>Unload</a:t></a:r></a:p></dgm:t></dgm:pt></dgm:ptLst>",
        ),
    }
    named = {"rId1": ("chart", "charts/chart1.xml"), "rId2": ("diagramData", "/word/diagrams/data1.xml")}
    body = paragraph('<w:r><w:drawing><c:chart r:id="rId1"/></w:drawing></w:r>' + run("See above."))
    body += paragraph('<w:r><w:drawing><dgm:relIds r:dm="rId2" r:lo="rId8"/></w:drawing></w:r>')
    assert read(word(body + paragraph(run("End.")), named, parts)).text == (
        "See above.\n\nHarbour dues\nBoats\nMay\tJune\n12.0\t3.3\n\nUnload\n\nEnd."
    )


def test_the_main_part_is_found_by_its_relationship() -> None:
    decoy: dict[str, str | bytes] = {
        "word/document.xml": element("w:document", f"<w:body>{paragraph(run('decoy'))}</w:body>")
    }
    assert read(word(paragraph(run("real")), parts=decoy, main="text/main.xml")).text == "real"


def test_where_no_relationship_names_it_the_content_types_do() -> None:
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/a/b.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    body = element("w:document", f"<w:body>{paragraph(run('found'))}</w:body>")
    assert read(packed({"[Content_Types].xml": types, "A\\B.xml": body})).text == "found"


def test_relationships_that_point_nowhere_are_passed_over() -> None:
    named = {"rId1": ("image", "NULL"), "rId2": ("header", "../NULL"), "rId3": ("footnotes", "gone.xml")}
    found = read(word(paragraph(run("still read")), named))
    assert (found.text, found.remarks) == ("still read", ())


def test_a_damaged_part_costs_only_itself_and_is_named() -> None:
    parts: dict[str, str | bytes] = {"word/comments.xml": "<w:comments", "word/_rels/other.rels": ""}
    found = read(word(paragraph(run("Rent.")), {"rId1": ("comments", "comments.xml")}, parts))
    assert found.text == "Rent."
    assert [remark.split(" (")[0] for remark in found.remarks] == ["word/comments.xml is damaged"]


def test_what_comes_before_damage_in_the_main_part_stays() -> None:
    content = element("w:document", f"<w:body>{paragraph(run('kept'))}{paragraph(run('more'))}</w:body>")
    data = office("word/document.xml", content[: content.index("more")])
    found = read(data)
    assert found.text == "kept"
    assert found.remarks[0].startswith("word/document.xml is damaged")


def test_a_file_without_anything_readable_says_why() -> None:
    with pytest.raises(Unreadable, match=r"word/document.xml is damaged"):
        read(office("word/document.xml", "no xml"))
    with pytest.raises(Unreadable, match="no main part"):
        read(packed({"_rels/.rels": relations({})}))


def test_core_properties_are_facts() -> None:
    core = element(
        "cp:coreProperties",
        "<dc:title>Lease_x0020_2024</dc:title><dc:creator>Ada Berg</dc:creator><dc:language>nb-NO</dc:language>"
        "<dcterms:created>2024-03-01T10:00:00Z</dcterms:created><dcterms:modified>yesterday</dcterms:modified>",
    )
    base = "http://schemas.openxmlformats.org/package/2006/relationships"
    rels = (
        f'<Relationships xmlns="{base}">'
        f'<Relationship Id="a" Type="{base}/metadata/core-properties" Target="props.xml"/>'
        f'<Relationship Id="b" Type="{base}/officeDocument" Target="word/d.xml"/></Relationships>'
    )
    body = element("w:document", f"<w:body>{paragraph(run('x'))}</w:body>")
    found = read(packed({"_rels/.rels": rels, "props.xml": core, "word/d.xml": body}))
    assert (found.title, found.author, found.language) == ("Lease 2024", "Ada Berg", "nb-NO")
    assert (found.created, found.modified) == ("2024-03-01T10:00:00Z", None)


def test_embedded_files_are_counted() -> None:
    named = {
        "rId1": ("package", "embeddings/a.xlsx"),
        "rId2": ("package", "embeddings/b.docx"),
        "rId3": ("package", "c"),
    }
    parts: dict[str, str | bytes] = {"word/embeddings/a.xlsx": b"PK", "word/embeddings/b.docx": b"PK"}
    found = read(word(paragraph(run("x")), named, parts))
    assert (found.text, found.remarks) == ("x", ("holds 2 embedded files of Office, not read",))


def test_a_page_of_another_format_inside_is_named() -> None:
    named = {"rId1": ("aFChunk", "chunk.html")}
    found = read(word(paragraph(run("x")) + '<w:altChunk r:id="rId1"/>', named, {"word/chunk.html": "<p>y</p>"}))
    assert found.remarks == ("holds a page of another format (altChunk), which is not read",)


@pytest.mark.parametrize("case", sorted(CASES.glob("*.docx")), ids=lambda path: path.stem)
def test_reported_files_come_out_right(case: Path) -> None:
    wanted = json.loads((CASES / "cases.json").read_text())[case.name]
    text = read(case.read_bytes()).text
    assert all(" ".join(one.split()) in " ".join(text.split()) for one in wanted["contains"])
    assert not any(one in text for one in wanted["never"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(sorted(FACTS)), min_size=1, max_size=6))
def test_features_do_not_disturb_each_other(names: list[str]) -> None:
    body = "".join(paragraph(FACTS[name][0]) for name in names)
    assert text_of(body) == "\n\n".join(FACTS[name][1] for name in names)
    assert text_of(table(*(cell(paragraph(FACTS[name][0])) for name in names))) == "\n".join(
        FACTS[name][1] for name in names
    )


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
    assert [place.label for place in found.places] == ["1 Rent", "1 Rent › 1.a) Deposit", "1 Rent › 1.b) Pets"]


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
