"""Ranking: passages of many queries, best first."""

import json
import os
from collections.abc import ItemsView
from pathlib import Path
from typing import Any, Self

from colibri.compat.colbert.asserted import Refused, check
from colibri.compat.colbert.infra.run import Run


class Ranking:
    """Of a dict {qid: [(pid, rank, score), ...]}, a flat list [(qid, pid, rank, score), ...] or a .tsv file of those;
    ranks count from 1."""

    def __init__(self, path: Any = None, data: Any = None, metrics: Any = None, provenance: Any = None) -> None:
        self._provenance = provenance or path or {}
        given = data if data is not None else _loaded(path)
        self.data: dict[Any, list[tuple[Any, ...]]] = {}
        self.flat_ranking: list[Any]
        if isinstance(given, dict):
            self.data = given
            self.flat_ranking = [(qid, *row) for qid, rows in given.items() for row in rows]
        else:
            self.flat_ranking = given
            for qid, *row in given:
                self.data.setdefault(qid, []).append(tuple(row))

    def todict(self) -> dict[Any, list[tuple[Any, ...]]]:
        """{qid: [(pid, rank, score), ...]}."""
        return dict(self.data)

    def tolist(self) -> list[Any]:
        """[(qid, pid, rank, score), ...]."""
        return list(self.flat_ranking)

    def items(self) -> ItemsView[Any, list[tuple[Any, ...]]]:
        """Ids and their rows."""
        return self.data.items()

    def provenance(self) -> Any:
        """Where it came from."""
        return self._provenance

    def toDict(self) -> dict[str, Any]:
        """Where it came from."""
        return {"provenance": self.provenance()}

    def save(self, new_path: str) -> str:
        """Write a .tsv file of this run (below `Run().path_`; an absolute path as it is), and NAME.meta beside it with
        where it came from; where it is. Raises Refused for another ending and where it is there."""
        check("tsv" in Path(new_path).name.split("."), f"{new_path}: wanted a .tsv file")
        with Run().open(new_path, "w") as file:
            for row in self.flat_ranking:
                file.write("\t".join(str(int(one) if isinstance(one, bool) else one) for one in row) + "\n")
            where = str(file.name)
        with Run().open(f"{new_path}.meta", "w") as file:
            json.dump({"provenance": self.provenance()}, file, indent=4, default=str)
        return where

    @classmethod
    def cast(cls, obj: Any) -> Self:
        """A path, a dict, a list or a Ranking as a Ranking."""
        if isinstance(obj, cls):
            return obj
        if isinstance(obj, str | os.PathLike):
            return cls(path=os.fspath(obj))
        if isinstance(obj, dict | list):
            return cls(data=obj)
        raise Refused(f"obj has type {type(obj)} which is not compatible with cast()")


def _loaded(path: Any) -> list[list[int | float]]:
    if not isinstance(path, str | os.PathLike):
        raise Refused(f"a ranking is a dict, a list or a path, found {type(path).__name__}")
    with Path(path).open(encoding="utf-8") as file:
        return [[float(one) if "." in one else int(one) for one in line.strip().split("\t")] for line in file]
