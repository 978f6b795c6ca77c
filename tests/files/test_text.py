"""A text put together from blocks knows where each stood, and no packed part becomes larger than it may."""

import io

import pytest

from colibri.files.source import Budget
from colibri.files.text import Builder, Place, Unreadable


def test_blocks_lines_and_cells_with_their_places() -> None:
    builder = Builder()
    builder.place("p. 1")
    builder.block("One.\n")
    builder.line("Two.")
    builder.place("p. 2")  # gets no text
    builder.block("  \n")
    builder.place("p. 3")
    builder.cell("Three.")
    builder.place("p. 3")
    builder.block("Four.")
    builder.remark("page 2 of 3 holds no text")
    found = builder.done(title="Numbers")
    assert found.text == "One.\nTwo.\tThree.\n\nFour."
    assert found.places == (Place(0, "p. 1"), Place(10, "p. 3"))
    assert found.text[10:].startswith("Three.")
    assert (found.title, found.remarks) == ("Numbers", ("page 2 of 3 holds no text",))


def test_a_part_may_not_unpack_to_more_than_its_share() -> None:
    budget = Budget(total_bytes=5 << 20, part_bytes=3 << 20)
    assert budget.unpack(io.BytesIO(b"x" * (3 << 20)), "a.xml") == b"x" * (3 << 20)
    with pytest.raises(Unreadable, match=r"b\.xml unpacks to more than 3 MB"):
        Budget(part_bytes=3 << 20).unpack(io.BytesIO(b"x" * (3 << 20) + b"x"), "b.xml")
    with pytest.raises(Unreadable, match="unpacks to more than 5 MB"):
        budget.unpack(io.BytesIO(b"x" * (2 << 20) + b"x"), "c.xml")
