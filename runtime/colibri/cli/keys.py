"""`colibri keys`: who may use a server."""

from datetime import datetime
from pathlib import Path

import click

from colibri.cli.grouped import Suggesting
from colibri.server import SCOPES, KeyScope, add_key, read_keys, remove_key

_in_file = click.option(
    "--keys-file",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    default=Path("colibri-keys.json"),
    show_default=True,
    help="File of the keys' hashes.",
)


@click.group(cls=Suggesting, short_help="Make and remove keys for `colibri serve`.")
def keys() -> None:
    """Make and remove keys for `colibri serve`. The file holds their hashes; a running server sees every change."""


@keys.command(short_help="Make a key and show it, once.")
@click.argument("name")
@click.option("--requests-per-minute", type=click.IntRange(min=1), help="Default: any number.")
@click.option("--tokens-per-minute", type=click.IntRange(min=1), help="Default: any number.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    help="What it is for: rank (vectors, rerank), search (looking into the index), write (changing it); may be given"
    " several times. Default: all.",
)
@click.option("--last-day", type=click.DateTime(["%Y-%m-%d"]), help="The last day, in UTC, on which it works.")
@_in_file
def add(
    name: str,
    requests_per_minute: int | None,
    tokens_per_minute: int | None,
    scopes: tuple[KeyScope, ...],
    last_day: datetime | None,
    file: Path,
) -> None:
    """Make a key called NAME and print it: it is kept nowhere and cannot be shown again."""
    secret = add_key(
        file,
        name,
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        scopes=scopes or SCOPES,
        last_day=None if last_day is None else last_day.date(),
    )
    click.echo(secret)
    click.echo(f"{name} is in {file}. Send it as  Authorization: Bearer {secret[:12]}...", err=True)


@keys.command("list", short_help="Show what keys there are.")
@_in_file
def list_keys(file: Path) -> None:
    """Show names, limits and when each was made."""
    for key in read_keys(file):
        limits = [
            f"{limit:,} {what} a minute"
            for limit, what in ((key.requests_per_minute, "requests"), (key.tokens_per_minute, "tokens"))
            if limit
        ]
        end = f", {'ended' if key.ended else 'ends'} {key.ends}" if key.ends is not None else ""
        click.echo(
            f"{key.name:<20} {key.created}  {', '.join(limits) or 'no limits'}, for {', '.join(key.scopes)}{end}"
        )


@keys.command(short_help="Take a key away.")
@click.argument("name")
@_in_file
def remove(name: str, file: Path) -> None:
    """Take the key called NAME away: the next request that uses it is refused."""
    remove_key(file, name)
    click.echo(f"{name} is no longer in {file}", err=True)
