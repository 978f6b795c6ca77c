"""A small file of each office kind around a piece of XML."""

from colibri.files.kinds.office import docx, odf, pptx, xlsx
from colibri.files.source import Budget
from colibri.files.text import FileText
from office_files import OPENDOCUMENT, element, office, packed, source


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


def read(kind: str, data: bytes, budget: Budget | None = None) -> FileText:
    found: FileText = KINDS[kind][0].read(source(data, f"file.{kind}", budget))
    return found
