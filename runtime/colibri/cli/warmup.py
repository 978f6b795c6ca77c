"""`colibri warmup`: do ahead what the first uses would wait for."""

import time
from pathlib import Path

import click

from colibri.cli.terminal import echo, visible
from colibri.errors import InputError
from colibri.scoring import KINDS, compile_now
from colibri.vectors import Kind


@click.command(short_help="Compile kernels, pack weights ahead.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="Stored rows to score: may be given several times; default: all.",
)
@click.option(
    "--packed",
    is_flag=True,
    help="Pack a model's weights instead: processes of this machine then share them.",
)
@click.option("--model", metavar="NAME|FOLDER|HUB-ID", help="Of --packed; default: the one that comes along.")
@click.option("--variant", metavar="NAME", help="Of --packed; default: the one that would run on the CPU.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Of --packed: where to keep them; default: your cache folder, where every command looks.",
)
def warmup(kinds: tuple[Kind, ...], packed: bool, model: str | None, variant: str | None, cache: Path | None) -> None:
    """Compile the kernels that score stored rows, and leave them in numba's cache for later processes.

    Where kernels were compiled ahead, as in a platform's wheel, there is nothing to do, and it says so. Else NumPy
    answers until a process has scored enough to be worth compiling, which then happens aside. Run it when building a
    container image, as the user and on the processor type that will run it: the cache is beside the package where that
    is writable, else in the user's cache folder, or where NUMBA_CACHE_DIR says.

    With --packed, a model's weights are laid out for this processor and onnxruntime, once, in a file that all processes
    map: the second one takes no memory for them, and each starts sooner. For another processor or onnxruntime, or where
    the file changed, they are not used, and this makes them anew. The folder may be removed at any time.
    """
    if packed:
        if kinds:
            raise click.UsageError("--kind is about kernels; --packed packs weights.")
        _pack(model, variant, cache)
        return
    if model or variant or cache:
        raise click.UsageError("--model, --variant and --cache are for --packed.")
    for kind in kinds or KINDS:
        began = time.perf_counter()
        kernel = compile_now(kind)
        click.echo(f"{kind:<8} {kernel.kernel}, {time.perf_counter() - began:.1f} s, {kernel.cached}")


def _pack(model: str | None, variant: str | None, cache: Path | None) -> None:
    from colibri.artefact import find
    from colibri.encoding import packed_for, prepack
    from colibri.providers import best_choices, cache_place, require_onnxruntime

    if warning := require_onnxruntime():
        echo(visible(warning), err=True)
    artefact = find(model)
    root = cache_place(cache)
    if root is None:
        raise InputError("no home folder is known to keep packed weights in; wanted --cache FOLDER")
    choice = best_choices(artefact.manifest, variant, "cpu").found[0]
    before = packed_for(artefact, choice, root, tell=False).graphs
    began = time.perf_counter()
    try:
        made = prepack(artefact, choice, root)
    except OSError as error:
        why = f"packed weights cannot be kept there ({error.strerror or error})"
        raise InputError(f"{root}: {why}; wanted another --cache FOLDER") from error
    for name, path in made.items():
        size = sum(file.stat().st_size for file in path.parent.iterdir()) / 1e6
        done = "there already" if name in before else f"{time.perf_counter() - began:.1f} s"
        echo(visible(f"{artefact.manifest.name} {name}: {size:.1f} MB packed, {done}, {path.parent}"))
