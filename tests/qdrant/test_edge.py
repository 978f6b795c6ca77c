"""QdrantEdgeStore: the engine in a process of ours, which dies, hangs and panics apart from the program."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colibri import InputError, StoreError, StoreLocked, TokenVectors
from colibri.errors import ColibriError, StoreDamaged
from colibri.model import Colibri
from colibri.stores import QdrantEdgeStore
from colibri.stores.edge import EdgeEngine
from rounds import rounds
from store_contract import DIM, SPACE, document, ids, rows

CHILD = Path(__file__).with_name("edge_child.py")
TESTS = CHILD.parents[1]
OWN = {"format": 1, "space_id": SPACE, "names": {str(DIM): "rows"}, "datatype": "float32", "sparse": False}


def opened(folder: Path, **words: Any) -> QdrantEdgeStore:
    options: dict[str, Any] = {"space_id": SPACE, "dims": DIM, "lock_seconds": 0.2} | words
    return QdrantEdgeStore(folder, **options)


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(TESTS)}


def test_what_was_put_is_there_after_closing(tmp_path: Path) -> None:
    with opened(tmp_path / "e") as store:
        store.add([document(seed) for seed in range(20)])
        best = ids(store.search(rows(3, 4), k=5))
    with QdrantEdgeStore(tmp_path / "e") as again:
        assert (again.count(), again.dim, again.space_id) == (20, DIM, SPACE)
        assert ids(again.search(rows(3, 4), k=5)) == best
        assert again.optimize() in {True, False}
        assert ids(again.search(rows(3, 4), k=5)) == best


@pytest.mark.parametrize("victim", ["program", "worker"])
def test_killed_during_ingest_nothing_acknowledged_is_lost(tmp_path: Path, victim: str) -> None:
    """SIGKILL, again and again, on one store."""
    folder, there = tmp_path / "e", 0
    for round_ in range(rounds(2, 50)):
        command = [sys.executable, str(CHILD), "ingest", str(folder), str(there)]
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(), text=True
        )
        assert child.stdout is not None
        worker = int(child.stdout.readline().split()[1])
        acknowledged = -1
        for line in child.stdout:
            acknowledged = int(line)
            if acknowledged >= there + 5 + 7 * round_ % 60:
                break
        os.kill(child.pid if victim == "program" else worker, signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout)])
        child.wait()
        child.stdout.close()
        with opened(folder, lock_seconds=30) as store:
            found = store.get([f"d{number}" for number in range(acknowledged + 1)])
            assert all(one is not None for one in found)
            assert all(one.payload == {"n": number} for number, one in enumerate(found) if one is not None)
            there = store.count()
            assert there in {acknowledged + 1, acknowledged + 2}  # the last one may be in without our hearing of it
            assert store.search(rows(3, 4), k=1)[0].id == "d3"


def test_a_worker_that_died_is_told_once_and_started_again(tmp_path: Path) -> None:
    with opened(tmp_path / "e") as store:
        store.add([document(seed) for seed in range(5)])
        assert store._edge.worker is not None
        os.kill(store._edge.worker, signal.SIGKILL)
        with pytest.raises(StoreError, match="the process that holds it ended"):
            store.count()
        assert store.count() == 5


def test_one_at_a_time_has_it_open(tmp_path: Path) -> None:
    with opened(tmp_path / "e") as store:
        store.add([document(1)])
        with pytest.raises(StoreLocked, match="has it open"):
            opened(tmp_path / "e")
        assert store.count() == 1
    assert opened(tmp_path / "e").count() == 1


def test_the_program_is_not_held_while_the_engine_works(tmp_path: Path) -> None:
    """Edge keeps Python's lock during a call; another thread of ours goes on counting during one."""
    with opened(tmp_path / "e") as store:
        store.add([document(seed, vectors=rows(seed, 200)) for seed in range(300)])
        counted, over = [0], threading.Event()

        def beat() -> None:
            while not over.wait(0.0005):
                counted[0] += 1

        thread = threading.Thread(target=beat)
        thread.start()
        store.search_batch(TokenVectors.from_arrays([rows(seed, 64) for seed in range(20)]), k=3)
        over.set()
        thread.join()
        assert counted[0] > 20


def test_threads_share_it(tmp_path: Path) -> None:
    with opened(tmp_path / "e") as store:
        store.add([document(seed) for seed in range(30)])
        wrong: list[Any] = []

        def ask(seed: int) -> None:
            for turn in range(10):
                if ids(store.search(rows(seed, 1 + seed % 5), k=1)) != [f"d{seed}"]:
                    wrong.append(seed)
                store.upsert([document(100 + seed * 10 + turn)])

        threads = [threading.Thread(target=ask, args=[seed]) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert store.count() == 70


@pytest.mark.parametrize(
    "bad",
    [np.zeros((0, DIM), np.float32), np.full((2, DIM), np.nan, np.float32), np.full((1, DIM), np.inf, np.float32)],
    ids=["no row", "nan", "inf"],
)
def test_what_panics_or_passes_in_silence_never_reaches_the_engine(tmp_path: Path, bad: Any) -> None:
    with opened(tmp_path / "e") as store:
        worker = store._edge.worker
        with pytest.raises(ColibriError):
            store.add([document(1), document(2, vectors=bad)])
        with pytest.raises(ColibriError):
            store.search(bad)
        assert store.count() == 0
        assert store._edge.worker == worker


def test_a_panic_is_an_error_and_the_worker_lives(tmp_path: Path) -> None:
    """`[[]]` panics: an exception that `except Exception` lets through. Sent behind our own checks' backs."""
    with opened(tmp_path / "e") as store:
        store.add([document(1)])
        process = store._edge._process
        worker = process.number
        point = {"id": 1, "vectors": {f"colibri-{DIM}": [[]]}, "payload": {}}
        with pytest.raises(StoreError, match="Panic"):
            process.call("put", points=[point])
        assert store.count() == 1
        assert process.number == worker


def test_ctrl_c_during_a_call_leaves_a_store_that_answers(tmp_path: Path) -> None:
    code = f"""
import signal, threading, os
from pathlib import Path
from colibri.stores import QdrantEdgeStore
from colibri.stores.edge import EdgeEngine
from store_contract import DIM, SPACE, document, rows
store = QdrantEdgeStore({str(tmp_path / "e")!r}, space_id=SPACE, dims=DIM)
store.add([document(seed) for seed in range(5)])
signal.signal(signal.SIGINT, signal.default_int_handler)
process = store._edge._process
worker = process.number
os.kill(worker, signal.SIGSTOP)
threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
try:
    store.count()
except KeyboardInterrupt:
    print("interrupted", store.count(), [hit.id for hit in store.search(rows(3, 4), k=1)])
store.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "interrupted 5 ['d3']\n", done.stderr


SCRIPT = """
from colibri.stores import QdrantEdgeStore
from colibri.stores.edge import EdgeEngine
from store_contract import DIM, SPACE, document, rows
store = QdrantEdgeStore({folder!r}, space_id=SPACE, dims=DIM)
store.add([document(seed) for seed in range(5)])
print([hit.id for hit in store.search(rows(3, 4), k=1)])
"""


@pytest.mark.parametrize("how", ["script", "-c", "stdin", "asyncio"])
def test_from_a_script_without_a_guard_and_from_no_file_at_all(tmp_path: Path, how: str) -> None:
    """A worker by multiprocessing's spawn would run the script again; a notebook has none. The store is not closed."""
    code = SCRIPT.format(folder=str(tmp_path / "e"))
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')", encoding="utf-8")
    if how == "asyncio":  # as a notebook's cell runs
        code = f"import asyncio\nasync def cell():\n    exec({code!r}, {{'__name__': '__main__'}})\nasyncio.run(cell())"
    script = tmp_path / "program" / "script.py"
    script.parent.mkdir()
    script.write_text(code, encoding="utf-8")
    words = {"script": [str(script)], "-c": ["-c", code], "stdin": ["-"], "asyncio": ["-c", code]}[how]
    done = subprocess.run(
        [sys.executable, "-P", *words],
        input=code if how == "stdin" else None,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "['d3']\n", done.stderr
    with opened(tmp_path / "e", lock_seconds=30) as store:
        assert store.count() == 5


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_from_a_daemonic_worker(tmp_path: Path, method: str) -> None:
    """Such a process may have no children of multiprocessing's."""
    command = [sys.executable, str(CHILD), "daemon", str(tmp_path / "e"), method]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "['d3']\n", done.stderr


def test_a_fork_is_told_to_open_its_own(tmp_path: Path) -> None:
    with opened(tmp_path / "e") as store:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                store.count()
            except StoreError as error:
                os.write(writing, str(error).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            assert b"was opened in another process" in pipe.read()
        os.waitpid(child, 0)
        assert store.count() == 0


def test_no_worker_is_left_behind(tmp_path: Path) -> None:
    store = opened(tmp_path / "e")
    worker = store._edge.worker
    assert worker is not None
    del store
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_a_frozen_program(tmp_path: Path) -> None:
    pytest.importorskip("PyInstaller", reason="no PyInstaller: `run.py test-qdrant` brings it")
    program = tmp_path / "program.py"
    program.write_text(
        "import colibri\nimport numpy as np\nimport sys\nfrom colibri.stores import QdrantEdgeStore\n"
        "store = QdrantEdgeStore(sys.argv[1], space_id='', dims=8)\n"
        "store.add([{'id': str(i), 'vectors': np.eye(8, dtype=np.float32)[[i]]} for i in range(8)])\n"
        "print(getattr(sys, 'frozen', False), store.search(np.eye(8, dtype=np.float32)[[3]], k=1)[0].id)\n",
        encoding="utf-8",
    )
    freeze = [sys.executable, "-m", "PyInstaller", "--onedir", "--noconfirm", "--log-level", "ERROR"]
    subprocess.run([*freeze, "--distpath", "dist", "--workpath", "work", str(program)], cwd=tmp_path, check=True)
    done = subprocess.run(
        [str(tmp_path / "dist/program/program"), str(tmp_path / "e")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": "/nowhere"},
    )
    assert done.stdout == "True 3\n", done.stderr


@pytest.mark.parametrize("datatype", ["float32", "float16", "turbo8"])
def test_datatypes(tmp_path: Path, datatype: Any) -> None:
    """How far scores are off: not at all, by float16's half thousandth a value, by Turbo8's percent."""
    off = {"float32": 1e-5, "float16": 4e-3, "turbo8": 0.2}[datatype]
    with opened(tmp_path / "e", datatype=datatype, on_disk=True) as store:
        made = [document(seed) for seed in range(30)]
        store.add(made)
        for hit in store.search(rows(99, 4), k=30):
            want = (rows(99, 4) @ np.asarray(made[int(hit.id[1:])].vectors).T).max(1).sum()
            assert hit.score == pytest.approx(want, abs=off)
    with QdrantEdgeStore(tmp_path / "e") as again:
        assert again.count() == 30


def test_two_widths_and_centroids(tmp_path: Path) -> None:
    wide = {f"d{seed}": rows(seed, 3) for seed in range(80)}
    with QdrantEdgeStore(tmp_path / "e", space_id="", dims=[DIM, 4], centroids=True) as store:
        store.add([{"id": name, "vectors": {DIM: one, 4: one[:, :4]}} for name, one in wide.items()])
        query = {DIM: rows(99, 3), 4: rows(99, 3)[:, :4]}
        exact = store.search(query, k=5)
        assert store.search(query, k=5, screen=4, candidates=80) == exact
        assert store.train_centroids(64) == 80
        assert store.search(query, k=5, screen="centroids", candidates=80) == exact
        store.add([{"id": "new", "vectors": {DIM: rows(500), 4: rows(500)[:, :4]}}])
    with QdrantEdgeStore(tmp_path / "e") as again:
        assert again.dims == (DIM, 4)
        assert again.search(rows(500), k=1, screen="centroids", candidates=40)[0].id == "new"
        assert again.train_centroids() == 0


def test_texts_are_encoded_by_the_model_that_the_folder_names(tmp_path: Path, mini: Colibri) -> None:
    with QdrantEdgeStore(tmp_path / "e", model=mini) as store:
        store.add([{"id": "a", "text": "Berlin has 3.7 million inhabitants."}, {"id": "b", "text": "Bread."}])
    with QdrantEdgeStore(tmp_path / "e") as again:
        hit = again.search("how many people live in Berlin?", k=1, explain=True)[0]
        assert hit.id == "a"
        assert hit.score == pytest.approx(sum(match.weight for match in hit.passages[0].matches), abs=1e-4)
    with pytest.raises(StoreError, match=r"not 'other'"):
        QdrantEdgeStore(tmp_path / "e", space_id="other", dims=64)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"colibri": {"format": 1}}', '{"colibri": 1}'])
def test_a_damaged_file_is_told(tmp_path: Path, damage: str) -> None:
    opened(tmp_path / "e").close()
    (tmp_path / "e" / "colibri-store.json").write_text(damage, encoding="utf-8")
    with pytest.raises(StoreDamaged, match="changed on disk"):
        QdrantEdgeStore(tmp_path / "e")


def test_a_damaged_shard_is_not_taken_for_a_locked_one(tmp_path: Path) -> None:
    opened(tmp_path / "e").close()
    for path in (tmp_path / "e" / "shard").iterdir():
        if path.is_file():
            path.write_bytes(b"?")
    with pytest.raises(StoreError) as told:
        opened(tmp_path / "e", lock_seconds=60)
    assert not isinstance(told.value, StoreLocked)


def test_a_store_that_somebody_is_making_is_waited_for_and_then_told(tmp_path: Path) -> None:
    """Two that found nothing there: the second must not take the first one's shard for one that was never opened."""
    first = EdgeEngine(tmp_path, dict(OWN), new=True, on_disk=False, lock_seconds=0)
    with pytest.raises(StoreLocked):
        EdgeEngine(tmp_path, dict(OWN), new=True, on_disk=False, lock_seconds=0.2)
    first.close()
    with pytest.raises(StoreError, match="open that one"):
        EdgeEngine(tmp_path, dict(OWN), new=True, on_disk=False, lock_seconds=0.2)


def test_a_newer_format_is_told(tmp_path: Path) -> None:
    opened(tmp_path / "e").close()
    path = tmp_path / "e" / "colibri-store.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found["colibri"]["format"] = 2
    path.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(StoreError, match="upgrade"):
        QdrantEdgeStore(tmp_path / "e")


def test_a_making_that_was_interrupted_is_made_again(tmp_path: Path) -> None:
    """The file that says what a store is comes last: without it nothing was ever acknowledged."""
    opened(tmp_path / "e").close()
    (tmp_path / "e" / "colibri-store.json").unlink()
    assert opened(tmp_path / "e").count() == 0


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be made"):
        opened(tmp_path / "file" / "e")
    with pytest.raises(InputError):
        opened(tmp_path / "e", datatype="uint8")


def test_edges_own_words(tmp_path: Path) -> None:
    """Traps of 0.9: its keyword is `prefetches`, a limit of 0 is nothing, NaN is taken in silence."""
    import qdrant_edge as edge

    params = edge.EdgeVectorParams(
        size=DIM,
        distance=edge.Distance.Dot,
        multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim),
    )
    (tmp_path / "shard").mkdir()
    shard = edge.EdgeShard.create(str(tmp_path / "shard"), edge.EdgeConfig(vectors={"a": params}))
    bad = np.full((1, DIM), np.nan, np.float32)
    shard.update(edge.UpdateOperation.upsert_points([edge.Point(1, {"a": bad}, {})]))
    assert shard.count(edge.CountRequest(exact=True)) == 1
    nearest = edge.Query.Nearest(rows(1), "a")
    with pytest.raises(TypeError, match="prefetch"):
        edge.QueryRequest(query=nearest, limit=1, prefetch=[], with_payload=False, with_vector=False)
    nothing = edge.QueryRequest(query=nearest, limit=0, with_payload=False, with_vector=False)
    assert shard.query(nothing) == []
    shard.close()
