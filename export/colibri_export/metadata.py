"""What a checkpoint's own files say of its roles: Stanford's artifact.metadata, or PyLate's configuration."""

import dataclasses
import logging
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from colibri.artefact import Licence, Source, parse_typed
from colibri.errors import ArtefactError, ExportError
from colibri_export.checkpoint import PYLATE_FILE, STANFORD_FILE, Checkpoint, RoleFiles
from colibri_export.facts import Facts, QueryExpansion
from colibri_export.recipe import Recipe, RoleRecipe

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class OwnFacts:
    """What a checkpoint says of itself."""

    said: Facts = field(default_factory=Facts)
    """What stands in its file."""
    defaults: Facts = field(default_factory=Facts)
    """What the file's absence of a key has always meant to the library that wrote it."""
    file: str | None = None
    """The file's name; None where there is none."""


def recipe_without_file(
    checkpoint: Checkpoint, name: str, given: Facts | None = None, *, document_length: int | None = None
) -> Recipe:
    """The recipe of a checkpoint's own files.

    given            facts over those of the files
    document_length  where neither says one

    What is taken from defaults is logged, and said in the description. Raises ExportError that names each fact that
    nobody says, with the option for it.
    """
    own, given = own_facts(checkpoint.role_files), given or Facts()
    facts = require_facts(checkpoint.role_files, given, document_length=document_length)
    for key, asked, found in given.against(own.said):
        log.warning("%s: %r as asked, %r in %s", key, asked, found, own.file or PYLATE_FILE)
    defaults = ""
    if given.over(own.said).query_expansion is None:
        defaults = f"By default, since {own.file} does not say it: query expansion {facts.query_expansion}."
        log.warning("%s: %s --query-expansion says otherwise", checkpoint.folder.name, defaults)
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
        source=Source(kind="folder", name=checkpoint.folder.resolve().name, revision=None, files={}),
        query=query,
        document=document,
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


def reconciled(recipe: Recipe, checkpoint: Checkpoint, given: Facts | None = None) -> Recipe:
    """The recipe with the lengths that the checkpoint's own files record, where they differ, and what is given over it.

    Other differences are logged, and the recipe is followed. Raises ExportError when the recipe is for another family.
    """
    found = checkpoint.architecture.family
    if recipe.family not in (None, found):
        raise ExportError(f"{checkpoint.folder}: is {found}, the recipe of {recipe.name} is for {recipe.family}")
    query, document = own_facts(checkpoint.role_files).said.applied(recipe.query, recipe.document)
    ours = _reconciled("query", recipe.query, query), _reconciled("document", recipe.document, document)
    query, document = (given or Facts()).applied(*ours)
    return dataclasses.replace(recipe, query=query, document=document)


def _reconciled(name: str, ours: RoleRecipe, theirs: RoleRecipe) -> RoleRecipe:
    for key in ("marker", "prefix", "expand_to_tokens", "attend_to_expansion", "skiplist"):
        said, recorded = getattr(ours, key), getattr(theirs, key)
        if said != recorded:
            log.warning("%s.%s: %r in the recipe, %r in the checkpoint's metadata", name, key, said, recorded)
    if ours.recorded_max_tokens is not None or theirs.max_tokens == ours.max_tokens:
        return ours
    return dataclasses.replace(ours, recorded_max_tokens=theirs.max_tokens)


def own_facts(files: RoleFiles) -> OwnFacts:
    """What the checkpoint's files say: Stanford's metadata come first, then PyLate's; prompts need neither."""
    if files.stanford is not None:
        return stanford_facts(files.stanford, f"{files.folder}/{STANFORD_FILE}")
    if files.pylate is None:
        return OwnFacts()
    where = f"{files.folder}/{PYLATE_FILE}"
    prompts = _prompts(_Said(files.pylate, where))
    if not files.is_pylate:
        return OwnFacts(said=prompts)
    own = pylate_facts(files.pylate, where)
    return dataclasses.replace(own, said=own.said.over(prompts))


@dataclass(frozen=True)
class _Said:
    """A JSON object whose values are checked when they are asked for."""

    document: Mapping[str, Any]
    where: str

    def get(self, key: str, kind: Any) -> Any:
        """The value, or None where the key is missing. Raises ExportError for a value of another kind."""
        if key not in self.document:
            return None
        try:
            return parse_typed(kind, self.document[key], key)
        except ArtefactError as error:
            raise ExportError(f"{self.where}: {error}") from None

    def length(self, key: str) -> int | None:
        """A number of tokens from 1, or None where the key is missing."""
        found: int | None = self.get(key, int)
        if found is not None and found < 1:
            raise ExportError(f"{self.where}: {key}: found {found}, wanted a number of tokens from 1")
        return found


def stanford_facts(metadata: Mapping[str, Any], where: str) -> OwnFacts:
    """What artifact.metadata says (colbert/infra/config/settings.py). Stanford's queries are always expanded."""
    said = _Said(metadata, where)
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
    said = _Said(config, where)
    expands = said.get("do_query_expansion", bool)
    words = said.get("skiplist_words", tuple[str, ...])
    facts = Facts(
        query_marker=said.get("query_prefix", str),
        document_marker=said.get("document_prefix", str),
        query_length=said.length("query_length"),
        document_length=said.length("document_length"),
        query_expansion=_expansion(expands, said.get("attend_to_expansion_tokens", bool)),
        skiplist=None if words is None else "pylate",
        skiplist_words=None if words is None or set(words) == set(string.punctuation) else words,
    )
    return OwnFacts(said=facts, defaults=Facts(query_expansion="hidden" if expands else None), file=PYLATE_FILE)


def _expansion(expands: bool | None, seen: bool | None) -> QueryExpansion | None:
    if expands is False:
        return "none"
    return None if expands is None or seen is None else "seen" if seen else "hidden"


def _prompts(said: _Said) -> Facts:
    """Texts before queries and documents, named as sentence-transformers' encode_query and encode_document have it."""
    prompts: dict[str, str] = said.get("prompts", dict[str, str] | None) or {}
    default = prompts.get(said.get("default_prompt_name", str | None) or "")
    return Facts(
        query_prefix=prompts.get("query", default),
        document_prefix=next((prompts[name] for name in ("document", "passage", "corpus") if name in prompts), default),
    )
