"""PowerPoint files (pptx, pptm, ppsx, potx, strict ones): slides in the order of the presentation, each a place.

Taken of a slide: a:p of shapes (p:sp), also in groups, text boxes and tables (a:tr a row, a:tc a cell); charts and
SmartArt where they stand; then its notes (by relationship, never by number) and comments (p:text, a:p of newer ones).
Hidden slides are taken; of their layouts and masters what is no placeholder, once, at the end. Left: cells covered by a
merged one (hMerge, vMerge), the slide's number, of the notes page all but the notes, embedded files. Footers and dates
stand once.
"""

from collections.abc import Iterator

from colibri.files.kinds.office import drawing
from colibri.files.kinds.office.archive import remarked
from colibri.files.kinds.office.elements import START
from colibri.files.kinds.office.names import attributes
from colibri.files.kinds.office.package import Package
from colibri.files.kinds.office.pptx_shapes import REPEATED, Shapes
from colibri.files.source import Source
from colibri.files.text import Builder, FileText

_NUMBERING = frozenset({"sldNum", "sldImg"})


def read(source: Source) -> FileText:
    """Raises Unreadable for an encrypted or damaged file."""
    package = Package(source)
    builder = Builder()
    presentation = _Presentation(package, builder)
    with remarked(builder):
        for number, slide in enumerate(_slides(package), 1):
            builder.place(f"slide {number}")
            if slide:
                presentation.slide(slide)
            else:
                builder.remark(f"slide {number} is missing")
    presentation.masters()
    return package.done(builder)


def _slides(package: Package) -> list[str]:
    """Parts in the order in which they are shown, "" for one that is missing."""
    targets = {relation.id: relation.target for relation in package.relations(package.main, "slide")}
    found = []
    for kind, tag, element in package.walk(package.main):
        if kind == START and tag == "p:sldId":
            found.append(targets.get(attributes(element).get("r:id", ""), ""))
    return found


class _Presentation:
    def __init__(self, package: Package, builder: Builder) -> None:
        self._package = package
        self._builder = builder
        self._repeated: set[str] = set()
        self._layouts: dict[str, None] = {}

    def slide(self, part: str) -> None:
        figures: dict[str, list[str]] = {}
        with remarked(self._builder):
            figures = drawing.figures(self._package, part, self._builder)
        with remarked(self._builder):
            self._add(Shapes(figures, self._repeated, _NUMBERING).blocks(self._package, part))
        with remarked(self._builder):
            self._layouts |= self._named(part, "slideLayout")
            for relation in self._package.relations(part, "notesSlide", "comments", "package"):
                if relation.target and relation.kind != "package":
                    self._add(Shapes({}, set(), _NUMBERING | REPEATED).blocks(self._package, relation.target))

    def masters(self) -> None:
        """What layouts and masters show on every slide, once."""
        for kind in ("slideLayout", "slideMaster"):
            below, self._layouts = self._layouts, {}
            for part in below:
                self._builder.place("slide master")
                with remarked(self._builder):
                    self._add(Shapes({}, self._repeated, None).blocks(self._package, part))
                    self._layouts |= self._named(part, "slideMaster") if kind == "slideLayout" else {}

    def _named(self, part: str, kind: str) -> dict[str, None]:
        return dict.fromkeys(one.target for one in self._package.relations(part, kind) if one.target)

    def _add(self, blocks: Iterator[tuple[str, bool]]) -> None:
        for text, in_table in blocks:
            if in_table:
                self._builder.line(text)
            else:
                self._builder.block(text)
