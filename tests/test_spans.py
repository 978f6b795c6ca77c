"""Every row's span is the characters of the original text behind it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.artefact.finding import Artefact
from colibri.artefact.manifest import Role
from colibri.model import Colibri
from colibri.tokens.tokenizer import TextTokenizer

Tokenized = tuple[Artefact, TextTokenizer]

HURTFUL = {
    "empty": "",
    "white space": " \t\n\u3000\u00a0 ",
    "one emoji": "🐦",
    "joined emoji": "👩‍👩‍👧 und 🇩🇪",
    "ten thousand characters": "the river runs " * 667,
    "one long word": "x" * 10_000,
    "no ASCII, long": "日本語" * 3_000,
    "NUL": "a\0b\0",
    "right to left": "\u200fשלום עולם\u200e، مرحبا",
    "lone combining marks": "\u0301\u0323 e\u0301 \u0301x",
    "lone surrogates": "\ud800 bird \udfff\ud83d",
    "Thai": "สวัสดี ครับ",
    "ligatures": "ﬁnd the ﬂow ﬃ",
    "full width": "Ｈｅｌｌｏ　Ｗｏｒｌｄ！",
    "one character, many": "ﷺ ㍿ … ½",
    "zero width": "\ufeffa\u200bb\u2060c\u00ad",
    "odd white space": "\u2028a\u2029\x85b\x1f\x0bc",
    "special tokens": "<s> a <mask> [CLS]",
    "metaspace": "▁▁the ▁river",
    "casing that grows": "İstanbul STRAßE ǅ",
    "decomposing": "각 각 ế",
}


UNCUT = 100_000


def roles(artefact: Artefact) -> list[Role]:
    return [artefact.manifest.query, artefact.manifest.document]


def spans_of_text(tokenized: Tokenized, text: str, role: Role) -> list[tuple[int, int]]:
    """Spans of the rows between frame and prefix on the one hand, end on the other, after a check of all others."""
    artefact, tokenizer = tokenized
    frame = artefact.manifest.tokenizer
    before = len(frame.start_ids) + (role.marker_id is not None)
    [bare] = tokenizer.encode([""], dataclasses.replace(role, expansion=None))
    [alone] = tokenizer.encode([text], dataclasses.replace(role, expansion=None))
    [encoded] = tokenizer.encode([text], role)
    before += bare.ids.size - before - len(frame.end_ids)  # the prefix
    after = alone.ids.size - len(frame.end_ids)
    assert not encoded.spans[:before].any()
    assert not encoded.spans[after:].any()
    return [(int(start), int(end)) for start, end in encoded.spans[before:after]]


def assert_sound(text: str, spans: list[tuple[int, int]]) -> None:
    """Inside the text, in order, no white space around."""
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)


@pytest.mark.parametrize("text", HURTFUL.values(), ids=HURTFUL.keys())
def test_spans_are_sound_on_texts_that_hurt(text: str, tokenized: Tokenized) -> None:
    for role in roles(tokenized[0]):
        assert_sound(text, spans_of_text(tokenized, text, role))


@given(text=st.text(max_size=60) | st.text("a ́ﬁ🐦▁<>s\n\ud800ส", max_size=60))
def test_spans_are_sound_on_any_text(text: str, tokenized: Tokenized) -> None:
    for role in roles(tokenized[0]):
        assert_sound(text, spans_of_text(tokenized, text, role))


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_spans_together_cover_every_visible_character(text: str, tokenized: Tokenized) -> None:
    for role in roles(tokenized[0]):
        spans = spans_of_text(tokenized, text, dataclasses.replace(role, max_tokens=UNCUT))
        covered = {i for start, end in spans for i in range(start, end)}
        assert covered == {i for i, character in enumerate(text) if not character.isspace()}


def test_a_span_is_the_word_its_row_stands_for(tokenized: Tokenized) -> None:
    text = "  the river,\n\tThe water "
    for role in roles(tokenized[0]):
        found = [text[start:end] for start, end in spans_of_text(tokenized, text, role)]
        assert "".join(found).startswith("the")
        assert [piece for piece in found if piece.lower() == "the"] == ["the", "The"]


def test_code_points_are_counted_and_neither_bytes_nor_units(tokenized: Tokenized) -> None:
    text = "🐦é日\ud800 the"
    for role in roles(tokenized[0]):
        assert spans_of_text(tokenized, text, role)[-1] == (5, 8)


@pytest.mark.parametrize("prefix", ["query: ", "search ", "検索: ", "🐦 "])
@pytest.mark.parametrize("text", HURTFUL.values(), ids=HURTFUL.keys())
def test_a_prefix_moves_no_span(prefix: str, text: str, tokenized: Tokenized) -> None:
    role = dataclasses.replace(tokenized[0].manifest.document, prefix=None, max_tokens=UNCUT)
    prefixed = dataclasses.replace(role, prefix=prefix)
    assert spans_of_text(tokenized, text, prefixed) == spans_of_text(tokenized, text, role)


@pytest.mark.parametrize("name", ["bert", "xlmr"])
def test_a_piece_over_the_end_of_the_prefix_belongs_to_the_text(name: str, request: pytest.FixtureRequest) -> None:
    artefact: Artefact = request.getfixturevalue(name)
    role = dataclasses.replace(artefact.manifest.document, prefix="sea", keep_prefix_rows=False)
    [encoded] = TextTokenizer(artefact).encode(["rch the"], role)
    assert encoded.spans.tolist() == [[0, 0], [0, 0], [0, 3], [4, 7], [0, 0]]
    assert encoded.keep.all()


def test_a_prefix_without_a_space_ends_where_it_ends(bert: Artefact) -> None:
    role = dataclasses.replace(bert.manifest.query, prefix="search:", keep_prefix_rows=False, expansion=None)
    [encoded] = TextTokenizer(bert).encode(["the"], role)
    assert encoded.spans.tolist() == [[0, 0], [0, 0], [0, 0], [0, 0], [0, 3], [0, 0]]
    assert encoded.keep.tolist() == [True, True, False, False, True, True]


def test_vectors_carry_the_spans_of_the_rows_they_keep(model: Colibri) -> None:
    texts = ["the river !", "", "! water"]
    found = model.encode_documents(texts)
    assert found.spans is not None
    slices = [
        [text[start:end] for start, end in found.spans[found.starts[i] : found.starts[i + 1]]]
        for i, text in enumerate(texts)
    ]
    assert slices == [["", "", "the", "river", ""], ["", "", ""], ["", "", "water", ""]]
