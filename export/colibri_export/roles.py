"""Turn a recipe's role rules into token ids, with the tokenizer that the artefact will carry."""

import dataclasses
import json
import string
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tokenizers import Tokenizer

from colibri.artefact import Architecture, Expansion, Role, Skiplist, TokenizerSpec
from colibri.errors import ExportError
from colibri.tokens import RULES_FILE, rules_alone
from colibri_export.recipe import RoleRecipe
from colibri_export.tensor_files import open_file
from colibri_export.tokenizer_json import plain_text_special_tokens
from colibri_export.unigram_file import write_unigram

FILE_NAME = "tokenizer.json"
_MASKS = ("<mask>", "[MASK]")


def write_tokenizer(
    source: Path, folder: Path, *, markers: Collection[str | None] = (), strip: bool = False, lowercase: bool = False
) -> tuple[Tokenizer, TokenizerSpec]:
    """Copy tokenizer.json without truncation and padding, and with special tokens that text cannot spell; beside it
    its vocabulary for the light tokenizer, if that reads all texts alike.

    markers  tokens that are special from now on, if they were not: PyLate adds "[Q] " as an ordinary word
    strip    whether texts lose white space at both ends first, as sentence-transformers has it; byte-level vocabularies
             would have tokens for it
    lowercase  whether texts are lower-cased first, letter by letter (sentence-transformers' do_lower_case since 6.2;
             before, and in PyLate, it was Python's str.lower, which differs for a final sigma)
    """
    path = source / FILE_NAME
    if not path.is_file():
        raise ExportError(f"{path}: no such file; save the fast tokenizer beside the checkpoint")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for token in document["added_tokens"]:
            token["special"] = token["special"] or token["content"] in markers
        document["truncation"] = document["padding"] = None
        document["normalizer"] = _normalizer(document["normalizer"], strip=strip, lowercase=lowercase)
        text = plain_text_special_tokens(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # tokenizers raises bare Exception
        raise ExportError(f"{path}: not a tokenizer ({error!r})") from error
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    framed = tokenizer.encode("a").ids
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    start = next((i for i in range(len(framed)) if framed[i : i + len(bare)] == bare), None)
    if start is None:
        raise ExportError(f"{path}: its post-processor does more than frame a text: {framed} around {bare}")
    end = framed[start + len(bare) :]
    return tokenizer, TokenizerSpec(
        file=FILE_NAME,
        start_ids=tuple(framed[:start]),
        end_ids=tuple(end),
        unigram_file=write_unigram(text, folder),
        lowercase=lowercase,
        composition="sentencepiece" if _has_rules_of_sentencepiece(document) else "nfc",
    )


def without_vocabulary(spec: TokenizerSpec, folder: Path) -> TokenizerSpec:
    """With tokenizer.json's rules alone where `unigram_file` has the vocabulary: 0.3 instead of 9 MB for XLM-R's."""
    if spec.unigram_file is None:
        return spec
    plain = folder / spec.file
    text = rules_alone(plain.read_text(encoding="utf-8"))
    if text is None:  # not as `write_tokenizer` writes it
        return spec
    (folder / RULES_FILE).write_text(text, encoding="utf-8")
    plain.unlink()
    return dataclasses.replace(spec, file=RULES_FILE)


def _has_rules_of_sentencepiece(document: dict[str, Any]) -> bool:
    """Whether it is a Unigram vocabulary whose normalisation rules are sentencepiece's."""
    normalizer = document["normalizer"] or {}
    steps = normalizer.get("normalizers", [normalizer])
    return document["model"]["type"] == "Unigram" and any(step.get("type") == "Precompiled" for step in steps)


def _normalizer(found: dict[str, Any] | None, *, strip: bool, lowercase: bool) -> dict[str, Any] | None:
    """The tokenizer's own steps behind those that are asked for; a Lowercase that is there already is enough."""
    own = [] if found is None else list(found["normalizers"]) if found["type"] == "Sequence" else [found]
    first = [{"type": "Strip", "strip_left": True, "strip_right": True}] if strip else []
    if lowercase and all(step["type"] != "Lowercase" for step in own):
        first.append({"type": "Lowercase"})
    if not first:
        return found
    # A sequence of one rule and a sequence is what earlier artefacts have; their space_id hangs on these bytes.
    rest = [found] if found and not lowercase else own
    return {"type": "Sequence", "normalizers": [*first, *rest]}


def resolve_role(
    recipe: RoleRecipe, name: str, tokenizer: Tokenizer, spec: TokenizerSpec, architecture: Architecture
) -> Role:
    """Look up markers, mask and skiplist. Raises ExportError for what the vocabulary or the positions do not hold."""
    marker = None if recipe.marker is None else tokenizer.token_to_id(recipe.marker)
    if recipe.marker is not None and marker is None:
        raise ExportError(f"{name}: the tokenizer has no marker {recipe.marker!r}")
    expansion = None
    if recipe.expand_to_tokens is not None:
        if recipe.expand_to_tokens < 1:
            raise ExportError(f"{name}: expand_to_tokens {recipe.expand_to_tokens}, wanted at least 1")
        masks = _MASKS if recipe.expansion_token is None else (recipe.expansion_token,)
        mask = next((i for token in masks if (i := tokenizer.token_to_id(token)) is not None), None)
        if mask is None:
            lacks = "no" if recipe.expansion_token else "neither of"
            raise ExportError(f"{name}: expansion needs a mask token, the tokenizer has {lacks} {', '.join(masks)}")
        to = recipe.expand_to_tokens
        expansion = Expansion(mask_id=mask, to_tokens=to, attended=recipe.attend_to_expansion)
    limit = architecture.max_positions if recipe.max_tokens is None else recipe.max_tokens
    longest = max(limit, expansion.to_tokens if expansion else 0)
    if longest > architecture.max_positions:
        raise ExportError(f"{name}: {longest} tokens, the checkpoint has {architecture.max_positions} positions")
    prefix = tokenizer.encode(recipe.prefix, add_special_tokens=False).ids if recipe.prefix else []
    frame = len(spec.start_ids) + len(spec.end_ids) + (marker is not None) + len(prefix)
    if limit <= frame:
        raise ExportError(f"{name}: {limit} tokens, of which markers and prefix take {frame}: no room for text")
    return Role(
        marker_id=marker,
        prefix=recipe.prefix,
        keep_prefix_rows=recipe.keep_prefix_rows,
        keep_special_rows=recipe.keep_special_rows,
        max_tokens=limit,
        recorded_max_tokens=recipe.recorded_max_tokens,
        expansion=expansion,
        skiplist=skiplist(recipe.skiplist, tokenizer, recipe.skiplist_words),
        weights_file=None,
        drop_start_rows=recipe.drop_start_rows,
    )


def write_token_weights(source: Path, folder: Path, role: str, vocabulary: int) -> str:
    """Copy a role's weights as float32, one a token id; the name of the file.

    Raises ExportError unless `source` holds one tensor of `vocabulary` finite weights of at least 0.
    """
    opened = open_file(source)
    keys = list(opened.keys())
    weights = opened.get_tensor(keys[0]).astype("<f4", copy=False) if len(keys) == 1 else None
    if weights is None or weights.shape != (vocabulary,) or not (np.isfinite(weights) & (weights >= 0)).all():
        found = keys if weights is None else weights.shape
        raise ExportError(f"{source}: {found}, wanted one tensor of {vocabulary} finite weights of at least 0")
    name = f"{role}-weights.f32.bin"
    weights.tofile(folder / name)
    return name


def skiplist(rule: str, tokenizer: Tokenizer, words: Sequence[str] | None = None) -> Skiplist:
    """Punctuation whose rows are dropped, by one of the two rules in use. They are disjoint for XLM-R's vocabulary.

    stanford  the first piece of each symbol encoded alone (stanford-futuredata/ColBERT, colbert/modeling/colbert.py)
    pylate    the symbol itself looked up in the vocabulary (PyLate, sentence-transformers)

    words: other symbols than string.punctuation; the rule is then recorded as custom.
    """
    symbols = string.punctuation if words is None else words
    match rule:
        case "none":
            return Skiplist(rule="none", ids=())
        case "stanford":
            found = {ids[0] for symbol in symbols if (ids := tokenizer.encode(symbol, add_special_tokens=False).ids)}
        case "pylate":
            found = {i for symbol in symbols if (i := tokenizer.token_to_id(symbol)) is not None}
        case _:
            raise ExportError(f"skiplist rule {rule!r}: wanted none, stanford or pylate")
    recorded: Literal["custom", "stanford", "pylate"] = "custom" if words is not None else rule
    return Skiplist(rule=recorded, ids=tuple(sorted(found)))
