"""What has to be looked at, and when: the clock is the test's own, all else is real."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from colibri import Index
from colibri.files.follow.notices import Heard
from colibri.files.follow.watching import CHECK_SECONDS, Watching
from colibri.files.follow.work import Work
from reference import ARTEFACTS
from watcher import awaited

if find_spec("watchfiles") is None:
    pytest.skip("watchfiles is not installed", allow_module_level=True)

EVERYTHING: dict[str, Any] = {"paths": []}


class Watched:
    """An index, what watches its folders, and what does the looks that are due, at the test's own time."""

    def __init__(self, place: Path) -> None:
        self.now = 0.0
        self.index = Index.open(place, create=False)
        self.work = Work(place, {})
        self._told: SimpleQueue[tuple[Heard, Any]] = SimpleQueue()
        self.watching = Watching(self.index, lambda what, value: self._told.put((what, value)), self.now)

    def until(self, wanted: Heard) -> None:
        """Hear of what happened, up to a kind of it."""
        heard: Heard | None = None
        while heard != wanted:
            heard, value = awaited(self._told)
            self.watching.heard(heard, value, self.now)

    def look(self, look: dict[str, Any]) -> dict[str, Any]:
        """One, done now."""
        done = self.work.run(look, lambda message: None, lambda: False)
        self.watching.looked(look, done, self.now)
        return done

    def close(self) -> None:
        self.watching.close()
        self.work.close()
        self.index.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("a.md", "b.md"):
        (root / name).write_text(f"The text of {name}.", encoding="utf-8")
    return root


@pytest.fixture
def one(root: Path, tmp_path: Path) -> Iterator[Watched]:
    """It listens, and all has been looked at."""
    with Index.open(tmp_path / "index", ARTEFACTS / "tiny-random-bert") as index:
        index.sync(root)
    one = Watched(tmp_path / "index")
    assert one.watching.due(one.now) == []
    one.until("ready")
    assert one.watching.due(one.now) == [EVERYTHING]
    one.look(EVERYTHING)
    assert one.watching.due(one.now) == []
    yield one
    one.close()


def test_a_root_that_vanished_and_is_back_before_that_was_seen_is_looked_at(one: Watched, root: Path) -> None:
    """Between two looks at whether roots are there it left, a change in it was passed over, and it came back: the same
    folder as before, so that nobody would have looked at it till the next day."""
    (root / "a.md").write_text("Another text, saved just before.", encoding="utf-8")
    root.rename(root.with_name("away"))
    root.mkdir()
    assert one.look({"changed": [str(root / "a.md")]})["gone"][str(root)]["files"] == 2
    root.rmdir()
    root.with_name("away").rename(root)
    assert one.watching.due(one.now) == []
    one.until("ready")
    assert one.watching.due(one.now) == [EVERYTHING]
    assert one.look(EVERYTHING)["indexed"] == 1


def test_a_root_that_is_gone_is_looked_at_once_more_and_then_left_alone(one: Watched, root: Path) -> None:
    root.rename(root.with_name("away"))
    root.mkdir()
    one.now += CHECK_SECONDS
    for _ in range(2):
        assert one.watching.due(one.now) == []
        one.until("ready")
        assert one.watching.due(one.now) == [EVERYTHING]
        assert one.look(EVERYTHING)["gone"].keys() == {str(root)}
    assert one.watching.due(one.now) == []
    assert one.watching.next_time() > one.now


def test_a_root_that_is_gone_is_said_by_a_look_at_what_changed_there(one: Watched, root: Path) -> None:
    root.rename(root.with_name("away"))
    found = one.look({"changed": [str(root)]})
    assert (found["gone"][str(root)]["why"], found["removed"], found["documents"]) == ("is gone", 0, 2)
