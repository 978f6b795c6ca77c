"""What a checkpoint does not say is refused by name, taken from who exports it, or told as a default."""

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from colibri.artefact import Manifest
from colibri.artefact.finding import find
from colibri.cli import group
from colibri.errors import ExportError
from colibri.tokens.tokenizer import TextTokenizer
from colibri_export.checkpoint import open_checkpoint
from colibri_export.facts import PLAIN, Facts
from colibri_export.metadata import recipe_without_file, reconciled
from colibri_export.pipeline import export
from colibri_export.recipe import RoleRecipe, read_recipe
from reference import GOLDEN

Change = Callable[[dict[str, Any]], object]
MODERNBERT = GOLDEN / "tiny-random-modernbert"
OPTIONS = {
    "query_marker": "--query-marker",
    "document_marker": "--document-marker",
    "query_length": "--query-length",
    "document_length": "--document-length",
    "query_expansion": "--query-expansion",
    "skiplist": "--skiplist",
}
STANFORD = {
    "query_token_id": "query_marker",
    "doc_token_id": "document_marker",
    "query_maxlen": "query_length",
    "doc_maxlen": "document_length",
    "mask_punctuation": "skiplist",
}
PYLATE = {
    "query_prefix": "query_marker",
    "document_prefix": "document_marker",
    "query_length": "query_length",
    "document_length": "document_length",
    "do_query_expansion": "query_expansion",
    "skiplist_words": "skiplist",
}
# What tests/golden/tiny-random-bert/artifact.metadata says.
OF_BERT = Facts(
    query_marker="[unused0]",
    document_marker="[unused1]",
    query_length=16,
    document_length=40,
    query_expansion="hidden",
    skiplist="stanford",
)


@pytest.fixture
def bare(bert: Path, tmp_path: Path) -> Path:
    """A Stanford checkpoint without artifact.metadata."""
    folder = shutil.copytree(bert, tmp_path / "bare")
    (folder / "artifact.metadata").unlink()
    return folder


def changed(source: Path, folder: Path, name: str, change: Change) -> Path:
    shutil.copytree(source, folder)
    document = json.loads((folder / name).read_text(encoding="utf-8"))
    change(document)
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return folder


def of_pylate(folder: Path, change: Change) -> Path:
    return changed(MODERNBERT, folder, "config_sentence_transformers.json", change)


def refusal(folder: Path) -> str:
    with pytest.raises(ExportError) as caught:
        export(folder, folder.parent / "here" / "out", variant_names=["cpu-fp32"])
    assert not (folder.parent / "here").exists(), "refused before any work"
    return str(caught.value)


def options_in(message: str) -> set[str]:
    return set(re.findall(r"\((--[a-z-]+)", message)) - {"--recipe"}


def colibri(*words: str | Path) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


def rules(manifest: Manifest) -> tuple[Any, Any]:
    return manifest.query, manifest.document


def test_without_metadata_every_missing_fact_is_named_with_its_option(bare: Path) -> None:
    message = refusal(bare)
    assert message.startswith(f"{bare}: no artifact.metadata and no ColBERT's config_sentence_transformers.json")
    assert options_in(message) == set(OPTIONS.values())
    for way in ("--recipe NAME|FILE", "`colibri models`", "--plain"):
        assert way in message


def test_a_dense_models_file_and_its_prompts_say_nothing_of_markers(tmp_path: Path) -> None:
    folder = shutil.copytree(MODERNBERT, tmp_path / "copy")
    dense = {"prompts": {"query": "query: "}, "similarity_fn_name": "cosine"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(dense), encoding="utf-8")
    assert options_in(refusal(folder)) == set(OPTIONS.values())


@pytest.mark.parametrize(("key", "fact"), STANFORD.items())
def test_a_key_that_stanfords_metadata_leave_out_is_named(key: str, fact: str, bert: Path, tmp_path: Path) -> None:
    message = refusal(changed(bert, tmp_path / "copy", "artifact.metadata", lambda m: m.pop(key)))
    assert "artifact.metadata leaves out" in message
    assert options_in(message) == {OPTIONS[fact]}


@pytest.mark.parametrize(("key", "fact"), PYLATE.items())
@pytest.mark.parametrize("typed", [True, False], ids=["ColBERT", "no model_type"])
def test_a_key_that_pylates_configuration_leaves_out_is_named(key: str, fact: str, typed: bool, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        del config[key]
        if not typed:
            del config["model_type"]

    message = refusal(of_pylate(tmp_path / "copy", change))
    assert "config_sentence_transformers.json leaves out" in message
    assert options_in(message) == {OPTIONS[fact]}


def test_several_missing_facts_are_named_at_once(tmp_path: Path) -> None:
    left = ("query_prefix", "document_prefix")
    folder = of_pylate(tmp_path / "copy", lambda c: [c.pop(key) for key in [*c] if key not in left])
    assert options_in(refusal(folder)) == {OPTIONS[fact] for key, fact in PYLATE.items() if key not in left}


def test_prefixes_that_stand_in_a_partial_file_are_obeyed(tmp_path: Path) -> None:
    left = ("query_prefix", "document_prefix")
    folder = of_pylate(tmp_path / "copy", lambda c: [c.pop(key) for key in [*c] if key not in left])
    given = Facts(query_length=16, document_length=300, query_expansion="hidden", skiplist="pylate")
    made = export(folder, tmp_path / "out", variant_names=["cpu-fp32"], facts=given)
    whole = export(MODERNBERT, tmp_path / "whole", variant_names=["cpu-fp32"])
    assert made.query.marker_id is not None
    assert (rules(made), made.space_id) == (rules(whole), whole.space_id)


def test_facts_that_are_given_are_as_good_as_those_of_the_file(bare: Path, bert: Path, tmp_path: Path) -> None:
    given = export(bare, tmp_path / "given", variant_names=["cpu-fp32"], facts=OF_BERT)
    whole = export(bert, tmp_path / "whole", variant_names=["cpu-fp32"])
    assert (rules(given), given.space_id) == (rules(whole), whole.space_id)


def test_a_length_that_is_asked_for_needs_no_other(bert: Path, tmp_path: Path) -> None:
    folder = changed(bert, tmp_path / "copy", "artifact.metadata", lambda m: m.pop("doc_maxlen"))
    document = export(folder, tmp_path / "out", variant_names=["cpu-fp32"], doc_max_length=20).document
    assert (document.max_tokens, document.recorded_max_tokens) == (20, None)
    with pytest.raises(ExportError, match="--document-length N"):
        export(folder, tmp_path / "no", variant_names=["cpu-fp32"], doc_max_length="recorded")


def test_the_options_of_the_command_are_the_facts(bare: Path, bert: Path, tmp_path: Path) -> None:
    words = ["--query-marker", "[unused0]", "--document-marker", "[unused1]", "--query-length", "16"]
    words += ["--query-expansion", "hidden", "--skiplist", "stanford", "--variants", "cpu-fp32"]
    refused = colibri("export", bare, tmp_path / "out", *words)
    assert (refused.exit_code, options_in(refused.output)) == (1, {"--document-length"})
    done = colibri("export", bare, tmp_path / "out", *words, "--document-length", "40")
    assert done.exit_code == 0, done.output
    assert rules(find(tmp_path / "out").manifest) == rules(export(bert, tmp_path / "whole", variant_names=["cpu-fp32"]))


def test_plain_is_texts_as_they_are_and_an_option_comes_over_it(bare: Path, tmp_path: Path) -> None:
    words = ["--plain", "--skiplist", "stanford", "--variants", "cpu-fp32"]
    done = colibri("export", bare, tmp_path / "out", *words)
    assert done.exit_code == 0, done.output
    query, document = rules(find(tmp_path / "out").manifest)
    for role in (query, document):
        assert (role.marker_id, role.prefix, role.max_tokens, role.expansion) == (None, None, 64, None)
    assert (query.skiplist.rule, document.skiplist.rule) == ("none", "stanford")
    refused = colibri("export", bare, tmp_path / "no", "--plain", "--query-expansion", "seen")
    assert (refused.exit_code, "none is said: --query-length N" in refused.output) == (1, True)


def test_what_is_taken_from_a_default_is_said_and_stands_in_the_description(
    bert: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = "By default, since {} does not say it: query expansion hidden."
    stanford = changed(bert, tmp_path / "stanford", "artifact.metadata", lambda m: m.pop("attend_to_mask_tokens"))
    pylate = of_pylate(tmp_path / "pylate", lambda c: c.pop("attend_to_expansion_tokens"))
    for folder, file in ((stanford, "artifact.metadata"), (pylate, "config_sentence_transformers.json")):
        made = export(folder, tmp_path / "out", variant_names=["cpu-fp32"], replace=True)
        assert made.description == wanted.format(file)
        assert made.query.expansion is not None
        assert not made.query.expansion.attended
        assert wanted.format(file) in caplog.text
    assert wanted.format("config_sentence_transformers.json") in colibri("info", tmp_path / "out").output
    given = recipe_without_file(open_checkpoint(stanford), "x", Facts(query_expansion="seen"))
    assert (given.description, given.query.attend_to_expansion) == ("", True)
    assert recipe_without_file(open_checkpoint(bert), "x").description == ""


def test_what_is_asked_against_the_file_is_done_and_told(bert: Path, caplog: pytest.LogCaptureFixture) -> None:
    checkpoint = open_checkpoint(bert)
    query = recipe_without_file(checkpoint, "x", Facts(query_marker="", query_length=20)).query
    assert (query.marker, query.max_tokens, query.expand_to_tokens) == (None, 20, 20)
    assert caplog.messages == [
        "query_marker: '' as asked, '[unused0]' in artifact.metadata",
        "query_length: 20 as asked, 16 in artifact.metadata",
    ]


@pytest.mark.parametrize(
    ("prompts", "wanted"),
    [
        ({"prompts": {"query": "query: ", "document": "passage: "}}, ("query: ", "passage: ")),
        ({"prompts": {"query": "", "passage": "p "}}, (None, "p ")),
        ({"prompts": {"all": "say: "}, "default_prompt_name": "all"}, ("say: ", "say: ")),
        ({"prompts": {"other": "x"}, "default_prompt_name": None}, (None, None)),
        ({"prompts": None}, (None, None)),
    ],
)
def test_prompts_that_stand_in_the_file_are_prefixes(
    prompts: dict[str, Any], wanted: tuple[str | None, str | None], tmp_path: Path
) -> None:
    recipe = recipe_without_file(open_checkpoint(of_pylate(tmp_path / "copy", lambda c: c.update(prompts))), "x")
    assert (recipe.query.prefix, recipe.document.prefix) == wanted
    assert recipe.query.marker == "[Q] "


def test_a_prompt_stands_between_the_marker_and_the_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = of_pylate(tmp_path / "copy", lambda c: c.update(prompts={"query": "small "}))
    with caplog.at_level(logging.INFO, "colibri_export"):
        export(folder, tmp_path / "out", variant_names=["cpu-fp32"])
    assert "every query begins with the prompt 'small '" in caplog.messages
    export(MODERNBERT, tmp_path / "plain", variant_names=["cpu-fp32"])
    found, plain = find(tmp_path / "out"), find(tmp_path / "plain")
    prompted = TextTokenizer(found).encode(["birds"], found.manifest.query)[0]
    whole = TextTokenizer(plain).encode(["small birds"], plain.manifest.query)[0]
    assert prompted.ids.tolist() == whole.ids.tolist()


def test_prompts_of_another_kind_are_refused(tmp_path: Path) -> None:
    folder = of_pylate(tmp_path / "copy", lambda c: c.update(prompts={"query": 3}))
    assert "prompts.query: found 3, wanted str" in refusal(folder)


def test_a_recipe_needs_no_metadata_and_given_facts_come_over_it(bare: Path, bert: Path) -> None:
    recipe = read_recipe(Path(__file__).parents[2] / "models" / "colbertv2.0.toml")
    assert reconciled(recipe, open_checkpoint(bare)) == recipe
    given = Facts(query_expansion="seen", document_marker="", query_length=16)
    changed = reconciled(recipe, open_checkpoint(bert), given)
    assert (changed.query.attend_to_expansion, changed.query.expand_to_tokens) == (True, 16)
    assert changed.document.recorded_max_tokens == 40
    assert (changed.document.marker, changed.document.skiplist) == (None, "stanford")


def test_facts_leave_what_they_do_not_say() -> None:
    query, document = RoleRecipe(marker="a", max_tokens=48, expand_to_tokens=32), RoleRecipe(skiplist="pylate")
    assert Facts().applied(query, document) == (query, document)
    assert Facts(query_expansion="seen").applied(query, document)[0].expand_to_tokens == 32
    assert Facts(query_length=20).applied(query, document)[0].expand_to_tokens == 20
    assert PLAIN.applied(query, document) == (RoleRecipe(), RoleRecipe())
    words = Facts(skiplist="pylate", skiplist_words=("!",))
    assert Facts(skiplist="stanford").over(words).skiplist_words is None
    assert Facts(query_length=1).over(words).skiplist_words == ("!",)
