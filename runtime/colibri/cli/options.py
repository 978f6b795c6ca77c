"""Options that several commands share, and reading texts."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from colibri.errors import InputError
from colibri.providers.known import AUTO, NAMES

if TYPE_CHECKING:
    from colibri.model import Colibri

PROGRESS_FROM = 32
"""Texts from which on a bar is shown; fewer are done before it could be read."""

_KEPT: list["Colibri"] = []
_PROVIDER, _BATCH = "colibri.provider", "colibri.batch_tokens"  # in a click context's meta

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

F = TypeVar("F", bound=Callable[..., Any])


def provider_option(command: F) -> F:
    """--provider, for `asked_provider` to read."""

    def keep(ctx: click.Context, _: click.Parameter, value: str) -> None:
        ctx.meta[_PROVIDER] = value

    return click.option(
        "--provider",
        type=click.Choice(NAMES),
        default=AUTO,
        show_default=True,
        expose_value=False,
        callback=keep,
        help="What runs the model: the best there is, or this one or an error (see `colibri doctor`).",
    )(command)


def asked_provider() -> str:
    """What --provider says in the command that runs."""
    provider: str = click.get_current_context().meta.get(_PROVIDER, AUTO)
    return provider


def model_options(command: F) -> F:
    """--model, --dim, --variant, --threads, --workers; and --provider, --batch-tokens, which `load_model` reads."""

    def keep_batch(ctx: click.Context, _: click.Parameter, value: int | None) -> None:
        ctx.meta[_BATCH] = value

    options = [
        provider_option,
        click.option(
            "--model", metavar="NAME|FOLDER|HUB-ID", help="Artefact to use; default: the one that comes along."
        ),
        click.option("--dim", type=int, help="Width of the vectors (see `colibri info`); default: the artefact's."),
        click.option("--variant", help="Variant to run; default: the best this machine can."),
        click.option(
            "--batch-tokens",
            type=click.IntRange(min=1),
            expose_value=False,
            callback=keep_batch,
            help="Texts times tokens run together, where the variant has a mask; default: 8192 on an accelerator.",
        ),
        click.option("--threads", type=click.IntRange(min=1), help="Cores a query may use; default: all."),
        click.option("--workers", type=click.IntRange(min=1), help="Documents encoded at once; default: one a core."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def load_model(
    model: str | None, dim: int | None, variant: str | None, threads: int | None, workers: int | None
) -> "Colibri":
    """Load what the options ask for, and keep it until the process ends.

    Freeing a vocabulary of 250,002 pieces one by one takes 0.3 s, a quarter of `colibri rerank`; cli.main ends the
    process without it.
    """
    from colibri.model import load

    batch_tokens = click.get_current_context().meta.get(_BATCH)
    loaded = load(
        model,
        dim,
        variant,
        threads=threads,
        workers=workers,
        provider=asked_provider(),
        batch_tokens=batch_tokens,
    )
    _KEPT.append(loaded)
    return loaded


def read_texts(arguments: tuple[str, ...], file: str | None) -> list[str]:
    """Texts from the arguments, or one a line from a file ("-": stdin). Blank lines are left out.

    Raises InputError when there is neither or both.
    """
    if file is not None and arguments:
        raise InputError("texts come from the command line or from --file, not both")
    if arguments == ("-",):
        file, arguments = "-", ()
    if file is None:
        if not arguments:
            raise InputError("no texts: give them as arguments, with --file FILE (one a line), or - for stdin")
        return list(arguments)
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{'stdin' if file == '-' else file}: holds no text")
    return lines


def printable(text: str) -> str:
    """Without what would move a terminal's cursor or change its colours: a file may hold anything, its name too."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", " ").replace("\x0c", " ")
    return _CONTROLS.sub("\ufffd", text)
