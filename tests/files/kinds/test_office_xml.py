"""XML of office files as nobody should write it: entities, outside DTDs, other encodings, elements out of place."""

import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri.files.text import Unreadable
from office_files import OPENDOCUMENT, packed, spaces
from office_kinds import KINDS, read
from rounds import rounds

MB = 1 << 20
EVERY = pytest.mark.parametrize("kind", KINDS)


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
@settings(deadline=None, max_examples=rounds(quick=20, soak=50))
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
