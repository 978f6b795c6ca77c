"""Collection: passages by their number."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from colibri.compat.colbert.asserted import Refused, check
from colibri.compat.colbert.infra.run import Run
from colibri.compat.not_here import not_here


class Collection:
    """Texts of a list, or of a .tsv file: `pid`, tab, text, and a title after another tab, where `pid` is the line's
    number from 0. Raises Refused for a line that is none."""

    def __init__(self, path: Any = None, data: Sequence[str] | None = None) -> None:
        self.path = path
        self.data: Sequence[str] = data if data is not None else _loaded(path)

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __getitem__(self, item: Any) -> Any:
        return self.data[item]

    def __len__(self) -> int:
        return len(self.data)

    def provenance(self) -> Any:
        """The path it was read from."""
        return self.path

    def toDict(self) -> dict[str, Any]:
        """Where it came from."""
        return {"provenance": self.provenance()}

    def save(self, new_path: str) -> str:
        """Write a .tsv file of this run; where it is."""
        check(new_path.endswith(".tsv"), f"{new_path}: wanted a .tsv file")
        with Run().open(new_path, "w") as file:
            file.writelines(f"{pid}\t{text}\n" for pid, text in enumerate(self.data))
            return str(file.name)

    @classmethod
    def cast(cls, obj: Any) -> Self:
        """A path, a list or a Collection as a Collection."""
        if isinstance(obj, cls):
            return obj
        if isinstance(obj, str | os.PathLike):
            return cls(path=os.fspath(obj))
        if isinstance(obj, list | tuple):
            return cls(data=list(obj))
        raise Refused(f"obj has type {type(obj)} which is not compatible with cast()")


def _loaded(path: Any) -> list[str]:
    if not isinstance(path, str | os.PathLike):
        raise Refused(f"a collection is a list of texts or a path, found {type(path).__name__}")
    if not os.fspath(path).endswith(".tsv"):
        not_here(f"A collection from {path}", "only .tsv files are read", "read it yourself and give a list of texts")
    found: list[str] = []
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            pid, tab, rest = line.strip("\n\r ").partition("\t")
            named = pid == "id" or (pid.isdecimal() and int(pid) == number)
            check(tab and named, f"{path}, line {number}: pid={pid[:20]!r}, wanted {number}, a tab and a text")
            text, _, title = rest.partition("\t")
            found.append(f"{title.split(chr(9))[0]} | {text}" if title else text)
    return found
