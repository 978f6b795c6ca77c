"""Queries: texts by their ids."""

import json
import os
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from pathlib import Path
from typing import Any, Self

from colibri.compat.colbert.asserted import Refused, check
from colibri.compat.colbert.infra.run import Run


class Queries:
    """Of a dict {id: text} (or {id: {"question": text, ...}}), a .tsv file (a whole number, tab, text) or a .json file
    of lines with qid and question. Raises Refused for an id that is there twice, and for what is none of these."""

    def __init__(self, path: Any = None, data: dict[Any, Any] | None = None) -> None:
        self.path = path
        if data is not None:
            check(isinstance(data, dict), str(type(data)))
            self._qas = {qid: text for qid, text in data.items() if isinstance(text, dict)}
        elif isinstance(path, str | os.PathLike):
            self._qas = _lines(Path(path)) if os.fspath(path).endswith(".json") else {}
            data = self._qas or _table(Path(path))
        else:
            raise Refused(f"queries are a dict or a path, found {type(path).__name__}")
        self.data = {qid: text["question"] if isinstance(text, dict) else text for qid, text in data.items()}

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> Iterator[tuple[Any, str]]:
        return iter(self.data.items())

    def __getitem__(self, key: Any) -> str:
        return str(self.data[key])

    def keys(self) -> KeysView[Any]:
        """The ids."""
        return self.data.keys()

    def values(self) -> ValuesView[str]:
        """The texts."""
        return self.data.values()

    def items(self) -> ItemsView[Any, str]:
        """Ids and texts."""
        return self.data.items()

    def qas(self) -> dict[Any, Any]:
        """What came with questions, by id."""
        return dict(self._qas)

    def provenance(self) -> Any:
        """The path they were read from."""
        return self.path

    def toDict(self) -> dict[str, Any]:
        """Where they came from."""
        return {"provenance": self.provenance()}

    def save(self, new_path: str) -> str:
        """Write a .tsv file of this run; where it is."""
        check(new_path.endswith(".tsv"), f"{new_path}: wanted a .tsv file")
        with Run().open(new_path, "w") as file:
            file.writelines(f"{qid}\t{text}\n" for qid, text in self.data.items())
            return str(file.name)

    @classmethod
    def cast(cls, obj: Any) -> Self:
        """A path, a dict or Queries as Queries."""
        if isinstance(obj, cls):
            return obj
        if isinstance(obj, str | os.PathLike):
            return cls(path=os.fspath(obj))
        check(not isinstance(obj, list), str(type(obj)))
        if isinstance(obj, dict):
            return cls(data=obj)
        raise Refused(f"obj has type {type(obj)} which is not compatible with cast()")


def _table(path: Path) -> dict[int, str]:
    found: dict[int, str] = {}
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            qid, tab, text = line.strip().partition("\t")
            whole = qid.removeprefix("-").isdecimal()
            check(tab and whole, f"{path}, line {number}: wanted a whole number, a tab and a query")
            check(int(qid) not in found, f"{path}, line {number}: Query QID {qid} is repeated!")
            found[int(qid)] = text.split("\t")[0]
    return found


def _lines(path: Path) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            one = json.loads(line)
            check({"qid", "question"} <= one.keys(), f"{path}, line {number}: wanted qid and question")
            check(one["qid"] not in found, f"{path}, line {number}: Query QID {one['qid']} is repeated!")
            found[one["qid"]] = one
    return found
