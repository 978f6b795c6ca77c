"""Changes an index without end, to be killed: says "begin N" before operation N and "done N" after it."""

import random
import sys
from collections.abc import Callable

from colibri import Index
from colibri.index.storage import segments
from store_contract import document

State = dict[str, int]


def operation(seed: int, number: int) -> tuple[Callable[[Index], object], Callable[[State], State]]:
    """What operation `number` of a round does to an index, and to a dict."""
    chances = random.Random(seed * 1_000_003 + number)
    kind = chances.choice(["add", "upsert", "upsert", "delete", "compact"])
    if kind == "add":
        made = {f"r{seed}-{number}-{i}": chances.randrange(1000) for i in range(chances.randint(1, 60))}
        return lambda i: i.add([document(n, id=name) for name, n in made.items()]), lambda m: m | made
    if kind == "upsert":
        made = {f"d{chances.randrange(80)}": chances.randrange(1000) for _ in range(chances.randint(1, 60))}
        return lambda i: i.upsert([document(n, id=name) for name, n in made.items()]), lambda m: m | made
    if kind == "delete":
        least = chances.randrange(600, 1000)
        return (
            lambda i: i.delete(where={"n": {"$gte": least}}),
            lambda m: {name: n for name, n in m.items() if n < least},
        )
    return lambda i: i.compact(), lambda m: m


def main() -> None:
    path, seed = sys.argv[1], int(sys.argv[2])
    segments.FULL_PASSAGES = 100
    with Index.open(path, create=False) as index:
        number = 0
        while True:
            print(f"begin {number}", flush=True)
            operation(seed, number)[0](index)
            print(f"done {number}", flush=True)
            number += 1


if __name__ == "__main__":
    main()
