"""What is saved during a long look is in the index before that ends, once, and nothing is lost by it.

The long look stands still where a test wants it: a pipe takes the place of a file that it is about to read.
"""

import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from colibri import Index
from colibri.files import Refresh
from following import Following, following, texts
from reference import ARTEFACTS
from rounds import rounds

pytest.importorskip("watchfiles", reason="the extra [desktop] is not installed")
if sys.platform != "linux":
    pytest.skip("pipes that stand for files", allow_module_level=True)

MODEL = ARTEFACTS / "tiny-random-bert"
COUNT = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of many files, and an index of nothing."""
    folder = tmp_path / "root"
    folder.mkdir()
    for i in range(COUNT):
        (folder / f"{i:04}.md").write_text(f"Text {i} of a bird. " * 20, encoding="utf-8")
    Index.open(tmp_path / "index", MODEL).close()
    return folder


@contextmanager
def standing(one: Following, file: Path) -> Iterator[Callable[[], None]]:
    """The look at the file's folder stands still before it, until what this gives is called."""
    one.follower.look_now([file.parent])
    one.until(lambda state: state.phase == "indexing")
    pipe = file.with_suffix(".pipe")
    os.mkfifo(pipe)
    pipe.rename(file)
    opened: list[int] = []
    writer = threading.Thread(target=lambda: opened.append(os.open(file, os.O_WRONLY)))
    writer.start()  # returns when somebody reads it, which is the look

    def go_on() -> None:
        for number in opened:
            os.close(number)
        opened.clear()

    try:
        writer.join(120)
        assert opened, "the look has read the file before it was a pipe"
        yield go_on
    finally:
        go_on()


def found_by(one: Following, place: Path, name: str) -> None:
    """Until the index has a file of a name; nothing else ends meanwhile than looks at what changed."""
    while name not in texts(place):
        assert one.looked()["indexed"] <= 1
        assert one.follower.state.phase == "indexing"


def test_a_save_does_not_wait_for_the_first_index(folder: Path, tmp_path: Path) -> None:
    with following(tmp_path / "index") as one, standing(one, folder / f"{COUNT - 1:04}.md") as go_on:
        (folder / "saved.md").write_text("A gull is a larger bird.", encoding="utf-8")
        found_by(one, tmp_path / "index", "saved.md")
        (folder / "saved.md").write_text("A gull is the largest bird.", encoding="utf-8")
        while "largest" not in texts(tmp_path / "index")["saved.md"]:
            one.looked()
        assert one.follower.state.phase == "indexing"
        assert one.follower.state.total == COUNT
        go_on()
        while (done := one.looked())["indexed"] < COUNT - 1:
            pass
        assert done["indexed"] == COUNT - 1, "all but the pipe, and the saved one not again"
    assert len(texts(tmp_path / "index")) == COUNT


def test_what_was_looked_at_beside_is_not_indexed_again(folder: Path, tmp_path: Path) -> None:
    with following(tmp_path / "index") as one, standing(one, folder / "0030.md") as go_on:
        (folder / "0040.md").write_text("A gull is a larger bird.", encoding="utf-8")
        (folder / "0050.md").unlink()
        found_by(one, tmp_path / "index", "0040.md")
        go_on()
        while (done := one.looked())["indexed"] < 2:
            pass
        assert (done["indexed"], done["unchanged"]) == (COUNT - 3, 1)
        assert done["skipped"].keys() == {str(folder / "0050.md"), str(folder / "0030.md")}, "gone, and the pipe"
        again = one.looked()
        assert (again["indexed"], again["skipped"]) == (0, {})
    held = texts(tmp_path / "index")
    assert held["0040.md"] == "A gull is a larger bird."
    assert len(held) == COUNT - 2


def test_many_changes_at_once_do_not_wait_for_it_either(folder: Path, tmp_path: Path) -> None:
    """They come in parts, so that a save meanwhile waits for one of these at most."""
    many = 600
    (tmp_path / "many").mkdir()
    for i in range(many):
        (tmp_path / "many" / f"{i}.md").write_text(f"Text {i}.", encoding="utf-8")
    with following(tmp_path / "index") as one, standing(one, folder / f"{COUNT - 1:04}.md") as go_on:
        (tmp_path / "many").rename(folder / "many")
        parts: list[int] = []
        while sum(parts) < many:
            parts.append(one.looked()["indexed"])
        assert one.follower.state.total == COUNT, "the long one has not ended"
        assert [part for part in parts if part] == [256, 256, many - 512]
        go_on()
        while len(texts(tmp_path / "index")) < COUNT - 1 + many:
            one.looked()


@pytest.mark.parametrize("seed", range(rounds(quick=2, soak=30)))
def test_whatever_happens_meanwhile_it_becomes_what_a_fresh_index_is(seed: int, folder: Path, tmp_path: Path) -> None:
    chances, killed = random.Random(seed), False
    with following(tmp_path / "index") as one:
        one.follower.look_now([folder])
        one.until(lambda state: state.phase == "indexing")
        for _ in range(60):
            path = folder / f"{chances.randrange(COUNT + 10):04}.md"
            match chances.choice(("save", "save", "save", "remove", "move", "pause", "resume", "kill", "look", "wait")):
                case "save":
                    path.write_text(f"A bird, as of {chances.random()}. " * 20, encoding="utf-8")
                case "remove":
                    path.unlink(missing_ok=True)
                case "move" if path.exists():
                    path.rename(folder / f"{chances.randrange(COUNT + 10):04}.md")
                case "pause":
                    assert one.follower.pause(120)
                    assert one.follower.state.phase == "paused"
                case "resume":
                    one.follower.resume()
                case "kill" if not killed:  # after several it would wait for minutes
                    kill_children()
                    killed = True
                case "look":
                    one.follower.look_now([folder])
                case _:
                    threading.Event().wait(chances.random())
        one.follower.resume()
        (folder / "mark.md").write_text("A mark.", encoding="utf-8")
        with Index.open(tmp_path / "fresh", MODEL) as index:
            work = Refresh(index)
            work.run(work.plan([folder], {}), lambda tokens: None)
        while texts(tmp_path / "index") != texts(tmp_path / "fresh"):
            one.looked()


def kill_children() -> None:
    """Processes that follow folders for this one; some of them may end meanwhile."""
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                if b"colibri.files.follow" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(int(child), signal.SIGKILL)
