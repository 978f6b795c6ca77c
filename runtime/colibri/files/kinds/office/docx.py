"""Word files (docx, docm, dotx, dotm, strict ones): what a reader of the document sees, under its headings.

Parts taken: the main one, header, footer, footnotes, endnotes, comments, chart, chartEx, diagramData. Left: settings,
glossary, diagramDrawing (the words of diagramData again), embedded files; aFChunk (a page in HTML or RTF) is named.
A note or comment stands after the paragraph that refers to it; headers and footers once each, at the end.
"""

from collections.abc import Iterable, Iterator

from colibri.files.kinds.office.archive import remarked
from colibri.files.kinds.office.docx_blocks import Block
from colibri.files.kinds.office.docx_body import LEFT, WHOLE, Body
from colibri.files.kinds.office.docx_lists import Numbering
from colibri.files.kinds.office.docx_styles import Styles
from colibri.files.kinds.office.drawing import FIGURES
from colibri.files.kinds.office.elements import END, START, Event
from colibri.files.kinds.office.names import attributes
from colibri.files.kinds.office.outline import Outline
from colibri.files.kinds.office.package import Package, Relation
from colibri.files.source import Source
from colibri.files.text import Builder, FileText

_FIRST = frozenset({"styles", "numbering"})
_NOTES = {"footnotes": "w:footnote", "endnotes": "w:endnote", "comments": "w:comment"}


def read(source: Source) -> FileText:
    """Raises Unreadable for an encrypted or damaged file."""
    package = Package(source)
    document = _Document(package)
    with remarked(document.builder):
        document.body()
    document.rest()
    return package.done(document.builder)


class _Document:
    def __init__(self, package: Package) -> None:
        self.builder = Builder()
        self._package = package
        self._outline = Outline()
        self._styles = Styles()
        self._numbering = Numbering()
        self._waiting: dict[tuple[str, str], list[Block]] = {}
        self._relations: list[Relation] = []
        with remarked(self.builder):
            # Notes are read by the styles and lists of the document.
            self._relations = sorted(package.relations(package.main), key=lambda one: one.kind not in _FIRST)
        for relation in self._relations:
            with remarked(self.builder):
                self._prepare(relation)

    def body(self) -> None:
        self._add(Body(self._styles, self._numbering, self._bring).blocks(self._walk(self._package.main)))

    def rest(self) -> None:
        """What nothing referred to, then headers and footers."""
        for blocks in self._waiting.values():
            self._add(blocks)
        seen = set()
        for relation in self._relations:
            if relation.kind == "aFChunk":
                self.builder.remark("holds a page of another format (altChunk), which is not read")
            elif relation.kind in {"header", "footer"} and relation.target:
                with remarked(self.builder):
                    blocks = list(Body(self._styles, self._numbering, self._bring).blocks(self._walk(relation.target)))
                    if (text := "\n".join(block.text for block in blocks)) not in seen:
                        seen.add(text)
                        self.builder.place(relation.kind)
                        self._add(blocks)

    def _prepare(self, relation: Relation) -> None:
        """Read what is referred to before the text that refers to it."""
        if not relation.target:
            return
        if relation.kind == "styles":
            self._styles.read(self._package, relation.target)
        elif relation.kind == "numbering":
            self._numbering.read(self._package, relation.target)
        elif relation.kind in _NOTES:
            self._notes(relation.target, _NOTES[relation.kind])
        elif relation.kind in FIGURES:
            lines = FIGURES[relation.kind](self._package, relation.target)
            self._waiting["", relation.id] = [Block("\n".join(lines))]

    def _notes(self, part: str, note: str) -> None:
        events = self._walk(part)
        for kind, tag, element in events:
            if kind == START and tag == note:
                number = attributes(element).get("w:id", "")
                blocks = Body(self._styles, self._numbering, lambda *_: []).blocks(_until(note, events))
                self._waiting[note, number] = [Block(block.text, row=block.row) for block in blocks]

    def _bring(self, reference: str, number: str) -> list[Block]:
        note = reference.removesuffix("Reference") if reference.endswith("Reference") else ""
        return self._waiting.pop((note, number), [])

    def _walk(self, part: str) -> Iterator[Event]:
        return self._package.walk(part, left=LEFT, whole=WHOLE)

    def _add(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            if block.level is not None and block.text.strip():
                self.builder.place(self._outline.path(block.level, block.text))
            if block.row and not block.begins:
                self.builder.line(block.text)
            else:
                self.builder.block(block.text)


def _until(name: str, events: Iterator[Event]) -> Iterator[Event]:
    """Up to the end of this element."""
    for event in events:
        if event[:2] == (END, name):
            return
        yield event
