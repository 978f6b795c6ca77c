"""Export: checkpoint and recipe to a finished artefact folder, or nothing."""

import dataclasses
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from colibri import manifest as manifest_module
from colibri.artefact import Artefact, file_sha256
from colibri.errors import ExportError
from colibri.manifest import FileEntry, Manifest, Role, Variant
from colibri_export import variants as variants_module
from colibri_export.checkpoint import Checkpoint, open_checkpoint
from colibri_export.folders import partial_folder, scratch_folder
from colibri_export.heads import Head, gather
from colibri_export.recipe import Recipe, read_recipe, recipe_without_file
from colibri_export.roles import resolve_role, write_tokenizer
from colibri_export.variants import REFERENCE, Workshop
from colibri_export.verify import measure
from colibri_export.weights import VocabularyBits

log = logging.getLogger(__name__)


def export(
    source: Path,
    out: Path,
    *,
    recipe_file: Path | None = None,
    heads: Mapping[int, Path] | None = None,
    truncate: Sequence[int] = (),
    dims: Sequence[int] | None = None,
    variant_names: Sequence[str] = variants_module.NAMES,
    vocabulary_bits: VocabularyBits = 4,
    doc_max_length: int | None = None,
    name: str | None = None,
    replace: bool = False,
) -> Manifest:
    """Make the artefact `out` from the Hugging Face folder `source`.

    recipe_file     TOML with name, licence, role rules and heads; None: what the checkpoint itself says
    heads           dim -> safetensors file, or folder of a sibling checkpoint with the same backbone; beside or over
                    those of the recipe and the checkpoint's own
    truncate        widths to make by cutting the next wider head; the manifest calls them truncated
    dims            widths to keep, the first one the default; None: every head, widest first
    variant_names   which variants, in order of preference
    vocabulary_bits of a weight in cpu-int8's vocabulary table: 4, or 8 for twice the size and a sixteenth of the error
    doc_max_length  tokens a document may have, instead of the recipe's
    replace         whether an existing `out` may be replaced

    The folder appears under its name only when every graph has met its tolerance. Raises ExportError otherwise.
    """
    source, out = Path(source), Path(out)
    if out.exists() and not replace:
        raise ExportError(f"{out}: exists already; choose another folder or pass --replace")
    if out.exists() and not (out / manifest_module.FILE_NAME).is_file():
        raise ExportError(f"{out}: is not an artefact, so it is not replaced; choose another folder")
    checkpoint = open_checkpoint(source)
    folder_name = name or out.resolve().name
    recipe = read_recipe(recipe_file) if recipe_file else recipe_without_file(checkpoint, folder_name)
    recipe = dataclasses.replace(recipe, name=name or recipe.name)
    if doc_max_length is not None and doc_max_length != recipe.document.max_tokens:
        recorded = recipe.document.recorded_max_tokens or recipe.document.max_tokens
        document = dataclasses.replace(recipe.document, max_tokens=doc_max_length, recorded_max_tokens=recorded)
        recipe = dataclasses.replace(recipe, document=document)
    known = set(variants_module.NAMES)
    if not variant_names or set(variant_names) - known or len(set(variant_names)) < len(variant_names):
        raise ExportError(
            f"variants {','.join(variant_names)}: wanted some of {', '.join(variants_module.NAMES)}, none twice"
        )
    gathered = gather(checkpoint, {**recipe.heads, **(heads or {})}, truncate, dims)
    with partial_folder(out, replace) as partial, scratch_folder(out) as scratch:
        workshop = Workshop(checkpoint, gathered, partial, _unattended(recipe), vocabulary_bits)
        return _write(workshop, recipe, list(variant_names), scratch)


def _write(workshop: Workshop, recipe: Recipe, names: list[str], scratch: Path) -> Manifest:
    checkpoint, heads, folder = workshop.checkpoint, workshop.heads, workshop.folder
    with _step("tokenizer and roles"):
        tokenizer, spec = write_tokenizer(checkpoint.folder, folder)
        roles = {
            role: resolve_role(rules, role, tokenizer, spec, checkpoint.architecture)
            for role, rules in (("query", recipe.query), ("document", recipe.document))
        }
    largest_id = tokenizer.get_vocab_size(with_added_tokens=True) - 1
    if largest_id >= checkpoint.architecture.vocabulary:
        raise ExportError(f"token id {largest_id}: the checkpoint has {checkpoint.architecture.vocabulary} rows")
    written: dict[str, Variant] = {}
    for name in names:
        with _step(name):
            written[name] = workshop.write(name)
    with _step("hashes"):
        manifest = Manifest(
            format=f"{manifest_module.FORMAT[0]}.{manifest_module.FORMAT[1]}",
            name=recipe.name,
            aliases=recipe.aliases,
            description=recipe.description,
            licence=recipe.licence,
            source=_hashed_source(recipe, checkpoint),
            space_id=_space_id(checkpoint, heads, folder / spec.file, roles),
            architecture=checkpoint.architecture,
            similarity="cosine",
            heads=tuple(_describe_heads(heads)),
            default_dim=next(iter(heads)),
            tokenizer=spec,
            query=roles["query"],
            document=roles["document"],
            variants=written,
            storage=None,
            golden=(),
            files={
                path.name: FileEntry(size_bytes=path.stat().st_size, sha256=file_sha256(path))
                for path in sorted(folder.iterdir())
            },
        )
    with _step("parity, through the runtime"):
        reference = Artefact(folder, manifest)
        if REFERENCE not in written:
            shutil.copy(folder / spec.file, scratch / spec.file)
            extra = dataclasses.replace(workshop, folder=scratch).write(REFERENCE)
            reference = Artefact(scratch, dataclasses.replace(manifest, variants={REFERENCE: extra}))
        manifest = measure(Artefact(folder, manifest), reference, REFERENCE)
    manifest_module.write(manifest, folder / manifest_module.FILE_NAME)
    return manifest_module.read(folder / manifest_module.FILE_NAME)


def _unattended(recipe: Recipe) -> bool:
    return recipe.query.expand_to_tokens is not None and not recipe.query.attend_to_expansion


def _describe_heads(heads: Mapping[int, Head]) -> Iterator[manifest_module.Head]:
    """A head that is the first rows of a wider one is called truncated, wherever it came from."""
    for dim, head in heads.items():
        wider = [d for d, other in heads.items() if head.is_prefix_of(other)]
        cut = head.truncated_from or max(wider, default=None)
        yield manifest_module.Head(dim=dim, truncated_from=cut, sha256=head.sha256())


def _hashed_source(recipe: Recipe, checkpoint: Checkpoint) -> manifest_module.Source:
    read = [checkpoint.files.folder / "config.json", *checkpoint.files.paths]
    files = {path.name: file_sha256(path) for path in read}
    return dataclasses.replace(recipe.source, files={**recipe.source.files, **files})


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
        digest.update(json.dumps(rules, sort_keys=True).encode())
    return digest.hexdigest()


@contextmanager
def _step(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    log.info("%s: %.1f s", what, time.perf_counter() - started)
