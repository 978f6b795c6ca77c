"""What is read around a place: passages in order, bounded, never outside the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.assistants import reading
from colibri.assistants.reading import MOST_CHARACTERS, whole, window
from colibri.errors import InputError
from colibri.vectors import Span

PASSAGES = [Span(0, 100), Span(90, 200), Span(200, 300), Span(300, 340)]


def test_the_passage_and_its_neighbours() -> None:
    found = window(PASSAGES, 340, 210, None, 1)
    assert (found.start, found.end) == (90, 340)
    assert found.passages == tuple(PASSAGES)  # the first one's end lies in it
    assert window(PASSAGES, 340, 210, 220, 0) == reading.Window(200, 300, (Span(200, 300),))


def test_without_a_start_the_beginning() -> None:
    assert window(PASSAGES, 340, None, None, 0) == reading.Window(0, 100, (Span(0, 100), Span(90, 200)))


def test_what_was_asked_for_comes_though_its_neighbours_are_long() -> None:
    long = [Span(0, 3 * MOST_CHARACTERS), Span(3 * MOST_CHARACTERS, 3 * MOST_CHARACTERS + 50)]
    found = window(long, 3 * MOST_CHARACTERS + 50, 3 * MOST_CHARACTERS + 10, None, 1)
    assert (found.start, found.end) == (3 * MOST_CHARACTERS + 10, 3 * MOST_CHARACTERS + 50)


def test_a_whole_document_in_steps() -> None:
    """Asking again from where a reading ended gives every character, once a passage fits."""
    length, size = 50_000, 700
    passages = [Span(at, min(at + size, length)) for at in range(0, length, size)]
    seen, at = set(), 0
    while at < length:
        found = window(passages, length, at, None, 20)
        assert found.end > at
        seen |= set(range(found.start, found.end))
        at = found.end
    assert seen == set(range(length))


@pytest.mark.parametrize(("start", "end"), [(340, None), (-1, None), (10, 5), (400, 500)])
def test_a_place_outside_is_refused(start: int, end: int | None) -> None:
    with pytest.raises(InputError, match=r"below 340"):
        window(PASSAGES, 340, start, end, 1)


def test_an_empty_text_has_an_empty_beginning() -> None:
    assert window([Span(0, 0)], 0, None, None, 1) == reading.Window(0, 0, ())


@given(
    st.integers(1, 40_000),
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 9_000)), max_size=12),
    st.integers(0, 40_000),
    st.one_of(st.none(), st.integers(0, 50_000)),
    st.integers(0, 5),
)
def test_it_lies_in_the_text_and_holds_what_was_asked(
    length: int, lengths: list[tuple[int, int]], start: int, end: int | None, neighbours: int
) -> None:
    passages = [Span(min(a, length), min(a + n, length)) for a, n in lengths]
    if start >= length or (end is not None and end < start):
        with pytest.raises(InputError):
            window(passages, length, start, end, neighbours)
        return
    found = window(passages, length, start, end, neighbours)
    assert 0 <= found.start <= start
    assert found.start <= found.end <= min(length, found.start + MOST_CHARACTERS)
    assert found.end > start or end == start
    for one in found.passages:
        assert one.start < found.end
        assert one.end > found.start


def test_lone_surrogates_do_not_end_an_answer() -> None:
    assert whole("a\udcffb") == "a?b"
