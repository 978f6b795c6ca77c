"""What a file is called, as words that find it: "passport scan 2024.txt" in Travel/ answers "passport" and "travel"."""

import re
from pathlib import PurePath

from colibri.files.reading import Read

_LONGEST = 400  # characters: about a passage's worth of tokens
_BETWEEN = re.compile(r"[\s_.,;+~=()\[\]{}-]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")


def about(path: PurePath, root: PurePath, item: Read, *, first: bool) -> str:
    """The words: the file's name and the document's title, then the folders and archives that it lies in, a line each.

    root   what was indexed: a folder, whose own name is the first of them, or the file
    first  whether it is the first document of its file. Of rows and messages only that has the file's words: a question
           that names the file would else be answered by any of them alike
    """
    part = item.part
    return about_words(path, root, title=part.content.title, within=item.within, line=part.line, first=first)


def about_words(
    path: PurePath, root: PurePath, *, title: str | None, within: str, line: int | None, first: bool
) -> str:
    """The same of a document that was read before."""
    title = " ".join((title or "").split())
    if line is not None and not first:
        return title[:_LONGEST]
    base = root.parent if root == path else root
    folders = [base.name, *path.parent.relative_to(base).parts]
    name = path.name
    if within:
        *between, inner = within.split("/")
        folders += [name, *between]
        name = inner
    parts = [words(name), title, " ".join(words(folder) for folder in folders)]
    found = "\n".join(dict.fromkeys(part for part in parts if part))[:_LONGEST]
    return found.encode("utf-8", "replace").decode()  # names need not be UTF-8


def words(name: str) -> str:
    """A file's or folder's name without its ending, its words apart."""
    stem = PurePath(name).stem if PurePath(name).suffix[1:2].isalpha() else name
    return _HUMP.sub(" ", _BETWEEN.sub(" ", stem)).strip()
