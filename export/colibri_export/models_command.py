"""The command `colibri models`. Needs nothing of the extra [export]."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from colibri.artefact import Artefact, Licence, find, shipped
from colibri.errors import ArtefactError
from colibri_export.recipe import Recipe
from colibri_export.shipped_recipes import shipped_recipes


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One line of the list."""

    name: str
    aliases: tuple[str, ...]
    description: str
    hub_id: str | None
    revision: str | None
    dims: tuple[int, ...]
    """Widest first; empty: known only once the checkpoint is here."""
    licence: Licence
    comes_along: bool
    path: str | None
    """The artefact's folder on this machine, if there is one."""
    command: str | None
    """What brings the artefact; None where nothing needs to."""


@click.command("models", short_help="List the models there are recipes for.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
def models_command(as_json: bool) -> None:
    """List the models Colibri knows by name: hub id, dims, licence, whether an artefact is here, and how to get one.

    An artefact is looked for where it comes along and in the current folder. Other checkpoints of the same families
    export as well: see `colibri export --help`.
    """
    found = listed()
    if as_json:
        click.echo(json.dumps([asdict(model) for model in found], ensure_ascii=False))
        return
    click.echo("\n\n".join("\n".join(_describe(model)) for model in found))


def listed() -> list[Listed]:
    """What comes along first, then the recipes by name."""
    recipes = {recipe.name: recipe for recipe in shipped_recipes().values()}
    along = shipped()
    names = [*along, *sorted(recipes.keys() - set(along))]
    return [_look(name, recipes.get(name), comes_along=name in along) for name in names]


def _look(name: str, recipe: Recipe | None, *, comes_along: bool) -> Listed:
    artefact = _here(name)
    known = artefact.manifest if artefact else recipe
    assert known is not None  # a name is a recipe's or that of an artefact which comes along
    on_hub = known.source.kind == "hub"
    return Listed(
        name=name,
        aliases=known.aliases,
        description=known.description,
        hub_id=known.source.name if on_hub else None,
        revision=known.source.revision if on_hub else None,
        dims=artefact.manifest.dims if artefact else recipe.dims if recipe else (),
        licence=known.licence,
        comes_along=comes_along,
        path=str(artefact.folder) if artefact else None,
        command=f"colibri export {known.source.name}" if artefact is None and on_hub else None,
    )


def _here(name: str) -> Artefact | None:
    """The artefact of that name; a folder of that name that is none, or one too new for us, counts as absent."""
    if name not in shipped() and not Path(name).is_dir():
        return None
    try:
        return find(name)
    except ArtefactError:
        return None


def _describe(model: Listed) -> list[str]:
    terms = "  (NOT for commercial use)" if model.licence.forbids_commercial_use else ""
    lines = [f"{model.name}  {model.description}".rstrip()]
    if aliases := [alias for alias in model.aliases if alias != model.hub_id]:
        lines.append(f"  aliases   {', '.join(aliases)}")
    if model.hub_id:
        lines.append(f"  hub id    {model.hub_id}" + (f" at {model.revision[:12]}" if model.revision else ""))
    lines.append(f"  dims      {', '.join(map(str, model.dims)) or 'those of the checkpoint'}")
    lines.append(f"  licence   {model.licence.id}{terms}")
    if model.comes_along:
        lines.append("  here      comes along: colibri rerank QUERY DOCUMENT...")
    elif model.path:
        lines.append(f"  here      {model.path}: colibri rerank --model ./{model.path} QUERY DOCUMENT...")
    else:
        lines.append(f"  get it    {model.command or 'see its recipe'}")
    return lines
