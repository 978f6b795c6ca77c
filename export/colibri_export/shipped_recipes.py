"""The recipes that come along: found by their name, an alias, or the hub id they were written for."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from colibri.errors import ExportError
from colibri_export.hub_source import is_hub_id
from colibri_export.recipe import Recipe, read_recipe

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an export was asked for, once names are looked up."""

    source: str
    """A path or a hub id."""
    revision: str | None
    recipe_file: Path | None
    name: str | None
    """The recipe's name, else the repository's or the folder's; None where there is none of these."""
    siblings: Mapping[int, str]
    """Dim -> hub id, the heads that the recipe takes from repositories of their own."""

    def siblings_for(self, given: Collection[int], dims: Collection[int] | None) -> dict[int, str]:
        """Those that are needed beside the `given` heads, for `dims` (None: all the recipe's).

        Raises ExportError for a folder: who names no hub id has asked for no download.
        """
        needed = {d: repo for d, repo in self.siblings.items() if d not in given and (dims is None or d in dims)}
        if needed and not is_hub_id(self.source):
            dim, repo = next(iter(needed.items()))
            raise ExportError(
                f"the recipe takes head {dim} from {repo}, and {self.source} is a folder: --head {dim}={repo} "
                "downloads it (or names a folder that has it), --dims leaves it out"
            )
        return needed


def plan(source: str, recipe: str | None, revision: str | None) -> Plan:
    """Look up which checkpoint and which recipe are meant.

    source    a folder, a hub id, or the name or alias of a shipped recipe; a folder that is there comes first
    recipe    a file, or the name of a shipped recipe; None: the one written for this hub id, if any
    revision  of a hub id, over the recipe's

    Raises ExportError when the recipe is unknown or a revision is asked of a folder.
    """
    here = Path(source).exists()
    if recipe is not None:
        recipe_file = Path(recipe) if Path(recipe).is_file() else recipe_for(recipe)
        if recipe_file is None:
            raise ExportError(f"recipe {recipe}: no such file, and none of that name comes along; see `colibri models`")
    else:
        recipe_file = None if here else recipe_for(source)
    read = read_recipe(recipe_file) if recipe_file else None
    siblings = read.head_repositories if read else {}
    of_hub = None if read is None or read.source.kind != "hub" else read.source
    if of_hub and read and not here and source.casefold() in _names(read):
        source = of_hub.name
    if not is_hub_id(source):
        if revision is not None:
            raise ExportError(f"--revision {revision}: {source} is not a hub id, so it has no revisions")
        name = read.name if read else folder_name(Path(source))
        return Plan(source=source, revision=None, recipe_file=recipe_file, name=name, siblings=siblings)
    if of_hub and of_hub.name == source:
        revision = revision or of_hub.revision
    name = read.name if read else source.split("/")[1]
    return Plan(source=source, revision=revision, recipe_file=recipe_file, name=name, siblings=siblings)


def folder_name(folder: Path) -> str | None:
    """What a checkpoint's folder is called, wherever it is named from; of a snapshot in the hub's cache, whose own name
    is a commit, the repository. A dot at its beginning would hide the artefact. None: no folder, or none with a name.
    """
    if not folder.is_dir():
        return None
    found = folder.resolve()
    if found.parent.name == "snapshots" and found.parent.parent.name.startswith("models--"):
        return found.parent.parent.name.split("--")[-1]
    return found.name.lstrip(".") or None


def shipped_recipes() -> dict[Path, Recipe]:
    """Every recipe of this installation or checkout, by file, in the order of their names."""
    return {path: read_recipe(path) for path in sorted(_files(), key=lambda path: path.name)}


def recipe_for(text: str) -> Path | None:
    """The recipe whose name, alias or hub id a text is, in any case; None when there is none."""
    wanted = text.casefold()
    return next((path for path, recipe in shipped_recipes().items() if wanted in _names(recipe)), None)


def preferred(recipe_file: Path) -> Literal["recipe"] | None:
    """Whether a recipe is right where the checkpoint's files differ: who wrote it for this export has said so."""
    return None if recipe_file.resolve() in {path.resolve() for path in _files()} else "recipe"


def _names(recipe: Recipe) -> set[str]:
    names = {recipe.name, *recipe.aliases} | ({recipe.source.name} if recipe.source.kind == "hub" else set())
    return {name.casefold() for name in names}


def _files() -> Iterator[Path]:
    """Inside the wheel; else models/ of the checkout of an editable install."""
    inside = _PACKAGE / "recipes"
    checkout = _PACKAGE.parents[1]
    if inside.is_dir():
        yield from inside.glob("*.toml")
    elif (checkout / "pyproject.toml").is_file():
        yield from (checkout / "models").glob("*.toml")
