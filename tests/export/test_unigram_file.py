"""unigram.npz is written where the light tokenizer gives what `tokenizers` gives, and only there."""

import base64
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from colibri.tokens.light_tokenizer import LightTokenizer
from colibri_export.sample_texts import DOCUMENTS, QUERIES
from colibri_export.tokenizer_proof import first_difference, proof_texts
from colibri_export.unigram_file import charsmap_keys, write_unigram
from reference import GOLDEN

SHIPPED = Path(__file__).parents[2] / "models" / "colibri-mini" / "tokenizer.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def written(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a small vocabulary: the whole one gets its file in test_roles.py and test_jina_colbert.py."""
    folder = tmp_path_factory.mktemp("unigram")
    name = write_unigram(json.dumps(small(document)), folder)
    assert name == "unigram.npz"
    return folder / name


@pytest.fixture(scope="module")
def plain(document: dict[str, Any]) -> Tokenizer:
    tokenizer = Tokenizer.from_str(json.dumps(small(document)))
    tokenizer.encode_special_tokens = True
    return tokenizer


@pytest.fixture(scope="module")
def proof(written: Path) -> list[str]:
    arrays = np.load(written)
    return proof_texts(["<s>"], arrays["mapped"].tolist(), arrays["extending"].tolist())


def small(document: dict[str, Any], **model: Any) -> dict[str, Any]:
    """XLM-R's rules over its first pieces and letters."""
    vocabulary = document["model"]["vocab"][:2_000]
    added = [token for token in document["added_tokens"] if token["id"] < 4]
    return document | {"added_tokens": added, "model": document["model"] | {"vocab": vocabulary} | model}


def test_the_sample_has_texts_for_each_and_the_proof_reads_all_of_unicode() -> None:
    texts = proof_texts(["<s>"], [0xAA], [0x301])
    assert {*QUERIES, *DOCUMENTS, "<s>"} <= set(texts)
    seen = {ord(character) for text in texts for character in text}
    assert seen >= {*range(0xD800), *range(0xE000, 0x34000)}
    assert max(map(len, texts)) >= 10_000


def test_a_vocabulary_always_gets_the_same_file(document: dict[str, Any], written: Path, tmp_path: Path) -> None:
    assert write_unigram(json.dumps(small(document)), tmp_path) == "unigram.npz"
    assert (tmp_path / "unigram.npz").read_bytes() == written.read_bytes()


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "WhitespaceSplit and Metaspace": lambda d: d["pre_tokenizer"]["pretokenizers"].pop(0),
    "prepend always": lambda d: d["pre_tokenizer"]["pretokenizers"][1].update(prepend_scheme="first"),
    "byte_fallback": lambda d: d["model"].update(byte_fallback=True),
    "not special": lambda d: d["added_tokens"][0].update(special=False),
    "above 0": lambda d: d["model"]["vocab"][7].__setitem__(1, 0.5),
    "Precompiled": lambda d: d.update(normalizer={"type": "NFKC"}),
    "is not one": lambda d: d.update(normalizer=None),
    "one Precompiled": lambda d: d["normalizer"]["normalizers"].insert(1, {"type": "Lowercase"}),
    "two pieces are equal": lambda d: d["model"]["vocab"].append(d["model"]["vocab"][9]),
    "word start inside": lambda d: d["model"]["vocab"].append(["a▁b", -9.0]),
}


@pytest.mark.parametrize(("reason", "change"), CHANGES.items(), ids=CHANGES)
def test_another_kind_of_tokenizer_gets_none_and_the_log_says_why(
    reason: str,
    change: Callable[[dict[str, Any]], object],
    document: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    changed = json.loads(json.dumps(small(document)))
    change(changed)
    with caplog.at_level(logging.INFO):
        assert write_unigram(json.dumps(changed), tmp_path) is None
    assert "no light tokenizer" in caplog.text
    assert reason in caplog.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["tiny-random-bert", "tiny-random-modernbert", "tiny-random-xlmr"])
def test_other_vocabularies_get_none(name: str, tmp_path: Path) -> None:
    assert write_unigram((GOLDEN / name / "tokenizer.json").read_text(encoding="utf-8"), tmp_path) is None


@pytest.mark.parametrize("array", ["scores", "mapped_to", "extending", "composing_first"])
def test_the_proof_finds_what_is_not_as_it_should_be(
    array: str, written: Path, proof: list[str], plain: Tokenizer, tmp_path: Path
) -> None:
    arrays = dict(np.load(written))
    if array == "scores":
        arrays[array][4:] = np.roll(arrays[array][4:], 1)
    elif array == "mapped_to":
        at = arrays["mapped"].tolist().index(ord("ª"))
        arrays[array][arrays["mapped_lengths"][:at].sum()] = ord("b")
    else:
        arrays[array] = arrays[array][:0]
    np.savez(tmp_path / "damaged.npz", **arrays)
    found = first_difference(plain, LightTokenizer(tmp_path / "damaged.npz"), proof)
    assert found in proof
    assert first_difference(plain, LightTokenizer(written), [found]) is None


def test_a_charsmap_is_read_as_the_normaliser_applies_it(document: dict[str, Any], plain: Tokenizer) -> None:
    rules = base64.b64decode(document["normalizer"]["normalizers"][1]["precompiled_charsmap"])
    keys = set(charsmap_keys(rules))
    assert len(keys) == 224_725
    singles = {chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000 and i % 7 == 0}
    changed = {character for character in singles if plain.normalizer.normalize_str(character) != character}
    assert changed == {key for key in keys if key in singles}
