"""What click's completion lacks: values behind an equals sign, and in bash words that need quoting.

bash breaks words at `=`, and replaces what stands behind the last one; zsh and fish replace the whole word.
"""

import os
import re

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
)

_TO_QUOTE = re.compile(r"([^\w@%+=:,./-])")


class _Bash(BashComplete):
    _before = ""  # of the word at hand, which bash keeps

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        if incomplete == "=":
            args, incomplete = [*args, "="], ""
        while len(args) > 1 and args[-1] == "=":
            if args[-2].startswith("-"):  # --mode=words
                return args[:-1], self._before + incomplete
            self._before = f"{args[-2]}={self._before}"
            args = args[:-2]
        return args, self._before + incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        found = super().get_completions(args, incomplete)
        for one in found:
            if one.type == "plain":
                one.value = _quoted(str(one.value).removeprefix(self._before))
        return found


def _quoted(value: str) -> str:
    """Unless it is begun in quotation marks. Each backslash twice, since click's script reads it once more."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    here = words[int(os.environ.get("COMP_CWORD", "-1"))] if words else ""
    return value if here[:1] in {'"', "'"} else _TO_QUOTE.sub(r"\\\\\1", value)


def _whole(found: list[CompletionItem], incomplete: str) -> list[CompletionItem]:
    """With `--mode=` before what completes `--mode=w`."""
    name, equals, _ = incomplete.partition("=")
    if equals and name.startswith("-"):
        for one in found:
            if one.type == "plain" and not str(one.value).startswith(f"{name}="):
                one.value = f"{name}={one.value}"
    return found


class _Zsh(ZshComplete):
    # From a folder of fpath the file is itself the function, which zsh loads once: click's script would only register
    # another one at the second completion of a session, and complete nothing.
    source_template = ZshComplete.source_template.replace("== loadautofunc ", "== *func ")

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return _whole(super().get_completions(args, incomplete), incomplete)


class _Fish(FishComplete):
    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return _whole(super().get_completions(args, incomplete), incomplete)


def register() -> None:
    """Have click use these."""
    for one in (_Bash, _Zsh, _Fish):
        add_completion_class(one)
