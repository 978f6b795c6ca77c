"""Nothing that steers a terminal or breaks a store reaches the index, and places stay at their words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.cleaning import cleaned, tidied
from colibri.files.text import FileText, Place


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("The bread \x1b]0;title\x07 rises \x1b[2J in an hour.", "The bread  rises  in an hour."),
        ("\x1b[1;31mERROR\x1b[0m: \x1b(Bfull", "ERROR: full"),
        ("\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jone \x9d0;title\x9ctwo", "one two"),
        ("\x1b alone", " alone"),
        ("N\bNA\bAM\bME\bE and _\bu_\bn_\bd_\be_\br", "NAME and under"),
        ("\b\bx", "x"),
        ("abc\b\b\b", "ab"),
        ("one\ftwo\vthree\x85four", "one two three four"),
        ("a\x00b\x7f\x9bc\ud800d\udfffe\ufefff\ufffeg\uffffh", "abcdefgh"),
        ("tab\tand 𝄞 and \u200d\u200b stay", "tab\tand 𝄞 and \u200d\u200b stay"),
    ],
)
def test_what_is_taken_out(text: str, clean: str) -> None:
    assert cleaned(text) == clean


def test_a_cleaned_text_keeps_its_places() -> None:
    content = FileText(
        text="\x00one\r\n\x07two\x07\x07three",
        places=(Place(0, "p. 1"), Place(6, "p. 2\x00"), Place(10, "p. 3"), Place(12, "p. 4")),
        title="T\x1b[1mitle",
        remarks=("r",),
    )
    found = tidied(content)
    assert found.text == "one\ntwothree"
    assert found.places == (Place(0, "p. 1"), Place(4, "p. 2"), Place(7, "p. 4"))
    assert (found.title, found.author, found.remarks) == ("Title", None, ("r",))


@given(st.text(st.characters(), max_size=50))
def test_nothing_unseen_is_left_and_cleaning_twice_changes_nothing(text: str) -> None:
    clean = cleaned(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]", clean)
    clean.encode()
    assert cleaned(clean) == clean
