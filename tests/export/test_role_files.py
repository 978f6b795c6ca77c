"""Which files of a folder say its roles: sentence-transformers' MultiVectorEncoder, two that differ, lower-casing."""

import json
import logging
import shutil
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
from colibri_export.metadata import recipe_without_file
from colibri_export.pipeline import export
from reference import GOLDEN, read_safetensors

Change = Callable[[Any], object]
SOURCES = {"multivector-plain": "tiny-random-modernbert", "multivector-all": "tiny-random-modernbert-dense2"}
TEXTS = (  # those of tests/golden/make_multivector.py
    "small birds",
    "How FAST does a Hummingbird beat its wings?",
    "Late interaction, said (e.g.) in a paper: one vector per token - not one per text!",
    "ÜBERALL Kolibris, 蜂鳥, και ΟΔΥΣΣΕΥΣ 🐦.",
    "the river and the city in the old world where people read and write " * 12,
    "",
    "  two spaces ",
    "ISTANBUL İstanbul",
)


def assembled(name: str, folder: Path) -> Path:
    """What sentence-transformers saved, with the weights it read."""
    shutil.copytree(GOLDEN / name, folder)
    for path in (GOLDEN / SOURCES[name]).rglob("model.safetensors"):
        shutil.copy(path, folder / path.relative_to(GOLDEN / SOURCES[name]))
    return folder


def edit(path: Path, change: Change) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_multi_vector_encoder_has_the_ids_and_rows_sentence_transformers_gives_them(
    name: str, tmp_path: Path
) -> None:
    export(assembled(name, tmp_path / name), tmp_path / "out", variant_names=["cpu-fp32"])
    golden = read_safetensors(GOLDEN / name / "golden.safetensors")
    found, model = find(tmp_path / "out"), colibri.load(tmp_path / "out", variant="cpu-fp32")
    tokenizer = TextTokenizer(found)
    for role, encode in (("query", model.encode_queries), ("document", model.encode_documents)):
        for n, text in enumerate(TEXTS):
            ids = tokenizer.encode([text], getattr(found.manifest, role))[0].ids.tolist()
            assert ids == golden[f"{role}_ids_{n}"].tolist(), (role, text)
            rows, wanted = encode([text]).rows, golden[f"{role}_rows_{n}"]
            assert rows.shape == wanted.shape, (role, text)
            np.testing.assert_allclose(rows, wanted, atol=1e-4)


def test_the_rules_of_a_multi_vector_encoder_are_those_of_its_files(tmp_path: Path) -> None:
    folder = assembled("multivector-all", tmp_path / "all")
    recipe = recipe_without_file(open_checkpoint(folder), "x")
    query, document = recipe.query, recipe.document
    assert (query.marker, query.prefix, document.marker, document.prefix) == ("[Q] ", "search: ", "[D] ", "small ")
    assert (query.max_tokens, query.expand_to_tokens, query.attend_to_expansion) == (40, 16, True)
    assert (document.max_tokens, recipe.lowercase) == (60, True)
    assert query.skiplist_words == document.skiplist_words == ("!", "-", "the")


@pytest.mark.parametrize(
    ("file", "change", "wanted"),
    [
        ("sentence_bert_config.json", {"pooling": "x"}, "pooling: unknown"),
        ("sentence_bert_config.json", {"transformer_task": "retrieval"}, "transformer_task 'retrieval', wanted"),
        ("sentence_bert_config.json", {"processing_kwargs": {"text": {"padding": True}}}, "processing_kwargs"),
        ("sentence_bert_config.json", {"query_expansion": {"strategy": "most", "length": 9}}, "strategy 'most'"),
        ("sentence_bert_config.json", {"query_expansion": {"strategy": "min"}}, "length None"),
        ("sentence_bert_config.json", {"query_expansion": {"strategy": "min", "length": 9, "x": 1}}, "x: unknown"),
        (
            "sentence_bert_config.json",
            {"query_expansion": {"strategy": "fixed", "length": 9, "token": "[Z]"}},
            r"has no \[Z\]",
        ),
        ("3_MultiVectorMask/config.json", {"keep_only_token_ids": [5]}, "for images"),
        ("3_MultiVectorMask/config.json", {"skiplist_tasks": ["query"]}, "skiplist_tasks"),
        ("3_MultiVectorMask/config.json", {"skiplist_other": 1}, "skiplist_other: unknown"),
        ("4_Normalize/config.json", {"module_input_name": "sentence_embedding"}, "'sentence_embedding', wanted"),
        ("1_Dense/config.json", {"module_input_name": "sentence_embedding"}, "'sentence_embedding', wanted"),
        ("1_Dense/config.json", {"dropout": 0.5}, "dropout: unknown"),
    ],
)
def test_what_would_be_computed_otherwise_is_refused_by_its_key(
    file: str, change: dict[str, Any], wanted: str, tmp_path: Path
) -> None:
    folder = assembled("multivector-all", tmp_path / "all")
    edit(folder / file, lambda document: document.update(change))
    with pytest.raises(ExportError, match=wanted):
        export(folder, tmp_path / "out", variant_names=["cpu-fp32"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kinds", ["Transformer Dense Dense MultiVectorMask", "Transformer Dense Normalize Dense"])
def test_rows_that_are_not_of_unit_length_are_refused(kinds: str, tmp_path: Path) -> None:
    folder = assembled("multivector-all", tmp_path / "all")

    def reorder(modules: list[dict[str, Any]]) -> None:
        left = [*modules]
        modules.clear()
        for kind in kinds.split():
            module = next(m for m in left if m["type"].endswith("." + kind))
            left.remove(module)
            modules.append(module)

    edit(folder / "modules.json", reorder)
    with pytest.raises(ExportError, match="wanted a Normalize behind the last Dense"):
        export(folder, tmp_path / "out", variant_names=["cpu-fp32"])


def test_a_module_that_pools_tokens_is_refused(tmp_path: Path) -> None:
    folder = assembled("multivector-plain", tmp_path / "plain")
    edit(folder / "modules.json", lambda m: m[2].update(type="sentence_transformers.x.TokenPooling"))
    with pytest.raises(ExportError, match="module TokenPooling, this exporter knows Dense"):
        export(folder, tmp_path / "out", variant_names=["cpu-fp32"])


@pytest.mark.parametrize(
    ("architectures", "length", "counts"),
    [(["HF_ColBERT"], 16, "artifact.metadata"), (["BertModel"], 48, "config_sentence_transformers.json")],
)
def test_of_two_files_that_differ_the_one_counts_whose_head_counts(
    architectures: list[str], length: int, counts: str, bert: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(bert, tmp_path / "both")
    edit(folder / "config.json", lambda c: c.update(architectures=architectures))
    pylate = {"model_type": "ColBERT", "query_prefix": "[unused0]", "query_length": 48, "document_length": 40}
    pylate |= {"document_prefix": "[unused2]", "do_query_expansion": False, "skiplist_words": []}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(pylate), encoding="utf-8")
    modules = [{"type": "a.Transformer", "path": ""}, {"type": "b.Dense", "path": "1_Dense"}]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        recipe = recipe_without_file(open_checkpoint(folder), "x")
    assert recipe.query.max_tokens == length
    told = [message for message in caplog.messages if f"in {counts}, which counts" in message]
    facts = {message.split(": ")[1].split()[0] for message in told}
    assert facts == {"query_length", "document_marker", "query_expansion", "skiplist"}


def test_do_lower_case_is_obeyed_once(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN / "tiny-random-modernbert", tmp_path / "lower")
    edit(folder / "sentence_bert_config.json", lambda c: c.update(do_lower_case=True))
    export(folder, tmp_path / "out", variant_names=["cpu-fp32"])
    found = find(tmp_path / "out")
    ids = [
        e.ids.tolist() for e in TextTokenizer(found).encode(["SMALL Birds Σ", "small birds σ"], found.manifest.query)
    ]
    assert ids[0] == ids[1]
    edit(folder / "tokenizer.json", lambda t: t.update(normalizer={"type": "Lowercase"}))
    export(folder, tmp_path / "again", variant_names=["cpu-fp32"])
    steps = json.loads((tmp_path / "again" / "tokenizer.json").read_text(encoding="utf-8"))["normalizer"]["normalizers"]
    assert [step["type"] for step in steps] == ["Strip", "Lowercase"]


def test_keys_of_config_json_that_no_builder_follows_are_refused(bert: Path, remake: Callable[..., Path]) -> None:
    for change in (
        {"rope_scaling": {"factor": 2.0}},
        {"use_swiglu": True},
        {"scale_by": False},
        {"is_decoder": True},
        {"is_causal": True},
    ):
        (key,) = change
        with pytest.raises(ExportError, match=key):
            open_checkpoint(remake(bert, config=lambda c, change=change: c.update(change)))
    off = {"rope_scaling": None, "pruned_heads": {}, "is_decoder": False, "label2id": {"a": 0}, "num_beams": 1}
    open_checkpoint(remake(bert, config=lambda c: c.update(off)))


def test_a_key_that_changes_nothing_can_be_said_to(bert: Path, remake: Callable[..., Path], tmp_path: Path) -> None:
    folder = remake(bert, config=lambda c: c.update(trained_by="somebody"))
    with pytest.raises(ExportError, match=r"trained_by 'somebody'.*--ignore-config-key KEY"):
        export(folder, tmp_path / "out", variant_names=["cpu-fp32"])
    export(folder, tmp_path / "out", variant_names=["cpu-fp32"], ignored_keys=["trained_by"])
