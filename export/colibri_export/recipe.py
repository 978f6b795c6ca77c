"""What a checkpoint's files do not say: name, licence, source, role rules and heads, from a TOML file."""

import dataclasses
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from colibri.artefact import Cutoffs, GoldenRow, GoldenScores, Licence, Source, parse_typed
from colibri.errors import ExportError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class RoleRecipe:
    """A role before its tokens are looked up. Meanings as in colibri.artefact.Role; without rules, a text as it is."""

    marker: str | None = None
    prefix: str | None = None
    keep_prefix_rows: bool = True
    keep_special_rows: bool = True
    drop_start_rows: bool = False
    max_tokens: int | None = None
    """None: all the positions the checkpoint has."""
    recorded_max_tokens: int | None = None
    """What the checkpoint's metadata says, where it is another number."""
    expand_to_tokens: int | None = None
    attend_to_expansion: bool = False
    expansion_token: str | None = None
    """What fills a query; None: the tokenizer's mask."""
    skiplist: str = "none"
    """none | stanford | pylate"""
    skiplist_words: tuple[str, ...] | None = None
    """Whose tokens to skip by the rule; None: string.punctuation."""
    weights: str | None = None
    """safetensors file with one float32 tensor, a weight for each token id in MaxSim; None: all weigh 1."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to make one artefact."""

    name: str
    aliases: tuple[str, ...]
    description: str
    family: str | None = None
    """Architecture the checkpoint must be of; None: any."""
    dims: tuple[int, ...] = ()
    """Widths to make, the default one first; empty: every head there is, widest first."""
    licence: Licence
    source: Source
    query: RoleRecipe
    document: RoleRecipe
    lowercase: bool | None = None
    """Whether every text is lower-cased before it is tokenized; None: as the checkpoint's files say."""
    overrides: tuple[str, ...] = ()
    """Facts (colibri_export.facts) on which the recipe knowingly says otherwise than the checkpoint's files."""
    from_checkpoint: tuple[str, ...] = ()
    """Facts that are the checkpoint's files' to say, whatever stands here."""
    golden: tuple[GoldenRow, ...] = ()
    """Published rows of the weights in `source`; they do not apply to others."""
    scores: tuple[GoldenScores, ...] = ()
    """Published MaxSim scores, likewise."""
    cutoffs: Cutoffs | None = None
    """Scores from which on a text fits a query, likewise."""
    heads: dict[int, Path] = field(default_factory=dict)
    """Dim -> safetensors file; the checkpoint's own head needs none."""
    head_repositories: dict[int, str] = field(default_factory=dict)
    """Dim -> hub id of a sibling checkpoint with the same backbone and that head."""
    head_file: str | None = None
    """Name of a file in the checkpoint's folder that holds the head of `dims`, where it is none a loader knows."""
    folding: Literal["none", "marks"] = "none"
    """What the manifest says of marks that Arabic and Hebrew are mostly written without (`TokenizerSpec`)."""
    tensors: Path | None = None
    """safetensors file of tensors that replace the source's, which `colibri build-mini` writes as a checkpoint."""


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; files of heads, weights and tensors are relative to it. Raises ExportError that names the key."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        heads: dict[str, str] = parse_typed(dict[str, str], document.pop("heads", {}), "heads")
        tensors: str | None = parse_typed(str | None, document.pop("tensors", None), "tensors")
        if bad := [dim for dim in heads if not dim.isdecimal()]:
            raise ExportError(f"heads.{bad[0]}: wanted a number of dims")
        _fill_defaults(document)
        recipe: Recipe = parse_typed(Recipe, {**document, "heads": {}, "head_repositories": {}}, "")
    except (OSError, ValueError) as error:
        raise ExportError(f"{path}: {error}") from error
    files = {int(dim): path.parent / file for dim, file in heads.items()}
    siblings = {dim for dim, file in files.items() if _HUB_ID.fullmatch(heads[str(dim)]) and not file.exists()}
    return dataclasses.replace(
        recipe,
        query=_beside(path, recipe.query),
        document=_beside(path, recipe.document),
        heads={dim: file for dim, file in files.items() if dim not in siblings},
        head_repositories={dim: heads[str(dim)] for dim in files if dim in siblings},
        tensors=None if tensors is None else path.parent / tensors,
    )


def with_document_length(recipe: Recipe, wanted: int | Literal["recorded"] | None) -> Recipe:
    """The recipe with documents of another length, the number it replaces recorded; None: as it is."""
    document = recipe.document
    recorded = document.recorded_max_tokens or document.max_tokens
    longest = recorded if wanted == "recorded" else wanted or document.max_tokens
    changed = dataclasses.replace(
        document, max_tokens=longest, recorded_max_tokens=None if longest == recorded else recorded
    )
    return dataclasses.replace(recipe, document=changed)


def _beside(recipe: Path, role: RoleRecipe) -> RoleRecipe:
    """The role with its file of weights, which is relative to the recipe, as a path to open."""
    return role if role.weights is None else dataclasses.replace(role, weights=str(recipe.parent / role.weights))


def _fill_defaults(document: dict[str, Any]) -> None:
    """TOML has no null, and the manifest's `Source`, which knows no defaults, has keys that may be left out here."""
    source = document.get("source")
    if isinstance(source, dict):
        source.setdefault("revision", None)
        source.setdefault("files", {})
    cutoffs = document.get("cutoffs")
    for row in cutoffs.get("rows", ()) if isinstance(cutoffs, dict) else ():
        if isinstance(row, dict):
            row.setdefault("max_weight", None)
