"""Does the same to copies of an index again and again, and is killed at its 0th, 1st, 2nd, ... change of a file.

    python killed_child.py INDEX FOLDER OPERATION STEP

Copy n lies in FOLDER/n. The last line says how many changes of files there were.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Imported before the forks, none of which has loaded a model yet.
import numpy  # noqa: F401

import colibri.index  # noqa: F401
from colibri.compat.ragatouille import RAGPretrainedModel

NEW = [f"white school {i}" for i in range(3)]
NEW_IDS = [f"new-{i}" for i in range(3)]


def add(path: Path) -> Callable[[], object]:
    rag = RAGPretrainedModel.from_index(path)
    return lambda: rag.add_to_index(NEW, NEW_IDS)


def delete(path: Path) -> Callable[[], object]:
    rag = RAGPretrainedModel.from_index(path)
    return lambda: rag.delete_from_index(["doc-0", "doc-3"])


def overwrite(path: Path) -> Callable[[], object]:
    rag = RAGPretrainedModel.from_index(path)
    return lambda: rag.index(NEW, NEW_IDS, index_name=path.name, max_document_length=40)


def changes(event: str, given: tuple[Any, ...]) -> bool:
    """Whether an audit event is a change of a file by Python; SQLite's own are tested with the index."""
    if event == "open":
        return isinstance(given[2], int) and bool(given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")


def run(path: Path, operation: str, last: int) -> None:
    """In a process of its own: until the change of that number, or to the end."""
    ready = {"add": add, "delete": delete, "overwrite": overwrite}[operation](path)
    seen = [0]

    def count(event: str, given: tuple[Any, ...]) -> None:
        if changes(event, given):
            if seen[0] == last:
                os.kill(os.getpid(), signal.SIGKILL)
            seen[0] += 1

    sys.addaudithook(count)
    ready()


def main() -> None:
    source, folder, operation, step = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    number = 0
    while True:
        place = folder / str(number)
        place.mkdir(parents=True)
        shutil.copytree(source, place / "notes")
        child = os.fork()
        if child == 0:
            run(place / "notes", operation, number)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0, status
            print(number)
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
        number += step


if __name__ == "__main__":
    main()
