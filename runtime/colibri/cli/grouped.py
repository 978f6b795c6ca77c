"""Help in groups, the options that people need first before all others; and what somebody may have meant."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from colibri.own import nearest

COMPLETE = "_COLIBRI_COMPLETE"
"""The variable by which a shell's script (`colibri completion`) asks `colibri` itself; click's name for it."""

MODEL = {
    "The model": ("--model", "--dim", "--variant", "--provider", "--batch-tokens", "--threads", "--workers"),
}
"""The group of `model_options`."""

_SYNONYMS = {
    "add": "index", "ask": "search", "completions": "completion", "find": "search", "grep": "search", "list": "status",
    "ls": "status", "query": "search", "server": "serve", "stats": "status", "sync": "index", "watch": "index",
}  # fmt: skip


class Grouped(click.Command):
    """A command whose help shows its options in groups.

    groups  heading -> options by a name of theirs; those that a command has not are passed over
    rest    heading of the others, --help among them
    """

    def __init__(
        self, *given: Any, groups: Mapping[str, Sequence[str]] | None = None, rest: str = "Options", **options: Any
    ) -> None:
        super().__init__(*given, **options)
        self._groups = dict(groups or {})
        self._rest = rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, group by group: the others' first if they are the options proper, else last."""
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        left = [(one, record) for one in options if (record := one.get_help_record(ctx)) is not None]
        parts: list[tuple[str, list[tuple[str, str]]]] = []
        for heading, names in self._groups.items():
            order = {name: place for place, name in enumerate(names)}
            own = [entry for entry in left if order.keys() & {*entry[0].opts, *entry[0].secondary_opts}]
            left = [entry for entry in left if entry not in own]
            own.sort(key=lambda entry: min(order.get(name, len(order)) for name in entry[0].opts))
            parts.append((heading, [record for _, record in own]))
        rest = (self._rest, [record for _, record in left])
        for heading, records in [rest, *parts] if self._rest == "Options" else [*parts, rest]:
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


class Suggesting(click.Group):
    """Commands of which an unknown one is answered with the nearest.

    headings  heading -> commands, separated by blanks, under which help lists them; others are under "Commands"
    """

    def __init__(self, *given: Any, headings: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(*given, **options)
        self._headings = headings or {}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, under headings."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        known = {name: one for name, one in found.items() if one is not None and not one.hidden}
        widest = max(map(len, known), default=0)
        headed = {name: heading for heading, names in self._headings.items() for name in names.split()}
        for heading in (*self._headings, "Commands"):
            own = [name for name in known if headed.get(name, "Commands") == heading]
            limit = formatter.width - 6 - widest
            if own:
                with formatter.section(heading):
                    formatter.write_dl([(f"{name:<{widest}}", known[name].get_short_help_str(limit)) for name in own])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, which suggests from 8.4 on, and nothing for commands that are loaded when they are called."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            known = self.list_commands(ctx)
            meant = _SYNONYMS.get(name)
            close = meant if meant in known else nearest(name, known)
            ctx.fail(f"No such command {name!r}.{f' Did you mean {close!r}?' if close else ''}")
        return super().resolve_command(ctx, args)
