"""Role rules to token ids, with the real XLM-R vocabulary where that is what counts."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models

from colibri.artefact.manifest import Architecture, Expansion, TokenizerSpec
from colibri.errors import ExportError
from colibri_export.checkpoint import open_checkpoint
from colibri_export.recipe import RoleRecipe
from colibri_export.roles import resolve_role, skiplist, write_token_weights, write_tokenizer
from colibri_export.sample_texts import DOCUMENTS, QUERIES
from colibri_export.tokenizer_json import plain_text_special_tokens

SHIPPED = Path(__file__).parents[2] / "models" / "colibri-mini" / "tokenizer.json"
PLAIN = RoleRecipe(
    marker=None,
    prefix=None,
    keep_prefix_rows=True,
    keep_special_rows=True,
    max_tokens=None,
    recorded_max_tokens=None,
    expand_to_tokens=None,
    attend_to_expansion=False,
    skiplist="none",
)

# FastEmbed and PyLate rules with XLM-R's vocabulary.
STANFORD = [6, 15, 20, 44, 101, 152, 242, 248, 378, 468, 619, 661, 705, 711, 977, 997, 1374, 1388, 1745, 2203, 2819]
STANFORD += [3650, 4426, 6780, 9473, 10114, 10666, 13331, 51912]
PYLATE = [4, 5, 9, 12, 16, 25, 32, 38, 58, 64, 74, 132, 268, 454, 981, 1065, 1135, 1230, 1328, 1369, 1639, 2306, 2740]
PYLATE += [3949, 4369, 4904, 8152, 8353, 16093, 24854, 41872, 58745]


@pytest.fixture(scope="module")
def shipped() -> Tokenizer:
    return Tokenizer.from_file(str(SHIPPED))


@pytest.fixture(scope="module")
def parts(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, TokenizerSpec, Architecture]:
    """What a role is resolved with: WordPiece, [CLS] and [SEP], 64 positions."""
    return *write_tokenizer(bert, tmp_path_factory.mktemp("bert")), open_checkpoint(bert).architecture


def test_the_two_punctuation_rules_are_disjoint_for_xlmr(shipped: Tokenizer) -> None:
    stanford, pylate = (skiplist(rule, shipped) for rule in ("stanford", "pylate"))
    assert (stanford.rule, list(stanford.ids)) == ("stanford", STANFORD)
    assert (pylate.rule, list(pylate.ids)) == ("pylate", PYLATE)
    assert not set(STANFORD) & set(PYLATE)
    assert skiplist("none", shipped).ids == ()


def test_an_unknown_skiplist_rule_is_refused(shipped: Tokenizer) -> None:
    with pytest.raises(ExportError, match="'colbert': wanted none, stanford or pylate"):
        skiplist("colbert", shipped)


def test_names_become_ids(parts: tuple[Tokenizer, TokenizerSpec, Architecture]) -> None:
    rules = dataclasses.replace(PLAIN, marker="[unused0]", max_tokens=20, expand_to_tokens=32, skiplist="pylate")
    role = resolve_role(rules, "query", *parts)
    assert role.marker_id == 1
    assert role.expansion == Expansion(mask_id=14, to_tokens=32, attended=False)
    assert (role.max_tokens, len(role.skiplist.ids)) == (20, 32)
    assert resolve_role(PLAIN, "document", *parts).max_tokens == 64


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"marker": "[Q]"}, r"query: the tokenizer has no marker '\[Q\]'"),
        ({"max_tokens": 65}, "query: 65 tokens, the checkpoint has 64 positions"),
        ({"expand_to_tokens": 65}, "query: 65 tokens, the checkpoint has 64 positions"),
        ({"max_tokens": 2}, "2 tokens, of which markers and prefix take 2: no room for text"),
        ({"max_tokens": 3, "marker": "[unused0]"}, "3 tokens, of which markers and prefix take 3"),
        ({"max_tokens": 5, "prefix": "the time of"}, "5 tokens, of which markers and prefix take 5"),
        ({"max_tokens": 2, "expand_to_tokens": 32}, "2 tokens, of which markers and prefix take 2"),
        ({"expand_to_tokens": 0}, "expand_to_tokens 0, wanted at least 1"),
        ({"max_tokens": 0}, "no room for text"),
        ({"max_tokens": -1, "expand_to_tokens": 32}, "no room for text"),
    ],
)
def test_rules_that_the_checkpoint_cannot_follow_are_refused(
    changes: dict[str, Any], wanted: str, parts: tuple[Tokenizer, TokenizerSpec, Architecture]
) -> None:
    with pytest.raises(ExportError, match=wanted):
        resolve_role(dataclasses.replace(PLAIN, **changes), "query", *parts)


def test_expansion_without_a_mask_token_is_refused(bert: Path) -> None:
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    spec = TokenizerSpec(file="tokenizer.json", start_ids=(), end_ids=(), unigram_file=None)
    with pytest.raises(ExportError, match=r"needs a mask token, the tokenizer has neither of <mask>, \[MASK\]"):
        resolve_role(
            dataclasses.replace(PLAIN, expand_to_tokens=8), "query", tokenizer, spec, open_checkpoint(bert).architecture
        )


@pytest.mark.parametrize(("name", "start", "end"), [("bert", 12, 13), ("xlmr", 0, 2)])
def test_the_frame_of_a_text_is_read_off_the_post_processor(
    name: str, start: int, end: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    _, spec = write_tokenizer(request.getfixturevalue(name), tmp_path)
    assert spec == TokenizerSpec(file="tokenizer.json", start_ids=(start,), end_ids=(end,), unigram_file=None)


def test_truncation_and_padding_of_the_source_are_removed(tiny: Path, tmp_path: Path) -> None:
    source = Tokenizer.from_file(str(tiny / "tokenizer.json"))
    source.enable_truncation(4)
    source.enable_padding(length=8)
    (tmp_path / "source").mkdir()
    source.save(str(tmp_path / "source" / "tokenizer.json"))
    written, _ = write_tokenizer(tmp_path / "source", tmp_path)
    document = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    assert (document["truncation"], document["padding"]) == (None, None)
    assert len(written.encode("a").ids) < 8
    assert len(written.encode("the water of the world").ids) > 4


def test_lowering_the_special_pieces_of_xlmr_keeps_the_ids_of_every_other_text() -> None:
    """Score 0 is what XLM-R's own tokenizer.json gives them. (test_jina_colbert.py exports such a one.)"""
    document = json.loads(SHIPPED.read_text(encoding="utf-8"))
    special = {token["content"] for token in document["added_tokens"]}
    for entry in document["model"]["vocab"]:
        entry[1] = 0.0 if entry[0] in special else entry[1]
    source = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    lowered = plain_text_special_tokens(source)
    assert lowered == SHIPPED.read_text(encoding="utf-8"), "and doing it twice changes nothing"
    original, written = Tokenizer.from_str(source), Tokenizer.from_str(lowered)
    for text in [*QUERIES, *DOCUMENTS]:
        assert written.encode(text).ids == original.encode(text).ids
    for tokenizer in (original, written):
        tokenizer.encode_special_tokens = True
    assert 0 in original.encode("a <s> b", add_special_tokens=False).ids
    assert not {0, 2, 250001} & set(written.encode("a <s> </s> <mask> b", add_special_tokens=False).ids)


def test_a_checkpoint_without_tokenizer_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"tokenizer.json: no such file; save the fast tokenizer"):
        write_tokenizer(tmp_path, tmp_path)


@pytest.mark.parametrize("text", ["", "not json", "{}", "[]", '{"model": {"type": "BPE"}, "added_tokens": []}'])
def test_a_tokenizer_json_that_cannot_be_read_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "tokenizer.json").write_text(text, encoding="utf-8")
    with pytest.raises(ExportError, match=r"tokenizer.json"):
        write_tokenizer(tmp_path / "source", tmp_path)


def test_token_weights_are_written_as_the_runtime_reads_them(tmp_path: Path) -> None:
    weights = np.array([0, 0.5, 1, 2.25], np.float64)
    save_file({"weights": weights}, tmp_path / "given.safetensors")
    assert write_token_weights(tmp_path / "given.safetensors", tmp_path, "query", 4) == "query-weights.f32.bin"
    assert np.fromfile(tmp_path / "query-weights.f32.bin", "<f4").tolist() == weights.tolist()


@pytest.mark.parametrize(
    ("tensors", "wanted"),
    [
        ({"weights": np.ones(3, np.float32)}, r"\(3,\), wanted one tensor of 4"),
        ({"weights": np.ones((4, 1), np.float32)}, r"\(4, 1\), wanted"),
        ({"weights": np.array([1, -1, 1, 1], np.float32)}, "at least 0"),
        ({"weights": np.array([1, np.nan, 1, 1], np.float32)}, "finite"),
        ({"a": np.ones(4, np.float32), "b": np.ones(4, np.float32)}, r"\['a', 'b'\], wanted one tensor"),
    ],
)
def test_token_weights_that_do_not_fit_are_refused(tensors: dict[str, Any], wanted: str, tmp_path: Path) -> None:
    save_file(tensors, tmp_path / "given.safetensors")
    with pytest.raises(ExportError, match=wanted):
        write_token_weights(tmp_path / "given.safetensors", tmp_path, "query", 4)
    assert not (tmp_path / "query-weights.f32.bin").exists()
