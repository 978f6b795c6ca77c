"""Large valid files of every kind that packs or holds others: limits hold, the file is named, the run goes on.

What a reader makes of such a file is its own affair: it may read all of it in little, stop and say so, or be stopped.
"""

import bz2
import functools
import gzip
import importlib.util
import io
import json
import lzma
import tarfile
import time
import zipfile
from collections.abc import Callable

import pytest

from colibri.files.known import BY_NAME
from colibri.files.reading import Item, NotRead, Read, Reading
from colibri.files.room.worker import Limits, Room
from colibri.files.text import Passed, Unreadable
from rounds import rounds

MEGABYTES, MEMORY_MB = rounds((6, 24), (12, 40))
SECONDS = rounds(0.5, 1.0)
SENTENCE = "The keeper counts gulls and boats. "
OFFICE = "http://schemas.openxmlformats.org"
MAIN = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}


def repeated(piece: str) -> str:
    """So many megabytes of it."""
    return piece * ((MEGABYTES << 20) // len(piece))


def packed(members: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()


def office(kind: str, main: str, members: dict[str, str], relations: str = "") -> bytes:
    folder, _, name = main.partition("/")
    types = f'<Override PartName="/{main}" ContentType="{MAIN[kind]}"/>'
    return packed(
        {
            "[Content_Types].xml": f'<Types xmlns="{OFFICE}/package/2006/content-types">{types}</Types>',
            "_rels/.rels": f'<Relationships xmlns="{OFFICE}/package/2006/relationships"><Relationship Id="r1" '
            f'Type="{OFFICE}/officeDocument/2006/relationships/officeDocument" Target="{main}"/></Relationships>',
            f"{folder}/_rels/{name}.rels": f'<Relationships xmlns="{OFFICE}/package/2006/relationships">{relations}'
            "</Relationships>",
            **members,
        }
    )


def docx() -> bytes:
    body = repeated(f"<w:p><w:r><w:t>{SENTENCE}</w:t></w:r></w:p>")
    document = f'<w:document xmlns:w="{OFFICE}/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>'
    return office("docx", "word/document.xml", {"word/document.xml": document})


def xlsx() -> bytes:
    rows = repeated(f'<row><c t="inlineStr"><is><t>{SENTENCE}</t></is></c></row>')
    space = f"{OFFICE}/spreadsheetml/2006/main"
    book = f'<workbook xmlns="{space}" xmlns:r="{OFFICE}/officeDocument/2006/relationships"><sheets>'
    book += '<sheet name="Costs" sheetId="1" r:id="s1"/></sheets></workbook>'
    sheet = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    relation = f'<Relationship Id="s1" Type="{OFFICE}/officeDocument/2006/relationships/worksheet" Target="sheet.xml"/>'
    return office("xlsx", "xl/workbook.xml", {"xl/workbook.xml": book, "xl/sheet.xml": sheet}, relation)


def pptx() -> bytes:
    paragraphs = repeated(f"<a:p><a:r><a:t>{SENTENCE}</a:t></a:r></a:p>")
    spaces = f'xmlns:p="{OFFICE}/presentationml/2006/main" xmlns:a="{OFFICE}/drawingml/2006/main"'
    show = f'<p:presentation {spaces} xmlns:r="{OFFICE}/officeDocument/2006/relationships"><p:sldIdLst>'
    show += '<p:sldId id="256" r:id="s1"/></p:sldIdLst></p:presentation>'
    slide = (
        f"<p:sld {spaces}><p:cSld><p:spTree><p:sp><p:txBody>{paragraphs}</p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
    )
    relation = f'<Relationship Id="s1" Type="{OFFICE}/officeDocument/2006/relationships/slide" Target="slide.xml"/>'
    return office("pptx", "ppt/presentation.xml", {"ppt/presentation.xml": show, "ppt/slide.xml": slide}, relation)


def odt() -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = f'<office:document-content xmlns:office="{space}:office:1.0" xmlns:text="{space}:text:1.0">'
    content += f"<office:body><office:text>{repeated(f'<text:p>{SENTENCE}</text:p>')}</office:text></office:body>"
    content += "</office:document-content>"
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def epub() -> bytes:
    container = '<container xmlns="urn:c"><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>'
    manifest = '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
    package = f'<package xmlns="urn:p"><manifest>{manifest}</manifest><spine><itemref idref="a"/></spine></package>'
    chapter = f"<html><body>{repeated(f'<p>{SENTENCE}</p>')}</body></html>"
    members = {"META-INF/container.xml": container, "p.opf": package, "a.xhtml": chapter}
    return packed({"mimetype": "application/epub+zip", **members})


def fb2() -> bytes:
    space = "http://www.gribuser.ru/xml/fictionbook/2.0"
    body = repeated(f"<section><p>{SENTENCE}</p></section>")
    return f'<?xml version="1.0"?><FictionBook xmlns="{space}"><body>{body}</body></FictionBook>'.encode()


def tape() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for i in range(MEGABYTES):
            entry = tarfile.TarInfo(f"{i}.txt")
            entry.size = 1 << 20
            archive.addfile(entry, io.BytesIO((SENTENCE * 40_000).encode()[: 1 << 20]))
    return file.getvalue()


def text() -> bytes:
    return repeated(SENTENCE + "\n").encode()


def page() -> bytes:
    return f"<!doctype html>{repeated(f'<p>{SENTENCE}</p>')}".encode()


def rows() -> bytes:
    return repeated(json.dumps({"text": SENTENCE}) + "\n").encode()


def table() -> bytes:
    return ("name,text\n" + repeated(f'gull,"{SENTENCE * 12}"\n')).encode()


def mailbox() -> bytes:
    message = "From a@example.org Mon Dec  1 10:00:00 2025\nFrom: a@example.org\nSubject: gulls\nMessage-ID: <1>\n\n"
    return repeated(f"{message}{SENTENCE * 40}\n\n").encode()


def mail() -> bytes:
    head = "From: a@example.org\nSubject: gulls\nMessage-ID: <1>\nMIME-Version: 1.0\n\n"
    return (head + repeated(SENTENCE + "\n")).encode()


def rtf() -> bytes:
    return ("{\\rtf1\\ansi " + repeated(f"{SENTENCE}\\par\n") + "}").encode()


def notebook() -> bytes:
    cell = {"cell_type": "markdown", "metadata": {}, "source": SENTENCE}
    cells = [cell] * ((MEGABYTES << 20) // len(json.dumps(cell)))
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def calendar() -> bytes:
    event = f"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:{SENTENCE}\r\nEND:VEVENT\r\n"
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{repeated(event)}END:VCALENDAR\r\n".encode()


def pdf() -> bytes:
    stream = ("BT /F1 9 Tf 20 700 Td 10 TL " + f"({SENTENCE}) Tj T* " * 60 + "ET").encode()
    pages = 700
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    objects.append(
        f"<< /Type /Pages /Kids [{' '.join(f'{i + 5} 0 R' for i in range(pages))}] /Count {pages} >>".encode()
    )
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    entry = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
    objects += [entry + b"/Resources << /Font << /F1 3 0 R >> >> >>"] * pages
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    crossings = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{crossings}trailer << /Size {size} /Root 1 0 R >>"
    return out + f"{end}\nstartxref\n{len(out)}\n%%EOF\n".encode()


PACKED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a.docx": ("Word", docx),
    "a.xlsx": ("workbook", xlsx),
    "a.pptx": ("presentation", pptx),
    "a.odt": ("OpenDocument", odt),
    "a.epub": ("EPUB", epub),
    "a.zip": ("zip", lambda: packed({f"{i}.txt": SENTENCE * 30_000 for i in range(MEGABYTES)})),
    "a.tar.gz": ("gzip", lambda: gzip.compress(tape(), 1)),
    "a.txt.gz": ("gzip", lambda: gzip.compress(text(), 1)),
    "a.txt.bz2": ("bzip2", lambda: bz2.compress(text(), 1)),
    "a.txt.xz": ("xz", lambda: lzma.compress(text(), preset=0)),
}
HOLDING: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a.txt": ("text", text),
    "a.html": ("HTML", page),
    "a.jsonl": ("JSON rows", rows),
    "a.csv": ("CSV", table),
    "a.mbox": ("mailbox", mailbox),
    "a.eml": ("mail", mail),
    "a.fb2": ("FictionBook", fb2),
    "a.rtf": ("RTF", rtf),
    "a.ipynb": ("notebook", notebook),
    "a.ics": ("calendar", calendar),
    "a.tar": ("tar", tape),
    "a.pdf": ("PDF", pdf),
}
ALL = {**PACKED, **HOLDING}
# Memory is spent as by another kind that stays: by XML in a zip as Word's, by tags as HTML's, by tapes as tar's.
ALIKE = {"a.pptx", "a.odt", "a.epub", "a.tar.gz", "a.fb2"}


@functools.cache
def made(name: str) -> bytes:
    kind, writer = ALL[name]
    if not BY_NAME[kind].read:
        pytest.skip(f"{kind} is not read")
    if BY_NAME[kind].extra and importlib.util.find_spec("pypdfium2") is None:
        pytest.skip(f"{kind} needs an extra")
    return writer()


def tried(room: Room, name: str) -> tuple[list[Item], str]:
    """What is read of it, and why no more."""
    found: list[Item] = []
    try:
        found.extend(room.read(name, made(name)))
    except Unreadable as error:
        return found, str(error)
    return found, ""


def goes_on(room: Room) -> bool:
    return [item.part.content.text for item in room.read("next.txt", b"two") if isinstance(item, Read)] == ["two"]


@pytest.mark.parametrize("name", ALL)
def test_time_is_limited(name: str) -> None:
    made(name)
    with Room(Limits(seconds=SECONDS)) as room:
        assert goes_on(room)
        began = time.monotonic()
        found, why = tried(room, name)
        assert time.monotonic() - began < 60
        assert not why or f"took longer than {SECONDS:g} s" in why or "time" in why
        assert found or why
        assert goes_on(room)


@pytest.mark.parametrize("name", rounds([name for name in ALL if name not in ALIKE], list(ALL)))
def test_memory_is_limited(name: str) -> None:
    made(name)
    with Room(Limits(memory_bytes=MEMORY_MB << 20)) as room:
        found, why = tried(room, name)
        assert why == f"needs more than {MEMORY_MB} MB" or found
        assert goes_on(room)


@pytest.mark.parametrize("name", PACKED)
def test_what_it_unpacks_to_is_limited(name: str) -> None:
    made(name)
    reading = Reading(total_bytes=4 << 20, part_bytes=4 << 20)
    with Room(Limits(reading=reading)) as room:
        found, why = tried(room, name)
        said = [why, *(item.why for item in found if isinstance(item, Passed))]
        said += [remark for item in found if isinstance(item, Read) for remark in item.part.content.remarks]
        assert any("unpacks to more than 4 MB" in one for one in said)
        assert not any(isinstance(item, NotRead) for item in found)
        assert goes_on(room)
