"""The `colibri` command. Each subcommand is imported when it is called; other packages add theirs by entry points.

In come a person's words, out go lines, JSON and exit codes. It stands on all wings below, one module a command. Nothing
else imports it, and a command must never compute what a library's user could not have as well.
"""

import contextlib
import gc
import logging
import os
import signal
import sys
import traceback
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from colibri.cli.grouped import COMPLETE, Suggesting
from colibri.cli.terminal import LINES, VisibleLines, echo, echo_error, never_fail, visible
from colibri.errors import ColibriError

if TYPE_CHECKING:
    from importlib import metadata

_OURS = {
    "rerank": "colibri.cli.rank:rerank",
    "index": "colibri.cli.index:index",
    "search": "colibri.cli.search:search",
    "status": "colibri.cli.status:status",
    "encode": "colibri.cli.encode:encode",
    "info": "colibri.cli.about:info",
    "verify": "colibri.cli.verify:verify",
    "doctor": "colibri.cli.doctor:doctor",
    "warmup": "colibri.cli.warmup:warmup",
    "serve": "colibri.cli.serve:serve",
    "ui": "colibri.cli.ui:ui",
    "keys": "colibri.cli.keys:keys",
    "mcp": "colibri.cli.mcp:mcp",
    "qdrant": "colibri.cli.qdrant:qdrant",
    "completion": "colibri.cli.completion:completion",
}
_HEADINGS = {
    "Your files": "index search ui status mcp",
    "Texts": "rerank encode",
    "Serving": "serve keys qdrant",
    "Models": "models info verify export prune bundle build-mini",
    "This machine": "doctor warmup completion",
}
_ENTRY_POINTS = "colibri.commands"


class LazyCommands(Suggesting):
    """Finds commands by name without importing the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Ours in the order a newcomer meets them, then those of other packages."""
        return [*_OURS, *sorted(point.name for point in _entry_points())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None for an unknown name."""
        if cmd_name in _OURS:
            module, _, name = _OURS[cmd_name].partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        for point in _entry_points(name=cmd_name):
            try:
                loaded: click.Command = point.load()
            except (ImportError, AttributeError) as error:  # another package's fault must not take ours along
                echo(visible(f"{cmd_name}: cannot be loaded from {point.value} ({error})"), err=True)
                return None
            return loaded
        return None

    def invoke(self, ctx: click.Context) -> Any:
        """Expected errors become one line on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except ColibriError as error:
            raise click.ClickException(visible(str(error), LINES)) from error


def _entry_points(name: str | None = None) -> "list[metadata.EntryPoint]":
    from importlib import metadata  # its e-mail parser takes 20 ms, which commands of ours do without

    return [point for point in metadata.entry_points(group=_ENTRY_POINTS) if name in {None, point.name}]


@click.group(
    cls=LazyCommands,
    headings=_HEADINGS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="COMMAND --help says more.",
)
@click.version_option(package_name="colibri-edge", prog_name="colibri")
@click.option("-v", "--verbose", is_flag=True, help="Log what is loaded and measured, on stderr.")
def group(verbose: bool) -> None:
    """Late-interaction search without PyTorch: index, search, rank, encode, serve, export.

    \b
    Try:  colibri rerank "how many people live in Berlin?" "Berlin has 3.7 million inhabitants." "Bread is baked."
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(VisibleLines("%(message)s"))
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])
    # It also has a handler of its own, so that each of its warnings would be shown twice.
    logging.getLogger("huggingface_hub").propagate = False


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 an error that is explained, 2 wrong usage, 130 interrupted, 143 terminated."""
    # What Python has loaded so far stays, and what is loaded next is many small objects: to look through them for what
    # nobody holds is a tenth of a short command's time.
    gc.freeze()
    gc.set_threshold(10_000)
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, _stop)
    never_fail()
    code = _run()
    with contextlib.suppress(OSError):  # whoever read our output may be gone
        sys.stdout.flush()
        sys.stderr.flush()
    # Ends without freeing a loaded model (see ModelOptions.load). Nothing of ours is left to do: files are closed and
    # flushed where they are written.
    os._exit(code)


def _stop(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that nothing half-written is left: by default a signal ends Python on the spot."""
    raise SystemExit(128 + number)


def _run() -> int:
    try:
        if COMPLETE in os.environ:
            from colibri.cli.shells import register

            register()
        return group.main(standalone_mode=False, complete_var=COMPLETE) or 0
    except click.exceptions.Abort:  # click's name for Ctrl-C and end of input
        echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        echo_error(error)
        return error.exit_code
    except OSError as error:
        # Commands explain the files they were told of; what is left is our own output, or a full or failing disk.
        place = "standard output" if error.filename is None else error.filename
        echo(visible(f"Error: {place}: {error.strerror or error}"), err=True)
        return 1
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else 1
    except Exception:  # a bug: show where, as Python would
        echo(visible(traceback.format_exc().rstrip("\n"), LINES), err=True)
        return 1
