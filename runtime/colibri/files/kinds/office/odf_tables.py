"""Tables of OpenDocument: rows of a text as lines, cells of a sheet as places.

Taken: a sheet's table:name; a table:table-cell's paragraphs, else its value; repeated cells and rows, while the
copies add less than 16,384 characters. Left: table:covered-table-cell, formulas, empty cells and rows.
"""

from collections.abc import Mapping, Sequence

from colibri.files.kinds.office.odf_rows import Cell, Copies, Row, cell
from colibri.files.kinds.office.odf_text import count
from colibri.files.kinds.office.sheets import MOST_PLACES, Tab, column_name, name_empty
from colibri.files.text import Builder


class Tables:
    """Those that are open, and the sheet that they stand in."""

    NAMES = frozenset({"table:table", "table:table-row", "table:table-cell"})

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._tab = Tab(builder, "")
        self._height = self._count = 0
        self._copies = Copies()
        self._tabs: list[Tab] = []
        self._sheets: list[bool] = []
        self._begun: list[bool] = []
        self._rows: list[Row] = []
        self._cells: list[Cell] = []

    @property
    def in_cell(self) -> bool:
        return bool(self._cells)

    def beside_cells(self) -> None:
        """What is added next belongs to the sheet, and to none of its cells."""
        self._tab.place()

    def add(self, lines: Sequence[str], beside: Sequence[str]) -> None:
        """To the open cell."""
        self._cells[-1].lines += lines
        self._cells[-1].beside += beside

    def finish(self) -> None:
        name_empty(self._tabs)

    def start(self, tag: str, about: Mapping[str, str], *, sheet: bool) -> None:
        if tag == "table:table":
            self._sheets.append(sheet and not self._sheets)
            self._begun.append(False)
            if self._sheets[-1]:
                self._tab, self._height = Tab(self._builder, about.get("table:name", "")), 0
                self._tabs.append(self._tab)
        elif tag == "table:table-row":
            self._rows.append(Row(count(about.get("table:number-rows-repeated"))))
        else:
            self._cells.append(cell(about))

    def end(self, tag: str) -> None:
        if tag == "table:table":
            self._sheets.pop()
            self._begun.pop()
        elif tag == "table:table-cell":
            self._close_cell(self._cells.pop())
        elif self._sheets and self._sheets[-1]:
            self._close_sheet_row(self._rows.pop())
        else:
            self._close_row(self._rows.pop())

    def _close_cell(self, closed: Cell) -> None:
        if not self._rows:
            return
        row = self._rows[-1]
        if closed.text or closed.beside:
            for copy in range(self._copies.of(closed.text, closed.repeated)):
                row.cells.append((row.width + copy + 1, closed.text, [] if copy else closed.beside))
        row.width += closed.repeated

    def _close_row(self, row: Row) -> None:
        lines = ["\t".join(text for _, text, _ in row.cells if text)]
        lines += [one for _, _, beside in row.cells for one in beside]
        if self._cells:
            self._cells[-1].lines += lines
            return
        for line in filter(None, lines):
            (self._builder.line if self._begun and self._begun[-1] else self._builder.block)(line)
            self._begun[-1:] = [True] * len(self._begun[-1:])

    def _close_sheet_row(self, row: Row) -> None:
        shown = [(column, text) for column, text, _ in row.cells if text]
        for copy in range(self._copies.of("\t".join(text for _, text in shown), row.repeated) if shown else 0):
            for at, (column, text) in enumerate(shown):
                self._count += 1
                if at == 0 or self._count <= MOST_PLACES:
                    self._tab.place(f"{column_name(column)}{self._height + copy + 1}")
                (self._builder.cell if at else self._builder.line)(text)
        for column, _, beside in row.cells:
            for one in beside:
                self._tab.place(f"{column_name(column)}{self._height + 1}")
                self._builder.line(one)
        self._height += row.repeated
