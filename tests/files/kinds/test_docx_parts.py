"""Word files by their parts: notes, headers, headings as places, figures, and what is broken or missing."""

import json
from pathlib import Path

import pytest

from colibri.files.text import Unreadable
from office_files import element, office, packed, relations
from word_files import STYLES, paragraph, read, run, styled, word

CASES = Path(__file__).parents[1] / "cases" / "docx"
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
        ("Deposit", "1 Rent > Deposit"),
        ("Keys", "1 Rent > Keys"),
        ("2 Pets", "2 Pets"),
    ]


def test_without_styles_the_id_of_a_heading_tells() -> None:
    found = read(word(styled("Rent", "Heading1") + styled("Deposit", "Heading2")))
    assert [place.label for place in found.places] == ["Rent", "Rent > Deposit"]


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
    wanted = json.loads((CASES.parent / "cases.json").read_text())[f"docx/{case.name}"]
    text = read(case.read_bytes()).text
    assert all(" ".join(one.split()) in " ".join(text.split()) for one in wanted["contains"])
    assert not any(one in text for one in wanted["never"])
