"""OpenDocument files written from text, zipped and flat."""

from colibri.files.kinds.office import odf
from colibri.files.text import FileText
from office_files import OPENDOCUMENT, packed, source


def body(inner: str, kind: str = "text") -> str:
    return f"<office:body><office:{kind}>{inner}</office:{kind}></office:body>"


def zipped(inner: str, kind: str = "text", parts: dict[str, str | bytes] | None = None) -> bytes:
    content = f"<office:document-content {OPENDOCUMENT}>{body(inner, kind)}</office:document-content>"
    return packed({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content} | (parts or {}))


def flat(inner: str, kind: str = "text", before: str = "") -> bytes:
    return f"<office:document {OPENDOCUMENT}>{before}{body(inner, kind)}</office:document>".encode()


def read(data: bytes) -> FileText:
    return odf.read(source(data, "notes.odt"))


def p(inner: str) -> str:
    return f"<text:p>{inner}</text:p>"


def row(*cells: str, repeated: int = 1) -> str:
    return f"<table:table-row table:number-rows-repeated='{repeated}'>{''.join(cells)}</table:table-row>"


def cell(inner: str = "", repeated: int = 1, about: str = "") -> str:
    return f"<table:table-cell table:number-columns-repeated='{repeated}' {about}>{inner}</table:table-cell>"


def sheet(name: str, *rows: str) -> str:
    return f"<table:table table:name='{name}'><table:table-column/>{''.join(rows)}</table:table>"
