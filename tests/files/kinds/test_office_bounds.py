"""What hurts: large, deep, growing, encrypted and broken office files end soon, with a reason."""

import struct
import time
import weakref
import zipfile
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri.files.kinds.office import docx, odf, pptx, xlsx
from colibri.files.kinds.office.archive import Archive
from colibri.files.kinds.office.elements import END, walk
from colibri.files.source import Budget, Counted
from colibri.files.text import FileText, Unreadable
from office_files import OPENDOCUMENT, element, office, packed, source, spaces

MB = 1 << 20
Build = Callable[[str], bytes]


def word(inner: str) -> bytes:
    return office(
        "word/document.xml", element("w:document", f"<w:body><w:p><w:r><w:t>{inner}</w:t></w:r></w:p></w:body>")
    )


def slides(inner: str) -> bytes:
    main = element("p:presentation", '<p:sldIdLst><p:sldId r:id="r1"/></p:sldIdLst>')
    part = element("p:sld", f"<p:sp><a:p><a:r><a:t>{inner}</a:t></a:r></a:p></p:sp>")
    return office("ppt/main.xml", main, {"r1": ("slide", "s.xml")}, {"ppt/s.xml": part})


def sheet(inner: str) -> bytes:
    main = element("x:workbook", '<x:sheets><x:sheet name="S" r:id="r1"/></x:sheets>')
    cells = f'<x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>{inner}</x:t></x:is></x:c></x:row></x:sheetData>'
    return office("xl/main.xml", main, {"r1": ("worksheet", "s.xml")}, {"xl/s.xml": element("x:worksheet", cells)})


def content(inner: str) -> str:
    body = f"<office:body><office:text><text:p>{inner}</text:p></office:text></office:body>"
    return f"<office:document-content {OPENDOCUMENT}>{body}</office:document-content>"


def open_document(inner: str) -> bytes:
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content(inner)})


KINDS = {"docx": (docx, word), "pptx": (pptx, slides), "xlsx": (xlsx, sheet), "odt": (odf, open_document)}
EVERY = pytest.mark.parametrize("kind", KINDS)


def read(kind: str, data: bytes, budget: Budget | None = None) -> FileText:
    found: FileText = KINDS[kind][0].read(source(data, f"file.{kind}", budget))
    return found


@EVERY
def test_a_part_that_says_it_is_large_is_refused_without_unpacking(kind: str) -> None:
    data = KINDS[kind][1](" " * (120 * MB))
    assert len(data) < MB
    budget = Budget()
    begun = time.process_time()
    with pytest.raises(Unreadable, match="unpacks to more than 100 MB"):
        read(kind, data, budget)
    assert budget.used_bytes < MB
    assert time.process_time() - begun < 1


@EVERY
def test_what_is_unpacked_is_counted_whatever_the_file_says(kind: str) -> None:
    with pytest.raises(Unreadable, match=r"^unpacks to more than 2 MB"):
        read(kind, KINDS[kind][1](" " * (5 * MB)), Budget(total_bytes=2 * MB))


@EVERY
def test_a_part_whose_size_is_understated_ends_there(kind: str) -> None:
    data = bytearray(KINDS[kind][1]("word " * (4 * MB)))
    with zipfile.ZipFile(BytesIO(data)) as held:
        largest = max(held.infolist(), key=lambda entry: entry.file_size)
    for place in range(len(data) - 46):
        if data[place : place + 4] == b"PK\1\2" and struct.unpack_from("<I", data, place + 24)[0] == largest.file_size:
            struct.pack_into("<I", data, place + 24, 1_000)
    budget = Budget()
    with pytest.raises(Unreadable, match="is damaged"):
        read(kind, bytes(data), budget)
    assert budget.used_bytes < MB


@EVERY
def test_elements_in_elements_without_end_are_refused(kind: str) -> None:
    with pytest.raises(Unreadable, match="nests elements deeper than 256"):
        read(kind, KINDS[kind][1]("<a>" * 100_000 + "</a>" * 100_000))


@EVERY
def test_the_deepest_nesting_that_is_read_does_not_exhaust_the_stack(kind: str) -> None:
    assert read(kind, KINDS[kind][1]("<s>" * 240 + "</s>" * 240 + "deep")).remarks == ()


def with_entities(declared: str, inner: str, kind: str) -> bytes:
    """Every XML part of a file gets a DTD."""
    with zipfile.ZipFile(BytesIO(KINDS[kind][1](inner))) as held:
        parts = {entry: held.read(entry).decode() for entry in held.namelist()}
    dtd = f"<!DOCTYPE x [{declared}]>"
    for part, text in parts.items():
        if not part.endswith((".rels", "mimetype")):
            head, _, rest = text.partition("?>") if text.startswith("<?xml") else ("", "", text)
            parts[part] = f"{head}?>{dtd}{rest}" if head else dtd + rest
    return packed(dict(parts))


@EVERY
@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ('<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">', r"declares an entity that grows \(b\)"),
        (f'<!ENTITY a "{"a" * 300}">', r"declares an entity that grows \(a\)"),
        ("<!ENTITY % p \"<!ENTITY a 'x'>\"> %p;", r"declares an entity for its declarations \(p\)"),
    ],
)
def test_entities_that_grow_are_refused(kind: str, declared: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(kind, with_entities(declared, "&a;", kind))


@EVERY
def test_entities_of_a_large_part_are_refused(kind: str) -> None:
    with pytest.raises(Unreadable, match="declares entities and is longer than 1 MB"):
        read(kind, with_entities('<!ENTITY a "aa">', "&a;" * (MB // 2), kind))


@EVERY
def test_small_entities_are_read_and_those_from_outside_stand_for_nothing(kind: str) -> None:
    declared = (
        '<!ENTITY firm "R&#38;#38;D Ltd"><!ENTITY out SYSTEM "file:///etc/hostname"><!ENTITY far SYSTEM '
        '"http://127.0.0.1:9/x">'
    )
    found = read(kind, with_entities(declared, "of &firm;: [&out;&far;]", kind))
    assert found.text.split("\n")[-1] == "of R&D Ltd: []"


@EVERY
def test_a_dtd_from_outside_is_named_by_old_files_and_never_fetched(kind: str) -> None:
    with zipfile.ZipFile(BytesIO(KINDS[kind][1]("kept"))) as held:
        parts = {entry: held.read(entry) for entry in held.namelist()}
    named = b'<!DOCTYPE office:document PUBLIC "-//OpenOffice.org//DTD 1.0//EN" "office.dtd">'
    parts = {
        part: text.replace(b"?>", b"?>" + named, 1) if b"?>" in text else named + text for part, text in parts.items()
    }
    parts["mimetype"] = b""
    assert read(kind, packed(dict(parts))).text.endswith("kept")


@EVERY
@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_parts_in_other_encodings_are_read(kind: str, encoding: str) -> None:
    with zipfile.ZipFile(BytesIO(KINDS[kind][1]("Straße"))) as held:
        parts = {entry: held.read(entry).decode().partition("?>") for entry in held.namelist()}
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    again = {part: (head + (rest or text)).encode(encoding) for part, (text, _, rest) in parts.items()}
    assert read(kind, packed(dict(again))).text.endswith("Straße")


@EVERY
def test_an_encrypted_file_is_told_from_a_damaged_one(kind: str) -> None:
    if kind != "odt":
        ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
        with pytest.raises(Unreadable, match=r"^is encrypted$"):
            read(kind, ole + "EncryptedPackage".encode("utf-16-le"))
        with pytest.raises(Unreadable, match="older Office file"):
            read(kind, ole)
    locked = bytearray(KINDS[kind][1]("secret"))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = locked.find(mark)
        while place >= 0:
            locked[place + flags] |= 1
            place = locked.find(mark, place + 4)
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        read(kind, bytes(locked))


@EVERY
def test_every_cut_of_a_file_is_unreadable_or_read(kind: str) -> None:
    whole = KINDS[kind][1]("kept")
    for cut in range(0, len(whole), 97):
        with pytest.raises(Unreadable, match="is damaged"):
            read(kind, whole[:cut] if cut else b"PK")


@EVERY
def test_turned_bytes_never_end_in_another_error(kind: str) -> None:
    whole = KINDS[kind][1]("kept")
    for place in range(0, len(whole), 5):
        turned = bytearray(whole)
        turned[place] ^= 0x55
        with suppress(Unreadable):
            read(kind, bytes(turned))


def test_one_long_string_in_every_cell_is_refused() -> None:
    main = element("x:workbook", '<x:sheets><x:sheet name="S" r:id="r1"/></x:sheets>')
    cell = '<x:c t="s"><x:v>0</x:v></x:c>'
    cells = f"<x:row>{cell * 12_000}</x:row>"
    strings = element("x:sst", f"<x:si><x:t>{'a' * MB}</x:t></x:si>")
    parts = {"xl/s.xml": element("x:worksheet", cells), "xl/t.xml": strings}
    named = {"r1": ("worksheet", "s.xml"), "r2": ("sharedStrings", "t.xml")}
    with pytest.raises(Unreadable, match="shows more than 100 MB of text"):
        read("xlsx", office("xl/main.xml", main, named, dict(parts)))


NAMES = {
    "docx": "w:p w:pPr w:numPr w:numId w:outlineLvl w:r w:t w:tbl w:tr w:tc w:trPr w:tcPr w:vMerge w:del w:ins w:rPr "
    "w:sdt w:sdtContent w:txbxContent w:fldChar w:sym w:footnoteReference w:br m:t a:p a:t c:chart "
    "mc:AlternateContent mc:Choice mc:Fallback",
    "pptx": "p:sp p:ph a:p a:t a:br a:fld a:tbl a:tr a:tc c:chart p:text mc:AlternateContent mc:Choice mc:Fallback",
    "xlsx": "x:sheetData x:row x:c x:v x:is x:t x:r x:rPh x:headerFooter x:oddHeader x:mergeCell",
    "odt": "text:p text:h text:span text:s text:note text:list text:list-item text:list-style text:number table:table "
    "text:list-level-style-number table:table-row table:table-cell table:covered-table-cell office:annotation "
    "draw:frame draw:object draw:page office:spreadsheet style:header office:master-styles math:math math:mi",
}
ATTRIBUTES = {
    "office": ("w:val", "w:fldCharType", "w:id", "w:char", "r:id", "r", "t", "s", "type", "ref"),
    "odt": (
        "text:c", "text:level", "text:style-name", "text:outline-level", "text:start-value", "table:name", "style:name",
        "table:number-columns-repeated", "table:number-rows-repeated", "xlink:href",
    ),
}  # fmt: skip
VALUES = st.sampled_from(["", "0", "1", "-1", "7", "B7", "begin", "end", "s", "b", "ftr", "x", "99999999999999999999"])


def trees(kind: str) -> st.SearchStrategy[str]:
    keys = ATTRIBUTES["odt" if kind == "odt" else "office"]

    def tree(name: str, about: dict[str, str], inner: list[str]) -> str:
        told = "".join(f" {key}='{value}'" for key, value in about.items())
        return f"<{name}{told}>{''.join(inner)}</{name}>"

    about = st.dictionaries(st.sampled_from(keys), VALUES, max_size=3)
    names = st.sampled_from(NAMES[kind].split())
    words = st.sampled_from(["word", " ", ""])
    return st.recursive(words, lambda inner: st.builds(tree, names, about, st.lists(inner, max_size=4)), max_leaves=25)


@EVERY
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_elements_where_none_expects_them_never_end_in_another_error(kind: str, data: st.DataObject) -> None:
    drawn = data.draw(trees(kind))
    with suppress(Unreadable):
        read(kind, KINDS[kind][1](drawn))
    with zipfile.ZipFile(BytesIO(KINDS[kind][1]("kept"))) as held:
        parts = {entry: held.read(entry) for entry in held.namelist()}
    largest = "content.xml" if kind == "odt" else max((part for part in parts if b"kept" in parts[part]), key=len)
    parts[largest] = f"<all {OPENDOCUMENT if kind == 'odt' else spaces()}>{drawn}</all>".encode()
    with suppress(Unreadable):
        read(kind, packed(dict(parts)))


def test_rows_of_a_long_sheet_are_forgotten_once_they_were_handed_out() -> None:
    count = 200_000
    rows = "".join(f'<x:row r="{n}"><x:c r="A{n}"><x:v>{n}</x:v></x:c></x:row>' for n in range(count))
    data = element("x:worksheet", f"<x:sheetData>{rows}</x:sheetData>").encode()
    alive: weakref.WeakSet[object] = weakref.WeakSet()
    seen = most = 0
    root = None
    for kind, tag, one in walk(lambda: BytesIO(data), "sheet", whole=frozenset({"x:row"})):
        root = root if root is not None else one
        if kind == END and tag == "x:row":
            alive.add(one)
            seen += 1
            most = max(most, len(alive), len(root))
    assert seen == count
    assert most < 5


def test_a_counted_stream_stops_at_its_part_s_limit() -> None:
    budget = Budget(part_bytes=10 * MB)
    stream = Counted(BytesIO(b" " * (11 * MB)), "x", budget)
    assert len(stream.read(10 * MB)) == 10 * MB
    with pytest.raises(Unreadable, match="x unpacks to more than 10 MB"):
        stream.read(1)
    assert budget.used_bytes == 10 * MB + 1


def test_names_of_parts_are_compared_as_office_does() -> None:
    archive = Archive(source(packed({"Word\\Document.XML": "<a/>", "/x.xml": "<b/>"})))
    assert archive.has("word/document.xml")
    assert archive.has("X.xml")
    with pytest.raises(Unreadable, match=r"y\.xml is missing"):
        archive.open("y.xml")
