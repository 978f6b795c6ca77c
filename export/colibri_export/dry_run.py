"""What an export would read, build and take, said before anything is written or any weights are downloaded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from colibri.errors import ExportError
from colibri_export import layout
from colibri_export.checkpoint import open_checkpoint
from colibri_export.facts import Facts
from colibri_export.heads import own_head
from colibri_export.metadata import Preferred, recipe_without_file, settled
from colibri_export.recipe import Recipe, RoleRecipe, read_recipe, with_document_length
from colibri_export.role_files import encoder_folder, module_kind, read_json, read_role_files
from colibri_export.room import free_disk, free_memory, gigabytes
from colibri_export.sizes import sizes
from colibri_export.weights import VocabularyBits


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What an export was asked for; meanings as in colibri_export.pipeline.export."""

    folder: Path
    """Of the checkpoint, or of a hub id's metadata."""
    source: str
    out: Path
    recipe_file: Path | None
    facts: Facts
    prefer: Preferred | None
    names: Sequence[str]
    heads: Mapping[int, object]
    dims: Sequence[int] | None
    vocabulary_bits: VocabularyBits
    document_length: int | Literal["recorded"] | None
    ignored_keys: Sequence[str]


def told(wish: Wish) -> Iterator[str]:
    """The lines that say it. Raises ExportError for what an export would refuse before it reads weights."""
    files = read_role_files(wish.folder)
    config = encoder_folder(wish.folder, files.modules) / "config.json"
    family, architecture = layout.find(read_json(config), str(config), tuple(wish.ignored_keys))
    recipe = _recipe(wish)
    here = sorted(config.parent.glob("model*.safetensors"))
    dims = [*(wish.dims or recipe.dims), *wish.heads] or [*_own_dims(wish)]
    taken = sizes(architecture, family.tensors(architecture), dims, wish.names, wish.vocabulary_bits)
    read = ", ".join(f"{path.name} {gigabytes(path.stat().st_size)}" for path in here) or "weights, to be downloaded"
    yield f"reads     {wish.source}: {read}, config.json, tokenizer.json"
    yield (
        f"model     {architecture.family}, {architecture.layers} layers of {architecture.hidden}, "
        f"{architecture.vocabulary:,} tokens in its vocabulary, {taken.parameters / 1e6:,.0f}M parameters"
    )
    yield f"recipe    {wish.recipe_file or 'none: what its own files and the options say'}"
    for name, role in (("query", recipe.query), ("document", recipe.document)):
        yield f"{name:10}{_role(role, architecture.max_positions)}"
    yield f"texts     {'lower-cased' if recipe.lowercase else 'as they are, upper and lower case'}"
    yield f"heads     {', '.join(map(str, dict.fromkeys(dims))) or 'those of the checkpoint'}"
    built = ", ".join(f"{name} about {gigabytes(size)}" for name, size in taken.variants.items())
    yield f"builds    {wish.out}: {built}{' (exists: wants --replace)' if wish.out.exists() else ''}"
    memory = free_memory()
    free = "" if memory is None else f" ({gigabytes(memory)} free)"
    yield (
        f"takes     about {gigabytes(taken.disk)} of disk while it works ({gigabytes(free_disk(wish.out))} free) and "
        f"{gigabytes(taken.memory)} of memory{free}"
    )
    yield f"licence   {recipe.licence.id}: {recipe.licence.notice}"


def _recipe(wish: Wish) -> Recipe:
    files = read_role_files(wish.folder)
    if wish.recipe_file is not None:
        recipe = settled(read_recipe(wish.recipe_file), files, wish.facts, wish.prefer)
    else:
        longest = wish.document_length if isinstance(wish.document_length, int) else None
        recipe = recipe_without_file(files, wish.folder.name, wish.facts, document_length=longest)
    return with_document_length(recipe, wish.document_length)


def _own_dims(wish: Wish) -> list[int]:
    """The width of the checkpoint's own head, as far as it can be told."""
    try:
        head = own_head(open_checkpoint(wish.folder))
    except ExportError:
        dense = [m["path"] for m in read_role_files(wish.folder).modules if module_kind(m) == "Dense"]
        configs = [wish.folder / str(path) / "config.json" for path in dense[-1:]]
        return [int(read_json(path)["out_features"]) for path in configs if path.is_file()]
    return [] if head is None else [head.dim]


def _role(role: RoleRecipe, positions: int) -> str:
    marker = f"marker {role.marker!r}" if role.marker else "no marker"
    prompt = f", prompt {role.prefix!r}" if role.prefix else ""
    masks = ", no masks"
    if role.expand_to_tokens is not None:
        masks = f", masks up to {role.expand_to_tokens}, {'seen' if role.attend_to_expansion else 'hidden'}"
    words = "" if role.skiplist_words is None else f" of {len(role.skiplist_words)} words"
    recorded = f" (its files say {role.recorded_max_tokens})" if role.recorded_max_tokens else ""
    return f"{marker}{prompt}, {role.max_tokens or positions} tokens{recorded}{masks}, skiplist {role.skiplist}{words}"
