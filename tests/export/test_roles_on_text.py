"""What each recipe makes of ten texts, against plain Python over the checkpoint's own files."""

import json
import shutil
import string
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from colibri.artefact import Manifest
from colibri.artefact.finding import find
from colibri.errors import ExportError
from colibri.tokens.tokenizer import TextTokenizer
from colibri_export.pipeline import export
from colibri_export.recipe import read_recipe
from made_checkpoint import CONFIGS, TINY, write_checkpoint, write_dense
from published_files import PUBLISHED, Published, tokenizer_json
from reference import GOLDEN

MODELS = Path(__file__).parents[2] / "models"
TEXTS = (
    "small birds",
    "How FAST does a Hummingbird beat its wings?",
    "Late interaction, said (e.g.) in a paper: one vector per token - not one per text!",
    "蜂鳥是唯一可以向後飛行的鳥類。",
    "ハチドリは後ろ向きに飛べる、唯一の鳥です！",
    "ÜBERALL Kolibris: schöne STRASSE, Ελλάδα, Москва 🐦",
    "the river and the city in the old world where people read and write " * 40,
    "",
    "  two spaces\tand a tab \n",
    "...!?",
)
SPECIAL = {"bert": ("[CLS]", "[SEP]"), "modernbert": ("[CLS]", "[SEP]"), "gemma": ("<bos>", "<eos>")}
SPECIAL["xlmr"] = ("<s>", "</s>")
HEAD_AT_BGE = GOLDEN / "pickles" / "head.pt"


@dataclass(frozen=True)
class Laid:
    """A text as a model sees it: ids, which of them the others see, which of their rows are kept."""

    ids: list[int | None]
    seen: list[bool]
    kept: list[bool]


def by_the_files(published: Published, role: str, text: str, lengths: tuple[int, int]) -> Laid:
    """The rules as Stanford's, PyLate's and FlagEmbedding's code has them. lengths: of a query, of a document."""
    tokenizer: Tokenizer = read(published.vocabulary)
    stanford = published.files.get("artifact.metadata")
    pylate = published.files.get("config_sentence_transformers.json", {})
    lower = published.files.get("sentence_bert_config.json", {}).get("do_lower_case", False)
    query = role == "query"
    marker, prompt, dropped = None, "", set[int | None]()
    if stanford is not None:
        marker = stanford["query_token_id" if query else "doc_token_id"]
        pieces = [tokenizer.encode(symbol, add_special_tokens=False).ids for symbol in string.punctuation]
        dropped = {ids[0] for ids in pieces}
    elif pylate:
        marker = pylate[f"{role}_prefix"]
        prompt = pylate["prompts"][role]
        dropped = {tokenizer.token_to_id(word) for word in pylate["skiplist_words"]} - {None}
    whole = prompt + unicodedata.normalize("NFC", text)
    if pylate:
        whole = whole.strip()
    if lower:
        whole = "".join(letter.lower() for letter in whole)
    start, end = (tokenizer.token_to_id(token) for token in SPECIAL[published.vocabulary])
    front = [start, *([] if marker is None else [tokenizer.token_to_id(marker)])]
    longest = lengths[0 if query else 1]
    inside = tokenizer.encode(whole, add_special_tokens=False).ids[: longest - len(front) - 1]
    ids = [*front, *inside, end]
    kept = [True] * len(front) + [query or i not in dropped for i in inside] + [True]
    if stanford is None and not pylate:
        kept[0] = False  # BGE-M3: the row of <s>
    masks = longest - len(ids) if query and stanford is not None else 0
    mask = tokenizer.token_to_id("[MASK]") or tokenizer.token_to_id("<mask>")
    seen = [True] * len(ids) + [bool(stanford and stanford["attend_to_mask_tokens"])] * masks
    return Laid(ids + [mask] * masks, seen, kept + [True] * masks)


@lru_cache(4)
def read(kind: str) -> Tokenizer:
    """The vocabulary as published, markers as words that a text can spell, but no special token."""
    made = Tokenizer.from_str(tokenizer_json(kind))
    made.no_truncation()
    made.no_padding()
    made.encode_special_tokens = True
    return made


def checkpoint(name: str, folder: Path, **config: Any) -> Path:
    """The published files around random weights."""
    recipe, published = read_recipe(MODELS / f"{name}.toml"), PUBLISHED[name]
    family = str(recipe.family)
    (dim,) = recipe.dims[:1]
    head = dim if "artifact.metadata" in published.files else None
    write_checkpoint(folder, {**CONFIGS[family], **config}, tokenizer_json(published.vocabulary), head)
    for file, content in published.files.items():
        (folder / file).write_text(json.dumps(content), encoding="utf-8")
    if "config_sentence_transformers.json" in published.files:
        write_dense(folder, TINY["hidden_size"], dim)
    return folder


def exported(name: str, tmp_path: Path, **rest: Any) -> Manifest:
    folder, config = tmp_path / "checkpoint", {}
    if name == "bge-m3":  # a head of 32 x 64 is what the tests have as a pickle
        config = {"hidden_size": 64}
        shutil.copy(HEAD_AT_BGE, (tmp_path / "colbert_linear.pt"))
    checkpoint(name, folder, **config)
    recipe = MODELS / f"{name}.toml"
    if name == "bge-m3":
        shutil.move(tmp_path / "colbert_linear.pt", folder / "colbert_linear.pt")
        text = recipe.read_text(encoding="utf-8").replace("1024", "32")
        recipe = tmp_path / "bge-m3.toml"
        recipe.write_text(text, encoding="utf-8")
    dims = [read_recipe(recipe).dims[0]]
    return export(folder, tmp_path / "out", recipe_file=recipe, dims=dims, variant_names=["cpu-fp32"], **rest)


def test_every_recipe_of_others_is_proven() -> None:
    assert PUBLISHED.keys() == {path.stem for path in MODELS.glob("*.toml")} - {"colibri-mini"}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_ten_texts_have_the_ids_and_rows_of_the_files(name: str, tmp_path: Path) -> None:
    manifest = exported(name, tmp_path)
    found = find(tmp_path / "out")
    tokenizer, published = TextTokenizer(found), PUBLISHED[name]
    pylate = published.files.get("config_sentence_transformers.json", {})
    recipe = read_recipe(MODELS / f"{name}.toml")
    lengths = tuple(
        pylate.get(f"{role}_length") or rules.max_tokens
        for role, rules in (("query", recipe.query), ("document", recipe.document))
    )
    assert (manifest.query.max_tokens, manifest.document.max_tokens) == lengths
    for role, rules in (("query", manifest.query), ("document", manifest.document)):
        for text in TEXTS:
            wanted = by_the_files(published, role, text, (rules.max_tokens, rules.max_tokens))
            laid = tokenizer.encode([text], rules)[0]
            ours = Laid(laid.ids.tolist(), laid.attended.tolist(), laid.keep.tolist())
            assert ours == wanted, (role, text)
    lower = published.files.get("sentence_bert_config.json", {}).get("do_lower_case", False)
    assert manifest.tokenizer.lowercase == lower
    assert not manifest.golden, "random weights are not the published ones"
    assert not manifest.golden_scores


@pytest.mark.parametrize(
    ("name", "file", "change", "fact"),
    [
        ("gte-moderncolbert-v1", "config_sentence_transformers.json", {"do_query_expansion": True}, "query_expansion"),
        ("gte-moderncolbert-v1", "config_sentence_transformers.json", {"query_length": 32}, "query_length"),
        ("lateon", "config_sentence_transformers.json", {"skiplist_words": []}, "skiplist"),
        ("lateon", "config_sentence_transformers.json", {"skiplist_words": ["!", "?"]}, "skiplist"),
        ("lateon", "sentence_bert_config.json", {"do_lower_case": True}, None),
        ("mxbai-edge-colbert-v0-32m", "sentence_bert_config.json", {"do_lower_case": False}, "lowercase"),
        ("colbert-zero", "config_sentence_transformers.json", {"prompts": {"query": "q: "}}, "query_prefix"),
        ("mlateon", "config_sentence_transformers.json", {"document_prefix": ""}, "document_marker"),
        ("jina-colbert-v1-en", "artifact.metadata", {"attend_to_mask_tokens": True}, "query_expansion"),
        ("colbertv2.0", "artifact.metadata", {"query_maxlen": 64}, "query_length"),
    ],
)
def test_a_folder_that_says_otherwise_than_its_recipe_is_refused_and_may_be_preferred(
    name: str, file: str, change: dict[str, Any], fact: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = PUBLISHED[name]
    files = {**published.files, file: published.files[file] | change}
    monkeypatch.setitem(PUBLISHED, name, Published(published.source, published.vocabulary, files))
    if fact is None:  # what no recipe says is the files' to say
        assert exported(name, tmp_path).tokenizer.lowercase
        return
    with pytest.raises(ExportError, match=f"{fact} is .* there and .* in the recipe.*--prefer checkpoint"):
        exported(name, tmp_path)
    assert not (tmp_path / "out").exists()


def test_the_files_that_are_preferred_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = PUBLISHED["colbertv2.0"]
    files = {"artifact.metadata": published.files["artifact.metadata"] | {"query_maxlen": 64}}
    monkeypatch.setitem(PUBLISHED, "colbertv2.0", Published(published.source, published.vocabulary, files))
    made = exported("colbertv2.0", tmp_path, prefer="checkpoint")
    assert made.query.expansion is not None
    assert (made.query.max_tokens, made.query.expansion.to_tokens) == (64, 64)


@pytest.mark.parametrize(("name", "prefer"), [("lateon", "checkpoint"), ("lateon-code", None)])
def test_a_skiplist_of_the_files_comes_with_its_words(
    name: str, prefer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Preferred, and left to the files by the recipe."""
    published = PUBLISHED[name]
    file = "config_sentence_transformers.json"
    files = {**published.files, file: published.files[file] | {"skiplist_words": ["!", "?"]}}
    monkeypatch.setitem(PUBLISHED, name, Published(published.source, published.vocabulary, files))
    skiplist = exported(name, tmp_path, prefer=prefer).document.skiplist
    assert (skiplist.rule, len(skiplist.ids)) == ("custom", 2)


def test_scores_apply_to_weights_that_somebody_calls_published(tmp_path: Path) -> None:
    made = exported("colbertv2.0", tmp_path, published=True)
    assert (made.format, len(made.golden), [len(one.scores) for one in made.golden_scores]) == ("1.3", 12, [4])
    assert all("test_pretrained.py at cad2119" in one.source for one in made.golden_scores)
