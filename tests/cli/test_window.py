"""What is shown of a passage begins with a whole word, and holds what is marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.cli.window import window

LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenantragsformular"


def shown(text: str, *marked: tuple[int, int], number: int | None = None) -> str:
    start, end = window(text, 0, len(text), marked, number)
    return text[start:end]


def span(text: str, word: str) -> tuple[int, int]:
    return text.index(word), text.index(word) + len(word)


@pytest.mark.parametrize(
    "before", [f"# {LONG}", "z" * 60, "z" * 90, f"ab {'z' * 60}", f"{LONG} of {LONG}", "x. " + LONG]
)
def test_it_begins_with_a_whole_word_however_long(before: str) -> None:
    text = f"{'other words ' * 40}\n{before} zebra {'tail ' * 100}"
    found = shown(text, span(text, "zebra"))
    assert "zebra" in found
    assert found.split()[0] in text.split()


@pytest.mark.parametrize("word", ["z" * 60, LONG, "z" * 160])
def test_a_mark_within_a_long_word_shows_it_from_its_beginning(word: str) -> None:
    text = f"{'other words ' * 40}{word} {'tail ' * 100}"
    first = text.index(word) + len(word) - 8
    found = shown(text, (first, first + 8))
    assert found.split()[0] in text.split()
    assert word in found


def test_a_part_of_what_has_no_blanks_for_long_is_shown_from_one_of_its_own() -> None:
    text = f"{'words ' * 80}{'/usr/share/documentation' * 20}/zebra {'tail ' * 100}"
    found = shown(text, span(text, "zebra"))
    assert found.startswith(("usr/", "share/", "documentation/"))
    assert "/zebra tail" in found


def test_what_cannot_be_whole_is_cut() -> None:
    text = f"{'words ' * 80}{'z' * 600} {'tail ' * 100}"
    first = text.index("zz") + 400
    assert shown(text, (first, first + 8)).startswith("z" * 48)


@pytest.mark.parametrize(
    "text", ["灯塔看守人写下大海带走了什么又归还了什么" * 40, "ผู้ดูแลประภาคารจดสิ่งที่ทะเลเอาไปและสิ่งที่คืนมา" * 20]
)
def test_a_script_without_blanks_is_shown_around_what_is_marked(text: str) -> None:
    middle = len(text) // 2
    start, end = window(text, 0, len(text), [(middle, middle + 2)], None)
    assert middle - 48 <= start <= middle
    assert end >= middle + 200


@given(
    st.lists(st.integers(1, 120), min_size=20, max_size=80),
    st.lists(st.sampled_from([" ", "  ", "\n", "\n    ", ", "]), min_size=1, max_size=7),
    st.sets(st.integers(0, 79), min_size=1, max_size=5),
    st.booleans(),
)
def test_all_that_one_window_can_show_begins_with_a_word(
    lengths: list[int], gaps: list[str], marks: set[int], with_line: bool
) -> None:
    words = [chr(ord("a") + i % 26) * length for i, length in enumerate(lengths)]
    places, text = [], ""
    for i, word in enumerate(words):
        places.append((len(text), len(text) + len(word)))
        text += word + gaps[i % len(gaps)]
    marked = sorted({places[mark % len(places)] for mark in marks})
    number = text.count("\n", 0, marked[0][0]) + 1 if with_line else None
    start, end = window(text, 0, len(text), marked, number)
    assert start == 0 or start in {first for first, _ in places}
    assert end - start <= 320 + 160
    assert any(start <= first and last <= end for first, last in marked)
    # As many as any window of so many characters shows that begins so far before one of them.
    best = 0
    for first, _ in marked:
        at = min(max(first - 40, 0), max(len(text) - 320, 0))
        best = max(best, sum(at <= one and other <= at + 320 for one, other in marked))
    if number is None:
        assert sum(start <= first and last <= end for first, last in marked) >= best
