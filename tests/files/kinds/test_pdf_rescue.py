"""A PDF whose end is lost is read as far as its pages go, and that is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.errors import ColibriError
from colibri.files.kinds.pdf import read
from colibri.files.kinds.pdf_rescue import rescued
from colibri.files.source import Source
from colibri.files.text import FileText, Unreadable
from pdf_writer import document, lines

WHOLE = document(lines("first page"), lines("second page"), lines("third page"))


def found(data: bytes) -> FileText:
    return read(Source(name="a.pdf", data=data))


@pytest.mark.parametrize("end", [WHOLE.index(b"xref\n"), WHOLE.index(b"/Root"), WHOLE.index(b"0000000000"), -6])
def test_without_its_trailer_all_of_it_is_read(end: int) -> None:
    text = found(WHOLE[:end])
    assert text.text == "first page\n\nsecond page\n\nthird page"
    assert [place.label for place in text.places] == ["p. 1", "p. 2", "p. 3"]
    assert text.remarks in {("its end is lost: 3 pages were found in what is there",), ()}


def test_pages_that_are_there_are_read_and_those_that_are_not_are_not_missed() -> None:
    cut = WHOLE[: WHOLE.index(b"12 0 obj") + 20]
    text = found(cut)
    assert text.text == "first page"
    assert text.remarks == ("its end is lost: 1 page was found in what is there",)


def test_the_last_object_of_a_number_counts() -> None:
    head = WHOLE[: WHOLE.index(b"xref\n")]
    later = b"12 0 obj\n<< /Removed true >>\nendobj\n"
    assert found(head + later).text == "first page\n\nthird page"


def test_nothing_that_is_encrypted_or_holds_no_page_is_tried() -> None:
    assert rescued(WHOLE + b"trailer << /Encrypt 9 0 R >>") is None
    assert rescued(b"%PDF-1.7\n1 0 obj\n<< /Type /Pages >>\nendobj\n") is None
    with pytest.raises(Unreadable, match="is damaged"):
        found(WHOLE[: WHOLE.index(b"10 0 obj")])


@given(st.integers(0, len(WHOLE)))
def test_wherever_it_is_cut_it_is_read_or_damaged(end: int) -> None:
    try:
        text = found(WHOLE[:end])
    except ColibriError:
        return
    assert text.text.startswith("first page")
