"""Which words of a query and of a passage are shaded."""

import sys
from types import FrameType

from colibri.explain import Match, Span, whole_word
from colibri.index import Hit, PassageHit
from colibri.ui.found import files_of, grouped

PASSAGES = 30
TEXT = "a bird sleeps"


def hits(query: str) -> list[Hit]:
    """Of documents in which each token of the query, of five characters, was answered by the bird."""
    tokens = [Span(at, at + 5) for at in range(0, len(query), 5)]
    matches = tuple(Match(one, Span(2, 6), 0.5, 0.5) for one in tokens)
    found = []
    for i in range(PASSAGES):
        passage = PassageHit(start=0, end=len(TEXT), score=1.0, text=TEXT, matches=matches)
        found.append(Hit(id=str(i), score=1.0, normalised=0.5, text=TEXT, payload=None, passages=(passage,)))
    return found


def test_the_word_of_a_token_is_looked_for_once_however_many_passages_it_answered() -> None:
    """In a run of letters without a blank that takes a while: a question of 10,000 took seconds."""
    query = "abcde" * 400
    found = hits(query)
    looked = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal looked
        looked += event == "call" and frame.f_code is whole_word.__code__ and frame.f_locals["text"] is query

    sys.setprofile(count)
    try:
        files = files_of(grouped(found), {hit.id: hit for hit in found}, query)
    finally:
        sys.setprofile(None)
    assert len(files) == PASSAGES
    assert all(len(file.passages[0].matches) == 400 for file in files)
    assert looked == 400


def test_words_are_shaded_and_signs_are_not() -> None:
    found = hits("bird ,,,,,")
    file = files_of(grouped(found), {hit.id: hit for hit in found}, "bird ,,,,,")[0]
    assert [(one.query, one.text) for one in file.passages[0].matches] == [((0, 5), (2, 6))]
