"""How far work is: a bar on a terminal, a line every half minute elsewhere, and an estimate that can be believed."""

import io
import os
import random
import subprocess
import sys

import pytest

from colibri.machine.progress import LINE_SECONDS, Progress, progress_bar


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_nothing_is_drawn_where_there_is_no_terminal_but_a_line_every_half_minute(clock: Clock) -> None:
    out = io.StringIO()
    with progress_bar(4, "indexing", True, clock=clock, stream=out) as bar:
        for passed in (10.0, 19.0, 1.0):
            assert out.getvalue() == ""
            clock.now += passed
            bar(100)
        assert out.getvalue() == "indexing: 75%, 3 of 4 texts, 300 tokens, 10 tokens/s, about 0:10 left\n"
        clock.now += LINE_SECONDS - 1
        bar.encoded(5)
        assert out.getvalue().count("\n") == 1
        clock.now += 1
        bar.encoded(5)
        assert out.getvalue().count("\n") == 2
    assert "\r" not in out.getvalue()


def test_a_terminal_gets_a_bar_before_anything_is_done(clock: Clock) -> None:
    out = Terminal()
    with progress_bar(1_000, "indexing", True, unit="", units_a_token=4.0, clock=clock, stream=out) as bar:
        assert "indexing:   0%|" in out.getvalue()
        bar.encoded(25)
    assert out.getvalue().startswith("\r")


def test_what_is_drawn_says_tokens_and_the_time_left(clock: Clock) -> None:
    out = Terminal()
    with progress_bar(1_000, "indexing", True, unit="", units_a_token=4.0, clock=clock, stream=out) as bar:
        bar.encoded(25)
        clock.now += 10
        bar.encoded(100)
        assert (bar.fraction, bar.seconds_left) == (0.5, 10 * 0.5 / 0.4)
        assert bar.words() == "125 tokens, 12 tokens/s, about 0:12 left"


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_nothing_is_shown_where_nobody_asked(stream: io.StringIO, clock: Clock) -> None:
    with progress_bar(9, "indexing", False, clock=clock, stream=stream) as bar:
        clock.now += 100
        bar(3)
    assert stream.getvalue() == ""
    assert bar.tokens == 3


def test_a_program_without_a_console_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    with progress_bar(9, "indexing", True) as bar:
        bar(3)


def test_a_total_that_nobody_knows_has_no_share_and_no_estimate(clock: Clock) -> None:
    progress = Progress(None, "indexing", clock=clock)
    clock.now += 2
    progress(10)
    assert (progress.fraction, progress.seconds_left) == (None, None)
    assert progress.line() == "indexing: 10 tokens, 5 tokens/s"


@pytest.mark.parametrize("total", [0, 0.0])
def test_nothing_to_do_is_no_division(clock: Clock, total: float) -> None:
    progress = Progress(total, "indexing", units_a_token=4.0, clock=clock)
    progress.finished(0, 0)
    assert progress.line() == "indexing: 0 tokens, 0 tokens/s"


@pytest.mark.parametrize(
    ("documents", "units_a_token"),
    [(1, 1.0), (1, 4.0), (1, 12.0), (7, 1.0), (7, 12.0), (1_000, 1.0), (1_000, 4.0), (1_000, 12.0)],
)
def test_the_estimate_is_right_within_a_factor_of_two_after_ten_seconds(
    clock: Clock, documents: int, units_a_token: float
) -> None:
    """50 tokens at a time, 800 a second, two minutes in all, after 6 seconds of loading. That a guess of 4 units
    a token is wrong shows when a long document is cut into passages, or short ones are finished."""
    chances = random.Random(documents)
    sizes = [chances.uniform(0.2, 1.8) for _ in range(documents)]
    tokens = [max(1, round(size * 96_000 / sum(sizes))) for size in sizes]
    progress = Progress(sum(tokens) * units_a_token, "indexing", units_a_token=4.0, clock=clock)
    begun, seen = clock.now, list[tuple[float, float]]()
    clock.now += 6
    for count in tokens:
        if documents < 10:
            progress.measured(count * units_a_token, count)
        for done in range(0, count, 50):
            clock.now += min(50, count - done) / 800
            progress.encoded(min(50, count - done))
            if clock.now - begun >= 10 and progress.seconds_left is not None:
                seen.append((clock.now, progress.seconds_left))
        progress.finished(count * units_a_token, count)
    assert progress.fraction == pytest.approx(1)
    assert len(seen) > 1_000
    for at, left in seen:
        assert (clock.now - at) / 2 - 6 <= left <= 2 * (clock.now - at) + 6


def test_the_share_never_falls_and_never_passes_one(clock: Clock) -> None:
    chances = random.Random(5)
    progress = Progress(3_000, "indexing", units_a_token=4.0, clock=clock)
    before: float = 0
    for _ in range(300):
        if chances.random() < 0.5:
            progress.encoded(chances.randint(0, 9))
        else:
            progress.finished(20, 3)
        assert progress.fraction is not None
        assert before <= progress.fraction <= 1
        before = progress.fraction


@pytest.mark.skipif(os.name == "nt", reason="there is no pty on Windows")
@pytest.mark.parametrize("columns", [0, 60, 100])
def test_a_terminal_that_does_not_know_its_width_gets_a_bar_as_others_do(columns: int) -> None:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))
    code = (
        "from colibri.machine.progress import progress_bar\n"
        "with progress_bar(1000, 'indexing', True, unit='', units_a_token=4.0) as bar: bar.encoded(25)"
    )
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    with subprocess.Popen([sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=kept) as child:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux's word for its end
                break
            if not piece:
                break
            said += piece
        assert child.wait() == 0
    os.close(ours)
    assert b"indexing:   0%|" in said
    assert max(len(frame) for frame in said.decode().split("\r")) <= (columns or 80)
