"""Dates as people write them become ISO 8601, and what is none stays away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.dates import iso_date


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2024-05-03", "2024-05-03"),
        ("2024/5/3", "2024-05-03"),
        ("2024.05", "2024-05"),
        ("2024", "2024"),
        (" [2024-05-03 Fri] ", "2024-05-03"),
        ("2024-05-03T10:00:00.123Z", "2024-05-03T10:00:00Z"),
        ("2024-05-03 10:00 +0200", "2024-05-03T10:00+0200"),
        ("May 3, 2024", "2024-05-03"),
        ("3 May 2024", "2024-05-03"),
        ("May 2024", "2024-05"),
        ("Fri, 03 May 2024 12:00:00 GMT", "2024-05-03T12:00:00+00:00"),
        ("2024-13-45", None),
        ("soon", None),
        ("", None),
    ],
)
def test_dates(text: str, iso: str | None) -> None:
    assert iso_date(text) == iso


@given(st.text("0123456789-/.:TZ +May,", max_size=30))
def test_anything_is_a_date_or_none(text: str) -> None:
    found = iso_date(text)
    assert found is None or found[:4].isdigit()
