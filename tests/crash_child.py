"""Changes an index without end, to be killed: says "begin N" before operation N and "done N" after it.

Documents come with rows of their own, or, with a third argument, as texts that the index's model encodes.
"""

import random
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import colibri
from colibri import Document, Index
from colibri.index import RowKind, ingest
from colibri.index.storage import segments
from store_contract import document

State = dict[str, int]
ROW_KINDS: tuple[RowKind, ...] = ("int8", "int4")
KINDS = ("add", "upsert", "upsert", "delete", "compact", "nested", "convert")
Maker = Callable[..., Document]
"""Of a number, an id and a text, as `store_contract.document` has them."""


def loaded(source: object) -> colibri.Colibri:
    """One model, however many handles ask for it."""
    return _loaded(str(source))


@cache
def _loaded(source: str) -> colibri.Colibri:
    return colibri.load(source)


def text_alone(n: int, **fields: Any) -> Document:
    """Without rows: whoever keeps it encodes it."""
    return Document(**fields, payload={"n": n})


def operation(
    seed: int, number: int, made_of: Maker = document
) -> tuple[Callable[[Index], object], Callable[[State], State]]:
    """What operation `number` of a round does to an index, and to a dict."""
    chances = random.Random(seed * 1_000_003 + number)
    kind = chances.choice(KINDS)
    if kind == "add":
        made = {f"r{seed}-{number}-{i}": chances.randrange(1000) for i in range(chances.randint(1, 60))}
        return lambda i: i.add([made_of(n, id=name, text=f"n{n} word") for name, n in made.items()]), lambda m: m | made
    if kind == "upsert":
        made = {f"d{chances.randrange(80)}": chances.randrange(1000) for _ in range(chances.randint(1, 60))}
        return lambda i: i.upsert(
            [made_of(n, id=name, text=f"n{n} word") for name, n in made.items()]
        ), lambda m: m | made
    if kind == "delete":
        least = chances.randrange(600, 1000)
        return (
            lambda i: i.delete(where={"n": {"$gte": least}}),
            lambda m: {name: n for name, n in m.items() if n < least},
        )
    if kind == "nested":
        return _nested(seed, number, chances, made_of)
    if kind == "convert":
        rows = chances.choice(ROW_KINDS)
        return lambda i: i.convert(rows=rows), lambda m: m
    return lambda i: i.compact(), lambda m: m


def _nested(
    seed: int, number: int, chances: random.Random, made_of: Maker
) -> tuple[Callable[[Index], object], Callable[[State], State]]:
    """A long call, in the middle of which another handle commits something of its own: its first change, which a kill
    may leave without the second. `allowed` in test_crash.py knows."""
    outer = {f"d{chances.randrange(80)}": chances.randrange(1000) for _ in range(chances.randint(9, 60))}
    inner = inner_of(seed, number)

    def run(index: Index) -> None:
        def stream() -> Iterator[Document]:
            for i, (name, n) in enumerate(outer.items()):
                yield made_of(n, id=name, text=f"n{n} word")
                if i == len(outer) // 2:
                    with Index.open(index.path, create=False, load=loaded) as other:
                        other.upsert([made_of(n, id=name, text=f"n{n} word") for name, n in inner.items()])

        index.upsert(stream())

    return run, lambda m: m | inner | outer


def inner_of(seed: int, number: int) -> State:
    """What the other handle writes within a nested operation."""
    return {f"d{(seed + number) % 80}": 1_000 + number, f"inner{seed}-{number}": 2_000}


def is_nested(seed: int, number: int) -> bool:
    """Whether an operation is of that kind."""
    chances = random.Random(seed * 1_000_003 + number)
    return chances.choice(KINDS) == "nested"


def main() -> None:
    path, seed, made_of = sys.argv[1], int(sys.argv[2]), text_alone if sys.argv[3:] else document
    segments.FULL_PASSAGES = 100
    ingest._BATCH_DOCUMENTS = (1_024, 8, 3)[seed % 3]  # documents that wait in memory; more of them are staged in files
    with Index.open(path, create=False, load=loaded) as index:
        number = 0
        while True:
            print(f"begin {number}", flush=True)
            operation(seed, number, made_of)[0](index)
            print(f"done {number}", flush=True)
            number += 1


if __name__ == "__main__":
    main()
