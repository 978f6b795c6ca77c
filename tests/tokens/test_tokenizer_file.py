"""tokenizer.json kept as rules alone becomes the same bytes again with the vocabulary of unigram.npz."""

import json
from pathlib import Path

import pytest

from colibri.artefact import finding as artefact
from colibri.errors import ArtefactError
from colibri.tokens.light_tokenizer import LightTokenizer
from colibri.tokens.tokenizer_file import RULES_FILE, read_tokenizer_json, rules_alone

WHOLE = Path(__file__).parents[2] / "models" / "colibri-mini" / "tokenizer.json"


@pytest.mark.skipif(not WHOLE.is_file(), reason="the whole file lies in the checkout alone")
def test_the_shipped_rules_and_vocabulary_are_the_whole_file_to_the_byte() -> None:
    found = artefact.find()
    assert found.manifest.tokenizer.file == RULES_FILE
    assert found.manifest.format == "1.5"
    light = LightTokenizer(found.path("unigram.npz"))
    assert read_tokenizer_json(found.path(RULES_FILE), light.vocabulary) == WHOLE.read_text(encoding="utf-8")
    assert found.path(RULES_FILE).stat().st_size < WHOLE.stat().st_size / 20


def test_a_whole_file_is_given_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{ "spaces": 1 }', encoding="utf-8")
    assert read_tokenizer_json(tmp_path / "tokenizer.json", None) == '{ "spaces": 1 }'


def test_rules_are_taken_only_of_what_can_be_made_again() -> None:
    document = {"model": {"type": "Unigram", "vocab": [["▁a", -1.5], ["é", -2.25]]}, "version": "1.0"}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    assert rules_alone(text) == '{"model":{"type":"Unigram","vocab":[]},"version":"1.0"}'
    assert rules_alone(json.dumps(document)) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "no JSON", '{"model": 3}'])
def test_a_damaged_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / RULES_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"tokenizer\.rules\.json: cannot be read as a tokenizer"):
        read_tokenizer_json(tmp_path / RULES_FILE, lambda: [("a", -1.0)])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: cannot be read \(No such file"):
        read_tokenizer_json(tmp_path / "tokenizer.json", None)
    (tmp_path / RULES_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(ArtefactError, match="rules alone, and the manifest names no unigram_file"):
        read_tokenizer_json(tmp_path / RULES_FILE, None)
