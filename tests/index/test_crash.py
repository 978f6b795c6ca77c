"""A writer that is killed at a random moment leaves all that it acknowledged, and no half of anything."""

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from colibri import Index
from crash_child import State, inner_of, is_nested, operation
from rounds import rounds
from sign_files import signed
from store_contract import DIM, SPACE


def killed_after(place: Path, seed: int, lines: int, seconds: float) -> list[str]:
    """What the child said before it was killed, some time after its line number `lines`."""
    script = str(Path(__file__).parents[1] / "crash_child.py")
    search = f"{Path(__file__).parents[1]}"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {search!r}); import runpy; "]
    command[-1] += f"sys.argv = [{script!r}, {str(place)!r}, '{seed}']; runpy.run_path({script!r}, run_name='__main__')"
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        said = [child.stdout.readline() for _ in range(lines)]
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
        assert child.wait() == -signal.SIGKILL, child.stderr.read()
        return said


def segments_of(place: Path) -> list[int]:
    """The segments that are committed."""
    with closing(sqlite3.connect(place / "index.sqlite")) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM segments")]


def test_sigkill_at_random_moments(tmp_path: Path) -> None:
    place = tmp_path / "index"
    Index.open(place, dim=DIM, space_id=SPACE).close()
    model: State = {}
    chances = random.Random(7)
    done_in_all = 0
    for seed in range(rounds(quick=10, soak=200)):
        said = killed_after(place, seed, chances.randint(1, 12), chances.random() * 0.06)
        done = sum(line.startswith("done") for line in said)
        begun = sum(line.startswith("begin") for line in said)
        for number in range(done):
            model = operation(seed, number)[1](model)
        allowed = [model]
        if begun > done:
            allowed.append(operation(seed, done)[1](model))
            if is_nested(seed, done):
                allowed.append(model | inner_of(seed, done))
        with Index.open(place, create=False) as index:
            found = {stored.id: (stored.payload or {})["n"] for stored in index.documents(vectors=True)}
            assert found in allowed, f"round {seed}: {said[-2:]}"
            assert index.verify().clean
            assert all(signed(index))
            for n in sorted(set(found.values()))[:20]:
                hits = index.search(f"n{n}", k=len(found), mode="words")
                assert {hit.id for hit in hits} == {name for name, own in found.items() if own == n}
            assert index.count() == len(found)
            index.delete("absent")  # the next writer takes away what the killed one left
        known = {f"{number:06d}" for number in segments_of(place)}
        assert {path.stem for path in (place / "segments").iterdir()} == known
        model = found
        done_in_all += done
    assert done_in_all >= 10
