"""A root that vanishes, as a disk does, at any moment of a look at it: what the index has of it stays."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri import Index
from colibri.files import Refresh
from reference import ARTEFACTS

MOST = 60
"""Moments that a look is known to have fewer of: each time it looks into a folder of the root, or opens a file."""


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-fp32")


class _Moments:
    """Counts them, and has something happen just before one."""

    def __init__(self) -> None:
        self.root = ""
        self.left = 0
        self._happens: Callable[[], object] = lambda: None
        sys.addaudithook(self._heard)  # for good: nothing takes one back

    def before(self, number: int, root: Path, happens: Callable[[], object]) -> None:
        """Of those to come (from 1)."""
        self.left, self._happens, self.root = number, happens, str(root)

    def _heard(self, event: str, values: tuple[Any, ...]) -> None:
        if not self.root or event not in {"os.scandir", "open"} or not isinstance(values[0], str | os.PathLike):
            return
        if os.fspath(values[0]).startswith(self.root):
            self.left -= 1
            if not self.left:
                self.root = ""
                self._happens()


@pytest.fixture(scope="module")
def moments() -> _Moments:
    return _Moments()


@pytest.fixture
def root(tmp_path: Path, model: colibri.Colibri) -> Path:
    """Indexed; since then a file changed, one came and one left."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for name in ("a.md", "b.txt", "left.md", "sub/c.md", "sub/d.txt"):
        (root / name).write_text(f"The text of {name}.", encoding="utf-8")
    (root / ".gitignore").write_text("*.log\n", encoding="utf-8")
    with Index.open(tmp_path / "index", model) as index:
        look(index, lambda work: work.plan([root], {}))
    (root / "b.txt").write_text("Another text.", encoding="utf-8")
    (root / "new.md").write_text("A text that came.", encoding="utf-8")
    (root / "left.md").unlink()
    return root


def look(index: Index, plan: Callable[[Refresh], Any]) -> Refresh:
    work = Refresh(index)
    work.run(plan(work), lambda tokens: None)
    return work


def texts(index: Index) -> dict[str, str | None]:
    return {Path(one.id).name: one.text for one in index.documents()}


def _unmounted(root: Path) -> None:
    root.rename(root.with_name("away"))
    root.mkdir()


def _moved(root: Path) -> None:
    root.rename(root.with_name("away"))


def _back(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.with_name("away").rename(root)


def _at_all(root: Path) -> Callable[[Refresh], Any]:
    return lambda work: work.plan([], {})


def _at_it(root: Path) -> Callable[[Refresh], Any]:
    return lambda work: work.plan_changed([str(root)])


def _at_files(root: Path) -> Callable[[Refresh], Any]:
    return lambda work: work.plan_changed([str(root / "a.md"), str(root / "left.md"), str(root / "sub")])


@pytest.mark.parametrize("look_at", [_at_all, _at_it, _at_files], ids=["all", "the root", "files"])
@pytest.mark.parametrize("vanishes", [_unmounted, _moved])
def test_whenever_it_vanishes_what_the_index_has_of_it_stays(
    vanishes: Callable[[Path], None],
    look_at: Callable[[Path], Callable[[Refresh], Any]],
    root: Path,
    tmp_path: Path,
    model: colibri.Colibri,
    moments: _Moments,
) -> None:
    there = {"a.md", "b.txt", "c.md", "d.txt"}  # of those that are indexed, on the disk, wherever that is
    for number in range(1, MOST):
        place = tmp_path / f"index{number}"
        shutil.copytree(tmp_path / "index", place)
        with Index.open(place, model, create=False) as index:
            moments.before(number, root, lambda: vanishes(root))
            look(index, look_at(root))
            vanished, moments.root = not moments.root, ""
            assert texts(index).keys() >= there, f"at moment {number}"
            if not vanished:
                return
            assert look(index, _at_all(root)).gone.keys() == {str(root)}, f"at moment {number}"
            assert texts(index).keys() >= there, f"at moment {number}, looked at again"
            _back(root)
            look(index, _at_all(root))
            assert texts(index).keys() == there | {"new.md"}
            assert texts(index)["b.txt"] == "Another text."
    raise AssertionError("a look has more moments")
