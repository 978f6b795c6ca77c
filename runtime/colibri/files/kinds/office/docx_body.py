"""The blocks of a part of Word: paragraphs and rows of tables, as they stand once all changes are accepted.

Taken: w:t, m:t and a:t; w:tab, w:ptab, w:br, w:cr, w:noBreakHyphen, w:sym; the string of v:textpath. Everything that
only wraps them is looked through: w:ins, w:moveTo, w:sdt (inline, block, rows), w:smartTag, w:customXml, w:hyperlink,
w:fldSimple, w:ruby with w:rubyBase, w:dir, w:bdo. w:footnoteReference, w:endnoteReference and w:commentReference bring
their note, c:chart, cx:chart and dgm:relIds their words, after the paragraph; so do w:txbxContent's paragraphs.
Left: LEFT; w:softHyphen; a field's code, w:instrText or not; cells that a merged one covers (w:vMerge and w:hMerge that
continue), rows and cells deleted in w:trPr and w:tcPr. A paragraph whose mark is deleted runs on into the next.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from xml.etree.ElementTree import Element

from colibri.files.kinds.office.docx_blocks import Block, Holder, Stack, shown
from colibri.files.kinds.office.docx_fields import Fields
from colibri.files.kinds.office.docx_lists import Numbering
from colibri.files.kinds.office.docx_numbers import Counter
from colibri.files.kinds.office.docx_styles import Styles, value
from colibri.files.kinds.office.elements import START, Event
from colibri.files.kinds.office.names import attributes, child
from colibri.files.kinds.office.symbols import symbol

LEFT = frozenset({
    "w:del", "w:moveFrom", "w:delText", "w:instrText", "w:delInstrText", "w:rt", "w:rPr", "w:sdtPr", "w:sdtEndPr",
    "w:tblPr", "w:tblGrid", "w:sectPr", "w:fldData", "w:customXmlPr", "w:smartTagPr", "w:rubyPr",
    "m:ctrlPr",
})  # fmt: skip
WHOLE = frozenset({"w:pPr", "w:trPr", "w:tcPr", "w:ffData"})
_SIGNS = {"w:tab": "\t", "w:ptab": "\t", "w:br": "\n", "w:cr": "\n", "a:br": "\n", "w:noBreakHyphen": "-", "m:den": "/"}
_REFERENCES = {"w:footnoteReference": "w:id", "w:endnoteReference": "w:id", "w:commentReference": "w:id",
               "c:chart": "r:id", "cx:chart": "r:id", "dgm:relIds": "r:dm"}  # fmt: skip
_TEXT = frozenset({"w:t", "m:t", "a:t"})


class Body:
    """bring: the blocks that a reference stands for, by its element's name and id."""

    def __init__(self, styles: Styles, numbering: Numbering, bring: Callable[[str, str], list[Block]]) -> None:
        self._styles = styles
        self._counter = Counter(numbering)
        self._bring = bring
        self._stack = Stack()
        self._fields = Fields()

    def blocks(self, events: Iterable[Event]) -> Iterator[Block]:
        """What a part shows, as soon as it is whole; the rows of a table in a cell are lines of that cell."""
        for kind, tag, element in events:
            if kind == START:
                self._start(tag, element)
            else:
                self._end(tag, element)
                yield from self._stack.ready()
        yield from shown(self._stack.holders[0])

    def _start(self, tag: str, element: Element) -> None:
        if tag in _SIGNS:
            self._text(_SIGNS[tag])
        elif tag in {"w:p", "a:p"}:
            self._stack.open_paragraph()
        elif tag in {"w:tr", "w:tc", "w:txbxContent"}:
            self._stack.holders.append(Holder())
        elif tag == "w:tbl":
            self._stack.open_table()
        elif tag == "w:fldChar":
            self._fields.mark(attributes(element).get("w:fldCharType"))
        elif tag in _REFERENCES:
            self._stack.beside(self._bring(tag, attributes(element).get(_REFERENCES[tag], "")))
        elif tag == "w:sym":
            about = attributes(element)
            self._text(symbol(about.get("w:font", ""), about.get("w:char", "")))
        elif tag == "v:textpath":
            self._text(element.get("string", ""))

    def _end(self, tag: str, element: Element) -> None:
        if tag in _TEXT:
            self._text(element.text or "")
        elif tag in {"w:p", "a:p"}:
            self._stack.close_paragraph()
            self._fields.end_codes()
        elif tag == "w:pPr":
            self._properties(element)
        elif tag == "w:ffData":
            self._stack.text(self._fields.chosen(element))
        elif tag in {"w:trPr", "w:tcPr"}:
            self._stack.holders[-1].gone |= _is_gone(element)
        elif tag == "w:tc":
            self._stack.close_cell()
        elif tag == "w:tr":
            self._stack.close_row()
        elif tag == "w:txbxContent":
            self._stack.close_box()
        elif tag == "w:tbl":
            self._stack.close_table()

    def _text(self, text: str) -> None:
        if text and not self._fields.in_code:
            self._stack.text(text)

    def _properties(self, element: Element) -> None:
        if self._stack.paragraphs:
            marks = child(element, "w:rPr")
            paragraph = self._stack.paragraphs[-1]
            paragraph.level = self._styles.level(element)
            number = self._styles.number(element)
            paragraph.number = partial(self._counter.next, *number) if number[0] else None
            paragraph.runs_on = any(child(marks, gone) is not None for gone in ("w:del", "w:moveFrom"))


def _is_gone(properties: Element) -> bool:
    """Whether a row or cell is deleted, or covered by the one that it was merged into."""
    merged = [child(properties, name) for name in ("w:vMerge", "w:hMerge")]
    covered = any(one is not None and value(one) in {"", "continue"} for one in merged)
    return covered or any(child(properties, name) is not None for name in ("w:del", "w:cellDel"))
