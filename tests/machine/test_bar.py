"""A line that is drawn again and again: how wide, how often, with which characters, and who may be gone meanwhile."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.machine import Bar


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 5.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """A terminal's stream of any encoding, without a file behind it."""

    def __init__(self, encoding: str | None) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        return self._encoding

    def frames(self) -> list[str]:
        return self.getvalue().split("\r")[1:]


class Gone(Screen):
    """A terminal that hangs up after what was written first."""

    def write(self, text: str) -> int:
        if self.getvalue():
            raise OSError(5, "Input/output error")
        return super().write(text)


def eighths(share: float, columns: int) -> str:
    """The definition: a column is full from its eighth eighth on, and empty before its first."""
    full = int(share * columns * 8)
    return "".join(" ▏▎▍▌▋▊▉█"[min(max(full - 8 * column, 0), 8)] for column in range(columns))


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@given(st.floats(0, 1), st.text("abc ", max_size=90))
def test_a_frame_is_one_line_less_than_the_terminal_s_width_with_a_bar_in_eighths(share: float, after: str) -> None:
    screen = Screen("utf-8")
    Bar(screen).draw("indexing", share, after)
    (frame,) = screen.frames()
    columns = max(79 - len("indexing: 100%|") - len(f"| {after}"), 1)
    assert frame == f"indexing: {share:4.0%}|{eighths(share, columns)}| {after}"[:79].ljust(79)


def test_nothing_done_and_all_done_are_an_empty_and_a_full_bar() -> None:
    clock, screen = Clock(), Screen("utf-8")
    bar = Bar(screen, clock)
    for share in (0.0, 1.0):
        bar.draw("indexing", share, "0:01")
        clock.now += 1
    empty, full = screen.frames()
    assert (empty.count("█"), full.count("█")) == (0, 79 - len("indexing: 100%|| 0:01"))
    assert len(empty) == len(full) == 79


@pytest.mark.parametrize("encoding", ["latin-1", "cp932", "ascii", None, "no-such-encoding"])
def test_a_terminal_without_blocks_gets_number_signs(encoding: str | None) -> None:
    screen = Screen(encoding)
    Bar(screen).draw("indexing", 0.5, "0:01")
    assert "#####" in screen.getvalue()
    assert screen.getvalue().isascii()


def test_it_is_drawn_ten_times_a_second_at_most_and_what_comes_then_is_the_newest() -> None:
    clock, screen = Clock(), Screen("utf-8")
    bar = Bar(screen, clock)
    for step in range(1_000):
        bar.draw("indexing", step / 1_000, str(step))
        clock.now += 0.001
    assert 9 <= len(screen.frames()) <= 10
    assert screen.frames()[0].endswith("| 0")
    assert int(screen.frames()[-1].rpartition("|")[2]) >= 900


def test_without_a_share_there_are_words_alone() -> None:
    screen = Screen("utf-8")
    Bar(screen).draw("marking", None, "0:07, 3 tokens")
    assert screen.frames() == ["marking: 0:07, 3 tokens".ljust(79)]


def test_cleared_the_line_is_empty_and_the_cursor_at_its_start() -> None:
    screen = Screen("utf-8")
    bar = Bar(screen)
    bar.draw("indexing", 0.5, "x" * 200)
    bar.clear()
    assert screen.getvalue().endswith("\r" + " " * 79 + "\r")


def test_a_terminal_that_is_gone_ends_the_drawing_and_not_the_work() -> None:
    clock, screen = Clock(), Gone("utf-8")
    bar = Bar(screen, clock)
    for _ in range(3):
        bar.draw("indexing", 0.5, "")
        clock.now += 1
    bar.clear()
    assert len(screen.frames()) == 1


def test_a_stream_that_was_closed_ends_the_drawing_and_not_the_work() -> None:
    screen = Screen("utf-8")
    bar = Bar(screen)
    screen.close()
    bar.draw("indexing", 0.5, "")
    bar.clear()


@pytest.mark.skipif(os.name == "nt", reason="there is no pty on Windows")
def test_a_window_that_changes_its_width_gets_lines_of_the_new_one() -> None:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    clock = Clock()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        bar = Bar(stream, clock)
        seen = []
        for columns in (100, 40):
            fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            bar.draw("indexing", 0.25, "0:01")
            clock.now += 1
            seen.append(len(os.read(ours, 4_096).decode()))
    os.close(ours)
    assert seen == [1 + 99, 1 + 39]
