"""Marks that may be left out change nothing of what a model sees, and lie with their letters."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.artefact import find
from colibri.tokens.composition import compose
from colibri.tokens.folding import fold
from colibri.tokens.tokenizer import TextTokenizer

BARE = {
    "كَتَبَ": "كتب",
    "مُدَرِّسَةٌ": "مدرسة",
    "الْعَـٰلَمِينَ": "العلمين",
    "كتــــاب": "كتاب",
    "كتاباً": "كتابا",
    "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ ٱلرَّحِيمِ ۝": "بسم الله الرحمن الرحيم ۝",
    "ٱ": "ا",
    "שָׁלוֹם": "שלום",
    "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים": "בראשית ברא אלהים",
    "עַל־פְּנֵ֣י הַמָּֽיִם׃": "על־פני המים׃",
    "\ufb2a\ufb35": "שו",
}
# Hamza and madda tell letters apart; letters, digits and signs of the two scripts; marks of others.
KEPT = ["آمن أمر إلى مسؤول شيء", "؟ ، ٣ ۴ ی گ", "é ü ệ", "ก็ น้ำ", "नमस्ते", "תל־אביב׳", "ܐܳ", "ދިވެހި"]
# Marks of both scripts, by what Unicode says of them.
MARKS = [
    chr(i)
    for i in (*range(0x0591, 0x05C8), *range(0x0610, 0x0671), *range(0x06D6, 0x06EE))
    if unicodedata.category(chr(i)) == "Mn"
]
LEFT_OUT = [mark for mark in MARKS if mark not in "\u0653\u0654\u0655\u0659\u065a\u065b\u065c\u065d\u065e\u065f"]


def folded(text: str) -> str:
    composed = compose(text)
    found = fold(text if composed is None else composed.text, composed)
    return text if found is None else found.text


@pytest.mark.parametrize("text", BARE)
def test_vowels_points_accents_and_the_tatweel_go(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert folded(unicodedata.normalize(form, text)) == BARE[text]


@pytest.mark.parametrize("text", KEPT)
def test_everything_else_stays(text: str) -> None:
    assert fold(text) is None
    assert folded(unicodedata.normalize("NFD", text)) == unicodedata.normalize("NFC", text)


def test_the_marks_are_those_that_unicode_has() -> None:
    assert len(LEFT_OUT) > 90
    assert [mark for mark in LEFT_OUT if fold(f"ب{mark}ب") is None] == []
    assert [mark for mark in {*MARKS} - {*LEFT_OUT} if fold(f"ب{mark}ب") is not None] == []


def test_a_text_of_marks_alone_stays() -> None:
    for text in ("\u064e", "\u0640\u0640", " \u05b0 ", "\u064e\u0651"):
        assert folded(text) == unicodedata.normalize("NFC", text)


@given(st.text(st.sampled_from([*"abאבتك ـ", "\u0301", "\u0323", "\u05bc", "\u05c1", "\u0653", *LEFT_OUT[::6]])))
def test_no_character_of_a_text_is_lost_and_none_lies_twice(text: str) -> None:
    composed = compose(text)
    whole = text if composed is None else composed.text
    found = fold(whole, composed)
    if found is None:
        assert composed is None
        return
    assert len(found.starts) == len(found.ends) == len(found.text)
    covered = {i for a, b in zip(found.starts.tolist(), found.ends.tolist(), strict=True) for i in range(a, b)}
    assert covered == set(range(len(text)))
    assert (np.diff(found.starts) >= 0).all()
    assert (np.diff(found.ends) >= 0).all()
    if composed is None:  # else several may come of one stretch
        assert (found.starts[1:] == found.ends[:-1]).all()
        assert [text[a] for a in found.starts[1:]] == list(found.text[1:])


def test_the_shipped_model_sees_a_word_as_it_is_mostly_written(mini_tokenizer: TextTokenizer) -> None:
    role = find().manifest.document
    for text, bare in BARE.items():
        for form in ("NFC", "NFD"):
            given_text = unicodedata.normalize(form, f"x {text} y")
            (found,), (wanted,) = (
                mini_tokenizer.encode([given_text], role),
                mini_tokenizer.encode([f"x {bare} y"], role),
            )
            assert found.ids.tolist() == wanted.ids.tolist()
            last = found.spans[found.keep][-1].tolist()
            assert given_text[slice(*last)] == "y"


def test_a_vocalised_answer_scores_as_the_bare_one(mini: colibri.Colibri) -> None:
    answer = "تُفْتَحُ المَكْتَبَةُ يَوْمَ الأَحَدِ"
    documents = mini.encode_documents([answer, "تفتح المكتبة يوم الأحد"])
    scores = mini.score("متى تفتح المكتبة؟", documents)
    assert scores[0] == scores[1]


def test_other_models_keep_their_marks(tmp_path: Path, folder: Path, edit: Callable[..., Path]) -> None:
    assert find(folder).manifest.tokenizer.folding == "none"
    kept = TextTokenizer(find(folder))._composed("كَتَبَ")
    assert kept is None

    def change(document: dict[str, Any]) -> None:
        document["tokenizer"]["folding"] = "marks"

    edit(change)
    found = TextTokenizer(find(folder))._composed("كَتَبَ")
    assert found is not None
    assert found.text == "كتب"
