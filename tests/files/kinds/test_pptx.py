"""PowerPoint files: slides in their order, notes and comments with theirs, tables, groups, figures."""

import pytest

from colibri.files.kinds.office import pptx
from colibri.files.text import FileText, Unreadable
from office_files import by_place, element, office, relations, source

MAIN = "ppt/presentation.xml"


def paragraphs(*texts: str) -> str:
    return "".join(f"<a:p><a:pPr/><a:r><a:rPr/><a:t>{text}</a:t></a:r></a:p>" for text in texts)


def shape(*texts: str, kind: str = "") -> str:
    placeholder = f'<p:nvPr><p:ph type="{kind}"/></p:nvPr>' if kind else ""
    return f"<p:sp><p:nvSpPr>{placeholder}</p:nvSpPr><p:txBody><a:bodyPr/>{paragraphs(*texts)}</p:txBody></p:sp>"


def slide(inner: str, name: str = "p:sld", *, strict: bool = False) -> str:
    return element(name, f"<p:cSld><p:spTree>{inner}</p:spTree></p:cSld>", strict=strict)


def deck(
    slides: dict[str, str],
    parts: dict[str, str | bytes] | None = None,
    *,
    order: list[str] | None = None,
    strict: bool = False,
) -> bytes:
    """slides: file name -> what is on it. order: in which they are shown."""
    ids = {name: f"rId{n}" for n, name in enumerate(slides, 1)}
    listed = "".join(
        f'<p:sldId id="{255 + n}" r:id="{ids.get(name, name)}"/>' for n, name in enumerate(order or slides, 1)
    )
    return office(
        MAIN,
        element("p:presentation", f"<p:sldIdLst>{listed}</p:sldIdLst>", strict=strict),
        {key: ("slide", f"slides/{name}") for name, key in ids.items()},
        {f"ppt/slides/{name}": slide(inner, strict=strict) for name, inner in slides.items()} | (parts or {}),
        strict=strict,
    )


def read(data: bytes) -> FileText:
    return pptx.read(source(data, "plan.pptx"))


@pytest.mark.parametrize("strict", [False, True])
def test_slides_come_in_the_order_of_the_presentation(strict: bool) -> None:
    slides = {"slide1.xml": shape("last"), "slide2.xml": shape("first"), "slide10.xml": shape("second")}
    found = read(deck(slides, order=["slide2.xml", "slide10.xml", "slide1.xml"], strict=strict))
    assert dict(by_place(found)) == {"slide 1": "first", "slide 2": "second", "slide 3": "last"}


def test_notes_belong_to_the_slide_that_refers_to_them() -> None:
    note = (
        shape("", kind="sldImg") + shape("Say hello.", kind="body") + shape("2", kind="sldNum") + shape("x", kind="hdr")
    )
    parts: dict[str, str | bytes] = {
        "ppt/slides/_rels/b.xml.rels": relations({"r": ("notesSlide", "../notesSlides/notesSlide1.xml")}),
        "ppt/notesSlides/notesSlide1.xml": slide(note, "p:notes"),
    }
    found = read(deck({"a.xml": shape("one"), "b.xml": shape("two")}, parts))
    assert dict(by_place(found)) == {"slide 1": "one", "slide 2": "two\n\nSay hello."}


def test_comments_of_both_kinds_stand_with_their_slide() -> None:
    modern = "http://schemas.microsoft.com/office/powerpoint/2018/8/main"
    parts: dict[str, str | bytes] = {
        "ppt/slides/_rels/a.xml.rels": relations(
            {"r1": ("comments", "../comments/c1.xml"), "r2": ("comments", "../comments/c2.xml")}
        ),
        "ppt/comments/c1.xml": element("p:cmLst", "<p:cm><p:pos/><p:text>Too small.</p:text></p:cm>"),
        "ppt/comments/c2.xml": element(
            "n:cmLst", f"<n:cm><n:txBody>{paragraphs('Which pier?')}</n:txBody></n:cm>"
        ).replace("<n:cmLst", f'<n:cmLst xmlns:n="{modern}"'),
    }
    assert read(deck({"a.xml": shape("one")}, parts)).text == "one\n\nToo small.\n\nWhich pier?"


def test_groups_tables_and_breaks_are_read() -> None:
    covered = ' hMerge="1"'
    rows = [("wide", "", 'gridSpan="2"'), ("left", "right", "")]
    table = "".join(
        f"<a:tr><a:tc {span}><a:txBody>{paragraphs(one)}</a:txBody></a:tc>"
        f"<a:tc{covered if span else ''}><a:txBody>{paragraphs(two or 'covered')}</a:txBody></a:tc></a:tr>"
        for one, two, span in rows
    )
    frame = (
        f"<p:graphicFrame><a:graphic><a:graphicData><a:tbl>{table}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
    )
    broken = "<p:sp><p:txBody><a:p><a:r><a:t>one</a:t></a:r><a:br/><a:r><a:t>two</a:t></a:r></a:p></p:txBody></p:sp>"
    grouped = f"<p:grpSp><p:grpSp>{shape('deep')}</p:grpSp>{shape('up', 'per')}</p:grpSp>"
    assert read(deck({"a.xml": grouped + frame + broken + shape("end")})).text == (
        "deep\n\nup\nper\n\nwide\nleft\tright\n\none\ntwo\n\nend"
    )


def test_slide_numbers_are_left_and_footers_stand_once() -> None:
    number = (
        '<p:sp><p:txBody><a:p><a:r><a:t>Pier </a:t></a:r><a:fld type="slidenum"><a:rPr/><a:t>7</a:t></a:fld></a:p>'
        "</p:txBody></p:sp>"
    )
    every = shape("Harbour office", kind="ftr") + shape("7", kind="sldNum")
    found = read(deck({"a.xml": shape("one") + number + every, "b.xml": shape("two") + every}))
    assert dict(by_place(found)) == {"slide 1": "one\n\nPier\n\nHarbour office", "slide 2": "two"}


def test_what_masters_show_on_every_slide_stands_once() -> None:
    layout = shape("Click to edit", kind="title") + shape("Click too").replace(
        "<p:nvSpPr>", "<p:nvSpPr><p:ph idx='1'/>"
    )
    parts: dict[str, str | bytes] = {
        "ppt/layouts/l.xml": slide(layout + shape("Confidential"), "p:sldLayout"),
        "ppt/layouts/_rels/l.xml.rels": relations({"m": ("slideMaster", "../masters/m.xml")}),
        "ppt/masters/m.xml": slide(shape("Click", kind="body") + shape("Harbour office"), "p:sldMaster"),
    }
    parts |= {
        f"ppt/slides/_rels/{name}.rels": relations({"l": ("slideLayout", "../layouts/l.xml")})
        for name in ("a.xml", "b.xml")
    }
    found = read(deck({"a.xml": shape("one"), "b.xml": shape("two")}, parts))
    assert dict(by_place(found)) == {
        "slide 1": "one",
        "slide 2": "two",
        "slide master": "Confidential\n\nHarbour office",
    }


def test_alternatives_are_read_once() -> None:
    both = (
        f'<mc:AlternateContent><mc:Choice Requires="a14">{shape("equation")}</mc:Choice><mc:Choice Requires="x">'
        f"{shape('equation')}</mc:Choice><mc:Fallback>{shape('picture of it')}</mc:Fallback></mc:AlternateContent>"
    )
    assert read(deck({"a.xml": both})).text == "equation"


def test_charts_and_smartart_bring_their_words() -> None:
    points = "".join(f"<c:pt><c:v>{one}</c:v></c:pt>" for one in ("45352", "45383"))
    chart = f"<c:ser><c:cat><c:numCache><c:formatCode>mmm yyyy</c:formatCode>{points}</c:numCache></c:cat></c:ser>"
    parts: dict[str, str | bytes] = {
        "ppt/slides/_rels/a.xml.rels": relations(
            {"r1": ("chart", "../charts/c.xml"), "r2": ("diagramData", "../diagrams/d.xml"), "r3": ("chart", "../NULL")}
        ),
        "ppt/charts/c.xml": element("c:chartSpace", chart),
        "ppt/charts/_rels/c.xml.rels": relations({"u": ("chartUserShapes", "../drawings/u.xml")}),
        "ppt/drawings/u.xml": element("c:userShapes", paragraphs("drawn on it")),
        "ppt/diagrams/d.xml": element(
            "dgm:dataModel", f"<dgm:pt><dgm:t>{paragraphs('Unload', 'Weigh')}</dgm:t></dgm:pt>"
        ),
    }
    frames = (
        '<p:graphicFrame><c:chart r:id="r1"/></p:graphicFrame><p:graphicFrame><dgm:relIds r:dm="r2"/></p:graphicFrame>'
    )
    assert read(deck({"a.xml": frames + shape("end")}, parts)).text.split() == (
        ["Mar", "2024", "Apr", "2024", "drawn", "on", "it", "Unload", "Weigh", "end"]
    )


def test_a_missing_and_a_damaged_slide_are_named_and_the_others_read() -> None:
    data = deck(
        {"a.xml": shape("one"), "b.xml": shape("three")},
        {"ppt/slides/b.xml": "<p:sld>"},
        order=["a.xml", "rId77", "b.xml"],
    )
    found = read(data)
    assert dict(by_place(found)) == {"slide 1": "one"}
    assert found.remarks[0] == "slide 2 is missing"
    assert found.remarks[1].startswith("ppt/slides/b.xml is damaged")


def test_a_deck_without_text_has_none_and_a_damaged_presentation_says_so() -> None:
    assert read(deck({"a.xml": ""})).text == ""
    with pytest.raises(Unreadable, match=r"ppt/presentation\.xml is damaged"):
        read(office(MAIN, "<p:presentation"))
