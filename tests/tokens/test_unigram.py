"""Unigram in NumPy chooses what the definition and `tokenizers` choose, ties and unknown characters included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from colibri.tokens.unigram import Unigram, vocabulary_arrays
from reference import best_pieces

Vocabulary = list[tuple[str, float]]

# Few scores over few letters: most words can be split in several ways of one sum.
scores = st.sampled_from([-0.1, -0.2, -0.3, -0.5, -1.0, -1.5, -2.0, -3.3])
pieces = st.builds(str.__add__, st.sampled_from(["", "▁"]), st.text("abé日🐦", min_size=1, max_size=4))
vocabularies = st.dictionaries(pieces | st.just("▁"), scores, max_size=40).map(lambda d: [("<unk>", -4.0), *d.items()])
words = st.lists(st.text("abé日🐦zß<>unk", min_size=1, max_size=12), max_size=8)


def split(vocabulary: Vocabulary, texts: list[str]) -> list[list[tuple[int, int, int]]]:
    """(id, start, end) of each word's pieces."""
    found = Unigram(vocabulary_arrays(vocabulary, 0)).segment(texts)
    rows = list(zip(found.ids.tolist(), found.starts.tolist(), found.ends.tolist(), strict=True))
    return [rows[found.words[i] : found.words[i + 1]] for i in range(len(texts))]


def split_by_tokenizers(vocabulary: Vocabulary, word: str) -> list[tuple[int, int, int]]:
    encoding = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=False)).encode("▁" + word)
    return [(i, *span) for i, span in zip(encoding.ids, encoding.offsets, strict=True)]


@given(vocabulary=vocabularies, texts=words)
def test_words_are_split_as_defined(vocabulary: Vocabulary, texts: list[str]) -> None:
    assert split(vocabulary, texts) == [best_pieces("▁" + text, vocabulary, 0) for text in texts]


@given(vocabulary=vocabularies, texts=words)
def test_words_are_split_as_tokenizers_splits_them(vocabulary: Vocabulary, texts: list[str]) -> None:
    assert split(vocabulary, texts) == [split_by_tokenizers(vocabulary, text) for text in texts]


def test_the_earlier_start_wins_a_tie() -> None:
    vocabulary = [("<unk>", -9.0), ("▁", -1.0), ("a", -1.0), ("aa", -1.0)]
    assert split(vocabulary, ["aaa"]) == [[(1, 0, 1), (2, 1, 2), (3, 2, 4)]]


def test_near_ties_are_decided_in_float64() -> None:
    """In float32 both sums would be -16777220."""
    vocabulary = [("<unk>", -2e7), ("▁", -16777216.0), ("a", -2.0), ("b", -1.5), ("ab", -3.4)]
    assert split(vocabulary, ["ab"]) == [[(1, 0, 1), (4, 1, 3)]]
    vocabulary[-1] = ("ab", -3.6)
    assert split(vocabulary, ["ab"]) == [[(1, 0, 1), (2, 1, 2), (3, 2, 3)]]


def test_ten_thousand_characters_are_one_word() -> None:
    vocabulary = [("<unk>", -9.0), ("▁", -1.0), ("x", -2.0), ("xxx", -3.0)]
    assert split(vocabulary, ["x" * 10_000]) == [split_by_tokenizers(vocabulary, "x" * 10_000)]


def test_no_words_have_no_pieces() -> None:
    found = Unigram(vocabulary_arrays([("<unk>", -1.0)], 0)).segment([])
    assert (found.ids.size, found.words.tolist()) == (0, [0])


def test_pieces_are_spelt_as_they_were_given() -> None:
    unigram = Unigram(vocabulary_arrays([("<unk>", -1.0), ("▁日🐦", -2.0)], 0))
    assert [unigram.piece(i) for i in (-1, 0, 1, 2)] == [None, "<unk>", "▁日🐦", None]


def test_scores_that_are_no_float32_are_kept() -> None:
    vocabulary = [("<unk>", -9.0), ("▁", -1.0), ("a", -0.1), ("b", -0.2), ("ab", -0.30000000000000004)]
    arrays = vocabulary_arrays(vocabulary, 0)
    assert arrays["scores"].dtype == np.float32
    assert arrays["exact_ids"].tolist() == [2, 3, 4]
    assert split(vocabulary, ["ab"]) == [best_pieces("▁ab", vocabulary, 0)]


@pytest.mark.parametrize("piece", ["", "a\nb", "a▁b"])
def test_a_piece_that_would_break_the_rules_is_refused(piece: str) -> None:
    with pytest.raises(ValueError, match="a piece is empty, or has a line break or a word start inside"):
        vocabulary_arrays([("<unk>", -1.0), (piece, -2.0)], 0)


def test_a_piece_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two pieces are equal"):
        vocabulary_arrays([("<unk>", -1.0), ("a", -2.0), ("a", -3.0)], 0)


@pytest.mark.parametrize("name", ["scores", "order"])
def test_arrays_that_do_not_belong_together_are_refused(name: str) -> None:
    arrays = vocabulary_arrays([("<unk>", -1.0), ("a", -2.0), ("b", -3.0)], 0)
    with pytest.raises(ValueError, match="3 pieces"):
        Unigram(arrays | {name: arrays[name][:-1]})
    with pytest.raises(ValueError, match="not in the order of their hashes"):
        Unigram(arrays | {"order": arrays["order"][::-1]})
