"""Labels of places by the headings above them."""

from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.office.outline import Outline


def test_a_heading_closes_those_of_its_level_and_below() -> None:
    outline = Outline()
    headings = [(1, "Rent"), (3, "Late  rent\n"), (2, "Deposit"), (1, "Pets"), (99, "Cats")]
    assert [outline.path(*one) for one in headings] == [
        "Rent",
        "Rent > Late rent",
        "Rent > Deposit",
        "Pets",
        "Pets > Cats",
    ]


@given(st.lists(st.tuples(st.integers(-3, 12), st.text(max_size=300)), max_size=30))
def test_a_label_stays_short_and_ends_with_its_heading(headings: list[tuple[int, str]]) -> None:
    outline = Outline()
    for level, heading in headings:
        label = outline.path(level, heading)
        words = " ".join(heading.split())
        assert len(label) <= 160
        assert label.endswith(words if len(words) <= 60 else "…")
