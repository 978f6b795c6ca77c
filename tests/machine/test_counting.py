"""Numbers of things in sentences."""

import pytest

from colibri.machine import counted


@pytest.mark.parametrize(
    ("count", "words", "said"),
    [
        (0, ("file",), "0 files"),
        (1, ("file",), "1 file"),
        (2, ("file",), "2 files"),
        (1_200, ("file",), "1,200 files"),
        (1, ("pipe or device", "pipes or devices"), "1 pipe or device"),
        (2, ("pipe or device", "pipes or devices"), "2 pipes or devices"),
    ],
)
def test_one_is_one_and_all_else_several(count: int, words: tuple[str, ...], said: str) -> None:
    assert counted(count, *words) == said
