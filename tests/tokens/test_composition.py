"""A text and its decomposed form are one text: the same ids, and characters that lie where they lie in each."""

import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.artefact import Artefact
from colibri.tokens.composition import compose
from colibri.tokens.tokenizer import TextTokenizer
from rounds import rounds

DECOMPOSED = [chr(i) for i in range(0x110000) if unicodedata.normalize("NFD", chr(i)) != chr(i)]
# Sequences that a letter may meet: the texts that users of macOS have.
SENTENCES = {
    "ko": "도서관은 매주 월요일에 쉽니다.",
    "ja": "図書館は毎週月曜日に休みます。ガラスのプレート",
    "vi": "Thư viện đóng cửa vào ngày thứ Hai hằng tuần.",
    "de": "Die Bücherei schließt für Übungen früh.",
    "el": "Ἡ βιβλιοθήκη κλείνει τὴν Δευτέρα.",
    "hi": "क़लम और ज़मीन, पढ़ाई",
}
MARKS = ("\u0301", "\u0323", "\u3099", "\u1100", "\u1161", "\u11a8", "\uff76")
WORDS = st.text(st.sampled_from([*"aeio u", *"각가나ハホガブ", *MARKS]))


def test_unicode_has_as_many_decompositions_as_are_tested() -> None:
    assert len(DECOMPOSED) > 13_000


@pytest.mark.parametrize("compatible", [False, True])
def test_every_decomposition_is_undone_beside_other_letters(compatible: bool) -> None:
    """As a whole: what a form of a code point becomes is what NFC makes of it."""
    wrong = []
    for character in DECOMPOSED:
        for text in (f"a{unicodedata.normalize('NFD', character)}b", f"{character}\u0323"):
            made = compose(text, compatible=compatible)
            if (text if made is None else made.text) != unicodedata.normalize("NFC", text):
                wrong.append(f"{ord(character):04x}")
    assert not wrong


def test_both_forms_of_every_code_point_have_the_same_ids(tokenized: tuple[Artefact, TextTokenizer]) -> None:
    artefact, tokenizer = tokenized
    role = artefact.manifest.document
    # Of Hangul's 11,172 syllables, which one rule of arithmetic composes, every 29th: their 28 ends take turns.
    hangul = [c for c in DECOMPOSED if "가" <= c <= "힣"]
    few = [c for c in DECOMPOSED if not "가" <= c <= "힣"] + hangul[::29]
    characters = rounds(quick=few, soak=DECOMPOSED)
    composed = tokenizer.encode([f"x {unicodedata.normalize('NFC', c)} y" for c in characters], role)
    apart = tokenizer.encode([f"x {unicodedata.normalize('NFD', c)} y" for c in characters], role)
    different = [c for c, a, b in zip(characters, composed, apart, strict=True) if a.ids.tolist() != b.ids.tolist()]
    assert not different


@pytest.mark.parametrize("language", SENTENCES)
def test_spans_point_into_the_text_as_given(language: str, tokenized: tuple[Artefact, TextTokenizer]) -> None:
    artefact, tokenizer = tokenized
    composed, apart = (unicodedata.normalize(form, SENTENCES[language]) for form in ("NFC", "NFD"))
    (first,), (second,) = (tokenizer.encode([text], artefact.manifest.document) for text in (composed, apart))
    assert first.ids.tolist() == second.ids.tolist()
    for (a, b), (c, d) in zip(first.spans.tolist(), second.spans.tolist(), strict=True):
        assert unicodedata.normalize("NFC", apart[c:d]) == composed[a:b]
    np.testing.assert_array_equal(np.diff(second.spans, axis=1) >= 0, True)


def test_both_forms_score_the_same(mini: colibri.Colibri) -> None:
    query = "언제 도서관이 쉽니까?"
    forms = [unicodedata.normalize(form, text) for text in SENTENCES.values() for form in ("NFC", "NFD")]
    asked = [mini.score(unicodedata.normalize(form, query), mini.encode_documents(forms)) for form in ("NFC", "NFD")]
    np.testing.assert_allclose(asked[0], asked[1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(asked[0][::2], asked[0][1::2], rtol=0, atol=1e-6)


@given(WORDS)
def test_composing_is_what_the_standard_says_and_loses_no_character(text: str) -> None:
    made = compose(text)
    if made is None:
        assert unicodedata.normalize("NFC", text) == text
        return
    assert made.text == unicodedata.normalize("NFC", text)
    assert len(made.starts) == len(made.ends) == len(made.text)
    covered = {i for a, b in zip(made.starts.tolist(), made.ends.tolist(), strict=True) for i in range(a, b)}
    assert covered == set(range(len(text)))
    assert (np.diff(made.starts) >= 0).all()


def test_composed_text_is_left_alone_at_a_look() -> None:
    for text in (*SENTENCES.values(), "plain", "", "ｱｲｳ", "ㅋㅋ", "가ㄳ"):
        assert compose(unicodedata.normalize("NFC", text), compatible=True) is None


KANA = [f"{letter}{mark}" for letter in "ｶｷｻﾀﾊﾋﾎｳ" for mark in "ﾞﾟ"]
JAMO = ["ㄱㅏ", "ㅎㅏㄴ", "ﾡￂ", "\u1112\u1161\u11ab", "ᄒㅏ", "가ㄳ", "ㅋㅋㅏ"]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="sentencepiece 0.1.99 has no wheels for this Python")
def test_for_a_unigram_model_sentencepieces_own_rules_are_the_oracle(mini_tokenizer: TextTokenizer) -> None:
    sentencepiece = pytest.importorskip("sentencepiece", reason="an oracle that only `run.py test` installs")
    from colibri.artefact import find
    from reference import tokenizer_json
    from sentencepiece_model import model_proto

    artefact = find()
    oracle: Any = sentencepiece.SentencePieceProcessor()
    oracle.LoadFromSerializedProto(model_proto(tokenizer_json(artefact)))
    texts = [*KANA, *JAMO, *(f"言葉 {word} です" for word in (*KANA, *JAMO))]
    texts += [unicodedata.normalize(form, text) for text in SENTENCES.values() for form in ("NFC", "NFD")]
    special = artefact.manifest.tokenizer
    frame = len(special.start_ids) + (artefact.manifest.document.marker_id is not None)
    wrong = {}
    for text, found in zip(texts, mini_tokenizer.encode(texts, artefact.manifest.query), strict=True):
        prefix = artefact.manifest.query.prefix or ""
        wanted = [*special.start_ids, *oracle.EncodeAsIds(prefix + text), *special.end_ids]
        if found.ids.tolist()[: len(wanted)] != wanted:
            wrong[text] = (found.ids.tolist(), wanted)
    assert not wrong, (frame, json.dumps(wrong, ensure_ascii=False))


def test_a_model_may_say_that_nothing_is_composed(tmp_path: Path, edit: Any, folder: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["tokenizer"]["composition"] = "none"

    edit(change)
    tokenizer = TextTokenizer(colibri.artefact.find(folder))
    assert tokenizer._composed("e\u0301") is None
