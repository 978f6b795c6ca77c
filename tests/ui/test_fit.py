"""Whether what is found fits at all, as the page is told."""

from dataclasses import replace

import pytest

from colibri.index import Hit, asked
from colibri.ui.searching import _with_its_words

CODE = Hit("a", 1.0, 0.5, text="Order XK-2041 was sent.", words=1.0, fit="unlikely")


@pytest.mark.parametrize(
    ("query", "hit", "wanted"),
    [
        ("XK-2041", CODE, "maybe"),
        ("xk-2041 sent", CODE, "maybe"),
        ("xk-2041 lost", CODE, "unlikely"),
        ("XK-2041", replace(CODE, words=None), "unlikely"),
        ("XK-2041", replace(CODE, fit="likely"), "likely"),
        ("XK-2041", replace(CODE, fit=None), None),
        ("XK-2041", replace(CODE, text=None), "unlikely"),
        ("!?", CODE, "unlikely"),
    ],
)
def test_every_word_that_stands_there_may_fit(query: str, hit: Hit, wanted: str | None) -> None:
    assert _with_its_words(hit, asked(query)).fit == wanted
