"""What programs do to files, while a process watches them: the oracle is a fresh index of the same files.

A few in `run.py test`, all, in several ways, in `run.py test-live`.
"""

import os
import queue
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri import Index
from colibri.files import Refresh
from live_histories import HISTORIES, call
from reference import ARTEFACTS
from rounds import rounds
from watcher import SECONDS, Watcher

pytest.importorskip("watchfiles", reason="the extra [desktop] is not installed")
if sys.platform != "linux":
    pytest.skip("calls of Linux", allow_module_level=True)

MODEL = ARTEFACTS / "tiny-random-bert"
_FEW = ("vim", "word", "checkout", "mv-in", "mv-within")
_LONG_SECONDS = 1_200.0  # much work gives way to whatever else runs
_FACTS = ("path", "sha256", "size_bytes", "mtime_ns", "reader")
Held = dict[str, tuple[str | None, dict[str, Any]]]


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(MODEL, variant="cpu-fp32")


def held(place: Path) -> Held:
    """What an index has: ids -> texts and facts of the file."""
    with Index.open(place, create=False) as index:
        assert index.verify().clean
        found = list(index.documents())
    return {one.id: (one.text, {name: (one.payload or {})["file"].get(name) for name in _FACTS}) for one in found}


def fresh(roots: list[Path], place: Path, model: colibri.Colibri) -> Held:
    """What an index of the same files has that is made now."""
    with Index.open(place, model) as index:
        work = Refresh(index)
        work.run(work.plan(roots, {}), lambda tokens: None)
    return held(place)


class Lived:
    """A watched folder, and the process that watches it."""

    def __init__(self, base: Path, model: colibri.Colibri) -> None:
        self.base = base
        self.root = base / "root"
        self.root.mkdir()
        (self.root / "first.txt").write_text("The first text of all.", encoding="utf-8")
        self._model = model
        self._marks = 0
        self._fresh = 0
        self.watcher = self.started(self.root)

    def started(self, *roots: Path) -> Watcher:
        """A process that watches by now."""
        watcher = Watcher(self.base / "index", *roots, *(("--model", str(MODEL)) if roots else ()))
        watcher.until(lambda line: line["event"] == "watching")
        return watcher

    def kill(self) -> None:
        """SIGKILL, whatever it is doing, and another."""
        with self.watcher as watcher:
            watcher.process.kill()
        self.watcher = self.started()

    def settled(self, seconds: float = SECONDS) -> None:
        """Until what happened by now was looked at: a file that is made after it, and a look that found that."""
        self._marks += 1
        mark = self.root / f"mark{self._marks}.txt"
        mark.write_text(f"Mark {self._marks}.", encoding="utf-8")
        with Index.open(self.base / "index", create=False) as index:
            self.watcher.until(lambda line: line["event"] == "looked" and str(mark) in index, seconds)

    def compare(self, roots: list[Path] | None = None) -> None:
        """The index becomes what a fresh one is; what is held back for a moment comes with later looks."""
        self._fresh += 1
        wanted = fresh(roots or [self.root], self.base / f"fresh{self._fresh}", self._model)
        while held(self.base / "index") != wanted:
            self._looked()

    def _looked(self) -> None:
        """A look ended, however long it takes while something is committed."""
        with Index.open(self.base / "index", create=False) as index:
            commits = index.commits()
            while True:
                try:
                    self.watcher.looked()
                    return
                except queue.Empty:
                    before, commits = commits, index.commits()
                    if before == commits:
                        raise


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory, model: colibri.Colibri) -> Iterator[Lived]:
    one = Lived(tmp_path_factory.mktemp("live"), model)
    yield one
    with one.watcher as watcher:
        assert watcher.end() == 143


def prepared(lived: Lived, name: str) -> Path:
    """A history's folder, with what is there before, all of it indexed."""
    folder = lived.root / name
    folder.mkdir()
    (lived.base / f"beside-{name}").mkdir()
    for path, text in HISTORIES[name.partition(" ")[0]].before.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    lived.settled()
    return folder


@pytest.mark.parametrize("name", rounds(quick=_FEW, soak=tuple(HISTORIES)))
def test_what_programs_do_is_followed(name: str, lived: Lived) -> None:
    folder = prepared(lived, name)
    for line in HISTORIES[name].calls:
        call(line, folder)
    lived.settled()
    lived.compare()


@pytest.mark.parametrize("name", rounds(quick=("emacs",), soak=tuple(HISTORIES)))
def test_also_when_it_is_looked_at_in_the_middle(name: str, lived: Lived) -> None:
    folder = prepared(lived, f"{name} slowly")
    calls = HISTORIES[name].calls
    middle = random.Random(name).randrange(1, len(calls)) if len(calls) > 1 else 1
    for at, line in enumerate(calls):
        if at == middle:
            lived.settled()
        call(line, folder)
    lived.settled()
    lived.compare()


@pytest.mark.parametrize("name", rounds(quick=("cp",), soak=tuple(HISTORIES)[::3]))
def test_also_when_it_is_killed_in_the_middle(name: str, lived: Lived) -> None:
    folder = prepared(lived, f"{name} killed")
    calls = HISTORIES[name].calls
    middle = random.Random(name).randrange(1, len(calls)) if len(calls) > 1 else 1
    for line in calls[:middle]:
        call(line, folder)
    with lived.watcher as watcher:
        watcher.process.kill()
    for line in calls[middle:]:
        call(line, folder)
    lived.watcher = lived.started()
    lived.settled()
    lived.compare()


def test_a_checkout_of_many_files_and_back(lived: Lived) -> None:
    folder, count = lived.root / "many", rounds(quick=100, soak=5_000)
    folder.mkdir()
    for i in range(count):
        (folder / f"{i}.md").write_text(f"File {i}.", encoding="utf-8")
    lived.settled(_LONG_SECONDS)
    lived.compare()
    for text in ("of the other branch", "of the main branch"):
        for i in range(count):
            (folder / f"{i}.md").unlink()
            (folder / f"{i}.md").write_text(f"File {i} {text}.", encoding="utf-8")
    lived.settled(_LONG_SECONDS)
    lived.compare()


@pytest.fixture
def alone(tmp_path: Path, model: colibri.Colibri) -> Iterator[Lived]:
    one = Lived(tmp_path, model)
    yield one
    with one.watcher:
        pass


def _unmounted(root: Path) -> None:
    root.rename(root.with_name("away"))
    root.mkdir()


def _mounted(root: Path) -> None:
    root.rmdir()
    root.with_name("away").rename(root)


def _moved(root: Path) -> None:
    root.rename(root.with_name("away"))


def _moved_back(root: Path) -> None:
    root.with_name("away").rename(root)


@pytest.mark.parametrize(("leave", "back"), [(_unmounted, _mounted), (_moved, _moved_back)][: rounds(quick=1, soak=2)])
def test_a_disk_that_vanishes_takes_nothing_along(
    leave: Callable[[Path], None], back: Callable[[Path], None], alone: Lived
) -> None:
    alone.settled()
    before = held(alone.base / "index")
    leave(alone.root)
    gone = alone.watcher.until(lambda line: bool(line.get("gone")))
    assert list(gone["gone"]) == [str(alone.root)]
    assert held(alone.base / "index") == before
    (alone.root.with_name("away") / "new.txt").write_text("Written elsewhere.", encoding="utf-8")
    back(alone.root)
    alone.watcher.until(lambda line: line.get("indexed") == 1)
    alone.compare()
    alone.settled()  # and it is watched again


@pytest.mark.skipif(rounds(quick=True, soak=False), reason="it takes up to ten seconds for roots to be seen")
def test_another_folder_and_files_that_are_roots_are_followed_too(alone: Lived) -> None:
    other = alone.base / "other"
    other.mkdir()
    (other / "a.md").write_text("A text of another root.", encoding="utf-8")
    single = alone.base / "single.txt"
    single.write_text("A file that is a root.", encoding="utf-8")
    with Index.open(alone.base / "index") as index:  # another process, for all that the watcher knows
        work = Refresh(index)
        work.run(work.plan([other, single], {}), lambda tokens: None)
    alone.watcher.until(lambda line: line.get("unchanged") == 2)
    (other / "a.md").rename(alone.root / "a.md")  # between roots
    single.with_name("single.tmp").write_text("The same, saved anew.", encoding="utf-8")
    single.with_name("single.tmp").rename(single)
    alone.settled()
    alone.compare([alone.root, other, single])


def test_a_name_that_is_not_utf_8_costs_nothing_but_a_look(alone: Lived) -> None:
    """watchfiles ends with an error for it (findings/)."""
    with open(os.fsencode(alone.root) + b"/caf\xe9.txt", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("A name in Latin-1.")
    alone.watcher.until(lambda line: line.get("indexed") == 1)
    alone.settled()
    alone.compare()


@pytest.mark.skipif(rounds(quick=True, soak=False), reason="6,000 files")
def test_changes_that_the_system_loses_are_found(alone: Lived) -> None:
    """inotify's queue runs over while the process is stopped, of which watchfiles says nothing (findings/)."""
    alone.watcher.process.send_signal(signal.SIGSTOP)
    for i in range(6_000):
        (alone.root / f"{i}.txt").write_text(f"File {i}.", encoding="utf-8")
    alone.watcher.process.send_signal(signal.SIGCONT)
    alone.watcher.until(lambda line: line.get("documents", 0) >= 6_000, _LONG_SECONDS)
    alone.compare()
