"""`colibri completion`: what a shell needs to complete commands, options, names of indexes and fields of filters."""

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from colibri.cli.grouped import COMPLETE
from colibri.cli.terminal import echo
from colibri.errors import InputError

SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print a script that completes commands in a shell.")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def completion(ctx: click.Context, shell: str | None) -> None:
    """Print the script that has a shell complete `colibri`: its commands, options, names of indexes, fields of --where.

    Without SHELL it is the one that SHELL says in the environment. A new shell then has it:

    \b
      mkdir -p ~/.local/share/bash-completion/completions
      colibri completion bash > ~/.local/share/bash-completion/completions/colibri
      colibri completion zsh > "${fpath[1]}/_colibri"
      colibri completion fish > ~/.config/fish/completions/colibri.fish
    """
    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    found = get_completion_class(shell) if shell in SHELLS else None
    if found is None:
        raise InputError(f"SHELL is {shell or 'not set'}; name one: {', '.join(SHELLS)}")
    echo(found(ctx.find_root().command, {}, "colibri", COMPLETE).source().strip("\n"))
