"""An engine of points in plain loops (`colibri.stores.engine.Engine`), and conditions as Qdrant means them."""

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from colibri.errors import StoreError
from colibri.stores.engine import Ask
from colibri.stores.filters import Condition
from colibri.stores.points import Found, Point, Sparse
from reference import maxsim


class PlainEngine:
    """fails: what each next `put` raises, None for one that works. requests: what was asked, by name."""

    def __init__(self) -> None:
        self.points: dict[str | int, dict[str, Any]] = {}
        self.metadata: dict[str, Any] = {}
        self.requests: list[str] = []
        self.batches: list[int] = []
        self.fails: list[Exception | None] = []
        self.closed = False

    def _asked(self, name: str) -> None:
        if self.closed:
            raise StoreError("closed")
        self.requests.append(name)

    def put(self, points: Sequence[Point]) -> None:
        self._asked("put")
        if self.fails and (error := self.fails.pop(0)) is not None:
            raise error
        self.batches.append(len(points))
        for point in points:
            payload = json.loads(json.dumps(point.payload, allow_nan=False))
            self.points[point.id] = {"vectors": dict(point.vectors), "payload": payload}

    def delete(self, condition: Condition) -> None:
        self._asked("delete")
        self.points = {key: one for key, one in self.points.items() if not holds(condition, one["payload"], key)}

    def retrieve(
        self, ids: Sequence[str | int], fields: Sequence[str] | None = None, *, vectors: Sequence[str] = ()
    ) -> list[Found]:
        self._asked("retrieve")
        return [self._found(key, 0.0, vectors) for key in ids if key in self.points]

    def query(self, asks: Sequence[Ask]) -> list[list[Found]]:
        self._asked("query")
        return [
            [self._found(key, score, ask.vectors) for key, score in self._best(ask, list(self.points))] for ask in asks
        ]

    def _best(self, ask: Ask, among: Sequence[str | int]) -> list[tuple[str | int, float]]:
        if ask.prefetch:
            chosen = [{key for key, _ in self._best(one, among)} for one in ask.prefetch]
            among = [key for key in among if any(key in one for one in chosen)]
        found = []
        for key in among:
            one = self.points[key]
            if ask.using in one["vectors"] and holds(ask.condition, one["payload"], key):
                score = _score(ask.rows, one["vectors"][ask.using])
                if score is not None:
                    found.append((key, score))
        return sorted(found, key=lambda entry: -entry[1])[: ask.limit]

    def scroll(
        self, condition: Condition | None, fields: Sequence[str] | None = None, *, vectors: Sequence[str] = ()
    ) -> Iterator[Found]:
        self._asked("scroll")
        for key in sorted(self.points, key=str):
            if key in self.points and holds(condition, self.points[key]["payload"], key):
                yield self._found(key, 0.0, vectors)

    def count(self, condition: Condition | None) -> int:
        self._asked("count")
        return sum(holds(condition, one["payload"], key) for key, one in self.points.items())

    def set_vectors(self, name: str, vectors: dict[str | int, Any], own: dict[str, Any]) -> None:
        self._asked("set_vectors")
        for key, rows in vectors.items():
            self.points[key]["vectors"][name] = rows
            self.points[key]["payload"]["_colibri"] |= own

    def set_metadata(self, own: dict[str, Any]) -> None:
        self._asked("set_metadata")
        self.metadata = own

    def close(self) -> None:
        self.closed = True

    def _found(self, key: str | int, score: float, vectors: Sequence[str]) -> Found:
        one = self.points[key]
        return Found(key, score, copy.deepcopy(one["payload"]), {name: one["vectors"][name] for name in vectors})


def _score(asked: Any, held: Any) -> float | None:
    """MaxSim; of sparse vectors the dot product, None where they share nothing."""
    if not isinstance(asked, Sparse):
        return float(maxsim(np.asarray(asked), [np.asarray(held)])[0])
    there = dict(zip(held.indices, held.values, strict=True))
    shared = [value * there[i] for i, value in zip(asked.indices, asked.values, strict=True) if i in there]
    return sum(shared) if shared else None


def holds(condition: Condition | None, payload: dict[str, Any], key: str | int = "") -> bool:
    """Whether a point of this payload and id is kept."""
    if condition is None:
        return True
    if "has_id" in condition:
        return key in condition["has_id"]
    if "is_empty" in condition:
        return all(value in (None, []) for value in _values(payload, condition["is_empty"]["key"]))
    if "is_null" in condition:
        found = _values(payload, condition["is_null"]["key"])
        return any(value is None or (isinstance(value, list) and None in value) for value in found)
    if "key" in condition:
        return any(_holds_one(condition, value) for value in _elements(payload, condition["key"]))
    must, should = condition.get("must", []), condition.get("should")
    return (
        all(holds(one, payload, key) for one in must)
        and (should is None or any(holds(one, payload, key) for one in should))
        and not any(holds(one, payload, key) for one in condition.get("must_not", []))
    )


def _holds_one(condition: Condition, value: Any) -> bool:
    if "range" in condition:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return all(_compare(name, value, bound) for name, bound in condition["range"].items())
    match = condition["match"]
    wanted = match["any"] if "any" in match else [match["value"]]
    return any(type(value) is type(one) and value == one for one in wanted)


def _compare(name: str, value: float, bound: float) -> bool:
    return {"gt": value > bound, "gte": value >= bound, "lt": value < bound, "lte": value <= bound}[name]


def _values(payload: Any, key: str) -> list[Any]:
    """What a path leads to: nothing, or one value. Parts may stand between quotation marks."""
    for part in key.split("."):
        if not isinstance(payload, dict) or part.strip('"') not in payload:
            return []
        payload = payload[part.strip('"')]
    return [payload]


def _elements(payload: Any, key: str) -> list[Any]:
    found = _values(payload, key)
    return found[0] if found and isinstance(found[0], list) else found
