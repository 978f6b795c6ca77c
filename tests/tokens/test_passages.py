"""Long texts become passages that lose nothing, and end where a reader would end them."""

import re
from itertools import pairwise

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


def before_borders(text: str, size: int, overlap: int) -> list[Span]:
    """What `split` returned before it knew of borders, written down anew: a window, its best end, a step back."""
    tokens = words(text)
    begins = [int(token[0]) for token in tokens]
    if len(text) <= size:
        return [Span(0, len(text))]

    def ends(border: str) -> list[int]:
        places = {sum(begin < m.end() for begin in begins) for m in re.finditer(border, text)}
        return sorted(place for place in places if 0 < place < len(begins))

    paragraphs, sentences, gaps = ends(passages._PARAGRAPH.pattern), ends(passages._SENTENCE.pattern), ends(r"\s+")
    found, first, count = [], 0, len(tokens)
    while True:
        last, apart = count, False
        if count - first > size:
            half = (2 * first + size) // 2
            choices = [
                ([at for at in paragraphs if half < at <= first + size], True),
                ([at for at in sentences if half < at <= first + size], False),
                ([at for at in gaps if first < at <= first + size], False),
            ]
            last, apart = next(((at[-1], is_one) for at, is_one in choices if at), (first + size, False))
        start = begins[first] if first else 0
        piece = text[start : begins[last] if last < count else len(text)]
        if piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            found.append(Span(left, left + len(piece.strip())))
        if last >= count:
            return found if len(found) > 1 else [Span(0, len(text))]
        least = max(last - overlap, first + (last - first + 1) // 2)
        back = [[at for at in places if least <= at < last] for places in (sentences, gaps)]
        first = last if apart else next((at[0] for at in back if at), last)


@given(TEXTS, st.integers(2, 30), st.integers(0, 12))
def test_texts_without_borders_split_as_they_did(text: str, size: int, overlap: int) -> None:
    before = before_borders(text, size, overlap)
    furthest = [max(span.end for span in before[: i + 1]) for i in range(len(before))]
    assert split(text, words, size, overlap) == [s for s, end in zip(before, furthest, strict=True) if s.end == end]


def test_no_passage_ends_before_the_one_in_front_of_it() -> None:
    """Sentences of a token each, shorter than the overlap: the second passage was the first one's last letter."""
    assert split("one。. 。one?one", words, 4, 2) == [Span(0, 7), Span(6, 14)]


@given(TEXTS, st.integers(2, 30), st.integers(0, 12), st.data())
def test_with_borders_nothing_is_lost_either(text: str, size: int, overlap: int, data: st.DataObject) -> None:
    borders = sorted(data.draw(st.sets(st.integers(0, max(len(text) - 1, 0)), max_size=20)))
    found = split(text, words, size, overlap, borders)
    covered = np.zeros(len(text), bool)
    for span in found:
        assert counted(text, span) <= size or found == [(0, len(text))]
        covered[span.start : span.end] = True
    assert all(covered[i] for i, character in enumerate(text) if not character.isspace())
    begins = [int(token[0]) for token in words(text)]
    units = {next((begin for begin in begins if begin >= border), -1) for border in borders}
    for before, span in pairwise(found):
        assert before.start < span.start
        assert span.start not in units or before.end <= span.start


def test_passages_end_before_borders_and_small_units_share_one() -> None:
    text = "Ant one two. Bee one two. Cat one two three. Dog one. Eel one two three four five."
    borders = [text.index(name) for name in ("Ant", "Bee", "Cat", "Dog", "Eel")]
    assert [text[s.start : s.end] for s in split(text, words, 9, 4, borders)] == [
        "Ant one two. Bee one two.",
        "Cat one two three. Dog one.",
        "Eel one two three four five.",
    ]


def test_a_border_in_the_second_half_is_better_than_a_paragraph() -> None:
    text = "a b c d e f g\nh i\n\nj k l m n o p q r s t u v w x"
    first, second, *_ = split(text, words, 10, 3, [text.index("h")])
    assert text[first.start : first.end] == "a b c d e f g"
    assert text[second.start : second.end].startswith("h i")
    assert split(text, words, 10, 3)[0] == Span(0, text.index("\n\nj"))


def test_a_border_in_the_first_half_counts_where_what_begins_there_fits_whole() -> None:
    text = "a b c\nd e\n\nf g h i\nj k l m n o p q r s t u v w"
    borders = [text.index("d"), text.index("j")]
    assert [text[s.start : s.end] for s in split(text, words, 8, 2, borders)][:2] == ["a b c", "d e\n\nf g h i"]
    alone = split(text, words, 8, 2, borders[:1])[0]  # what begins with d is longer than a passage
    assert text[alone.start : alone.end] == "a b c\nd e"


def test_a_title_in_the_first_eighth_is_no_passage() -> None:
    text = "title\n" + "a b c d\n" * 4
    assert split(text, words, 16, 4, [0, len("title\n")])[0].end > len("title\na b c d")


def test_a_line_without_end_is_cut_before_a_border_in_its_first_half() -> None:
    text = "Page one " + "word " * 30
    assert split(text, words, 12, 4, [text.index("word")])[0] == Span(0, len("Page one"))


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
    at = text.index("word77.")
    assert passages._block_end(text, 500, 1_000, [3, at, 1_200]) == at  # and a border is where one ends


@pytest.mark.parametrize("text", ["", " ", "🐦", "\x00", "\u0301", "\ud800", "שלום", "a" * 10_000, "\n" * 500])
def test_texts_that_hurt(mini: colibri.Colibri, text: str) -> None:
    found = split(text, mini.token_offsets, 50, 10)
    assert found[0].start <= found[-1].end <= len(text)
    assert "".join(text[s.start : s.end] for s in found).strip() or not text.strip()


def test_with_the_real_tokenizer_passages_fit(mini: colibri.Colibri) -> None:
    text = " ".join(f"Sentence number {i} says that {i * 7} birds fly over Köln." for i in range(300))
    for span in split(text, mini.token_offsets, 60, 10):
        assert len(mini.token_offsets(text[span.start : span.end])) <= 62  # a piece may fall apart at a cut
