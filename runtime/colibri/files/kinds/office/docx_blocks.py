"""Paragraphs, cells and rows of a Word document while they are put together."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Block:
    """level: of a heading, from 1. row: of a table; begins: its first."""

    text: str
    level: int | None = None
    row: bool = False
    begins: bool = False


@dataclass
class Paragraph:
    pieces: list[str] = field(default_factory=list)
    level: int | None = None
    runs_on: bool = False
    number: Callable[[], str] | None = None
    after: list[Block] = field(default_factory=list)


@dataclass
class Holder:
    """A cell, a row, a text box, or the part itself. gone: what it holds is not shown."""

    blocks: list[Block] = field(default_factory=list)
    gone: bool = False
    carried: Paragraph | None = None


class Stack:
    """What is open: paragraphs, and the cells, rows and text boxes that hold them, outermost first."""

    def __init__(self) -> None:
        self.paragraphs: list[Paragraph] = []
        self.holders: list[Holder] = [Holder()]
        self._tables: list[bool] = []

    def text(self, text: str) -> None:
        """Add to the open paragraph; where there is none, as a block of its own."""
        text = text.replace("\u00ad", "")
        if self.paragraphs:
            self.paragraphs[-1].pieces.append(text)
        else:
            self.holders[-1].blocks.append(Block(text))

    def beside(self, blocks: list[Block]) -> None:
        """Add blocks after the open paragraph."""
        (self.paragraphs[-1].after if self.paragraphs else self.holders[-1].blocks).extend(blocks)

    def open_paragraph(self) -> None:
        holder = self.holders[-1]
        self.paragraphs.append(holder.carried or Paragraph())
        holder.carried = None

    def close_paragraph(self) -> None:
        paragraph, holder = self.paragraphs.pop(), self.holders[-1]
        if paragraph.runs_on:
            holder.carried, paragraph.runs_on = paragraph, False
        else:
            text, number = "".join(paragraph.pieces).strip(), paragraph.number() if paragraph.number else ""
            if number and (text or len(self.holders) > 1):  # a table's column of numbers holds nothing else
                text = f"{number} {text}".rstrip()
            holder.blocks += [Block(text, paragraph.level), *paragraph.after]

    def open_table(self) -> None:
        self._tables.append(True)
        flush(self.holders[-1])  # no paragraph runs on over a table

    def close_table(self) -> None:
        self._tables.pop()

    def close_cell(self) -> None:
        text = "\n".join(block.text.strip() for block in shown(self.holders.pop()))
        self.holders[-1].blocks.append(Block(text))

    def close_row(self) -> None:
        text = "\t".join(block.text for block in shown(self.holders.pop()))
        begins = bool(self._tables) and self._tables[-1]
        if self._tables and text:
            self._tables[-1] = False
        self.holders[-1].blocks.append(Block(text, row=True, begins=begins))

    def close_box(self) -> None:
        self.beside([Block(block.text, row=block.row, begins=block.begins) for block in shown(self.holders.pop())])

    def ready(self) -> list[Block]:
        """Blocks of the part itself that are whole."""
        if len(self.holders) > 1 or self.paragraphs:
            return []
        blocks, self.holders[0].blocks = self.holders[0].blocks, []
        return blocks


def flush(holder: Holder) -> None:
    """A paragraph that would run on into a next one ends here."""
    if holder.carried is not None:
        holder.blocks += [Block("".join(holder.carried.pieces).strip()), *holder.carried.after]
        holder.carried = None


def shown(holder: Holder) -> list[Block]:
    """What a holder ends with, without its empty blocks."""
    flush(holder)
    return [] if holder.gone else [block for block in holder.blocks if block.text.strip()]
