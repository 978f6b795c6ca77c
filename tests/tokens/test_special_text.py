"""Text that spells a special token is text, unless the caller says otherwise."""

import dataclasses
import functools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from colibri.artefact.finding import Artefact, find
from colibri.artefact.manifest import Role
from colibri.tokens.tokenizer import Encoded, TextTokenizer
from reference import tokenizer_json

Tokenized = tuple[Artefact, TextTokenizer]

SPECIAL = ["<s>", "</s>", "<pad>", "<unk>", "<mask>", "[QueryMarker]", "[DocumentMarker]"]
SPECIAL += ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", "[unused0]", "[unused1]", "[Q]", "[D]"]
# Full-width forms become the ASCII ones when XLM-R's normaliser is through with them.
DISGUISED = [
    "a<mask>b",
    "<mask> <mask>",
    " <s>",
    "x</s>y",
    "<s></s>",
    "＜mask＞",
    "＜／s＞",
    "<<mask>>",
    "[[CLS]]",
    "▁<mask>",
]
hostile = st.lists(st.sampled_from([*SPECIAL, *DISGUISED, "the", " ", "<", ">", "[", "]"]), max_size=8).map("".join)


def plain_rules(artefact: Artefact) -> list[Role]:
    """Both roles without masks, so that every mask id found comes from the text."""
    return [dataclasses.replace(role, expansion=None) for role in (artefact.manifest.query, artefact.manifest.document)]


def ids_of_text(artefact: Artefact, role: Role, encoded: Encoded) -> list[int]:
    frame = artefact.manifest.tokenizer
    before = len(frame.start_ids) + (role.marker_id is not None)
    ids: list[int] = encoded.ids.tolist()
    return ids[before : len(ids) - len(frame.end_ids)]


@functools.cache
def special_ids(folder: Path) -> tuple[set[int], set[int]]:
    """Ids that have a meaning of their own, and those that stand for unknown characters."""
    artefact = find(folder)
    manifest = artefact.manifest
    known = Tokenizer.from_str(tokenizer_json(artefact))
    ids = {i for i, token in known.get_added_tokens_decoder().items() if token.special}
    ids |= {*manifest.tokenizer.start_ids, *manifest.tokenizer.end_ids}
    ids |= {i for i in (manifest.query.marker_id, manifest.document.marker_id) if i is not None}
    unknown = {i for i in ids if known.id_to_token(i) in {"<unk>", "[UNK]"}}
    return ids - unknown, unknown


def assert_is_text(text: str, tokenized: Tokenized) -> None:
    artefact, tokenizer = tokenized
    special, unknown = special_ids(artefact.folder)
    for role in plain_rules(artefact):
        found = set(ids_of_text(artefact, role, tokenizer.encode([text], role)[0]))
        assert not found & special
        # Every ASCII character is in the vocabularies.
        assert not (text.isascii() and found & unknown)


@pytest.mark.parametrize("text", [*SPECIAL, *DISGUISED])
def test_text_that_spells_a_special_token_is_text(text: str, tokenized: Tokenized) -> None:
    assert_is_text(text, tokenized)


@given(text=hostile)
def test_no_mixture_of_special_spellings_means_anything(text: str, tokenized: Tokenized) -> None:
    assert_is_text(text, tokenized)


def test_special_tokens_are_accepted_on_request(bert: Artefact, xlmr: Artefact) -> None:
    cases = [(bert, "a [MASK] [CLS]", ["a", "[MASK]", "[CLS]"])]
    cases += [(xlmr, "the <mask><s>[QueryMarker]", ["▁the", "<mask>", "<s>", "[QueryMarker]"])]
    for artefact, text, wanted in cases:
        tokenizer = TextTokenizer(artefact, special_tokens=True)
        role = plain_rules(artefact)[1]
        found = ids_of_text(artefact, role, tokenizer.encode([text], role)[0])
        assert tokenizer.tokens(found) == wanted


others = st.text(st.characters(exclude_characters="<>[]＜＞", exclude_categories=["Cs"]), max_size=40)


@given(text=others)
def test_the_option_changes_nothing_for_other_texts(text: str, tiny: Artefact) -> None:
    strict, lenient = TextTokenizer(tiny), TextTokenizer(tiny, special_tokens=True)
    role = tiny.manifest.document
    assert strict.encode([text], role)[0].ids.tolist() == lenient.encode([text], role)[0].ids.tolist()
