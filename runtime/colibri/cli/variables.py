"""Options that the environment sets as well, for services and containers, whose command lines are somebody else's."""

import difflib
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

# What Kubernetes gives to every container beside a Service: the address of one that is called colibri-serve arrives as
# COLIBRI_SERVE_PORT=tcp://10.0.0.1:8080, that of one called colibri as COLIBRI_PORT.
_SERVICE_LINK = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$", re.ASCII)
_KEY = re.compile(r"colibri_[\w-]{30,}", re.ASCII)
_ADDRESS = re.compile(r"(tcp|udp|sctp)://", re.ASCII)

_ENVIRONMENT = ParameterSource.ENVIRONMENT

OTHERS = (
    "COLIBRI_ALIAS",
    "COLIBRI_CONFIG",
    "COLIBRI_FILES_FOLLOW",
    "COLIBRI_FILES_ROOM",
    "COLIBRI_INDEX",
    "COLIBRI_KERNEL",
    "COLIBRI_KERNEL_LIBRARIES",
    "COLIBRI_MODELS",
    "COLIBRI_STORES_EDGE",
)
"""Variables of ours that no option is behind: docs/operations.md says what each does."""


class Words(click.types.StringParamType):
    """A text of which an option may have several. In a variable they are separated by blanks or commas; what has such
    in its name stands in quotes."""

    def split_envvar_value(self, rv: str) -> tuple[str, ...]:
        """The words of a variable. Raises BadParameter for a quote that does not end."""
        lexer = shlex.shlex(rv, posix=True, punctuation_chars="")
        lexer.whitespace += ","
        lexer.whitespace_split = True
        lexer.commenters = lexer.escape = ""  # C:\models is a folder
        try:
            return tuple(lexer)
        except ValueError as error:
            raise click.BadParameter(
                f"{rv!r} has a quote that does not end; wanted words like one, 'the other'"
            ) from error


class KeysFile(click.Path):
    """A file of keys. A key that somebody put in its place is refused, and not repeated where others may read it."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        if _KEY.fullmatch(str(value)):
            self.fail("this is a key itself, and wanted is the file that `colibri keys add` made", param, ctx)
        return super().convert(value, param, ctx)


class BadVariable(click.BadParameter):
    """What a variable of the environment says cannot be."""


class FromEnvironment(click.Command):
    """A command whose every option has a variable: `--max-texts` of `colibri serve` is COLIBRI_SERVE_MAX_TEXTS.

    What stands on the command line wins, and an empty variable is none. Options that may be given several times are
    lists (`Words`), flags are 1 or 0, true or false, yes or no, on or off.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        for option in self._options():
            option.envvar = variable_of(str(self.name), option)
            option.show_envvar = True
            if option.multiple and isinstance(option.type, click.types.StringParamType):
                option.type = Words()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; a value that came from a variable is blamed on that."""
        try:
            rest = super().parse_args(ctx, args)
            for option in self._options():
                # click 8.2.0 and 8.2.1 take a flag for on when its variable says 0, --without-keys among them.
                if option.is_flag and _from_environment(ctx, option):
                    said = os.environ[str(option.envvar)]
                    ctx.params[str(option.name)] = click.BOOL.convert(said, option, ctx)
            return rest
        except click.BadParameter as error:
            blamed = error.param
            # Where splitting a variable fails, click has not yet noted where the value is from.
            if isinstance(blamed, click.Option) and ctx.get_parameter_source(str(blamed.name)) in {_ENVIRONMENT, None}:
                message = error.message
                if _ADDRESS.match(os.environ.get(str(blamed.envvar), "")):
                    message += (
                        " Kubernetes sets it for a Service of that name: enableServiceLinks: false keeps it from that,"
                        " or give the Service another name."
                    )
                self.refuse(BadVariable(message, ctx, blamed, f"the variable {blamed.envvar}"), error)
            raise

    def refuse(self, error: BadVariable, cause: BaseException) -> NoReturn:
        """A variable that cannot be. Whoever sets one may read what comes of it elsewhere than on a terminal."""
        raise error from cause

    def strangers(self) -> Iterator[str]:
        """A line for each variable of the environment that looks like one of ours and is none: nothing obeys it."""
        known = [*OTHERS, *(str(option.envvar) for option in self._options())]
        for name in sorted(os.environ):
            if name.startswith("COLIBRI_") and name not in known and not _SERVICE_LINK.search(name):
                close = difflib.get_close_matches(name, known, 1, 0.5)
                yield f"{name} is set, and no such variable is known{f'; {close[0]} is' if close else ''}"

    def obeyed(self, ctx: click.Context) -> list[str]:
        """The variables that options got their values from."""
        return [str(one.envvar) for one in self._options() if _from_environment(ctx, one)]

    def _options(self) -> list[click.Option]:
        return [one for one in self.params if isinstance(one, click.Option)]


def variable_of(command: str, option: click.Option) -> str:
    """The variable of an option."""
    long = next(word for word in option.opts if word.startswith("--"))
    return f"COLIBRI_{command}_{long[2:]}".upper().replace("-", "_")


def said_by(option: str) -> str:
    """What gave a value to an option of the command that runs: its variable, or itself. option: the name in Python."""
    context = click.get_current_context()
    found = next(one for one in context.command.params if one.name == option)
    return str(found.envvar) if _from_environment(context, found) else found.opts[0]


def _from_environment(ctx: click.Context, option: click.Parameter) -> bool:
    return ctx.get_parameter_source(str(option.name)) is _ENVIRONMENT
