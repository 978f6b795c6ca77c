"""Tables of OpenDocument: rows of a text as lines, cells of a sheet as places.

Taken: a sheet's table:name; a table:table-cell's paragraphs, else its value; repeated cells and rows, while the
copies add less than a million characters. Left: table:covered-table-cell, formulas, empty cells and rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from colibri.files.kinds.office.odf_text import count
from colibri.files.kinds.office.sheets import MOST_PLACES, Tab, column_name
from colibri.files.text import Builder

_VALUES = ("office:string-value", "office:date-value", "office:time-value", "office:boolean-value", "office:value")
_REPEATED_CHARACTERS = 1 << 20  # a cell can say that it stands 17 billion times


@dataclass
class _Cell:
    """beside: comments, and what is anchored in it."""

    repeated: int
    value: str
    lines: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(line for line in self.lines if line) or self.value


@dataclass
class _Row:
    repeated: int
    width: int = 0
    cells: list[tuple[int, str, list[str]]] = field(default_factory=list)


class Tables:
    """Those that are open, and the sheet that they stand in."""

    NAMES = frozenset({"table:table", "table:table-row", "table:table-cell"})

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._tab = Tab(builder, "")
        self._height = self._count = 0
        self._spare = _REPEATED_CHARACTERS
        self._sheets: list[bool] = []
        self._begun: list[bool] = []
        self._rows: list[_Row] = []
        self._cells: list[_Cell] = []

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

    def start(self, tag: str, about: Mapping[str, str], *, sheet: bool) -> None:
        if tag == "table:table":
            self._sheets.append(sheet and not self._sheets)
            self._begun.append(False)
            if self._sheets[-1]:
                self._tab, self._height = Tab(self._builder, about.get("table:name", "")), 0
        elif tag == "table:table-row":
            self._rows.append(_Row(count(about.get("table:number-rows-repeated"))))
        else:
            value = next((about[key] for key in _VALUES if key in about), "")
            self._cells.append(_Cell(count(about.get("table:number-columns-repeated")), value))

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

    def _close_cell(self, cell: _Cell) -> None:
        if not self._rows:
            return
        row = self._rows[-1]
        if cell.text or cell.beside:
            for copy in range(self._copies(cell.repeated, cell.text)):
                row.cells.append((row.width + copy + 1, cell.text, [] if copy else cell.beside))
        row.width += cell.repeated

    def _copies(self, repeated: int, text: str) -> int:
        more = min(repeated - 1, self._spare // (len(text) + 1))
        self._spare -= more * (len(text) + 1)
        return 1 + more

    def _close_row(self, row: _Row) -> None:
        lines = ["\t".join(text for _, text, _ in row.cells if text)]
        lines += [one for _, _, beside in row.cells for one in beside]
        if self._cells:
            self._cells[-1].lines += lines
            return
        for line in filter(None, lines):
            (self._builder.line if self._begun and self._begun[-1] else self._builder.block)(line)
            self._begun[-1:] = [True] * len(self._begun[-1:])

    def _close_sheet_row(self, row: _Row) -> None:
        shown = [(column, text) for column, text, _ in row.cells if text]
        for copy in range(self._copies(row.repeated, "\t".join(text for _, text in shown)) if shown else 0):
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
