"""Word files written from text: paragraphs, tables, styles."""

from colibri.files.kinds.office import docx
from colibri.files.text import FileText
from office_files import element, office, source


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
