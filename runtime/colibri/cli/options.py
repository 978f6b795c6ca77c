"""Options that several commands share, and reading texts."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from colibri.errors import InputError
from colibri.providers import AUTO, NAMES

if TYPE_CHECKING:
    from colibri.model import Colibri

PROGRESS_FROM = 32
"""Texts from which on a bar is shown; fewer are done before it could be read."""

_KEPT: list["Colibri"] = []


F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What a command was told about its model, from the command line to `colibri.load`, which says what each means."""

    model: str | None
    dim: int | None
    variant: str | None
    provider: str
    batch_tokens: int | None
    threads: int | None
    workers: int | None

    def for_little(self) -> "ModelOptions":
        """For a query and few documents: one session, unless workers were asked for. A second one, which runs documents
        side by side, takes 50 ms and 30 MB to load (benchmarks/NOTES.md); both give the same bits."""
        return self if self.workers is not None else replace(self, workers=1)

    def load(self, *, keep: bool = True) -> "Colibri":
        """Load it. keep: until the process ends.

        Freeing a vocabulary of 250,002 pieces one by one takes 0.3 s, a quarter of `colibri rerank`; cli.main ends the
        process without it.
        """
        from colibri.model import load

        loaded = load(
            self.model,
            self.dim,
            self.variant,
            threads=self.threads,
            workers=self.workers,
            provider=self.provider,
            batch_tokens=self.batch_tokens,
        )
        if keep:
            _KEPT.append(loaded)
        return loaded


def provider_option(command: F) -> F:
    """--provider."""
    return click.option(
        "--provider",
        type=click.Choice(NAMES),
        default=AUTO,
        show_default=True,
        help="What runs the model: the best there is, or this one or an error (see `colibri doctor`).",
    )(command)


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a model, which the command gets as one argument, `asked`: ModelOptions."""

    @wraps(command)
    def collected(**given: Any) -> None:
        names = [field.name for field in fields(ModelOptions)]
        command(asked=ModelOptions(**{name: given.pop(name) for name in names}), **given)

    options = [
        provider_option,
        click.option(
            "--model", metavar="NAME|FOLDER|HUB-ID", help="Artefact to use; default: the one that comes along."
        ),
        click.option("--dim", type=int, help="Width of the vectors (see `colibri info`); default: the artefact's."),
        click.option("--variant", metavar="NAME", help="Variant to run; default: the best this machine can."),
        click.option(
            "--batch-tokens",
            type=click.IntRange(min=1),
            help="Texts times tokens run together, where the variant has a mask; default: 8192 on an accelerator.",
        ),
        click.option("--threads", type=click.IntRange(min=1), help="Cores a query may use; default: all."),
        click.option("--workers", type=click.IntRange(min=1), help="Documents encoded at once; default: one a core."),
    ]
    for option in reversed(options):
        collected = option(collected)
    return collected


def read_texts(arguments: tuple[str, ...], file: str | None) -> list[str]:
    """Texts from the arguments, or one a line from a file ("-": stdin). Lines end at \\n, \\r\\n and \\r alone, since
    U+2028, a form feed or U+0085 may stand within a text. Blank lines are left out.

    Raises InputError when there is neither or both, and for a file that is not in UTF-8.
    """
    if file is not None and arguments:
        raise InputError("texts come from the command line or from --file, not both")
    if arguments == ("-",):
        file, arguments = "-", ()
    if file is None:
        if not arguments:
            raise InputError("no texts: give them as arguments, with --file FILE (one a line), or - for stdin")
        return list(arguments)
    name = "stdin" if file == "-" else file
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    if (zero := data.find(0)) >= 0:  # UTF-16 of Latin letters is UTF-8 to a decoder
        raise InputError(f"{name}: found a zero byte, as UTF-16 has them, at byte {zero}; save it as UTF-8")
    lines = [line for line in re.split("\r\n|\n|\r", text) if line.strip()]
    if not lines:
        raise InputError(f"{name}: holds no text")
    return lines
