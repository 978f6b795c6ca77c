"""Role rules as a checkpoint's own files give them: Stanford's artifact.metadata, or PyLate's configuration."""

import dataclasses
import logging
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from colibri.artefact import Licence, Source, parse_typed
from colibri.errors import ArtefactError, ExportError
from colibri_export.checkpoint import PYLATE_FILE, STANFORD_FILE, Checkpoint
from colibri_export.recipe import Recipe, RoleRecipe

log = logging.getLogger(__name__)


def recipe_without_file(checkpoint: Checkpoint, name: str) -> Recipe:
    """The recipe of a checkpoint's own files: Stanford's metadata, else PyLate's, else a text is encoded as it is."""
    query = document = RoleRecipe()
    if checkpoint.stanford is not None:
        query, document = stanford_roles(checkpoint.stanford, f"{checkpoint.folder}/{STANFORD_FILE}")
    elif checkpoint.is_pylate and checkpoint.pylate is not None:
        query, document = pylate_roles(checkpoint.pylate, f"{checkpoint.folder}/{PYLATE_FILE}")
    return Recipe(
        name=name,
        aliases=(),
        description="",
        licence=Licence(
            id="unknown", commercial_use=False, notice="No licence was recorded at export; see the source."
        ),
        source=Source(kind="folder", name=checkpoint.folder.resolve().name, revision=None, files={}),
        query=query,
        document=document,
    )


def reconciled(recipe: Recipe, checkpoint: Checkpoint) -> Recipe:
    """The recipe with the lengths that the checkpoint's own files record, where they differ.

    Other differences are logged, and the recipe is followed. Raises ExportError when the recipe is for another family.
    """
    found = checkpoint.architecture.family
    if recipe.family not in (None, found):
        raise ExportError(f"{checkpoint.folder}: is {found}, the recipe of {recipe.name} is for {recipe.family}")
    own = recipe_without_file(checkpoint, recipe.name)
    return dataclasses.replace(
        recipe,
        query=_reconciled("query", recipe.query, own.query),
        document=_reconciled("document", recipe.document, own.document),
    )


def _reconciled(name: str, ours: RoleRecipe, theirs: RoleRecipe) -> RoleRecipe:
    if theirs == RoleRecipe():  # the checkpoint says nothing
        return ours
    for key in ("marker", "expand_to_tokens", "attend_to_expansion", "skiplist"):
        said, recorded = getattr(ours, key), getattr(theirs, key)
        if said != recorded:
            log.warning("%s.%s: %r in the recipe, %r in the checkpoint's metadata", name, key, said, recorded)
    if ours.recorded_max_tokens is not None or theirs.max_tokens == ours.max_tokens:
        return ours
    return dataclasses.replace(ours, recorded_max_tokens=theirs.max_tokens)


@dataclass(frozen=True)
class _Said:
    """A JSON object whose values are checked when they are asked for."""

    document: Mapping[str, Any]
    where: str

    def get(self, key: str, kind: Any, default: object) -> Any:
        """The value, or the default where the key is missing."""
        try:
            return parse_typed(kind, self.document.get(key, default), key)
        except ArtefactError as error:
            raise ExportError(f"{self.where}: {error}") from None


def stanford_roles(metadata: Mapping[str, Any], where: str) -> tuple[RoleRecipe, RoleRecipe]:
    """Query and document of artifact.metadata; defaults are Stanford's (colbert/infra/config/settings.py)."""
    said = _Said(metadata, where)
    longest_query = said.get("query_maxlen", int, 32)
    query = RoleRecipe(
        marker=said.get("query_token_id", str, "[unused0]"),
        max_tokens=longest_query,
        expand_to_tokens=longest_query,
        attend_to_expansion=said.get("attend_to_mask_tokens", bool, False),
    )
    document = RoleRecipe(
        marker=said.get("doc_token_id", str, "[unused1]"),
        max_tokens=said.get("doc_maxlen", int, 220),
        skiplist="stanford" if said.get("mask_punctuation", bool, True) else "none",
    )
    return query, document


def pylate_roles(config: Mapping[str, Any], where: str) -> tuple[RoleRecipe, RoleRecipe]:
    """Query and document of PyLate's configuration; defaults are PyLate 1.6's (pylate/models/colbert.py).

    A prefix such as "[Q] " is a token of its own, inserted after the first one; "" means none.
    """
    said = _Said(config, where)
    longest_query = said.get("query_length", int, 32)
    expands = said.get("do_query_expansion", bool, True)
    query = RoleRecipe(
        marker=said.get("query_prefix", str, "[Q] ") or None,
        max_tokens=longest_query,
        expand_to_tokens=longest_query if expands else None,
        attend_to_expansion=expands and said.get("attend_to_expansion_tokens", bool, False),
    )
    words = said.get("skiplist_words", tuple[str, ...], list(string.punctuation))
    document = RoleRecipe(
        marker=said.get("document_prefix", str, "[D] ") or None,
        max_tokens=said.get("document_length", int, 180),
        skiplist="pylate",
        skiplist_words=None if set(words) == set(string.punctuation) else words,
    )
    return query, document
