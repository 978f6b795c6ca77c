"""Small files with what must come out of them (tests/files/cases)."""

import json
from pathlib import Path
from typing import NamedTuple

from colibri.files.source import Source
from colibri.files.text import FileText

FOLDER = Path(__file__).parents[1] / "cases"


class Case(NamedTuple):
    """contains, never: strings of the text, blanks and line ends aside."""

    name: str
    source: Source
    contains: list[str]
    never: list[str]


def cases(kind: str) -> list[Case]:
    """Of a folder."""
    listed = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
    return [
        Case(name, Source(name=name, data=(FOLDER / name).read_bytes()), entry["contains"], entry["never"])
        for name, entry in listed.items()
        if name.startswith(f"{kind}/")
    ]


def check(case: Case, found: FileText) -> None:
    """What must and what must not stand in the text."""
    text = "".join(found.text.split())
    for wanted in case.contains:
        assert "".join(wanted.split()) in text
    for unwanted in case.never:
        assert "".join(unwanted.split()) not in text
