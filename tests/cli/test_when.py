"""Times as people type them, against the calendar, and as they read them."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.cli.when import local, moment
from colibri.errors import InputError

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)


def ns(when: datetime) -> int:
    return int(when.timestamp()) * 10**9


def here(*parts: int) -> int:
    """A local time."""
    return ns(datetime(*parts).astimezone())  # type: ignore[arg-type] # year, month, day and more


@pytest.mark.parametrize(
    ("said", "begin", "end"),
    [
        ("2025", here(2025, 1, 1), here(2026, 1, 1)),
        ("2025-01", here(2025, 1, 1), here(2025, 2, 1)),
        ("2025-12", here(2025, 12, 1), here(2026, 1, 1)),
        ("2024-02-29", here(2024, 2, 29), here(2024, 3, 1)),
        ("20240229", here(2024, 2, 29), here(2024, 3, 1)),
        ("2025-12-31", here(2025, 12, 31), here(2026, 1, 1)),
        ("1969-12-31", here(1969, 12, 31), here(1970, 1, 1)),
    ],
)
def test_a_period_begins_and_ends(said: str, begin: int, end: int) -> None:
    assert moment(said, NOW, end=False) == begin
    assert moment(f" {said} ", NOW, end=True) == end


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("now", NOW),
        ("90s", NOW - timedelta(seconds=90)),
        ("30 min", NOW - timedelta(minutes=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("7d", NOW - timedelta(days=7)),
        ("2 weeks", NOW - timedelta(days=14)),
        ("2 Weeks ago", NOW - timedelta(days=14)),
        ("1 day ago", NOW - timedelta(days=1)),
        ("1mo", datetime(2026, 2, 28, 12, 30, tzinfo=UTC)),
        ("3 months", datetime(2025, 12, 31, 12, 30, tzinfo=UTC)),
        ("1y", datetime(2025, 3, 31, 12, 30, tzinfo=UTC)),
        ("25 months", datetime(2024, 2, 29, 12, 30, tzinfo=UTC)),
        ("2025-01-31T17:30Z", datetime(2025, 1, 31, 17, 30, tzinfo=UTC)),
        ("2025-01-31T17:30:05+02:00", datetime(2025, 1, 31, 15, 30, 5, tzinfo=UTC)),
    ],
)
def test_a_moment_is_the_same_as_begin_and_end(said: str, when: datetime) -> None:
    assert moment(said, NOW, end=False) == moment(said, NOW, end=True) == ns(when)


def test_without_a_zone_it_is_local_time() -> None:
    for said in ("2025-01-31T17:30", "2025-01-31 17:30"):
        assert moment(said, NOW, end=False) == here(2025, 1, 31, 17, 30)


def test_today_and_yesterday_are_days_of_whoever_asks() -> None:
    now = datetime(2026, 3, 1, 0, 30).astimezone()
    assert moment("today", now, end=False) == here(2026, 3, 1)
    assert moment("Yesterday", now, end=False) == here(2026, 2, 28)
    assert moment("yesterday", now, end=True) == here(2026, 3, 1)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "2025-13",
        "2025-02-30",
        "7 parsecs",
        "d",
        "-3d",
        "1e3d",
        "999999y",
        "0000",
        "9999-99",
        "٧d",
        "2025/01",
    ],
)
def test_what_is_no_time_is_refused_with_the_forms(said: str) -> None:
    with pytest.raises(InputError, match="wanted one like 2025, 2025-01"):
        moment(said, NOW, end=False)


def test_m_may_be_two_things_and_is_refused() -> None:
    with pytest.raises(InputError, match=r"minutes \(min\) or months \(mo\)"):
        moment("3m", NOW, end=False)


@given(
    when=st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)),
    offset=st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours))),
)
def test_any_iso_time_with_a_zone_is_read_exactly(when: datetime, offset: timezone) -> None:
    moment_ns = moment(when.replace(tzinfo=offset).isoformat(), NOW, end=False)
    assert (
        moment_ns
        == (when.replace(tzinfo=offset) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    )


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process is fixed here")
def test_a_time_is_read_by_the_clock_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        for zone, shown in (("HERE-05:30", "2025-02-01 02:29"), ("HERE+08", "2025-01-31 12:59"), ("UTC", None)):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert local("2025-01-31T20:59:30+00:00") == (shown or "2025-01-31 20:59")
        assert local("2025-01-31T20:59:30") == "2025-01-31T20:59:30", "nobody says where"
        assert local("some day") == "some day"
    finally:
        monkeypatch.undo()
        time.tzset()
