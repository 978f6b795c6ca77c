"""Export: checkpoint and recipe to a finished artefact folder, or nothing."""

import dataclasses
import functools
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from colibri import artefact as artefacts
from colibri.artefact import (
    Artefact,
    Cutoffs,
    FileEntry,
    Manifest,
    Role,
    Source,
    Variant,
    file_sha256,
    part_count,
)
from colibri.errors import ExportError
from colibri_export import layout
from colibri_export import variants as variants_module
from colibri_export.checkpoint import Checkpoint, open_checkpoint
from colibri_export.door import AnyWorkshop, Door
from colibri_export.engine import DEFAULT_CAPABILITIES
from colibri_export.facts import Facts
from colibri_export.folders import folders
from colibri_export.heads import Head, gather
from colibri_export.magnitudes import require_room
from colibri_export.metadata import Preferred, recipe_without_file, reconciled
from colibri_export.preparation import convert_pickles_of, head_beside, identity_of, require_room_for
from colibri_export.recipe import Recipe, read_recipe, with_document_length
from colibri_export.roles import resolve_role, without_vocabulary, write_token_weights, write_tokenizer
from colibri_export.shipped_recipes import preferred
from colibri_export.tensor_files import WHOLE
from colibri_export.variants import Workshop, check_names
from colibri_export.verify import measure
from colibri_export.weights import VocabularyBits

log = logging.getLogger(__name__)


def export(
    source: Path,
    out: Path,
    *,
    recipe_file: Path | None = None,
    origin: Source | None = None,
    heads: Mapping[int, Path] | None = None,
    truncate: Sequence[int] = (),
    dims: Sequence[int] | None = None,
    variant_names: Sequence[str] | None = None,
    vocabulary_bits: VocabularyBits = 4,
    compute_capabilities: Sequence[str] = DEFAULT_CAPABILITIES,
    facts: Facts | None = None,
    prefer: Preferred | None = None,
    ignored_keys: Sequence[str] = (),
    published: bool = False,
    convert_pickles: bool = False,
    resume: bool = False,
    ignore_room: bool = False,
    doc_max_length: int | Literal["recorded"] | None = None,
    name: str | None = None,
    replace: bool = False,
    door: Door | None = None,
) -> Manifest:
    """Make the artefact `out` from the Hugging Face folder `source`.

    recipe_file     TOML with name, licence, role rules and heads; None: what the checkpoint itself says
    origin          hub id and commit of a downloaded folder, recorded as where the weights came from
    heads           dim -> safetensors file, or folder of a sibling checkpoint with the same backbone; beside or over
                    those of the recipe and the checkpoint's own
    truncate        widths to make by cutting the next wider head; the manifest calls them truncated
    dims            widths to keep, the first one the default; None: every head, widest first
    variant_names   which variants, in order of preference; None: the usual ones
    vocabulary_bits of a weight in cpu-int8's vocabulary table: 4, or 8 for twice the size and a sixteenth of the error
    compute_capabilities  what the variant tensorrt is built for, such as "89"
    facts           rules of both roles over those of the recipe or the checkpoint; facts.PLAIN for texts as they are
    prefer          who is right where the recipe and the checkpoint's files differ, which is told; None: a recipe of
                    one's own, and one that comes along is refused there, unless it names the fact among its overrides
    ignored_keys    of config.json that change no row, as whoever exports knows; others no builder follows are refused
    published       whether a folder is known to hold the weights that the recipe is for, so that its golden rows and
                    scores apply; those of the recipe's hub id, or of its hash, are known to
    convert_pickles whether a lone pytorch_model.bin is turned into model.safetensors beside it first; it is not run
    resume          whether an interruption leaves what is written, beside `out`, and a later export goes on with it
    ignore_room     whether to begin where disk or memory look too small
    doc_max_length  tokens a document may have, instead of the recipe's; "recorded": what the checkpoint's metadata says
    replace         whether an existing `out` may be replaced
    door            what makes the graphs of `source` instead of our builders; variants that miss their tolerance are
                    left out then, unless they were asked for by name

    The folder appears under its name only when every graph has met its tolerance. Raises ExportError otherwise, and
    before any work where neither recipe, checkpoint nor `facts` say a rule.
    """
    source, out = Path(source), Path(out)
    if out.exists() and not replace:
        raise ExportError(f"{out}: exists already; choose another folder or pass --replace")
    if out.exists() and not (out / artefacts.FILE_NAME).is_file():
        raise ExportError(f"{out}: is not an artefact, so it is not replaced; choose another folder")
    if door:
        names, checkpoint = door.choose(variant_names), door.checkpoint
    else:
        names = variants_module.DEFAULT if variant_names is None else tuple(variant_names)
        check_names(names, compute_capabilities)
        if convert_pickles:
            convert_pickles_of(source)
        checkpoint = open_checkpoint(source, functools.partial(layout.find, ignored=tuple(ignored_keys)))
    folder_name = name or out.resolve().name
    if recipe_file:
        recipe = reconciled(read_recipe(recipe_file), checkpoint, facts, prefer or preferred(recipe_file))
    else:
        longest = doc_max_length if isinstance(doc_max_length, int) else None
        recipe = recipe_without_file(checkpoint, folder_name, facts, document_length=longest)
    recipe = with_document_length(dataclasses.replace(recipe, name=name or recipe.name), doc_max_length)
    if published and not recipe_file:
        raise ExportError("--published says that the weights are those of a recipe, and there is none; wanted --recipe")
    if recipe.dims and not dims:  # the recipe's, and those asked for on top
        dims = [*recipe.dims, *(heads or ()), *truncate]
    gathered = gather(checkpoint, {**head_beside(recipe, source), **recipe.heads, **(heads or {})}, truncate, dims)
    if not ignore_room and not door:
        require_room_for(checkpoint, gathered, names, vocabulary_bits, out)
    identity = identity_of(checkpoint, gathered, vocabulary_bits) if resume else None
    with folders(out, replace, identity) as made:
        workshop: AnyWorkshop = (
            door.workshop(gathered, made.artefact, made.scratch)
            if door
            else Workshop(
                checkpoint,
                gathered,
                made.artefact,
                _unattended(recipe),
                vocabulary_bits,
                tuple(compute_capabilities),
                journals=made.journals,
            )
        )
        may_miss = door is not None and variant_names is None
        return _write(workshop, recipe, origin, names, made.scratch, published=published, may_miss=may_miss)


def _write(
    workshop: AnyWorkshop,
    recipe: Recipe,
    origin: Source | None,
    names: Sequence[str],
    scratch: Path,
    *,
    published: bool,
    may_miss: bool,
) -> Manifest:
    checkpoint, heads, folder = workshop.checkpoint, workshop.heads, workshop.folder
    with _step("tokenizer and roles"):
        markers = (recipe.query.marker, recipe.document.marker)
        tokenizer, spec = write_tokenizer(
            checkpoint.tokenizer_folder,
            folder,
            markers=markers,
            strip=checkpoint.role_files.is_pylate,
            lowercase=recipe.lowercase or False,
        )
        spec = dataclasses.replace(spec, folding=recipe.folding)
        roles = {
            role: resolve_role(rules, role, tokenizer, spec, checkpoint.architecture)
            for role, rules in (("query", recipe.query), ("document", recipe.document))
        }
    largest_id = tokenizer.get_vocab_size(with_added_tokens=True) - 1
    if largest_id >= checkpoint.architecture.vocabulary:
        raise ExportError(f"token id {largest_id}: the checkpoint has {checkpoint.architecture.vocabulary} rows")
    for role, rules in (("query", recipe.query), ("document", recipe.document)):
        if rules.weights is not None:
            file = write_token_weights(Path(rules.weights), folder, role, checkpoint.architecture.vocabulary)
            roles[role] = dataclasses.replace(roles[role], weights_file=file)
    workshop = workshop.for_roles(roles["query"], roles["document"])
    written: dict[str, Variant] = {}
    for name in names:
        with _step(name):
            written[name] = workshop.write(name)
    with _step("hashes"):
        source = _source(recipe, checkpoint, origin)
        published = published or _are_published(recipe, source)
        space_id = _space_id(checkpoint, heads, folder / spec.file, roles)
        shutil.copy(folder / spec.file, scratch / spec.file)
        whole, spec = spec, without_vocabulary(spec, folder)
        manifest = Manifest(
            format=f"{artefacts.FORMAT[0]}.{artefacts.FORMAT[1]}",
            name=recipe.name,
            aliases=recipe.aliases,
            description=recipe.description,
            licence=recipe.licence,
            source=source,
            space_id=space_id,
            architecture=checkpoint.architecture,
            similarity="cosine",
            heads=tuple(_describe_heads(heads)),
            default_dim=next(iter(heads)),
            tokenizer=spec,
            query=roles["query"],
            document=roles["document"],
            variants=written,
            storage=None,
            golden=tuple(row for row in recipe.golden if published and row.dim in heads),
            golden_scores=tuple(one for one in recipe.scores if published and one.dim in heads),
            cutoffs=_cutoffs(recipe.cutoffs, heads) if published else None,
            files={path.name: _entry(path) for path in sorted(folder.iterdir())},
        )
        manifest = dataclasses.replace(manifest, format=artefacts.needed_format(manifest))
    for name, variant in written.items():
        if variant.precision == "float16":
            with _step(f"{name}, magnitudes"):
                require_room(Artefact(folder, manifest), name, variant)
    with _step("parity, through the runtime"):
        reference = Artefact(folder, manifest)
        if workshop.reference not in written:
            for name in (role.weights_file for role in roles.values() if role.weights_file):
                shutil.copy(folder / name, scratch / name)
            extra = workshop.elsewhere(scratch).write(workshop.reference)
            plain = dataclasses.replace(whole, unigram_file=None)  # parity then counts the light tokenizer, too
            variants = {workshop.reference: extra}
            reference = Artefact(scratch, dataclasses.replace(manifest, variants=variants, tokenizer=plain))
        manifest = measure(Artefact(folder, manifest), reference, workshop.reference, may_miss=may_miss)
    if any(
        name not in manifest.variants or len(manifest.variants[name].graphs) < len(variant.graphs)
        for name, variant in written.items()
    ):
        manifest = _without_files_of_none(manifest, folder)
    artefacts.write_manifest(manifest, folder / artefacts.FILE_NAME)
    return artefacts.read_manifest(folder / artefacts.FILE_NAME)


def _without_files_of_none(manifest: Manifest, folder: Path) -> Manifest:
    """Remove the files that no variant has any more."""
    artefact = Artefact(folder, manifest)
    kept = {
        name
        for variant in manifest.variants.values()
        for graph in variant.graphs
        for name in artefact.files_to_run(variant, graph)
    }
    for name in manifest.files.keys() - kept:
        (folder / name).unlink()
    return dataclasses.replace(manifest, files={name: entry for name, entry in manifest.files.items() if name in kept})


def _entry(path: Path) -> FileEntry:
    size = path.stat().st_size
    parts = tuple(file_sha256(path, part) for part in range(part_count(size)))
    return FileEntry(size_bytes=size, sha256=file_sha256(path), parts_sha256=parts)


def _unattended(recipe: Recipe) -> bool:
    return recipe.query.expand_to_tokens is not None and not recipe.query.attend_to_expansion


def _describe_heads(heads: Mapping[int, Head]) -> Iterator[artefacts.Head]:
    """A head that is the first rows of a wider one is called truncated, wherever it came from."""
    for dim, head in heads.items():
        wider = [d for d, other in heads.items() if head.is_prefix_of(other)]
        cut = head.truncated_from or max(wider, default=None)
        yield artefacts.Head(dim=dim, truncated_from=cut, sha256=head.sha256())


def _cutoffs(cutoffs: Cutoffs | None, heads: Mapping[int, Head]) -> Cutoffs | None:
    """Those of the widths that are exported; None where none is left."""
    rows = () if cutoffs is None else tuple(row for row in cutoffs.rows if row.dim in heads)
    return None if cutoffs is None or not rows else dataclasses.replace(cutoffs, rows=rows)


def _source(recipe: Recipe, checkpoint: Checkpoint, origin: Source | None) -> Source:
    """Where the weights really came from, with hashes.

    A folder is not the hub's because its recipe is: its weights must be those the recipe knows.
    """
    read = [checkpoint.files.folder / "config.json", *checkpoint.files.paths]
    files = {path.name: file_sha256(path) for path in read}
    if origin is None and recipe.source.kind == "hub" and not _weights_of(recipe, files):
        origin = Source(kind="folder", name=checkpoint.folder.resolve().name, revision=None, files={})
    return dataclasses.replace(origin or recipe.source, files={**recipe.source.files, **files})


def _are_published(recipe: Recipe, source: Source) -> bool:
    """Whether these are the weights that the recipe's golden rows and scores were published for."""
    if (source.kind == "hub" and source.name == recipe.source.name) or _weights_of(recipe, source.files):
        return True
    if recipe.golden or recipe.scores or recipe.cutoffs:
        log.info("%s: other weights than those of %s, so no golden rows apply", source.name, recipe.source.name)
    return False


def _weights_of(recipe: Recipe, files: Mapping[str, str]) -> bool:
    known = recipe.source.files.get(WHOLE)
    return known is not None and files.get(WHOLE) == known


def _space_id(checkpoint: Checkpoint, heads: Mapping[int, Head], tokenizer: Path, roles: Mapping[str, Role]) -> str:
    """SHA-256 over backbone (float32), heads by dim, tokenizer.json and role rules: alike for every variant."""
    digest = hashlib.sha256()
    checkpoint.backbone_hash(digest.update)
    for dim in sorted(heads):
        digest.update(f"head {dim} {heads[dim].sha256()}".encode())
    digest.update(f"tokenizer {file_sha256(tokenizer)}".encode())
    for role in sorted(roles):
        rules = dataclasses.asdict(roles[role])
        del rules["recorded_max_tokens"]  # told, not followed
        if not rules["drop_start_rows"]:  # younger than spaces that lack it
            del rules["drop_start_rows"]
        digest.update(json.dumps(rules, sort_keys=True).encode())
    return digest.hexdigest()


@contextmanager
def _step(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    log.info("%s: %.1f s", what, time.perf_counter() - started)
