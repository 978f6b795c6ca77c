"""Where in its file a hit stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.explain import Match
from colibri.files import place
from colibri.files.places import label_at, packed, unpacked
from colibri.files.text import Place
from colibri.index import Hit, PassageHit
from colibri.vectors import Span

TEXT = "one\ntwo\nthree kettles\nfour\n\nthe boiler is serviced\nend"


def hit(text: str = TEXT, *passages: PassageHit, **file: Any) -> Hit:
    return Hit("/n/a.txt", 1.0, 1.0, text, {"file": {"path": "/n/a.txt", **file}}, passages)


def passage(*words: tuple[str, float], start: int = 0, end: int = len(TEXT), text: str = TEXT) -> PassageHit:
    """Scored by these words and their weights."""
    matches = [
        Match(Span(i, i + 1), Span(text.index(word), text.index(word) + len(word)), weight, weight)
        for i, (word, weight) in enumerate(words)
    ]
    return PassageHit(start, end, 1.0, tuple(matches))


def test_the_line_is_that_of_the_words_that_answer() -> None:
    assert (
        str(place(hit(TEXT, passage(("boiler", 0.9), ("serviced", 0.8), ("two", 0.9)), verbatim=True))) == "/n/a.txt:6"
    )
    assert str(place(hit(TEXT, passage(("two", 0.9)), verbatim=True))) == "/n/a.txt:2"
    assert str(place(hit(TEXT, passage(start=TEXT.index("four")), verbatim=True))) == "/n/a.txt:4"


def test_markers_and_negative_weights_say_nothing() -> None:
    one = passage(("boiler", 0.5))
    marker = Match(Span(0, 0), Span(4, 7), 5.0, 5.0)
    against = Match(Span(1, 2), Span(4, 7), -2.0, -2.0)
    nowhere = Match(Span(1, 2), Span(0, 0), 3.0, 3.0)
    found = PassageHit(0, len(TEXT), 1.0, (marker, against, nowhere, *one.matches))
    assert place(hit(TEXT, found, verbatim=True)).line == 6


def test_the_label_is_that_of_the_words_that_answer() -> None:
    places = packed([Place(0, "p. 1"), Place(TEXT.index("four"), "p. 2")])
    assert str(place(hit(TEXT, passage(("boiler", 0.9)), places=places))) == "/n/a.txt p. 2"
    assert str(place(hit(TEXT, passage(("kettles", 0.9)), places=places))) == "/n/a.txt p. 1"
    assert str(place(hit(TEXT, passage(("boiler", 0.9)), places=places, verbatim=True))) == "/n/a.txt:6 p. 2"


def test_cells_of_one_line_are_places_apart() -> None:
    text = "name\tprice\tlamp\tseven crowns"
    cells = packed([Place(0, "Costs!A1"), Place(5, "Costs!B1"), Place(11, "Costs!A2"), Place(16, "Costs!B2")])
    assert str(place(hit(text, passage(("seven", 0.9), end=len(text), text=text), places=cells))) == "/n/a.txt Costs!B2"


def test_a_row_is_where_it_begins() -> None:
    row = Hit("/n/faq.jsonl#k", 1.0, 1.0, "x", {"file": {"path": "/n/faq.jsonl", "line": 12}}, (PassageHit(0, 1, 1.0),))
    assert str(place(row)) == "/n/faq.jsonl:12"
    file = {"path": "/n/a.zip", "within": "b/faq.jsonl", "line": 3}
    inside = Hit("/n/a.zip#b/faq.jsonl/k", 1.0, 1.0, "x", {"file": file}, (PassageHit(0, 1, 1.0),))
    assert str(place(inside)) == "/n/a.zip#b/faq.jsonl:3"


def test_the_one_message_of_a_file_is_the_file() -> None:
    mail = Hit("/n/a.eml", 1.0, 1.0, "x", {"file": {"path": "/n/a.eml", "line": 1}}, (PassageHit(0, 1, 1.0),))
    assert str(place(mail)) == "/n/a.eml"


def test_a_hit_by_its_name_shows_where_its_best_text_is() -> None:
    by_name = PassageHit(0, 0, 2.0)
    assert str(place(hit(TEXT, by_name, verbatim=True))) == "/n/a.txt"
    assert str(place(hit(TEXT, by_name, passage(("boiler", 0.9)), verbatim=True))) == "/n/a.txt:6"


@pytest.mark.parametrize(
    "payload", [None, {}, {"file": "mine"}, {"file": {"places": 5}}, {"file": {"places": "a b c"}}]
)
def test_what_is_no_file_is_its_id(payload: dict[str, Any] | None) -> None:
    assert str(place(Hit("mine", 1.0, 1.0, TEXT, payload, (passage(("boiler", 0.9)),)))) == "mine"
    assert str(place(Hit("mine", 1.0, 1.0, None, payload, ()))) == "mine"


places = st.lists(st.builds(Place, st.integers(0, 1 << 30), st.text("ABCp. 123!", max_size=12)), max_size=30).map(
    lambda found: sorted(found, key=lambda one: one.start)
)


@given(places)
def test_packing_keeps_places(found: list[Place]) -> None:
    text = packed(found)
    assert text is not None
    assert unpacked(text) == [Place(one.start, " ".join(one.label.split())) for one in found]


@given(st.text(max_size=60) | st.integers() | st.none())
def test_nothing_that_lies_in_a_payload_ends_a_search(text: object) -> None:
    assert isinstance(unpacked(text), list)


def test_a_workbook_of_cells_takes_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [Place(6 * i, f"Costs!{'ABCDEFGHIJ'[i % 10]}{i // 10 + 1}") for i in range(100_000)]
    text = packed(cells)
    assert text is not None
    assert len(text) < 10 * len(cells)
    assert label_at(unpacked(text), 6 * 12_345 + 3) == "Costs!F1235"
    monkeypatch.setattr("colibri.files.places.LONGEST", len(text) - 1)
    assert packed(cells) is None
