"""`colibri warmup`: compile the scoring kernels ahead of their use."""

import time

import click

from colibri.scoring import KINDS, compile_now
from colibri.vectors import Kind


@click.command(short_help="Compile the scoring kernels ahead.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="Stored rows to score: may be given several times; default: all.",
)
def warmup(kinds: tuple[Kind, ...]) -> None:
    """Compile the kernels that score stored rows, and leave them in numba's cache for later processes.

    Where kernels were compiled ahead, as in a platform's wheel, there is nothing to do, and it says so. Else NumPy
    answers until a process has scored enough to be worth compiling, which then happens aside. Run it when building a
    container image, as the user and on the processor type that will run it: the cache is beside the package where that
    is writable, else in the user's cache folder, or where NUMBA_CACHE_DIR says.
    """
    for kind in kinds or KINDS:
        began = time.perf_counter()
        kernel = compile_now(kind)
        click.echo(f"{kind:<8} {kernel.kernel}, {time.perf_counter() - began:.1f} s, {kernel.cached}")
