"""A writer that is killed at a random moment leaves all that it acknowledged, and no half of anything."""

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from colibri import Index
from colibri.pooling import spans_within
from crash_child import State, inner_of, is_nested, loaded, operation
from reference import ARTEFACTS
from rounds import rounds
from sign_files import signed
from store_contract import DIM, SPACE

BERT = str(ARTEFACTS / "tiny-random-bert")


def killed_after(place: Path, seed: int, lines: int, seconds: float, *more: str) -> list[str]:
    """What the child said before it was killed, some time after its line number `lines`."""
    script = str(Path(__file__).parents[1] / "crash_child.py")
    search = f"{Path(__file__).parents[1]}"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {search!r}); import runpy; "]
    command[-1] += (
        f"sys.argv = [{script!r}, {str(place)!r}, '{seed}', *{more!r}]; runpy.run_path({script!r}, run_name='__main__')"
    )
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


def allowed_after(model: State, seed: int, said: list[str]) -> tuple[list[State], int]:
    """What an index may hold that held `model` before a round, and how many operations were done."""
    done = sum(line.startswith("done") for line in said)
    begun = sum(line.startswith("begin") for line in said)
    for number in range(done):
        model = operation(seed, number)[1](model)
    allowed = [model]
    if begun > done:
        allowed.append(operation(seed, done)[1](model))
        if is_nested(seed, done):
            allowed.append(model | inner_of(seed, done))
    return allowed, done


def test_sigkill_at_random_moments(tmp_path: Path) -> None:
    place = tmp_path / "index"
    Index.open(place, dim=DIM, space_id=SPACE).close()
    model: State = {}
    chances = random.Random(7)
    done_in_all = 0
    for seed in range(rounds(quick=10, soak=200)):
        said = killed_after(place, seed, chances.randint(1, 12), chances.random() * 0.06)
        allowed, done = allowed_after(model, seed, said)
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


def test_sigkill_while_tokens_are_pooled(tmp_path: Path) -> None:
    """Rows of two tokens, all that they stand for, and their sign bits are there together or not at all."""
    place = tmp_path / "index"
    model = loaded(BERT)  # as the child loads it
    Index.open(place, BERT, pool=2, load=lambda source: model).close()
    known: State = {}
    chances = random.Random(8)
    further = 0
    for seed in range(rounds(quick=2, soak=200)):
        said = killed_after(place, seed, chances.randint(2, 12), chances.random() * 0.06, "texts")
        allowed, _ = allowed_after(known, seed, said)
        with Index.open(place, create=False, load=lambda source: model) as index:
            stored = list(index.documents(vectors=True))
            known = {one.id: (one.payload or {})["n"] for one in stored}
            assert known in allowed, f"round {seed}: {said[-2:]}"
            assert index.verify().clean
            assert index.pool == 2
            assert all(signed(index))
            wanted = model.encode_documents([one.text or "" for one in stored], index.dim).pooled(2)
            # Encoded for either kind, or int4 that was converted from int8; whatever was int4 once stays so.
            ways = (wanted.quantize(), wanted.quantize("int4"), wanted.quantize().quantize("int4"))
            kept = [way.dequantize() for way in ways]
            for i, one in enumerate(stored):
                vectors = one.vectors
                assert vectors is not None
                assert vectors.spans is not None
                assert wanted.spans is not None
                first, last = wanted.starts[i : i + 2].tolist()
                assert vectors.spans.tolist() == wanted.spans[first:last].tolist()
                more = spans_within(wanted.more_spans, first, last)
                own = vectors.more_spans
                assert more is not None
                further += len(more)
                assert (own.tolist() if own is not None else []) == more.tolist()
                own_rows = vectors.dequantize().rows
                assert any(np.allclose(own_rows, rows[i], atol=1e-5) for rows in kept)
    assert further
