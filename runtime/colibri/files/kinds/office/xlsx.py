"""Excel files (xlsx, xlsm, xltx, strict ones): sheets by name, cells as shown, each a place.

Taken of a workbook: x:sheet (hidden ones too), x:workbookPr's epoch; of a sheet: x:c (only those that are there), and
what belongs to it (xlsx_beside.py). Left: cells that a merged one covers, x:f, x:definedName, x:dataValidation, pivot
caches (their cells are there), links to other workbooks, form controls.
"""

from xml.etree.ElementTree import Element

from colibri.files.kinds.office import xlsx_beside
from colibri.files.kinds.office.archive import remarked
from colibri.files.kinds.office.elements import END, START
from colibri.files.kinds.office.names import attributes, name
from colibri.files.kinds.office.package import Package
from colibri.files.kinds.office.sheets import MOST_PLACES, Merged, Tab, areas, column_name, column_number, name_empty
from colibri.files.kinds.office.xlsx_cells import Cells, number
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Unreadable

_SHEETS = ("worksheet", "chartsheet", "dialogsheet", "xlMacrosheet", "xlIntlMacrosheet")
_LEFT = frozenset({"x:f", "x:dataValidations", "x:conditionalFormatting", "x:hyperlinks", "x:extLst"})
_WHOLE = frozenset({"x:row", "x:headerFooter"})


def read(source: Source) -> FileText:
    """Raises Unreadable for an encrypted or damaged file."""
    package = Package(source)
    workbook = _Workbook(package)
    with remarked(workbook.builder):
        workbook.read()
    return package.done(workbook.builder)


class _Workbook:
    def __init__(self, package: Package) -> None:
        self.builder = Builder()
        self._package = package
        self._cells = Cells()
        self._count = 0
        self._tabs: list[Tab] = []
        self._beside = xlsx_beside.Beside(package, self.builder)

    def read(self) -> None:
        relations = self._package.relations(self._package.main)
        sheets = self._sheets()
        for relation in relations:
            if relation.target and relation.kind in {"sharedStrings", "styles"}:
                with remarked(self.builder):
                    take = {"sharedStrings": self._cells.read_strings, "styles": self._cells.read_styles}
                    take[relation.kind](self._package, relation.target)
        targets = {relation.id: relation.target for relation in relations if relation.kind in _SHEETS}
        for sheet, relation_id in sheets:
            with remarked(self.builder):
                if not targets.get(relation_id):
                    raise Unreadable(f"sheet {sheet} is missing")
                self._sheet(sheet, targets[relation_id])
        if not self.builder.remarks:  # else nobody knows what is empty
            name_empty(self._tabs)

    def _sheets(self) -> list[tuple[str, str]]:
        """Names and relationships, in the order of the tabs."""
        found = []
        for kind, tag, element in self._package.walk(self._package.main):
            about = attributes(element) if kind == START else {}
            if kind == START and tag == "x:sheet":
                found.append((about.get("name", ""), about.get("r:id", "")))
            elif kind == START and tag == "x:workbookPr":
                self._cells.from_1904 = about.get("date1904") in {"1", "true"}
        return found

    def _sheet(self, sheet: str, part: str) -> None:
        tab = Tab(self.builder, sheet)
        with remarked(self.builder):
            self._rows(tab, part)
            self._tabs.append(tab)
        with remarked(self.builder):
            self._beside.read(tab, part)

    def _rows(self, tab: Tab, part: str) -> None:
        merged = Merged(areas(self._package.pieces(part)))
        row = 0
        for kind, tag, element in self._package.walk(part, left=_LEFT, whole=_WHOLE):
            if kind == END and tag == "x:row":
                row = number(element.get("r")) or row + 1
                self._row(tab, row, element, merged)
            elif kind == END and tag == "x:headerFooter":
                self._beside.headers(tab, element)

    def _row(self, tab: Tab, row: int, element: Element, merged: Merged) -> None:
        column, add = 0, self.builder.line
        for cell in element:
            if name(cell.tag) != "x:c":
                continue
            column = column_number(cell.get("r", "").rstrip("0123456789")) or column + 1
            text = self._package.shown(self._cells.text(cell))
            if text.strip() and not merged.covers(row, column):
                self._count += 1
                if add != self.builder.cell or self._count <= MOST_PLACES:
                    tab.place(f"{column_name(column)}{row}")
                add(text)
                add = self.builder.cell
