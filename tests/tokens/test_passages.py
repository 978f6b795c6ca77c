"""Long texts become passages that lose nothing, and end where a reader would end them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import colibri
from colibri.tokens import passages
from colibri.tokens.passages import split
from colibri.vectors import Span


def words(text: str) -> NDArray[np.int32]:
    """A token for each word and each sign."""
    return np.array([m.span() for m in re.finditer(r"\w+|[^\w\s]", text)], np.int32).reshape(-1, 2)


def counted(text: str, span: Span) -> int:
    return len(words(text[span.start : span.end]))


TEXTS = st.lists(
    st.sampled_from(["one", "two", "drei", "🐦", "。", ". ", "! ", "\n", "\n\n", " ", "?", "(", "\u0301", "\x00"]),
    max_size=200,
).map("".join)


@given(TEXTS, st.integers(2, 30), st.integers(0, 12))
def test_nothing_is_lost_and_nothing_is_too_long(text: str, size: int, overlap: int) -> None:
    found = split(text, words, size, overlap)
    assert found
    covered = np.zeros(len(text), bool)
    for span in found:
        assert 0 <= span.start <= span.end <= len(text)
        assert counted(text, span) <= size or found == [(0, len(text))]
        covered[span.start : span.end] = True
    assert all(covered[i] for i, character in enumerate(text) if not character.isspace())
    starts, ends = [span.start for span in found], [span.end for span in found]
    assert starts == sorted(set(starts))
    assert ends == sorted(ends)
    if len(words(text)) <= size:
        assert found == [Span(0, len(text))]


def test_sentences_stay_whole_and_overlap() -> None:
    text = "Alpha beta gamma. Delta epsilon zeta. Eta theta iota. Kappa lambda mu. Nu xi omicron."
    found = [text[s.start : s.end] for s in split(text, words, 10, 4)]
    assert found == [
        "Alpha beta gamma. Delta epsilon zeta.",
        "Delta epsilon zeta. Eta theta iota.",
        "Eta theta iota. Kappa lambda mu.",
        "Kappa lambda mu. Nu xi omicron.",
    ]


def test_a_paragraphs_end_is_the_best_end_and_needs_no_overlap() -> None:
    text = "a b c d e f.\n\ng h i j k l.\n\nm n o p q r."
    assert [text[s.start : s.end] for s in split(text, words, 9, 4)] == ["a b c d e f.", "g h i j k l.", "m n o p q r."]


def test_japanese_sentences_end_without_a_space() -> None:
    text = "猫は黒い。犬は白い。鳥は青い。魚は赤い。"
    found = [text[s.start : s.end] for s in split(text, lambda t: np.array([(i, i + 1) for i in range(len(t))]), 10, 0)]
    assert found == ["猫は黒い。犬は白い。", "鳥は青い。魚は赤い。"]


def test_a_word_without_end_is_cut_between_tokens() -> None:
    found = split("x" * 100, lambda t: np.array([(i, i + 1) for i in range(len(t))]), 30, 10)
    assert [span.end - span.start for span in found][:2] == [30, 30]
    assert found[-1].end == 100


def test_very_long_texts_are_tokenised_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passages, "_BLOCK", 1_000)
    asked: list[int] = []

    def offsets(text: str) -> NDArray[np.int32]:
        asked.append(len(text))
        return words(text)

    text = " ".join(f"word{i}." for i in range(2_000))
    found = split(text, offsets, 50, 5)
    assert max(asked) <= 1_000
    assert len(asked) >= 15
    joined = "".join(text[s.start : s.end] for s in found)
    assert all(f"word{i}." in joined for i in range(2_000))


@pytest.mark.parametrize("text", ["", " ", "🐦", "\x00", "\u0301", "\ud800", "שלום", "a" * 10_000, "\n" * 500])
def test_texts_that_hurt(mini: colibri.Colibri, text: str) -> None:
    found = split(text, mini.token_offsets, 50, 10)
    assert found[0].start <= found[-1].end <= len(text)
    assert "".join(text[s.start : s.end] for s in found).strip() or not text.strip()


def test_with_the_real_tokenizer_passages_fit(mini: colibri.Colibri) -> None:
    text = " ".join(f"Sentence number {i} says that {i * 7} birds fly over Köln." for i in range(300))
    for span in split(text, mini.token_offsets, 60, 10):
        assert len(mini.token_offsets(text[span.start : span.end])) <= 62  # a piece may fall apart at a cut
