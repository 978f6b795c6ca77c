"""What a checkpoint's own files say of its roles, against PyLate itself; and a recipe that says otherwise."""

import dataclasses
import json
import shutil
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import colibri
from colibri.artefact.finding import find
from colibri.errors import ExportError
from colibri.tokens.tokenizer import TextTokenizer
from colibri_export.checkpoint import open_checkpoint
from colibri_export.facts import Facts
from colibri_export.metadata import pylate_facts, recipe_without_file, reconciled
from colibri_export.pipeline import export
from colibri_export.recipe import read_recipe, with_document_length
from reference import GOLDEN, read_safetensors

TEXTS = (  # those of tests/golden/make_pylate.py
    "small birds",
    "How fast does a hummingbird beat its wings?",
    "Late interaction, said (e.g.) in a paper: one vector per token - not one per text!",
    "Überall Kolibris, 蜂鳥, και 🐦.",
    "the river and the city in the old world where people read and write " * 12,
)
MODERNBERT = GOLDEN / "tiny-random-modernbert"


@pytest.mark.parametrize("name", ["tiny-random-modernbert", "tiny-random-modernbert-dense2"])
def test_whole_texts_have_the_ids_and_rows_pylate_gives_them(name: str, tmp_path: Path) -> None:
    export(GOLDEN / name, tmp_path / "out", variant_names=["cpu-fp32", "portable"])
    golden = read_safetensors(GOLDEN / name / "pylate.safetensors")
    found = find(tmp_path / "out")
    tokenizer = TextTokenizer(found)
    for variant in ("cpu-fp32", "portable"):
        model = colibri.load(tmp_path / "out", variant=variant)
        for role, encode in (("query", model.encode_queries), ("document", model.encode_documents)):
            for n, text in enumerate(TEXTS):
                laid_out = tokenizer.encode([text], getattr(found.manifest, role))[0]
                assert laid_out.ids.tolist() == golden[f"{role}_ids_{n}"].tolist()
                assert laid_out.attended.tolist() == (golden[f"{role}_mask_{n}"] != 0).tolist()
                rows, wanted = encode([text]).rows, golden[f"{role}_rows_{n}"]
                assert rows.shape == wanted.shape
                np.testing.assert_allclose(rows, wanted, atol=1e-4)


def test_a_text_that_spells_pylates_marker_is_text(tmp_path: Path) -> None:
    export(MODERNBERT, tmp_path / "out", variant_names=["cpu-fp32"])
    found = find(tmp_path / "out")
    marker = found.manifest.query.marker_id
    plain = TextTokenizer(found).encode(["[Q] small [Q] birds"], found.manifest.query)[0].ids.tolist()
    assert plain.count(marker) == 1
    spelt = TextTokenizer(found, special_tokens=True).encode(["[Q] small [Q] birds"], found.manifest.query)[0]
    assert spelt.ids.tolist().count(marker) == 3


def test_pylates_keys_are_facts_and_missing_ones_are_none() -> None:
    assert pylate_facts({}, "x").said == Facts()
    config = {"query_prefix": "", "do_query_expansion": False, "attend_to_expansion_tokens": True}
    said = pylate_facts({**config, "skiplist_words": ["!"]}, "x").said
    assert said == Facts(query_marker="", query_expansion="none", skiplist="pylate", skiplist_words=("!",))
    for change in ({"query_length": "32"}, {"query_length": None}):
        with pytest.raises(ExportError, match=r"x: query_length: found .*, wanted int"):
            pylate_facts(change, "x")
    with pytest.raises(ExportError, match="x: document_length: found 0, wanted a number of tokens from 1"):
        pylate_facts({"document_length": 0}, "x")


def test_a_skiplist_of_other_words_is_called_custom(tmp_path: Path) -> None:
    folder = shutil.copytree(MODERNBERT, tmp_path / "copy")
    path = folder / "config_sentence_transformers.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "skiplist_words": ["!", "?"]}), encoding="utf-8")
    manifest = export(folder, tmp_path / "out", variant_names=["cpu-fp32"])
    whole = export(MODERNBERT, tmp_path / "whole", variant_names=["cpu-fp32"])
    assert (manifest.document.skiplist.rule, len(manifest.document.skiplist.ids)) == ("custom", 2)
    assert (whole.document.skiplist.rule, len(whole.document.skiplist.ids)) == ("pylate", len(string.punctuation))
    assert set(manifest.document.skiplist.ids) < set(whole.document.skiplist.ids)


def test_an_encoder_in_a_folder_of_its_own_is_found_with_its_tokenizer(tmp_path: Path) -> None:
    folder = shutil.copytree(MODERNBERT, tmp_path / "copy")
    (folder / "0_Transformer").mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / name).rename(folder / "0_Transformer" / name)
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    modules[0]["path"] = "0_Transformer"
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    inside = export(folder, tmp_path / "out", variant_names=["cpu-fp32"])
    assert inside.space_id == export(MODERNBERT, tmp_path / "flat", variant_names=["cpu-fp32"]).space_id


@pytest.fixture
def jina_recipe() -> Any:
    return read_recipe(Path(__file__).parents[2] / "models" / "jina-colbert-v2.toml")


def test_the_length_that_the_checkpoint_records_is_kept_beside_the_recipes(jina_recipe: Any) -> None:
    checkpoint = open_checkpoint(GOLDEN / "tiny-random-jina")
    assert recipe_without_file(checkpoint, "x").document.max_tokens == 300
    unrecorded = dataclasses.replace(
        jina_recipe, document=dataclasses.replace(jina_recipe.document, recorded_max_tokens=None)
    )
    found = reconciled(unrecorded, checkpoint)
    assert (found.document.max_tokens, found.document.recorded_max_tokens) == (8192, 300)
    assert found == reconciled(jina_recipe, checkpoint)
    recorded = with_document_length(found, "recorded").document
    assert (recorded.max_tokens, recorded.recorded_max_tokens) == (300, None)
    other = with_document_length(found, 512).document
    assert (other.max_tokens, other.recorded_max_tokens) == (512, 300)
    assert with_document_length(found, None).document.max_tokens == 8192


def hidden_masks(recipe: Any, **rest: Any) -> Any:
    """The recipe with masks that words do not see, where the checkpoint's files say that they do."""
    query = dataclasses.replace(recipe.query, attend_to_expansion=False)
    return dataclasses.replace(recipe, query=query, **rest)


def test_a_recipe_that_disagrees_with_the_files_is_refused_with_both_sayings(jina_recipe: Any) -> None:
    checkpoint = open_checkpoint(GOLDEN / "tiny-random-jina")
    with pytest.raises(ExportError) as caught:
        reconciled(hidden_masks(jina_recipe), checkpoint, prefer=None)
    assert "query_expansion is 'seen' there and 'hidden' in the recipe" in str(caught.value)
    for way in ("--prefer checkpoint", "--prefer recipe", "--query-expansion none|hidden|seen"):
        assert way in str(caught.value)


def test_an_override_that_is_named_is_followed_and_told(jina_recipe: Any, caplog: pytest.LogCaptureFixture) -> None:
    checkpoint = open_checkpoint(GOLDEN / "tiny-random-jina")
    other = hidden_masks(jina_recipe)
    assert reconciled(jina_recipe, checkpoint).query.attend_to_expansion
    assert not reconciled(other, checkpoint, Facts(query_expansion="hidden"), None).query.attend_to_expansion
    assert not caplog.records, "nothing differs from what was asked"
    assert not reconciled(other, checkpoint).query.attend_to_expansion
    assert reconciled(other, checkpoint, prefer="checkpoint").query.attend_to_expansion
    named = hidden_masks(jina_recipe, overrides=("query_expansion",))
    assert not reconciled(named, checkpoint, prefer=None).query.attend_to_expansion
    told = "query_expansion: 'hidden' in the recipe, 'seen' in artifact.metadata; {} followed"
    ways = [told.format(who) for who in ("the recipe is", "the checkpoint's files are", "the recipe is")]
    assert caplog.messages == ways


def test_what_a_recipe_leaves_to_the_files_is_theirs_and_must_be_there(jina_recipe: Any) -> None:
    checkpoint = open_checkpoint(GOLDEN / "tiny-random-jina")
    left = dataclasses.replace(
        jina_recipe,
        query=dataclasses.replace(jina_recipe.query, max_tokens=7, expand_to_tokens=7),
        from_checkpoint=("query_length",),
    )
    query = reconciled(left, checkpoint).query
    assert (query.max_tokens, query.expand_to_tokens) == (32, 32)
    silent = dataclasses.replace(left, from_checkpoint=("query_length", "lowercase"))
    with pytest.raises(ExportError, match="leaves lowercase to its files, which lack it"):
        reconciled(silent, checkpoint)


def test_a_recipe_for_another_family_is_refused(jina_recipe: Any) -> None:
    with pytest.raises(ExportError, match=r"is modernbert, the recipe of jina-colbert-v2 is for xlm-roberta-flash"):
        reconciled(jina_recipe, open_checkpoint(MODERNBERT))


@pytest.mark.parametrize(
    ("name", "missing"), [("tiny-random-jina", "[QueryMarker]"), ("tiny-random-modernbert", "[Q] ")]
)
def test_a_tokenizer_without_the_marker_is_refused_by_its_name(
    name: str, missing: str, tmp_path: Path, remake: Callable[..., Path]
) -> None:
    def rename(tokenizer: dict[str, Any]) -> None:
        for token in tokenizer["added_tokens"]:
            if token["content"] == missing:
                token["content"] = "[Another]"

    with pytest.raises(ExportError, match=missing.replace("[", r"\[")):
        export(remake(GOLDEN / name, tokenizer=rename), tmp_path / "out", variant_names=["cpu-fp32"])
    assert not list(tmp_path.glob("*out*"))
