"""Rules on grapheme clusters: what each cluster becomes and where its code points came from, worked out by hand.

That `tokenizers` does the same with the shipped rules, for any text, is test_light_tokenizer.py's.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.tokens.clusters import ClusterRules, cluster_rules

RULES = ClusterRules(
    single={"ª": "a", "½": "1⁄2", "\x01": "", "\u200d": " ", "\u0344": "\u0308\u0301"},
    several={"e\u0301": "é", "⊂\u0338": "⊄"},
    extending=frozenset("\u0301\u0323\u0338\u0344\U0001f3fb"),
)


@pytest.mark.parametrize(
    ("text", "made", "places"),
    [
        ("", "", []),
        ("ab", "ab", [0, 1]),
        ("ª\u0301b", "ab", [0, 2]),  # two bytes and two: the rule takes both
        ("ª\u0301\u0323b", "a\u0301\u0323b", [0, 1, 2, 3]),  # six bytes: each code point for itself
        ("ª\u0301\U0001f3fb", "a\u0301\U0001f3fb", [0, 1, 2]),
        ("e\u0301b", "éb", [0, 2]),
        ("e\u0301\u0323b", "éb", [0, 3]),  # five bytes: the beginning has a rule, and it takes all
        ("e\u0323\u0301", "e\u0323\u0301", [0, 1, 2]),
        ("⊂\u0338", "⊄", [0]),
        ("½b", "1⁄2b", [0, 0, 0, 1]),
        ("½\x01b", "1⁄2b", [0, 0, 1, 2]),  # the last one made counts again where one is removed behind it
        ("a\x01b", "ab", [0, 2]),
        ("\x01ab", "ab", [0, 1]),  # nothing stands before it, so all that follows is one too early
        ("\u0344\u0301", "\u0308\u0301", [0, 1]),  # a cluster may begin with what extends others
        ("\u0600e\u0301", "\u0600e\u0301", [0, 1, 2]),  # prepended: it is the cluster's beginning
        ("\u0600\x01e\u0301", "\u0600é", [0, 2]),
        ("\u00ad\u0301e", "\u00ad\u0301e", [0, 1, 2]),
        ("a\u200d\u0301", "a \u0301", [0, 1, 2]),  # replaced before there are clusters
    ],
)
def test_a_text_becomes(text: str, made: str, places: list[int]) -> None:
    assert RULES.apply(text) == (made, places)


@given(text=st.text("abª½e\u0301\u0323\u0338\u0344⊂\x01\u200d\u0600\u00ad\U0001f3fb", max_size=12))
def test_places_never_fall_and_never_leave_the_text(text: str) -> None:
    made, places = RULES.apply(text)
    assert len(made) == len(places)
    assert places == sorted(places)
    assert all(0 <= place < len(text) for place in places)


def test_rules_are_read_of_arrays() -> None:
    def codes(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
        return np.array([ord(character) for character in text], np.uint32)

    arrays = {
        "mapped": codes("".join(RULES.single)),
        "mapped_lengths": np.array([len(text) for text in RULES.single.values()], np.uint32),
        "mapped_to": codes("".join(RULES.single.values())),
        "extending": codes("".join(RULES.extending)),
        "several": codes("".join(RULES.several)),
        "several_lengths": np.array([len(text) for text in RULES.several], np.uint32),
        "several_becomes": codes("".join(RULES.several.values())),
        "several_becomes_lengths": np.array([len(text) for text in RULES.several.values()], np.uint32),
    }
    assert cluster_rules(arrays) == RULES
