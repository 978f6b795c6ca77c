"""Looking up kinds of file, by their name and by the endings of files' names.

`recognise` says which of them some bytes are, `reading` loads the module when the first file of its kind comes.
"""

from pathlib import PurePath

from colibri.files.kind import Kind
from colibri.files.table import HTML, MAN, NOT_READ, PDF, PLAIN, READ

__all__ = [
    "ALL", "ALSO", "BY_ENDING", "BY_NAME", "HTML", "MAN", "NOT_READ", "PDF", "PLAIN", "READ", "READERS", "Kind",
    "by_ending", "kind_of_reader", "label", "words_of",
]  # fmt: skip

ALL = READ + NOT_READ
BY_NAME = {kind.name: kind for kind in ALL}
BY_ENDING = {ending: kind for kind in reversed(ALL) for ending in kind.endings}
READERS = frozenset(kind.reader for kind in READ)
"""What may have read a file that an index holds and need not be read again."""


ALSO = {
    "email": ("mail",),
    "excel": ("workbook", "binary workbook", "Excel 97"),
    "markdown": (".md", ".markdown", ".mdown", ".mdx"),
    "powerpoint": ("presentation", "PowerPoint 97"),
}
"""What people call kinds: their names, or endings."""


def words_of(name: str) -> set[str]:
    """What names a kind: all of its name, or a word of it."""
    return {name.casefold(), *name.casefold().split()}


def by_ending(name: str) -> Kind | None:
    """What a file's name says it is; None: nothing."""
    path = PurePath(name.replace("\\", "/").rpartition("/")[2].lower())
    return BY_ENDING.get(path.suffix) or BY_ENDING.get(path.name) or BY_ENDING.get(path.stem if path.suffix else "")


def kind_of_reader(reader: object) -> str:
    """The name of the kind that a reader of an index's file is for: "PDF" of "zip 1, PDF 2"; "" of none."""
    return reader.split(", ")[-1].rpartition(" ")[0] if isinstance(reader, str) else ""


def label(name: str, kind: Kind) -> str:
    """What to count a file under that is not read: its ending, or its kind where it has none."""
    suffix = PurePath(name).suffix.lower()
    return suffix if 1 < len(suffix) <= 12 and suffix.isprintable() else kind.name
