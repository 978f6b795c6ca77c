"""`colibri models`: the models there are recipes for, those that came along, and what lies on the search path."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from colibri.artefact import Artefact, Held, Licence, aliases, find, held, meant, search_path, shipped
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
    """The artefact's folder on this machine, if there is one: what `--model` and colibri.load take for this name."""
    also: tuple[str, ...]
    """Folders that this name means as well, and that are not taken."""
    command: str | None
    """What brings the artefact; None where nothing needs to."""


@click.command("models", short_help="List the models there are recipes for, and what is here.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
def models_command(as_json: bool) -> None:
    """List the models Colibri knows by name: hub id, dims, licence, whether an artefact is here, and how to get one.

    An artefact is looked for where it comes along, in the folders of COLIBRI_MODELS, in the current folder, in ./models
    and in your data folder, where `colibri export` without OUT puts what it makes; of several that a name means, the
    first is taken. Other checkpoints of the same families export as well: see `colibri export --help`.
    """
    found = listed()
    if as_json:
        click.echo(json.dumps([asdict(model) for model in found], ensure_ascii=False))
    else:
        click.echo("\n\n".join("\n".join(_describe(model)) for model in found))
        click.echo(f"looked in  {', '.join(map(str, search_path()))}", err=True)
    for name, target in aliases().items():
        click.echo(f"COLIBRI_ALIAS: {name} is {target} here", err=True)
    for folder, problem in _broken():
        click.echo(f"broken     {folder}: {problem}", err=True)


def listed() -> list[Listed]:
    """What comes along first, then the recipes by name, then other artefacts of the search path by theirs."""
    recipes = {recipe.name: recipe for recipe in shipped_recipes().values()}
    along = shipped()
    listing = [_look(name, recipes.get(name), along) for name in [*along, *sorted(recipes.keys() - set(along))]]
    shown = {path for model in listing for path in (model.path, *model.also)}
    others = sorted({one.name for one in held() if one.name and str(one.folder) not in shown})
    return listing + [model for name in others if (model := _look(name, None, along)).path]


def _look(name: str, recipe: Recipe | None, along: list[str]) -> Listed:
    artefact, also = _here(name, recipe, along)
    known = artefact.manifest if artefact else recipe
    source = known.source if known else None
    on_hub = source if source and source.kind == "hub" else None
    return Listed(
        name=name,
        aliases=known.aliases if known else (),
        description=known.description if known else "",
        hub_id=on_hub.name if on_hub else None,
        revision=on_hub.revision if on_hub else None,
        dims=artefact.manifest.dims if artefact else recipe.dims if recipe else (),
        licence=known.licence if known else Licence(id="unknown", commercial_use=False, notice=""),
        comes_along=name in along,
        path=str(artefact.folder) if artefact else None,
        also=also,
        command=f"colibri export {on_hub.name}" if artefact is None and on_hub else None,
    )


def _here(name: str, recipe: Recipe | None, along: list[str]) -> tuple[Artefact | None, tuple[str, ...]]:
    """What the name means here, or the hub id of its recipe, and what it would mean as well. A folder of that name that
    is none, or one that this version cannot read, counts as absent."""
    by_hub_id = recipe.source.name if recipe and recipe.source.kind == "hub" else name
    for word in dict.fromkeys((name, by_hub_id)):
        known = [one for one in meant(word) if _problem(one) is None]
        if known or word in along:
            artefact = find(word)
            return artefact, tuple(str(one.folder) for one in known if not artefact.folder.samefile(one.folder))
    return None, ()


def _broken() -> list[tuple[str, str]]:
    problems = ((str(one.folder), _problem(one)) for one in held())
    return [(folder, problem) for folder, problem in problems if problem]


def _problem(one: Held) -> str | None:
    """Why an artefact cannot be read; None: it can."""
    try:
        find(one.folder.absolute())
    except ArtefactError as error:
        return str(error)
    return None


def _describe(model: Listed) -> list[str]:
    terms = "  (NOT for commercial use)" if model.licence.forbids_commercial_use else ""
    lines = [f"{model.name}  {model.description}".rstrip()]
    if others := [alias for alias in model.aliases if alias != model.hub_id]:
        lines.append(f"  aliases   {', '.join(others)}")
    if model.hub_id:
        lines.append(f"  hub id    {model.hub_id}" + (f" at {model.revision[:12]}" if model.revision else ""))
    lines.append(f"  dims      {', '.join(map(str, model.dims)) or 'those of the checkpoint'}")
    lines.append(f"  licence   {model.licence.id}{terms}")
    if model.comes_along:
        lines.append("  here      comes along: colibri rerank QUERY DOCUMENT...")
    elif model.path:
        by_name = model.name if meant(model.name) else model.hub_id
        word = by_name if Path(model.path).is_absolute() else f"./{model.path}"  # names are found from anywhere
        lines.append(f"  here      {model.path}: colibri rerank --model {word} QUERY DOCUMENT...")
    else:
        lines.append(f"  get it    {model.command or 'see its recipe'}")
    return lines + [f"  also      {folder}, which is not taken" for folder in model.also]
