"""Edge and the library in a real Jupyter kernel on 127.0.0.1: cells, `await` at the top, interruption, restart."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import numpy as np
import pytest

from colibri.stores import QdrantEdgeStore

jupyter_client = pytest.importorskip("jupyter_client", reason="no kernel's client: `run.py test-qdrant` brings it")
pytest.importorskip("ipykernel", reason="no kernel: `run.py test-qdrant` brings it")

_SECONDS = 120

OPENING = """
import numpy as np
from colibri.stores import QdrantEdgeStore
store = QdrantEdgeStore({folder!r}, space_id="", dims=8, lock_seconds=30)
eye = np.eye(8, dtype=np.float32)
"""
FILLING = "store.add([{'id': f'd{i}', 'vectors': eye[[i]]} for i in range(8)])"


class Kernel:
    """One, and what its cells print."""

    def __init__(self, folder: Path) -> None:
        homes = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        own = {name: str(folder / name.lower()) for name in homes}
        self.manager = jupyter_client.manager.KernelManager(kernel_name="python3", ip="127.0.0.1")
        self.manager.start_kernel(env={**os.environ, **own}, cwd=str(folder))
        self.client: Any = None
        self._connect()

    def _connect(self) -> None:
        if self.client is not None:
            self.client.stop_channels()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=_SECONDS)

    def run(self, code: str, meanwhile: Callable[[str], object] = lambda said: None) -> str:
        """What a cell printed, and the name of the error that ended it. meanwhile: called with what is printed."""
        asked, printed = self.client.execute(code), ""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=_SECONDS)
            except Empty:
                pytest.fail(f"the kernel does not answer; so far it printed {printed!r}")
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                printed += content["text"]
                meanwhile(content["text"])
            elif kind == "execute_result":
                printed += content["data"]["text/plain"] + "\n"
            elif kind == "error":
                printed += content["ename"] + "\n"
            elif kind == "status" and content["execution_state"] == "idle":
                return printed

    def restart(self) -> None:
        """As the menu has it, without a word to the cells."""
        self.manager.restart_kernel(now=True)
        self._connect()

    def end(self) -> None:
        """Whatever it does."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    found = Kernel(tmp_path)
    try:
        yield found
    finally:
        found.end()


def test_cells_use_a_store_of_edge(kernel: Kernel, tmp_path: Path) -> None:
    folder = tmp_path / "e"
    assert kernel.run(OPENING.format(folder=str(folder))) == ""
    assert kernel.run(FILLING) == "8\n"
    assert kernel.run("[hit.id for hit in store.search(eye[[3]], k=1)]") == "['d3']\n"
    assert kernel.run("[hit.id for hit in await store.asearch(eye[[4]], k=1)]") == "['d4']\n"
    assert kernel.run("store[0]") == "InputTypeError\n"
    assert kernel.run("len(list(store))") == "8\n"
    kernel.run("store.close()")
    with QdrantEdgeStore(folder) as store:
        assert store.count() == 8


def test_an_interrupted_cell_costs_the_store_nothing(kernel: Kernel, tmp_path: Path) -> None:
    kernel.run(OPENING.format(folder=str(tmp_path / "e")))
    kernel.run(FILLING)
    loop = "print('begun', flush=True)\nwhile True:\n    found = store.search(eye[[3]], k=1)"
    assert kernel.run(loop, lambda said: kernel.manager.interrupt_kernel()) == "begun\nKeyboardInterrupt\n"
    assert kernel.run("[hit.id for hit in store.search(eye[[5]], k=1)]") == "['d5']\n"
    assert kernel.run("store.add([{'id': 'new', 'vectors': eye[[0]]}]); store.count()") == "9\n"


def has_ended(process: int) -> bool:
    """Whether it is gone, or was not asked for its exit code yet by whoever took it over."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_restarted_kernel_opens_the_folder_again(kernel: Kernel, tmp_path: Path) -> None:
    """The worker of the one before ends with it, though nobody closed the store."""
    kernel.run(OPENING.format(folder=str(tmp_path / "e")))
    kernel.run(FILLING)
    worker = int(kernel.run("store._edge.worker"))
    kernel.restart()
    assert kernel.run(OPENING.format(folder=str(tmp_path / "e")) + "print(store.count())") == "8\n"
    assert has_ended(worker)
    assert kernel.run("[hit.id for hit in store.search(eye[[3]], k=1)]") == "['d3']\n"


def test_cells_use_the_index(kernel: Kernel, tmp_path: Path) -> None:
    """Also the bar, which is drawn on no terminal, and what reads files in a process of its own."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "bird.md").write_text("A colibri is a small bird.", encoding="utf-8")
    opening = "import colibri\nindex = colibri.Index.open('index')\nindex.sync('notes', progress=True).indexed"
    assert kernel.run(opening).endswith("1\n")
    asked = "[hit.text for hit in await index.asearch('a bird', k=1)]"
    assert kernel.run(asked) == "['A colibri is a small bird.']\n"
    cancelled = (
        "import asyncio\ntask = asyncio.ensure_future(index.asearch('a bird'))\nawait asyncio.sleep(0)\ntask.cancel()\n"
        "try:\n    await task\nexcept asyncio.CancelledError:\n    print('cancelled')"
    )
    assert kernel.run(cancelled) == "cancelled\n"
    assert kernel.run(asked) == "['A colibri is a small bird.']\n"


def test_rows_of_the_cells_are_numpys(kernel: Kernel, tmp_path: Path) -> None:
    code = "import colibri, numpy as np\nnp.save('rows.npy', colibri.load().encode_queries(['a bird']).rows)"
    assert kernel.run(code) == ""
    assert np.load(tmp_path / "rows.npy").ndim == 2
