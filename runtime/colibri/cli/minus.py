"""Words of a query that begin with a minus, which a command line takes for options."""

import click

from colibri.cli.grouped import Grouped


class WithQuery(Grouped):
    """A command whose arguments are a query: what looks like one of its words, and is no option, is refused with what
    to type instead.

    click would say "No such option: -d" to -draft, show help for -holiday, and want a whole number of -kitchen.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does. Raises UsageError."""
        if not ctx.resilient_parsing and (word := self._minus_word(ctx, args)) is not None:
            if ctx.parent and word in _options(ctx.parent):
                first = ctx.parent.command_path
                told = f"{word} stands before the command: {first} {word} {ctx.info_name}"
                raise click.UsageError(told, ctx)
            raise click.UsageError(
                f"no such option: {word}. If it is a word of the query, quote it with one before it ('bird {word}'), "
                f"or put the query behind -- and all options before that: {ctx.command_path} -- {word}",
                ctx,
            )
        return super().parse_args(ctx, args)

    def _minus_word(self, ctx: click.Context, args: list[str]) -> str | None:
        """The first of them before "--"; what an option takes is none."""
        takes = _options(ctx)
        left = iter(args)
        for arg in left:
            if arg == "--":
                return None
            if takes.get(arg):
                next(left, None)
            elif arg.startswith("-") and not arg.startswith("--") and arg != "-" and arg not in takes:
                if takes.get(arg[:2]) and arg[2:].isdecimal():  # -k3
                    continue
                return arg
        return None


def _options(ctx: click.Context) -> dict[str, bool]:
    """Names of a command's options -> whether they take a value."""
    options = [one for one in ctx.command.get_params(ctx) if isinstance(one, click.Option)]
    return {name: not (one.is_flag or one.count) for one in options for name in one.opts}
