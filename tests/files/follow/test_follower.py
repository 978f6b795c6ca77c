"""A follower looks at start, when asked and daily, pauses, and goes on after whatever happens to it."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from colibri import Index
from colibri.errors import StoreLocked
from colibri.files import Follower, Refresh, State
from following import following, texts
from reference import ARTEFACTS
from watcher import SECONDS

MODEL = ARTEFACTS / "tiny-random-bert"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A folder of two texts, indexed."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "bird.md").write_text("A colibri is a small bird.", encoding="utf-8")
    (folder / "bread.txt").write_text("Bread is baked in an oven.", encoding="utf-8")
    with Index.open(tmp_path / "index", MODEL) as index:
        work = Refresh(index)
        work.run(work.plan([folder], {}), lambda tokens: None)
    return folder


def test_it_looks_at_start_and_when_asked(notes: Path, tmp_path: Path) -> None:
    (notes / "new.md").write_text("A gull is a larger bird.", encoding="utf-8")
    with following(tmp_path / "index") as one:
        found = one.looked()
        assert (found["indexed"], found["unchanged"], found["documents"]) == (1, 2, 3)
        (notes / "bird.md").unlink()
        one.follower.look_now()
        assert one.looked()["removed"] == 1
        other = tmp_path / "other"
        other.mkdir()
        (other / "boat.md").write_text("A boat on a river.", encoding="utf-8")
        one.follower.look_now([other], {"passage_tokens": 90})
        assert one.looked()["indexed"] == 1
        phases = [state.phase for state in one.states]
        assert phases.index("looking") < phases.index("indexing") < phases.index("idle", 1)
        end = time.monotonic() + SECONDS
        while (state := one.follower.state).phase != "idle":  # without [desktop] a new root is looked at again
            assert time.monotonic() < end, state
        assert state == State(watching=state.watching, note=state.note)
    assert texts(tmp_path / "index").keys() == {"bread.txt", "new.md", "boat.md"}


def test_what_changes_in_a_pause_is_looked_at_after_it(notes: Path, tmp_path: Path) -> None:
    with following(tmp_path / "index") as one:
        one.looked()
        assert one.follower.pause(SECONDS)
        assert one.follower.state.phase == "paused"
        (notes / "new.md").write_text("A gull is a larger bird.", encoding="utf-8")
        one.follower.look_now()
        assert texts(tmp_path / "index").keys() == {"bird.md", "bread.txt"}
        one.follower.resume()
        assert one.looked()["indexed"] == 1


def test_a_pause_in_the_middle_keeps_what_was_committed_and_goes_on_there(notes: Path, tmp_path: Path) -> None:
    count = 100  # not so many that it gives way to all else
    for i in range(count):
        (notes / f"{i}.md").write_text(f"Text {i} of a bird. " * 20, encoding="utf-8")
    with following(tmp_path / "index") as one:
        one.until(lambda state: state.phase == "indexing")
        assert one.follower.pause(SECONDS)
        assert one.follower.state.phase == "paused"
        before = len(texts(tmp_path / "index"))
        one.follower.look_now()
        assert len(texts(tmp_path / "index")) == before
        one.follower.resume()
        while len(texts(tmp_path / "index")) < count + 2:
            one.looked()
    assert [state.phase for state in one.states].count("paused") > 0


def test_holds_neither_end_a_pause_nor_begin_one(notes: Path, tmp_path: Path) -> None:
    with following(tmp_path / "index") as one:
        one.looked()
        (notes / "new.md").write_text("A gull is a larger bird.", encoding="utf-8")
        with one.follower.held(SECONDS) as still, one.follower.held():
            assert still
            one.follower.look_now()
            assert str(one.follower.state.phase) == "idle"
            one.follower.resume()  # ends no hold
            assert texts(tmp_path / "index").keys() == {"bird.md", "bread.txt"}
        for _ in range(3):  # right after each other, before the first is known to be over
            with one.follower.held(SECONDS):
                pass
        while "new.md" not in texts(tmp_path / "index"):
            one.looked()
        with one.follower.held(SECONDS):
            assert one.follower.pause(SECONDS)
        with one.follower.held(SECONDS):
            assert one.follower.state.phase == "paused"
        (notes / "late.md").write_text("A rook is a bird too.", encoding="utf-8")
        one.follower.look_now()
        assert "late.md" not in texts(tmp_path / "index")
        one.follower.resume()
        while "late.md" not in texts(tmp_path / "index"):
            one.looked()


def test_what_is_given_up_is_not_looked_at(notes: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "boat.md").write_text("A boat on a river.", encoding="utf-8")
    with following(tmp_path / "index") as one:
        one.looked()
        assert one.follower.pause(SECONDS)
        one.follower.look_now([other])
        one.follower.give_up(other)
        one.follower.look_now()
        one.follower.resume()
        assert one.looked()["unchanged"] == 2
    assert texts(tmp_path / "index").keys() == {"bird.md", "bread.txt"}
    assert one.follower.pause(SECONDS), "what does not run has nothing under way"


def test_what_is_given_up_takes_nothing_else_along_that_was_asked_for_with_it(notes: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.md").write_text("A boat on a river.", encoding="utf-8")
    with following(tmp_path / "index") as one:
        one.looked()
        assert one.follower.pause(SECONDS)
        one.follower.look_now([tmp_path / "one", tmp_path / "two"])
        one.follower.give_up(tmp_path / "one")
        one.follower.look_now()
        one.follower.resume()
        assert one.looked()["indexed"] == 1
    assert texts(tmp_path / "index").keys() == {"bird.md", "bread.txt", "two.md"}


def test_without_watchfiles_it_says_so_and_looks(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)  # as where it is not installed
    with following(tmp_path / "index") as one:
        one.looked()
        state = one.follower.state
        assert not state.watching
        assert "nothing tells of changes without watchfiles (colibri-edge[desktop]): pip install" in str(state.note)
        assert str(state.note).endswith("all is looked at every 15 minutes")
        (notes / "new.md").write_text("A gull is a larger bird.", encoding="utf-8")
        one.follower.look_now()
        assert one.looked()["indexed"] == 1


def test_what_cannot_be_asked_is_said_and_holds_nothing_up(notes: Path, tmp_path: Path) -> None:
    with following(tmp_path / "index") as one:
        one.looked()
        one.follower.look_now([tmp_path / "none"])
        assert "none: no such file or folder" in str(one.until(lambda state: state.phase == "failed").error)
        one.follower.look_now()
        assert one.looked()["unchanged"] == 2
        assert one.follower.state.error is None


def test_an_index_that_another_follows_is_refused_or_waited_for(notes: Path, tmp_path: Path) -> None:
    with following(tmp_path / "index") as one:
        one.looked()
        with pytest.raises(StoreLocked, match="another program follows its folders already"):
            Follower(tmp_path / "index").run(threading.Event(), standby=False)
        with following(tmp_path / "index") as other:
            assert other.until(lambda state: state.note is not None).note == (
                "another program keeps this index fresh; this one goes on with it when that ends"
            )
            (notes / "new.md").write_text("A gull is a larger bird.", encoding="utf-8")
            other.follower.look_now()
            assert other.looked()["indexed"] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
def test_a_process_that_is_killed_is_started_again(notes: Path, tmp_path: Path) -> None:
    with following(tmp_path / "index") as one:
        one.looked()
        (child,) = (
            int(child)
            for task in Path("/proc/self/task").iterdir()
            for child in (task / "children").read_text().split()
            if b"colibri.files.follow" in Path(f"/proc/{child}/cmdline").read_bytes()
        )
        assert os.getpriority(os.PRIO_PROCESS, child) == min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)
        os.kill(child, signal.SIGKILL)
        (notes / "new.md").write_text("A gull is a larger bird.", encoding="utf-8")
        one.follower.look_now()
        assert one.looked()["indexed"] == 1


def test_without_another_python_a_thread_does_it(notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    (notes / "new.md").write_text("A gull is a larger bird.", encoding="utf-8")
    with following(tmp_path / "index") as one:
        assert one.looked()["indexed"] == 1
    assert texts(tmp_path / "index").keys() == {"bird.md", "bread.txt", "new.md"}
