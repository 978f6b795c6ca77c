"""What a checkpoint's files do not say: name, licence, source, role rules and heads, from a TOML file.

Without a recipe, `artifact.metadata` (Stanford ColBERT) gives the role rules; without that, a text is encoded as it is.
"""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from colibri.errors import ArtefactError, ExportError
from colibri.manifest import Licence, Source
from colibri.typed_json import parse
from colibri_export.checkpoint import Checkpoint


@dataclass(frozen=True, kw_only=True)
class RoleRecipe:
    """A role before its tokens are looked up. Meanings as in colibri.manifest.Role."""

    marker: str | None
    prefix: str | None
    keep_prefix_rows: bool
    keep_special_rows: bool
    max_tokens: int | None
    """None: all the positions the checkpoint has."""
    recorded_max_tokens: int | None
    """What the checkpoint's metadata says, where it is another number."""
    expand_to_tokens: int | None
    attend_to_expansion: bool
    skiplist: str
    """none | stanford | pylate"""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to make one artefact."""

    name: str
    aliases: tuple[str, ...]
    description: str
    licence: Licence
    source: Source
    query: RoleRecipe
    document: RoleRecipe
    heads: dict[int, Path] = field(default_factory=dict)
    """Dim -> safetensors file; the checkpoint's own linear.weight needs none."""


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; head files are relative to it. Raises ExportError that names the key."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        heads: dict[str, str] = parse(dict[str, str], document.pop("heads", {}), "heads")
        if bad := [dim for dim in heads if not dim.isdecimal()]:
            raise ExportError(f"heads.{bad[0]}: wanted a number of dims")
        _fill_nulls(document)
        recipe: Recipe = parse(Recipe, {**document, "heads": {}}, "")
    except (OSError, ValueError) as error:
        raise ExportError(f"{path}: {error}") from error
    return dataclasses.replace(recipe, heads={int(dim): path.parent / file for dim, file in heads.items()})


def recipe_without_file(checkpoint: Checkpoint, name: str) -> Recipe:
    """The role rules a checkpoint's own files give: Stanford's metadata, else none.

    The defaults for keys that metadata lacks are Stanford's (colbert/infra/config/settings.py).
    """
    plain = RoleRecipe(
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
    query = document = plain
    metadata = checkpoint.stanford
    if metadata is not None:

        def said(key: str, kind: type, default: object) -> Any:
            try:
                return parse(kind, metadata.get(key, default), key)
            except ArtefactError as error:
                raise ExportError(f"{checkpoint.folder}/artifact.metadata: {error}") from None

        query = dataclasses.replace(
            plain,
            marker=said("query_token_id", str, "[unused0]"),
            max_tokens=said("query_maxlen", int, 32),
            expand_to_tokens=said("query_maxlen", int, 32),
            attend_to_expansion=said("attend_to_mask_tokens", bool, False),
        )
        document = dataclasses.replace(
            plain,
            marker=said("doc_token_id", str, "[unused1]"),
            max_tokens=said("doc_maxlen", int, 220),
            skiplist="stanford" if said("mask_punctuation", bool, True) else "none",
        )
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


def _fill_nulls(document: dict[str, Any]) -> None:
    """TOML has no null: an optional key that is left out means none."""
    source = document.get("source")
    if isinstance(source, dict):
        source.setdefault("revision", None)
        source.setdefault("files", {})
    for role in ("query", "document"):
        rules = document.get(role)
        if isinstance(rules, dict):
            for key in ("marker", "prefix", "max_tokens", "recorded_max_tokens", "expand_to_tokens"):
                rules.setdefault(key, None)
            rules.setdefault("attend_to_expansion", False)
