"""A run commits as it works, counts bytes and tokens while it encodes, and knows its pace."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

import colibri
from colibri import Index
from colibri.files.pace import Pace
from colibri.files.sync import Sync, Wanted
from colibri.files.walk import Found
from colibri.index import Document
from colibri.machine import progress_bar
from reference import ARTEFACTS


class Clock:
    """A second passes with every token that is encoded, and none else."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-fp32")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def index(tmp_path: Path, model: colibri.Colibri, clock: Clock) -> Iterator[Index]:
    with Index.open(tmp_path / "index", model) as opened:
        opened._core.clock = clock
        yield opened


def test_what_is_encoded_is_committed_while_the_run_goes_on(index: Index, tmp_path: Path, clock: Clock) -> None:
    """Forty files; between two commits never more work than five seconds and one file."""
    (tmp_path / "files").mkdir()
    for i in range(40):
        (tmp_path / "files" / f"{i:02}.txt").write_text(f"the keeper counts bird {i} " * 40, encoding="utf-8")
    seen: list[tuple[float, int]] = []

    def done(tokens: int) -> None:
        clock.now += tokens / 1_000
        seen.append((clock.now, index.count()))

    sync = Sync(index, Wanted(), clock=clock)
    sync.run(sync.plan([tmp_path / "files"]), done)
    a_file = clock.now / 40
    changes = [now for (now, count), (_, before) in zip(seen[1:], seen, strict=False) if count != before]
    assert len(changes) >= 2
    gaps = [b - a for a, b in zip([0.0, *changes], [*changes, clock.now], strict=True)]
    assert max(gaps) <= max(5.0 + 3 * a_file, 16_000 / 1_000)


def test_rows_of_one_file_are_committed_as_they_come_and_an_interruption_goes_on(
    index: Index, tmp_path: Path, clock: Clock
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": f"the bird {i} " * 5}) + "\n" for i in range(400)), encoding="utf-8")
    tokens_in_all = 0

    def stop(tokens: int) -> None:
        nonlocal tokens_in_all
        clock.now += tokens / 200
        tokens_in_all += tokens
        if index.count() > 100:
            raise KeyboardInterrupt

    sync = Sync(index, Wanted(), clock=clock)
    with pytest.raises(KeyboardInterrupt):
        sync.run(sync.plan([rows]), stop)
    kept = index.count()
    assert 100 < kept < 400
    again: list[int] = []
    sync = Sync(index, Wanted(), clock=clock)
    summary = sync.run(sync.plan([rows]), again.append)
    assert (summary.indexed, index.count()) == (1, 400)
    assert len(again) <= 400 - kept + 2  # rows that were kept are not encoded again, but the first has its file's words
    assert index.count({"file.unfinished": {"$exists": True}}) == 0
    sync = Sync(index, Wanted(), clock=clock)
    assert sync.plan([rows]) == []
    assert index.verify().clean


@pytest.mark.parametrize("count", [1, 30])
def test_the_estimate_is_right_within_a_factor_of_two_after_ten_seconds(
    index: Index, tmp_path: Path, clock: Clock, count: int
) -> None:
    """Also for one file, and where files are no plain text."""
    folder = tmp_path / "files"
    folder.mkdir()
    for i in range(count):
        text = "".join(
            f"<p>The keeper of house {i} counts {n} gulls and a boat of flour.</p>\n" for n in range(600 // count)
        )
        (folder / f"{i:02}.html").write_text(f"<!doctype html><script>{'x' * 20_000}</script>{text}", encoding="utf-8")
    sync = Sync(index, Wanted(), clock=clock)
    due = sync.plan([folder])
    total = sum(one.size_bytes for one, _ in due)
    left: list[tuple[float, float]] = []
    with progress_bar(total, "indexing", True, unit="", units_a_token=4.0, clock=clock, stream=StringIO()) as bar:

        class Timed:
            total = bar.total
            finished, measured = bar.finished, bar.measured

            def __call__(self, tokens: int) -> None:
                raise AssertionError

            def encoded(self, tokens: int) -> None:
                clock.now += tokens / 100
                bar.encoded(tokens)
                if bar.seconds_left is not None:
                    left.append((clock.now, bar.seconds_left))

        sync.run(due, Timed())
    assert clock.now > 40
    for now, estimate in left:
        if 10 <= now <= 0.9 * clock.now:
            assert 0.5 <= estimate / (clock.now - now) <= 2
    assert bar.fraction == pytest.approx(1)


def test_where_stderr_is_no_terminal_a_line_comes_every_thirty_seconds(
    index: Index, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "long.txt").write_text("the keeper counts a bird on the roof. " * 500, encoding="utf-8")
    sync = Sync(index, Wanted(), clock=clock)
    due = sync.plan([tmp_path / "long.txt"])
    out = StringIO()
    with progress_bar(
        due[0][0].size_bytes, "indexing", True, unit="", units_a_token=4.0, clock=clock, stream=out
    ) as bar:
        real = bar.encoded

        def encoded(tokens: int) -> None:
            clock.now += tokens / 50
            real(tokens)

        bar.encoded = encoded  # type: ignore[method-assign]
        sync.run(due, bar)
    lines = out.getvalue().splitlines()
    assert len(lines) == pytest.approx(clock.now / 30, abs=2)
    assert all(line.startswith("indexing: ") and "tokens/s" in line and "\r" not in line for line in lines)


def test_the_next_batch_is_as_large_as_the_pace_allows() -> None:
    clock = Clock()
    pace = Pace(lambda tokens: None, len, clock)
    assert pace.characters_in(5.0) == 16_000
    with pace.timed():
        list(pace.counted(iter([Document(id="a", text="x" * 3_000)])))
        clock.now += 1
    assert pace.characters_in(5.0) == 15_000
    with pace.timed():
        list(pace.counted(iter([Document(id="a", text="x")])))
        clock.now += 100
    assert pace.characters_in(5.0) == 4_000


def test_files_that_turn_out_to_be_no_work_are_taken_off_the_bar() -> None:
    with progress_bar(100, "indexing", False) as bar:
        pace = Pace(bar, len)
        pace.passed(Found(Path("a"), 60, 0))
        pace.encoded(7)
        pace.finished(Found(Path("b"), 40, 0))
        assert (bar.total, bar.units, pace.files, pace.tokens) == (40, 40, 1, 7)
        assert bar.fraction == 1


def test_what_an_interruption_says_was_kept_is_in_the_index(index: Index, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for i in range(60):
        (tmp_path / "files" / f"{i:02}.txt").write_text(f"the keeper counts bird {i} " * 60, encoding="utf-8")
    sync = Sync(index, Wanted())

    def stop(tokens: int) -> None:
        if index.count() and sync.pace.tokens > index.stats().tokens:
            raise KeyboardInterrupt

    due = sync.plan([tmp_path / "files"])
    with pytest.raises(KeyboardInterrupt):
        sync.run(due, stop)
    assert 0 < sync.pace.kept <= index.stats().tokens < sync.pace.tokens
    assert 0 < sync.pace.files <= index.count() < 60
