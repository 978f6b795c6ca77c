"""Jupyter notebooks (nbformat 3 and 4): text, code and what it printed, each cell with its number as its place.

Left: pictures and other base64, traces of errors but for their last line, pages that come with a text as well.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from colibri.files.kinds.decoded import decoded, without_tags
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Unreadable

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_PICTURE = re.compile(r"data:[\w/+.-]+(?:;[\w=.-]+)*;base64,[A-Za-z0-9+/=%]{40,}")
_TEXTS = ("text/markdown", "text/plain", "text/latex", "text/html", "markdown", "text", "latex", "html")
_PICTURES = ("image/", "png", "jpeg", "svg", "pdf", "application/pdf")
_HEADING = re.compile(r"#[ \t]+(.+)")


def read(source: Source) -> FileText:
    """Cells in their order. Raises Unreadable for what is no notebook."""
    try:
        notebook = json.loads(decoded(source.data))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"is damaged (not JSON: {error})") from error
    cells = _cells(notebook)
    if cells is None:
        raise Unreadable("is no notebook: no cells")
    builder = Builder()
    title = None
    for number, cell in enumerate(cells, 1):
        builder.place(f"cell {number}")
        if not isinstance(cell, dict):
            builder.remark(f"cell {number} is damaged")
            continue
        text = _source(cell)
        heading = _HEADING.match(text.lstrip()) if cell.get("cell_type") in ("markdown", "heading") else None
        title = title or (heading[1].strip() if heading else None)
        builder.block(text)
        for output in _outputs(cell):
            builder.block(output)
    metadata = _dict(_dict(notebook).get("metadata"))
    named = metadata.get("title") or metadata.get("name")
    authors = [_dict(entry).get("name") for entry in _list(metadata.get("authors"))]
    return builder.done(
        title=named if isinstance(named, str) and named.strip() else title,
        author=", ".join(name for name in authors if isinstance(name, str)) or None,
    )


def _cells(notebook: object) -> list[Any] | None:
    """Of version 4, or of the worksheets of version 3."""
    found = _dict(notebook)
    if isinstance(found.get("cells"), list):
        return list(found["cells"])
    sheets = found.get("worksheets")
    return [cell for sheet in sheets for cell in _list(_dict(sheet).get("cells"))] if isinstance(sheets, list) else None


def _source(cell: dict[str, Any]) -> str:
    text = _joined(cell.get("source", cell.get("input")))
    if cell.get("cell_type") == "heading":
        level = cell.get("level")
        text = f"{'#' * (level if isinstance(level, int) and 0 < level < 7 else 1)} {text}"
    return _PICTURE.sub("", text)


def _outputs(cell: dict[str, Any]) -> Iterator[str]:
    """What the code of a cell gave, as it was to be seen at the end."""
    for output in map(_dict, _list(cell.get("outputs"))):
        if output.get("output_type") in ("error", "pyerr"):
            text = f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}".strip(": ")
        elif output.get("output_type") == "stream":
            text = _joined(output.get("text"))
        else:
            text = _displayed(_dict(output.get("data", output)))
        # Of a line written over again and again, as bars of progress are, the last state.
        lines = _COLOUR.sub("", text).replace("\r\n", "\n").split("\n")
        yield _PICTURE.sub("", "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines))


def _displayed(data: dict[str, Any]) -> str:
    """Of what is given in several kinds the text; none for a picture whose text only says that it is one."""
    kind = next((kind for kind in _TEXTS if _joined(data.get(kind)).strip()), None)
    if kind is None:
        return ""
    text = _joined(data[kind])
    if any(key.startswith(_PICTURES) for key in data) and text.startswith("<") and text.rstrip().endswith(">"):
        return ""
    return without_tags(text) if kind.endswith("html") else text


def _joined(value: object) -> str:
    """A text, which may be given as a list of its lines."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
