"""Export: checkpoint and recipe to a finished artefact folder, or nothing."""

import dataclasses
import hashlib
import json
import logging
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from colibri import manifest as manifest_module
from colibri.artefact import Artefact, file_sha256
from colibri.errors import ExportError
from colibri.manifest import FileEntry, Head, Manifest, Role, Variant
from colibri_export import variants as variants_module
from colibri_export.checkpoint import Checkpoint, Floats, head_hash, open_checkpoint, read_head
from colibri_export.recipe import Recipe, read_recipe, recipe_without_file
from colibri_export.roles import resolve_role, write_tokenizer
from colibri_export.variants import REFERENCE, Workshop
from colibri_export.verify import measure

log = logging.getLogger(__name__)


def export(
    source: Path,
    out: Path,
    *,
    recipe_file: Path | None = None,
    heads: Mapping[int, Path] | None = None,
    dims: Sequence[int] | None = None,
    variant_names: Sequence[str] = variants_module.NAMES,
    doc_max_length: int | None = None,
    name: str | None = None,
    replace: bool = False,
) -> Manifest:
    """Make the artefact `out` from the Hugging Face folder `source`.

    recipe_file     TOML with name, licence, role rules and heads; None: what the checkpoint itself says
    heads           dim -> safetensors file, beside or over those of the recipe and the checkpoint's linear.weight
    dims            widths to keep, the first one the default; None: every head, widest first
    variant_names   which variants, in order of preference
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
    matrices = _heads(checkpoint, {**recipe.heads, **(heads or {})}, dims)
    with _partial_folder(out, replace) as partial, _scratch_folder(out) as scratch:
        return _write(checkpoint, recipe, matrices, list(variant_names), partial, scratch)


def _write(
    checkpoint: Checkpoint, recipe: Recipe, heads: dict[int, Floats], names: list[str], folder: Path, scratch: Path
) -> Manifest:
    with _step("tokenizer and roles"):
        tokenizer, spec = write_tokenizer(checkpoint.folder, folder)
        roles = {
            role: resolve_role(rules, role, tokenizer, spec, checkpoint.architecture)
            for role, rules in (("query", recipe.query), ("document", recipe.document))
        }
    largest_id = tokenizer.get_vocab_size(with_added_tokens=True) - 1
    if largest_id >= checkpoint.architecture.vocabulary:
        raise ExportError(f"token id {largest_id}: the checkpoint has {checkpoint.architecture.vocabulary} rows")
    expansion = roles["query"].expansion
    unattended = expansion is not None and not expansion.attended
    workshop = Workshop(checkpoint, heads, folder, unattended)
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
            extra = Workshop(checkpoint, heads, scratch, unattended).write(REFERENCE)
            reference = Artefact(scratch, dataclasses.replace(manifest, variants={REFERENCE: extra}))
        manifest = measure(Artefact(folder, manifest), reference, REFERENCE)
    manifest_module.write(manifest, folder / manifest_module.FILE_NAME)
    return manifest_module.read(folder / manifest_module.FILE_NAME)


def _heads(checkpoint: Checkpoint, files: Mapping[int, Path], dims: Sequence[int] | None) -> dict[int, Floats]:
    """Dim -> matrix (dim, hidden), the default dim first. A dim without a head is refused, never truncated."""
    hidden = checkpoint.architecture.hidden
    own = checkpoint.linear_head()
    available = {*files, *([] if own is None else [len(own)])}
    if not available:
        raise ExportError(
            f"{checkpoint.folder}: no head: no linear.weight, and none given (--head DIM=FILE or a recipe)"
        )
    wanted = list(dims) if dims else sorted(available, reverse=True)
    missing = [dim for dim in wanted if dim not in available]
    if missing:
        there = ", ".join(map(str, sorted(available)))
        raise ExportError(f"no head for dim {', '.join(map(str, missing))}; there is {there}")
    heads = {}
    for dim in dict.fromkeys(wanted):
        matrix = read_head(files[dim], dim, hidden) if dim in files else own
        if matrix is None or matrix.shape != (dim, hidden) or not np.isfinite(matrix).all():
            found = None if matrix is None else matrix.shape
            raise ExportError(f"head {dim}: {found}, wanted ({dim}, {hidden}) of finite numbers")
        heads[dim] = matrix
    return heads


def _describe_heads(heads: Mapping[int, Floats]) -> Iterator[Head]:
    """A head that is the first rows of a wider one is called truncated, wherever it came from."""
    for dim, matrix in heads.items():
        wider = [d for d, m in heads.items() if d > dim and np.array_equal(m[:dim], matrix)]
        yield Head(dim=dim, truncated_from=max(wider, default=None), sha256=head_hash(matrix))


def _hashed_source(recipe: Recipe, checkpoint: Checkpoint) -> manifest_module.Source:
    files = {name: file_sha256(checkpoint.folder / name) for name in ("config.json", "model.safetensors")}
    return dataclasses.replace(recipe.source, files={**recipe.source.files, **files})


def _space_id(checkpoint: Checkpoint, heads: Mapping[int, Floats], tokenizer: Path, roles: Mapping[str, Role]) -> str:
    """SHA-256 over backbone (float32), heads by dim, tokenizer.json and role rules: alike for every variant."""
    digest = hashlib.sha256()
    checkpoint.backbone_hash(digest.update)
    for dim in sorted(heads):
        digest.update(f"head {dim} {head_hash(heads[dim])}".encode())
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


@contextmanager
def _partial_folder(out: Path, replace: bool) -> Iterator[Path]:
    """A folder beside `out` that takes its name when the block succeeds and is gone when it does not."""
    # Not the process id: in containers it is the same every time, and a killed export may have left its folder.
    token = secrets.token_hex(4)
    partial = out.with_name(f".{out.name}.{token}.partial")
    old = out.with_name(f".{out.name}.{token}.old")
    parents = [parent for parent in out.parents if not parent.exists()]
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise ExportError(f"{partial}: cannot be made ({error.strerror})") from error
    try:
        yield partial
        if out.exists():
            if not replace:
                raise ExportError(f"{out}: appeared while exporting; nothing was changed")
            out.rename(old)
        partial.rename(out)
    except OSError as error:
        raise ExportError(f"{out}: {error.strerror or error}; nothing was left behind") from error
    finally:
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        if not out.exists():
            for parent in parents:
                with suppress(OSError):  # not empty: somebody else uses it by now
                    parent.rmdir()


@contextmanager
def _scratch_folder(out: Path) -> Iterator[Path]:
    scratch = out.with_name(f".{out.name}.{secrets.token_hex(4)}.scratch")
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
