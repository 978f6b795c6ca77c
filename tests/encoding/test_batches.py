"""Which texts run together: every text once, within the budget, whatever their order; and how they are laid out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.artefact.manifest import Profile
from colibri.encoding.batches import group, lay_out, padded
from colibri.tokens.tokenizer import Encoded

PROFILES = (
    Profile(role="query", minimum=(1, 32), optimum=(1, 32), maximum=(64, 32)),
    Profile(role="document", minimum=(1, 1), optimum=(4, 128), maximum=(16, 128)),
    Profile(role="document", minimum=(1, 129), optimum=(1, 300), maximum=(3, 300)),
)


def text(ids: list[int]) -> Encoded:
    tokens = len(ids)
    keep = np.ones(tokens, np.bool_)
    return Encoded(np.array(ids, np.int64), keep, keep, np.zeros((tokens, 2), np.int32), 0)


def of(tokens: int) -> Encoded:
    return text([7] * tokens)


some_texts = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=40).map(text), max_size=40)


@given(texts=some_texts, budget=st.integers(1, 200), step=st.sampled_from([1, 8]))
def test_each_text_runs_once_and_no_batch_is_over_budget(texts: list[Encoded], budget: int, step: int) -> None:
    groups = group(texts, budget, step=step, longest=40)
    assert sorted(i for found in groups for i in found) == list(range(len(texts)))
    lengths = [[len(texts[i].ids) for i in found] for found in groups]
    assert [n for found in lengths for n in found] == sorted((len(t.ids) for t in texts), reverse=True)
    for found in lengths:
        assert len(found) == 1 or len(found) * padded(found[0], step=step, longest=40) <= budget


@given(texts=some_texts, budget=st.integers(1, 200), seed=st.randoms())
def test_batches_do_not_depend_on_the_order_of_the_texts(texts: list[Encoded], budget: int, seed: object) -> None:
    shuffled = list(texts)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]

    def made(given: list[Encoded]) -> list[list[bytes]]:
        return [[given[i].ids.tobytes() for i in found] for found in group(given, budget, longest=40)]

    assert made(texts) == made(shuffled)


def test_a_budget_is_filled_and_counts_padding() -> None:
    """The longest, of 9 tokens, is made 16 long: 3 of them are 48 tokens, and the rest is of 8."""
    texts = [of(3), of(9), of(8), of(5), of(8), of(8)]
    assert group(texts, 48, step=8, longest=64) == [[1, 2, 4], [5, 3, 0]]
    assert group(texts, 1, step=8, longest=64) == [[1], [2], [4], [5], [3], [0]]


def test_a_batch_is_no_larger_than_the_profile_of_its_length() -> None:
    lengths = [
        len(found) for found in group([of(300)] * 4 + [of(100)] * 20, 10**6, step=8, longest=512, profiles=PROFILES)
    ]
    assert lengths == [3, 3, 16, 2]
    assert [len(found) for found in group([of(32)] * 70, 10**6, step=8, longest=512, profiles=PROFILES)] == [64, 6]


@pytest.mark.parametrize(
    ("tokens", "step", "longest", "profiles", "made"),
    [
        (9, 8, 64, (), 16),
        (16, 8, 64, (), 16),
        (9, 1, 64, (), 9),
        (61, 8, 62, (), 62),  # the position table ends there
        (299, 8, 512, PROFILES, 300),  # so does the profile
        (125, 8, 512, PROFILES, 128),
        (32, 8, 512, PROFILES, 32),
    ],
)
def test_lengths_are_rounded_up_to_what_the_graph_takes(
    tokens: int, step: int, longest: int, profiles: tuple[Profile, ...], made: int
) -> None:
    assert padded(tokens, step=step, longest=longest, profiles=profiles) == made


def test_padding_is_masked_and_what_was_not_attended_stays_so() -> None:
    hides = Encoded(
        np.array([5, 6, 9]), np.array([True, True, False]), np.ones(3, np.bool_), np.zeros((3, 2), np.int32), 0
    )
    ids, attended = lay_out([text([1, 2, 3, 4]), hides], 5)
    assert ids.tolist() == [[1, 2, 3, 4, 0], [5, 6, 9, 0, 0]]
    assert attended.tolist() == [[True] * 4 + [False], [True, True, False, False, False]]
    assert ids.dtype == np.int64
