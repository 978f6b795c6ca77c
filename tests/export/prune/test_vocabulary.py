"""A vocabulary with fewer pieces reads every text whose pieces were kept as the whole one does."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from colibri.errors import ExportError, InputError
from colibri_export.prune.vocabulary import Vocabulary, read_vocabulary
from colibri_export.sample_texts import DOCUMENTS, QUERIES

TEXTS = [*QUERIES, *DOCUMENTS]
WORDS = sorted({word for text in TEXTS for word in text.split()})
SPECIAL = ["<s>", "</s>", "<unk>", "<mask>"]


def unigram() -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=900, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=False))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def with_subwords() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=SPECIAL,
        continuing_subword_prefix="##",
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def word_piece() -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordPieceTrainer(vocab_size=900, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


KINDS = {"unigram": unigram, "byte level": byte_level, "subwords": with_subwords, "word piece": word_piece}


@pytest.fixture(scope="module", params=KINDS)
def whole(request: pytest.FixtureRequest) -> Tokenizer:
    """A tokenizer of each kind, with a frame and a token that was added behind the vocabulary."""
    made = KINDS[request.param]()
    made.add_special_tokens(["[unused]"])
    frame = [("<s>", made.token_to_id("<s>")), ("</s>", made.token_to_id("</s>"))]
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=frame)
    return Tokenizer.from_str(made.to_str())  # its scores as they are read from a file: not to the last bit


def cut(whole: Tokenizer, wanted: Iterable[int]) -> tuple[Tokenizer, dict[int, int]]:
    """The tokenizer with these pieces and what must stay, and old id -> new."""
    vocabulary = read_vocabulary(whole.to_str())
    kept = sorted(vocabulary.closed({*wanted, *vocabulary.must_stay()}))
    return Tokenizer.from_str(json.dumps(vocabulary.kept(kept))), {old: new for new, old in enumerate(kept)}


def pieces(tokenizer: Tokenizer) -> dict[str, Any]:
    vocabulary: dict[str, Any] = json.loads(tokenizer.to_str())
    return vocabulary


def test_all_pieces_kept_leave_the_file_as_it_was(whole: Tokenizer) -> None:
    same, new = cut(whole, range(whole.get_vocab_size()))
    assert pieces(same) == pieces(whole)
    assert all(old == now for old, now in new.items())


def test_each_kept_piece_has_its_new_id_and_no_other_piece_is_left(whole: Tokenizer) -> None:
    made, new = cut(whole, whole.encode("the lighthouse keeper").ids)
    old = {i: piece for piece, i in whole.get_vocab().items()}
    assert made.get_vocab() == {old[i]: now for i, now in new.items()}
    assert 8 < len(new) < whole.get_vocab_size()


@given(known=st.lists(st.sampled_from(WORDS), max_size=12), asked=st.lists(st.sampled_from(WORDS), max_size=12))
def test_a_text_of_kept_pieces_is_read_as_before(whole: Tokenizer, known: list[str], asked: list[str]) -> None:
    made, new = cut(whole, whole.encode(" ".join(known)).ids)
    for text in [" ".join(known), *known, " ".join(asked), *asked, "".join(asked)]:
        before = whole.encode(text)
        if all(i in new for i in before.ids):
            after = made.encode(text)
            assert after.ids == [new[i] for i in before.ids]
            assert after.offsets == before.offsets


@given(text=st.text(max_size=40), known=st.text(max_size=200))
def test_any_text_can_still_be_read(whole: Tokenizer, text: str, known: str) -> None:
    made, new = cut(whole, whole.encode(known).ids)
    unknown = whole.get_vocab()["<unk>"]
    before, after = whole.encode(text), made.encode(text)
    if unknown not in before.ids:
        assert new[unknown] not in after.ids
    if all(i in new for i in before.ids) and unknown not in before.ids:
        assert after.ids == [new[i] for i in before.ids]


def test_single_characters_bytes_and_what_is_special_stay(whole: Tokenizer) -> None:
    made, _ = cut(whole, ())
    there = set(made.get_vocab())
    single = {piece for piece in whole.get_vocab() if len(piece.removeprefix("##").removesuffix("</w>")) == 1}
    assert single
    assert single <= there
    assert {*SPECIAL, "[unused]"} <= there
    assert made.encode("a").tokens[0] == "<s>"
    assert made.encode("a").tokens[-1] == "</s>"


def test_an_unknown_character_costs_what_it_did() -> None:
    """Without the piece of the lowest score "bX" would be cheaper as b, unknown than it was."""
    scores = [("<unk>", 0.0), ("a", -1.0), ("b", -2.0), ("ab", -2.5), ("rare", -30.0)]
    whole = Tokenizer(models.Unigram(scores, unk_id=0))
    made, new = cut(whole, [3])
    assert [piece for piece, _ in pieces(made)["model"]["vocab"]] == ["<unk>", "a", "b", "ab", "rare"]
    assert new[4] == 4


def test_byte_pieces_stay() -> None:
    scores = [("<unk>", 0.0), *((f"<0x{i:02X}>", -5.0) for i in range(256)), ("ab", -1.0), ("cd", -1.0)]
    whole = Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=True))
    made, _ = cut(whole, [257])
    assert made.get_vocab_size() == 258
    assert made.token_to_id("cd") is None
    assert made.encode("é").tokens == ["<0xC3>", "<0xA9>"]


def test_what_a_piece_can_be_merged_from_stays() -> None:
    vocabulary = {piece: i for i, piece in enumerate(["a", "b", "c", "d", "ab", "cd", "abcd", "bc", "abc", "da"])}
    merges = [("a", "b"), ("c", "d"), ("b", "c"), ("ab", "cd"), ("ab", "c"), ("abc", "d"), ("d", "a")]
    made, _ = cut(Tokenizer(models.BPE(vocabulary, merges)), [vocabulary["abcd"]])
    assert set(made.get_vocab()) == {"a", "b", "c", "d", "ab", "cd", "abcd", "abc"}
    assert [tuple(merge) for merge in pieces(made)["model"]["merges"]] == [
        ("a", "b"),
        ("c", "d"),
        ("ab", "cd"),
        ("ab", "c"),
        ("abc", "d"),
    ]


def test_the_frames_of_bert_and_roberta_are_renumbered() -> None:
    vocabulary = {"x": 0, "yy": 1, "[CLS]": 2, "[SEP]": 3, "[UNK]": 4}
    for frame in (processors.BertProcessing, processors.RobertaProcessing):
        whole = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
        whole.post_processor = processors.Sequence([frame(("[SEP]", 3), ("[CLS]", 2))])
        made, _ = cut(whole, ())
        assert made.encode("x").ids == [1, 0, 2]


def test_a_vocabulary_says_which_pieces_matter_by_score_or_by_rank() -> None:
    scores = [("<unk>", 0.0), ("a", -3.0), ("b", -1.0)]
    assert of(Tokenizer(models.Unigram(scores, unk_id=0))).by_own_order() == [0, 2, 1]
    vocabulary = {"a": 0, "b": 1, "aa": 2, "bb": 3}
    assert of(Tokenizer(models.BPE(vocabulary, [("b", "b"), ("a", "a")]))).by_own_order() == [3, 2]
    with pytest.raises(InputError, match="--corpus"):
        of(Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))).by_own_order()


def of(tokenizer: Tokenizer) -> Vocabulary:
    return read_vocabulary(tokenizer.to_str())


def test_pieces_without_letters_belong_to_no_language() -> None:
    vocabulary = {piece: i for i, piece in enumerate(["##1", "2018", "▁(", "a1", "és", "…", "日本"])}
    found = of(Tokenizer(models.WordPiece(vocabulary, unk_token="…"))).without_letters()
    assert found == {0, 1, 2, 5}


def test_a_piece_that_must_stay_cannot_be_left_out(whole: Tokenizer) -> None:
    with pytest.raises(ExportError, match="must stay"):
        of(whole).kept([0])


def test_words_as_pieces_and_merges_by_chance_are_refused() -> None:
    with pytest.raises(ExportError, match="WordLevel"):
        of(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))
    with pytest.raises(ExportError, match="dropout"):
        of(Tokenizer(models.BPE({"a": 0}, [], dropout=0.1)))
