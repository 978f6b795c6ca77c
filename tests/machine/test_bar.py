"""A line on a terminal: it fits, it is drawn at most ten times a second, and nothing of it is left."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.machine.bar import Bar


class Stream(io.TextIOWrapper):
    """What a terminal of such an encoding was sent, newlines as they are."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")

    def sent(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def screen(sent: str) -> str:
    """The line that a terminal shows: each carriage return goes to its beginning, letters overwrite."""
    line: list[str] = []
    for frame in sent.split("\r"):
        line[: len(frame)] = frame
    return "".join(line)


def drawn(fraction: float | None, encoding: str, after: str = "0:01") -> str:
    out = Stream(encoding)
    Bar(out).draw(fraction, "indexing", after)
    return screen(out.sent())


def test_half_is_half_of_the_bar() -> None:
    assert drawn(0.5, "ascii") == f"indexing:  50%|{'#' * 20}{' ' * 20}| 0:01"
    assert drawn(0.5, "utf-8") == f"indexing:  50%|{'█' * 20}{' ' * 20}| 0:01"
    assert drawn(0.5 + 0.5 / 40, "utf-8") == f"indexing:  51%|{'█' * 20}▌{' ' * 19}| 0:01"
    assert drawn(0, "utf-8") == f"indexing:   0%|{' ' * 40}| 0:01"
    assert drawn(1, "utf-8") == f"indexing: 100%|{'█' * 40}| 0:01"


def test_work_of_unknown_size_has_no_bar() -> None:
    assert drawn(None, "utf-8") == "indexing: 0:01"


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "latin-1"])
def test_what_a_stream_cannot_write_is_not_written_to_it(encoding: str) -> None:
    assert "█" not in drawn(0.3, encoding)


@given(
    frames=st.lists(st.tuples(st.none() | st.floats(0, 1), st.integers(0, 200)), min_size=1, max_size=8),
    columns=st.integers(8, 120),
)
def test_a_line_fits_whatever_it_says_and_the_one_before_is_gone(
    frames: list[tuple[float | None, int]], columns: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        out, clock = Stream("utf-8"), Clock()
        bar = Bar(out, clock)
        for fraction, length in frames:
            bar.draw(fraction, "work", "x" * length)
            clock.now += 1
            alone = Stream("utf-8")
            Bar(alone).draw(fraction, "work", "x" * length)
            assert screen(out.sent()).rstrip() == screen(alone.sent()).rstrip()
        bar.clear()
    assert max(map(len, out.sent().split("\r"))) < columns
    assert screen(out.sent()).strip() == ""
    assert out.sent().endswith("\r")


def test_it_is_drawn_ten_times_a_second_at_most() -> None:
    out, clock = Stream("utf-8"), Clock()
    bar = Bar(out, clock)
    for hundredth in range(101):
        clock.now = 100 + hundredth / 100
        bar.draw(hundredth / 100, "indexing", "")
    assert 9 <= out.sent().count("\r") <= 11
