"""What README and docs tell a reader to type: Python that runs, and commands that the parser knows.

`run.py check` has mypy look at the same blocks of Python.
"""

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from colibri.cli import group

ROOT = Path(__file__).parents[1]


def loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


docs = loaded(ROOT / "docs" / "blocks.py")
BLOCKS = {f"{block.page.name}:{block.line}": block for page in docs.pages() for block in docs.blocks(page)}
SHELL_PAGES = [*docs.pages(), *(ROOT / page for page in ("CONTRIBUTING.md", "benchmarks/README.md"))]


@pytest.mark.parametrize("place", BLOCKS)
def test_python_in_the_docs_runs(place: str, tmp_path: Path) -> None:
    block = BLOCKS[place]
    if block.why_not_run:
        pytest.skip(f"marked in its page: {block.why_not_run}")
    done = subprocess.run([sys.executable, "-c", block.code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_block_that_is_not_run_says_why() -> None:
    words = [block.why_not_run.split() for block in BLOCKS.values() if block.why_not_run]
    assert [said for said in words if len(said) < 2] == []
    assert len(words) < len(BLOCKS) / 2


def test_blocks_are_found_wherever_they_stand(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n```python\nx = 1\n```\n- b\n  ~~~py needs a server\n  y = '```'\n  ~~~\n```bash\nls\n```\n")
    found = [(one.line, one.code, one.why_not_run) for one in docs.blocks(page)]
    assert found == [(3, "x = 1\n", ""), (7, "y = '```'\n", "needs a server")]
    page.write_text("```python\nx\n")
    with pytest.raises(ValueError, match=r"page.md:1: the block does not end"):
        list(docs.blocks(page))


def shell_lines(text: str) -> Iterator[str]:
    """Of indented blocks and of fenced ones, and what stands in backticks; lines that go on are joined."""
    text = text.replace("\\\n", " ")
    yield from re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)
    for fenced in re.findall(r"^```(?:bash|sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from fenced.splitlines()
    yield from re.findall(r"`([^`\n]+)`", text)


def commands(text: str) -> Iterator[list[str]]:
    """The words after `colibri` of each command in a text. `colibri x | --y` is a synopsis: the one, or the other."""
    for line in shell_lines(text):
        try:
            lexer = shlex.shlex(line.replace("...", "ELLIPSIS"), posix=True, punctuation_chars=";&|")
            lexer.whitespace_split, lexer.commenters = True, "#"
            words = list(lexer)
        except ValueError:  # JSON over several lines, an apostrophe in prose
            continue
        start: list[str] = []
        while words:
            end = next((i for i, word in enumerate(words) if set(word) <= set(";&|")), len(words))
            part, words = words[:end], words[end + 1 :]
            if part[:1] == ["colibri"] and len(part) > 1:
                start = part[1:2]
                yield part[1:]
            elif start and part[:1] and part[0].startswith("--"):
                yield [*start, *part]
            else:
                start = []


FOUND = [(page.name, words) for page in SHELL_PAGES for words in commands(page.read_text(encoding="utf-8"))]


def parsed(words: list[str]) -> None:
    """As far as the command's own parser goes, and each value by its type. Raises click.UsageError."""
    command: click.Command = group
    context = click.Context(group, info_name="colibri", **group.context_settings)
    while isinstance(command, click.Group):
        if not words or words[0].startswith("-") or words[0].isupper():  # COMMAND stands for one
            break
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, info_name=found.name, parent=context)
    given, _, _ = command.make_parser(context).parse_args(list(words))
    for option in command.params:
        value = given.get(str(option.name))
        if isinstance(option, click.Option) and value is not None and not option.is_flag:
            for one in value if option.multiple else [value]:
                if not re.fullmatch(r"[A-Z|-]+|ELLIPSIS", str(one)):  # FILE stands for one
                    option.type.convert(one, option, context)


@pytest.mark.parametrize("place", range(len(FOUND)), ids=[f"{page}: {' '.join(words)}" for page, words in FOUND])
def test_commands_in_the_docs_are_known_to_the_parser(place: int) -> None:
    parsed(FOUND[place][1])


def test_commands_are_found_in_all_their_forms() -> None:
    text = "    colibri a b; colibri c --d 1   # e\n    x && colibri f | --g\n"
    text += "```bash\ncolibri h \\\n  --i\n```\n`colibri j`\n"
    assert list(commands(text)) == [["a", "b"], ["c", "--d", "1"], ["f"], ["f", "--g"], ["h", "--i"], ["j"]]
    assert len(FOUND) > 40


@pytest.mark.parametrize(
    "words", ["no-such", "serve --prot 1", "search --k x q", "keys add a --scope cook", "index -k"]
)
def test_a_command_that_is_none_would_be_found(words: str) -> None:
    with pytest.raises(click.UsageError):
        parsed(words.split())
