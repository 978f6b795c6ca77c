"""Normalisation by code point: what each becomes and where it came from, and which texts are left to `tokenizers`."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from colibri.tokens.charsmap import Charsmap

RULES = {"\t": " ", "\n": " ", "\x01": "", "ª": "a", "ﬁ": "fi", "½": "1⁄2", "\u200b": " ", "Ａ": "A", "\U0001d41a": "a"}
EXTENDING = ["\u0301", "\u0323", "\u0e33", "\ufe0f"]
COMPOSING = ("e日", "\u0301\u3099")


def arrays() -> dict[str, NDArray[Any]]:
    columns = {
        "mapped": [ord(c) for c in RULES],
        "mapped_lengths": [len(to) for to in RULES.values()],
        "mapped_to": [ord(c) for to in RULES.values() for c in to],
        "extending": [ord(c) for c in EXTENDING],
        "composing_first": [ord(c) for c in COMPOSING[0]],
        "composing_next": [ord(c) for c in COMPOSING[1]],
    }
    return {name: np.array(column, np.uint32) for name, column in columns.items()}


def unsure(text: str) -> bool:
    """The rule in plain words: a pair of at most five bytes of which a rule could take both, or a removal that is not
    behind one code point of its own."""
    pairs = list(itertools.pairwise(text))
    small = [(a, b) for a, b in pairs if len((a + b).encode()) <= 5]
    taken = any(a in RULES and a > "\x9f" and b in EXTENDING for a, b in small)
    composed = any(a in COMPOSING[0] and b in COMPOSING[1] for a, b in small)
    removed = text[:1] == "\x01" or any(b == "\x01" and len(RULES.get(a, a)) > 1 for a, b in pairs)
    return taken or composed or removed


texts = st.text([*RULES, *EXTENDING, *"".join(COMPOSING), *"ab \0\u3000🐦"], max_size=12)


@given(given=st.lists(texts, max_size=5))
def test_texts_are_normalised_code_point_by_code_point(given: list[str]) -> None:
    found = Charsmap(arrays()).normalise(given)
    joined = "\n".join(given)
    wanted = [(to, i) for i, c in enumerate(joined) for to in RULES.get(c, c)]
    assert list(zip(map(chr, found.codes.tolist()), found.sources.tolist(), strict=True)) == wanted
    assert found.white.tolist() == [to.isspace() for to, _ in wanted]
    assert found.starts.tolist() == [sum(len(text) + 1 for text in given[:i]) for i in range(len(given))]
    assert found.unsure.tolist() == [unsure(text) for text in given]


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("ª\u0301", True),  # 2 + 2 bytes
        ("ª\ufe0f", True),  # 2 + 3
        ("ﬁ\u0301", True),  # 3 + 2
        ("ﬁ\ufe0f", False),  # 3 + 3: too large a cluster
        ("\U0001d41a\u0301", False),  # 4 + 2
        ("e\u0301", True),
        ("日\u3099", False),
        ("a\u0301", False),  # no rule takes it
        ("\t\u0301", False),  # a cluster never starts with a control character
        ("\x01a", True),
        ("a\x01", False),
        ("½\x01", True),
        ("a\x01\x01", False),
    ],
)
def test_doubts_are_raised_where_a_cluster_counts_and_only_there(text: str, doubt: bool) -> None:
    for at, company in enumerate([[text], ["x", text, "\u0301"], ["ª", text]]):
        assert Charsmap(arrays()).normalise(company).unsure.tolist()[min(at, 1)] == doubt


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        Charsmap(arrays() | {"mapped_to": np.zeros(3, np.uint32)})
