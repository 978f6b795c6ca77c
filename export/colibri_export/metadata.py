"""What a checkpoint's own files say of its roles: Stanford's artifact.metadata, or PyLate's configuration."""

import dataclasses
import logging
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from colibri.artefact import Licence, Source
from colibri.errors import ExportError
from colibri_export.checkpoint import Checkpoint
from colibri_export.facts import WORDS, Facts, QueryExpansion
from colibri_export.multivector import multivector_facts
from colibri_export.recipe import Recipe, RoleRecipe
from colibri_export.role_files import PYLATE_FILE, STANFORD_FILE, TRANSFORMER_FILE, RoleFiles
from colibri_export.said import OwnFacts, Said, skiplist_of

log = logging.getLogger(__name__)

Preferred = Literal["recipe", "checkpoint"]
_COMPANIONS = {
    "skiplist": ("skiplist_words", "query_skiplist"),
    "query_length": ("query_expand_to",),
    "query_expansion": ("query_expand_to", "expansion_token"),
}


def recipe_without_file(
    checkpoint: Checkpoint | RoleFiles, name: str, given: Facts | None = None, *, document_length: int | None = None
) -> Recipe:
    """The recipe of a checkpoint's own files, for which they are enough.

    given            facts over those of the files
    document_length  where neither says one

    What is taken from defaults is logged, and said in the description. Raises ExportError that names each fact that
    nobody says, with the option for it.
    """
    files = checkpoint if isinstance(checkpoint, RoleFiles) else checkpoint.role_files
    tell_contradictions(files)
    own, given = own_facts(files), given or Facts()
    facts = require_facts(files, given, document_length=document_length)
    for key, asked, found in given.against(own.said):
        log.warning("%s: %r as asked, %r in %s", key, asked, found, own.file or PYLATE_FILE)
    defaults = ""
    if given.over(own.said).query_expansion is None:
        defaults = f"By default, since {own.file} does not say it: query expansion {facts.query_expansion}."
        log.warning("%s: %s --query-expansion says otherwise", files.folder.name, defaults)
    for role in ("query", "document"):
        if prefix := getattr(facts, f"{role}_prefix"):
            log.info("every %s begins with the prompt %r", role, prefix)
    query, document = facts.applied(RoleRecipe(), RoleRecipe())
    return Recipe(
        name=name,
        aliases=(),
        description=defaults,
        licence=Licence(
            id="unknown", commercial_use=False, notice="No licence was recorded at export; see the source."
        ),
        source=Source(kind="folder", name=files.folder.resolve().name, revision=None, files={}),
        query=query,
        document=document,
        lowercase=facts.lowercase,
    )


def require_facts(files: RoleFiles, given: Facts, *, document_length: int | None = None) -> Facts:
    """All that must be known, for `recipe_without_file`, which has the parameters. Needs no weights."""
    own = own_facts(files)
    facts = given.over(own.said.over(own.defaults.over(Facts(document_length=document_length))))
    if missing := facts.missing():
        found = f"{own.file} leaves out" if own.file else f"no {STANFORD_FILE} and no ColBERT's {PYLATE_FILE} to say"
        raise ExportError(
            f"{files.folder}: {found} {'; '.join(missing)}. Wanted: these options; or a recipe that says it "
            "(--recipe NAME|FILE, `colibri models` lists those that come along); or --plain: texts as they are, with "
            "no marker, expansion or skiplist"
        )
    return facts


def reconciled(
    recipe: Recipe, checkpoint: Checkpoint, given: Facts | None = None, prefer: Preferred | None = "recipe"
) -> Recipe:
    """The recipe held against the checkpoint's own files (see `settled`, which refuses what differs if told None).

    Raises ExportError when the recipe is for another family, as well.
    """
    found = checkpoint.architecture.family
    if recipe.family not in (None, found):
        raise ExportError(f"{checkpoint.folder}: is {found}, the recipe of {recipe.name} is for {recipe.family}")
    tell_contradictions(checkpoint.role_files)
    return settled(recipe, checkpoint.role_files, given, prefer)


def settled(recipe: Recipe, files: RoleFiles, given: Facts | None = None, prefer: Preferred | None = None) -> Recipe:
    """The recipe with what is the files' to say, what they record beside it, and what is given over it.

    given   facts over those of the recipe and the files
    prefer  who is right where recipe and files differ; None: what the recipe names in its `overrides`

    Where they differ and nobody named who is right, ExportError names each fact, both sayings and the ways on. A
    document's length is none of these: it may be another (the recorded one is kept in the manifest). Needs no weights.
    """
    own, given, said = own_facts(files), given or Facts(), Facts.of_recipe(recipe)
    if unsaid := [name for name in recipe.from_checkpoint if getattr(given.over(own.said), name) is None]:
        ways = ", ".join(WORDS.get(name, name) for name in unsaid)
        raise ExportError(f"{files.folder}: the recipe leaves {', '.join(unsaid)} to its files, which lack it: {ways}")
    theirs = _with_companions(own.said, recipe.from_checkpoint)
    differing = [
        difference
        for difference in _differences(said, own.said)
        if difference[0] not in {*theirs, "document_length"} and getattr(given, difference[0]) is None
    ]
    unnamed = [one for one in differing if prefer is None and one[0] not in recipe.overrides]
    if unnamed:
        raise ExportError(_disagreement(recipe, files, own, unnamed))
    for name, ours, recorded in differing:
        counts = "the checkpoint's files are followed" if prefer == "checkpoint" else "the recipe is followed"
        log.warning("%s: %r in the recipe, %r in %s; %s", name, ours, recorded, own.file, counts)
        if prefer == "checkpoint":
            theirs |= _with_companions(own.said, (name,))
    query, document = Facts(**theirs).applied(recipe.query, recipe.document)
    document = _with_recorded(document, own)
    query, document = given.applied(query, document)
    lowercase = next((f.lowercase for f in (given, Facts(**theirs), said, own.said) if f.lowercase is not None), None)
    return dataclasses.replace(recipe, query=query, document=document, lowercase=lowercase)


def _with_companions(said: Facts, names: Iterable[str]) -> dict[str, Any]:
    """Facts by name, and those that mean nothing without them."""
    wanted = dict.fromkeys(one for name in names for one in (name, *_COMPANIONS.get(name, ())))
    return {name: getattr(said, name) for name in wanted}


def _differences(ours: Facts, theirs: Facts) -> Iterator[tuple[str, object, object]]:
    """As Facts.against, and a skiplist of other words, which are said only where they are not all punctuation."""
    found = list(ours.against(theirs))
    yield from (one for one in found if one[0] != "skiplist_words")
    alike = theirs.skiplist is not None and ours.skiplist == theirs.skiplist != "none"
    mine, other = (f.skiplist_words or tuple(string.punctuation) for f in (ours, theirs))
    if alike and set(mine) != set(other):
        yield "skiplist", " ".join(mine), " ".join(other)


def _disagreement(recipe: Recipe, files: RoleFiles, own: OwnFacts, differing: list[tuple[str, object, object]]) -> str:
    said = "; ".join(f"{name} is {theirs!r} there and {ours!r} in the recipe" for name, ours, theirs in differing)
    options = ", ".join(WORDS[name] for name, *_ in differing if name in WORDS)
    return (
        f"{files.folder}/{own.file}: says otherwise than the recipe of {recipe.name}: {said}. Rows would differ. "
        "The way on: --prefer checkpoint follows its files, --prefer recipe the recipe"
        f"{options and f'; or say it: {options}'}"
    )


def _with_recorded(document: RoleRecipe, own: OwnFacts) -> RoleRecipe:
    recorded = own.said.document_length
    if document.recorded_max_tokens is not None or recorded in (None, document.max_tokens):
        return document
    log.warning("documents: up to %s tokens as the recipe says, %s in %s", document.max_tokens, recorded, own.file)
    return dataclasses.replace(document, recorded_max_tokens=recorded)


def own_facts(files: RoleFiles) -> OwnFacts:
    """What the checkpoint's files say, by the file that counts (RoleFiles.form); prompts need none."""
    match files.form:
        case "stanford":
            return stanford_facts(files.stanford or {}, f"{files.folder}/{STANFORD_FILE}")
        case "multivector":
            return multivector_facts(files)
    if files.pylate is None:
        return OwnFacts(said=_lowercase(files))
    where = f"{files.folder}/{PYLATE_FILE}"
    prompts = _prompts(Said(files.pylate, where)).over(_lowercase(files))
    if not files.is_pylate:
        return OwnFacts(said=prompts)
    own = pylate_facts(files.pylate, where)
    return dataclasses.replace(own, said=own.said.over(prompts))


def tell_contradictions(files: RoleFiles) -> None:
    """Log each fact on which the folder's two kinds of files differ, and which of them counts."""
    other = files.overruled
    if other is None:
        return
    ours, theirs = own_facts(files), own_facts(other)
    for name, counts, ignored in ours.said.against(theirs.said):
        log.warning(
            "%s: %s is %r in %s, which counts, and %r in %s",
            *(files.folder, name, counts, ours.file, ignored, theirs.file),
        )


def _lowercase(files: RoleFiles) -> Facts:
    """sentence_bert_config.json's do_lower_case: PyLate and sentence-transformers obey it."""
    said = Said(files.transformer or {}, f"{files.folder}/{TRANSFORMER_FILE}")
    return Facts(lowercase=said.get("do_lower_case", bool | None))


def stanford_facts(metadata: Mapping[str, Any], where: str) -> OwnFacts:
    """What artifact.metadata says (colbert/infra/config/settings.py). Stanford's queries are always expanded."""
    said = Said(metadata, where)
    seen = said.get("attend_to_mask_tokens", bool)
    punctuation = said.get("mask_punctuation", bool)
    facts = Facts(
        query_marker=said.get("query_token_id", str),
        document_marker=said.get("doc_token_id", str),
        query_length=said.length("query_maxlen"),
        document_length=said.length("doc_maxlen"),
        query_expansion=_expansion(True, seen),
        skiplist=None if punctuation is None else "stanford" if punctuation else "none",
    )
    return OwnFacts(said=facts, defaults=Facts(query_expansion="hidden"), file=STANFORD_FILE)


def pylate_facts(config: Mapping[str, Any], where: str) -> OwnFacts:
    """What PyLate's configuration says (pylate/models/colbert.py).

    A prefix such as "[Q] " is a token of its own, inserted after the first one; "" means none. A missing
    do_query_expansion means true to PyLate and was false in the training of some checkpoints that lack it, so nothing
    is taken from its absence.
    """
    said = Said(config, where)
    expands = said.get("do_query_expansion", bool)
    words = said.get("skiplist_words", tuple[str, ...])
    facts = Facts(
        query_marker=said.get("query_prefix", str),
        document_marker=said.get("document_prefix", str),
        query_length=said.length("query_length"),
        document_length=said.length("document_length"),
        query_expansion=_expansion(expands, said.get("attend_to_expansion_tokens", bool)),
        **skiplist_of(words),
    )
    return OwnFacts(said=facts, defaults=Facts(query_expansion="hidden" if expands else None), file=PYLATE_FILE)


def _expansion(expands: bool | None, seen: bool | None) -> QueryExpansion | None:
    if expands is False:
        return "none"
    return None if expands is None or seen is None else "seen" if seen else "hidden"


def _prompts(said: Said) -> Facts:
    """Texts before queries and documents, named as sentence-transformers' encode_query and encode_document have it."""
    prompts: dict[str, str] = said.get("prompts", dict[str, str] | None) or {}
    default = prompts.get(said.get("default_prompt_name", str | None) or "")
    return Facts(
        query_prefix=prompts.get("query", default),
        document_prefix=next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), default),
    )
