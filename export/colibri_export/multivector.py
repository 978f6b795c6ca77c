"""What the files of sentence-transformers' MultiVectorEncoder (6.0 and later) say of a checkpoint's roles.

Markers and prompts are one text in config_sentence_transformers.json's `prompts`; lengths, expansion and lower-casing
stand in sentence_bert_config.json, the skiplist in the module MultiVectorMask (read of 6.2.0's own sources:
base/modules/transformer.py, multi_vector_encoder/modules/multi_vector_mask.py).
"""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from colibri.errors import ExportError
from colibri_export.facts import Facts, QueryExpansion
from colibri_export.role_files import PYLATE_FILE, TRANSFORMER_FILE, RoleFiles, encoder_folder, read_json
from colibri_export.said import OwnFacts, Said, skiplist_of

_TRANSFORMER_KEYS = {
    *("transformer_task", "modality_config", "module_output_name", "processing_kwargs", "unpad_inputs"),
    *("query_length", "document_length", "query_expansion", "max_seq_length", "do_lower_case"),
}
_MASK_KEYS = {"skiplist_words", "skiplist_tasks", "keep_only_token_ids"}
_EXPANSION_KEYS = {"strategy", "attend", "token", "length"}


def multivector_facts(files: RoleFiles) -> OwnFacts:
    """The roles of a MultiVectorEncoder. Raises ExportError for what this exporter would compute otherwise."""
    config = Said(files.pylate or {}, f"{files.folder}/{PYLATE_FILE}")
    where = f"{files.folder}/{TRANSFORMER_FILE}"
    transformer = Said(files.transformer or {}, where)
    _refuse_unknown(transformer, _TRANSFORMER_KEYS)
    for key, wanted in (("transformer_task", "feature-extraction"), ("module_output_name", "token_embeddings")):
        if (found := transformer.document.get(key, wanted)) != wanted:
            raise ExportError(f"{where}: {key} {found!r}, wanted {wanted!r}")
    if found := transformer.document.get("processing_kwargs"):
        raise ExportError(f"{where}: processing_kwargs {found!r} would change how texts are read; wanted none")
    longest = _longest(files, transformer)
    prompts: dict[str, str] = config.get("prompts", dict[str, str] | None) or {}
    lowercase = transformer.get("do_lower_case", bool | None)
    markers = {
        f"{role}_{what}": text
        for role in ("query", "document")
        for what, text in _marker_and_prefix(files, prompts.get(role) or "", bool(lowercase)).items()
    }
    facts = Facts(
        document_length=transformer.length("document_length") or longest,
        lowercase=lowercase,
        **markers,  # type: ignore[arg-type]  # texts, as their names say
        **_expansion(files, transformer, longest),
        **_skiplist(files),
    )
    return OwnFacts(said=facts, file=TRANSFORMER_FILE)


def _expansion(files: RoleFiles, transformer: Said, longest: int | None) -> dict[str, Any]:
    length = transformer.length("query_length") or longest
    document: dict[str, Any] | None = transformer.document.get("query_expansion")
    if document is None:
        return {"query_length": length, "query_expansion": "none"}
    said = Said(document, f"{transformer.where}: query_expansion")
    _refuse_unknown(said, _EXPANSION_KEYS)
    to, strategy = said.length("length"), said.get("strategy", str)
    if strategy not in {"fixed", "min"} or to is None:
        raise ExportError(f"{said.where}: strategy {strategy!r}, length {to!r}: wanted fixed or min, and a length")
    how: QueryExpansion = "seen" if said.get("attend", bool) else "hidden"
    known = {"query_expansion": how, "expansion_token": said.get("token", str | None)}
    if strategy == "fixed" or length == to:
        return {"query_length": to, **known}
    return {"query_length": max(length or to, to), "query_expand_to": to, **known}


def _skiplist(files: RoleFiles) -> dict[str, Any]:
    if files.mask is None:
        return {"skiplist": "none"}
    mask = Said(files.mask, f"{files.folder}: config.json of its MultiVectorMask")
    _refuse_unknown(mask, _MASK_KEYS)
    if kept := mask.document.get("keep_only_token_ids"):
        raise ExportError(f"{mask.where}: keep_only_token_ids {kept}: for images, and this exporter reads texts")
    tasks = mask.get("skiplist_tasks", tuple[str, ...] | None)
    tasks = ("document",) if tasks is None else tasks
    words = mask.get("skiplist_words", tuple[str, ...] | None) or ()
    if words and ("document" not in tasks or set(tasks) - {"query", "document"}):
        raise ExportError(f"{mask.where}: skiplist_tasks {list(tasks)}, wanted document, or query and document")
    return {**skiplist_of(words), "query_skiplist": bool(words) and "query" in tasks}


def _longest(files: RoleFiles, transformer: Said) -> int | None:
    """Where a role has no length of its own: the tokenizer's, which the positions limit."""
    path = files.folder / "tokenizer_config.json"
    limits = [transformer.length("max_seq_length") if transformer.document.get("max_seq_length") is not None else None]
    if limits[0] is None and path.is_file():
        limits = [read_json(path).get("model_max_length")]
    config = encoder_folder(files.folder, files.modules) / "config.json"
    if config.is_file():
        limits.append(read_json(config).get("max_position_embeddings"))
    known = [limit for limit in limits if isinstance(limit, int) and limit > 0]
    return min(known, default=None)


def _marker_and_prefix(files: RoleFiles, prompt: str, lowercase: bool) -> dict[str, str]:
    """A prompt's first token, where that is one that was added to the vocabulary, and the text behind it."""
    path = next(
        (p for p in (files.folder, encoder_folder(files.folder, files.modules)) if (p / "tokenizer.json").is_file()),
        None,
    )
    if not prompt or path is None:
        return {"marker": "", "prefix": prompt}
    added, ids, offsets, bare = _read_prompt(path / "tokenizer.json", prompt, lowercase)
    marker = added.get(ids[0], "") if ids else ""
    prefix = prompt[offsets[0][1] :] if marker else prompt
    # What follows a marker in BERT's prompts is a space that its tokenizer drops.
    return {"marker": marker, "prefix": "" if marker and not prefix.strip() and bare(prefix) else prefix}


def _read_prompt(path: Path, prompt: str, lowercase: bool) -> tuple[dict[int, str], list[int], list[Any], Any]:
    """Added tokens by id, ids and offsets of the prompt, and whether a text in front of another changes nothing."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if lowercase:
            steps = [{"type": "Lowercase"}, *([document["normalizer"]] if document["normalizer"] else [])]
            document["normalizer"] = {"type": "Sequence", "normalizers": steps}
        tokenizer = Tokenizer.from_str(json.dumps(document))
        added = {int(token["id"]): str(token["content"]) for token in document["added_tokens"]}
    except Exception as error:  # tokenizers raises bare Exception
        raise ExportError(f"{path}: not a tokenizer ({error!r})") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return found

    encoding = tokenizer.encode(prompt, add_special_tokens=False)
    return added, encoding.ids, encoding.offsets, lambda text: ids(text + "a") == ids("a")


def _refuse_unknown(said: Said, known: set[str]) -> None:
    if unknown := sorted(said.document.keys() - known):
        raise ExportError(f"{said.where}: {', '.join(unknown)}: unknown, so what it changes is not known")
