"""Flat ODF of a text, as LibreOffice opens it: a document, slides, a sheet."""

from xml.sax.saxutils import escape

from corpus.texts import RIGHT_TO_LEFT, Text

_SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office",
        "text": "text",
        "table": "table",
        "style": "style",
        "draw": "drawing",
        "presentation": "presentation",
    }.items()
)
_SPACES += (
    ' xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
    ' xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
)
_KINDS = {"fodt": "text", "fodp": "presentation", "fods": "spreadsheet"}


def written(text: Text, language: str, ending: str) -> bytes:
    """The text as a flat file of one of the endings fodt, fodp and fods."""
    body = {"fodt": _document, "fodp": _slides, "fods": _sheet}[ending](text)
    kind = _KINDS[ending]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {_SPACES} office:version="1.3" '
        f'office:mimetype="application/vnd.oasis.opendocument.{kind}">{_styles(language)}'
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>"
    ).encode()


def _styles(language: str) -> str:
    """Fonts with the letters of the language, whatever the defaults of this LibreOffice are."""
    fonts = {"hi": "Noto Sans Devanagari", "th": "Noto Sans Thai", "ar": "Noto Naskh Arabic", "he": "Noto Sans Hebrew"}
    asian = {"ja": "Noto Sans CJK JP", "zh": "Noto Sans CJK SC", "ko": "Noto Sans CJK KR"}
    complex_font, asian_font = fonts.get(language, "Noto Sans"), asian.get(language, "Noto Sans CJK JP")
    mode = ' style:writing-mode="rl-tb"' if language in RIGHT_TO_LEFT else ""
    side = ' fo:text-align="end"' if language in RIGHT_TO_LEFT else ""
    defaults = "".join(
        f'<style:default-style style:family="{family}"><style:paragraph-properties{mode}{side}/><style:text-properties '
        f'fo:font-family="Noto Sans" style:font-family-asian="{asian_font}" style:font-family-complex="{complex_font}" '
        f'fo:language="{language}" style:language-asian="{language}" style:language-complex="{language}"/>'
        "</style:default-style>"
        for family in ("paragraph", "graphic", "table-cell")
    )
    return f"<office:styles>{defaults}</office:styles>"


def _paragraph(text: str) -> str:
    return f"<text:p>{escape(text)}</text:p>"


def _table(text: Text, name: str = "Table") -> str:
    rows = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string">{_paragraph(cell)}</table:table-cell>' for cell in row)
        + "</table:table-row>"
        for row in text.table
    )
    return (
        f'<table:table table:name="{name}"><table:table-column table:number-columns-repeated="2"/>{rows}</table:table>'
    )


def _list(text: Text) -> str:
    return (
        "<text:list>"
        + "".join(f"<text:list-item>{_paragraph(p)}</text:list-item>" for p in text.points)
        + "</text:list>"
    )


def _document(text: Text) -> str:
    heading = f'<text:h text:outline-level="1">{escape(text.heading)}</text:h>'
    return f"{heading}{_paragraph(text.paragraph)}{_table(text)}{_list(text)}"


def _slides(text: Text) -> str:
    """The heading and the paragraph on the first slide, the table and the list on the second."""

    def frame(y: int, height: int, content: str) -> str:
        return f'<draw:frame svg:x="2cm" svg:y="{y}cm" svg:width="24cm" svg:height="{height}cm">{content}</draw:frame>'

    def box(content: str) -> str:
        return f"<draw:text-box>{content}</draw:text-box>"

    first = frame(1, 2, box(_paragraph(text.heading))) + frame(4, 10, box(_paragraph(text.paragraph)))
    second = frame(1, 4, _table(text)) + frame(8, 6, box(_list(text)))
    return f'<draw:page draw:name="one">{first}</draw:page><draw:page draw:name="two">{second}</draw:page>'


def _sheet(text: Text) -> str:
    """One cell for each part, the table as it is."""

    def row(content: str) -> str:
        cell = f'<table:table-cell office:value-type="string">{_paragraph(content)}</table:table-cell>'
        return f"<table:table-row>{cell}</table:table-row>"

    before, after = row(text.heading) + row(text.paragraph), "".join(row(point) for point in text.points)
    table = _table(text, "Gauges")
    middle = table.index("<table:table-row>")
    return table[:middle] + before + table[middle:].replace("</table:table>", after + "</table:table>")
