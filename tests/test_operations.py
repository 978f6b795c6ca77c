"""docs/operations.md has every variable and exit code of the product, and none that is not."""

import ast
import functools
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from colibri import errors
from colibri.cli import LazyCommands, group
from colibri.cli.serve import serve
from colibri.cli.variables import OTHERS
from colibri.errors import ColibriError

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SOURCES = [path for folder in ("runtime", "export") for path in sorted((ROOT / folder).rglob("*.py"))]
_NAME = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|HOME|TMPDIR|LOCALAPPDATA")


def rows(heading: str, table: int = 0) -> list[list[str]]:
    """Cells of a table under a heading, its own heading left out."""
    part = re.split(r"(?m)^## ", PAGE.partition(f"\n## {heading}\n")[2])[0]
    tables = re.findall(r"(?:^\|.*\n)+", part, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in tables[table].splitlines()[2:]]


def names(cells: list[list[str]]) -> list[str]:
    """What stands in backticks in the first column."""
    return [name for row in cells for name in re.findall(r"`([^`]+)`", row[0])]


def variables(tree: ast.AST) -> Iterator[str]:
    """Names that a module gives to os.environ, written there or anywhere else as a constant of that form."""
    for node in ast.walk(tree):
        texts: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if owner.endswith("environ") or ast.unparse(node.func).endswith("getenv"):
                texts = node.args[:1]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            texts = [node.slice]
        elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]).endswith("environ"):
            texts = [node.left]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(_ANYWHERE):
            texts = [node]
        elif isinstance(node, ast.Tuple | ast.Dict):  # environ.get(variable), of a table
            texts = [one for one in ast.walk(node) if isinstance(one, ast.Constant) and one.value in _OF_TABLES]
        yield from (one.value for one in texts if isinstance(one, ast.Constant) and isinstance(one.value, str))


_ANYWHERE = ("COLIBRI_", "QDRANT_")
_OF_TABLES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA")


@functools.cache
def read_by_the_code() -> set[str]:
    found = {name for path in SOURCES for name in variables(ast.parse(path.read_text(encoding="utf-8")))}
    return {name for name in found if _NAME.fullmatch(name)}


def test_every_option_of_serve_is_there_with_its_variable() -> None:
    options = [one for one in serve.params if isinstance(one, click.Option)]
    wanted = [(str(one.envvar), one.opts[0]) for one in options]
    assert [(names([row])[0], row[1].strip("`")) for row in rows("Options of `colibri serve`")] == wanted


def test_every_variable_that_the_code_reads_is_there_and_no_other() -> None:
    assert set(names(rows("Other variables"))) == read_by_the_code()


def test_the_code_is_searched_in_all_ways() -> None:
    text = "os.environ.get('A_A'); os.environ['B_B']; 'C_C' in os.environ; os.getenv('D_D'); x = 'COLIBRI_E'; "
    text += "environ.pop('F_F')"
    assert set(variables(ast.parse(text))) == {"A_A", "B_B", "C_C", "D_D", "COLIBRI_E", "F_F"}


def test_serve_knows_which_of_them_are_ours() -> None:
    """So that it does not call them unknown."""
    assert set(OTHERS) == {name for name in read_by_the_code() if name.startswith("COLIBRI_")}


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("HF_ENDPOINT", "huggingface_hub.constants"),
        ("HF_HUB_OFFLINE", "huggingface_hub.constants"),
        ("NUMBA_CACHE_DIR", "numba.core.config"),
        ("HOME", "posixpath"),
        ("TMPDIR", "tempfile"),
    ],
)
def test_what_others_read_they_read(name: str, module: str) -> None:
    source = Path(str(import_module(module).__file__)).read_text(encoding="utf-8")
    assert name in source or name.partition("_")[2] in source  # numba puts its prefix before
    assert name in names(rows("Other variables", 1))


def test_variables_named_elsewhere_in_the_docs_are_on_the_page() -> None:
    images = [file for file in (ROOT / "docker").iterdir() if file.is_file()]
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *images]
    named = {name for page in pages for name in re.findall(r"\bCOLIBRI_[A-Z_]+[A-Z]\b", page.read_text("utf-8"))}
    assert named - set(re.findall(r"COLIBRI_[A-Z_]+", PAGE)) == set()


def exits(tree: ast.AST) -> Iterator[int]:
    """Codes that a module ends the process with, as numbers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sys.exit", "SystemExit", "exit", "ctx.exit"}:
            yield from (one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, int))
        if isinstance(node, ast.FunctionDef) and node.name == "_run":
            returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
            constants = [one for value in returned if value for one in ast.walk(value)]
            yield from (one.value for one in constants if isinstance(one, ast.Constant) and isinstance(one.value, int))


def test_every_exit_code_is_there_and_no_other() -> None:
    commands = [*(ROOT / "runtime/colibri/cli").glob("*.py"), *(ROOT / "export/colibri_export").glob("*command.py")]
    found = {code for path in commands for code in exits(ast.parse(path.read_text(encoding="utf-8")))}
    found |= {click.UsageError.exit_code, click.ClickException.exit_code}
    found |= {128 + signal.SIGTERM, 128 + getattr(signal, "SIGHUP", 1)}  # cli._stop
    assert {int(row[0]) for row in rows("Exit codes")} == found


def test_every_command_is_there() -> None:
    wanted = [f"colibri {name}" for name in group.list_commands(click.Context(group))]
    assert sorted(names(rows("Exit codes", 1))) == sorted(wanted)


def kinds(module: ModuleType) -> list[type[ColibriError]]:
    classes = [value for value in vars(module).values() if isinstance(value, type)]
    return [one for one in classes if issubclass(one, ColibriError) and one is not ColibriError]


def test_every_error_is_there_with_its_builtin() -> None:
    said = {names([row])[0]: row[1].strip("`") for row in rows("Exit codes", 2)}
    assert set(said) == {one.__name__ for one in kinds(errors)}
    for one in kinds(errors):
        builtins = [base.__name__ for base in one.__mro__ if base.__module__ == "builtins"]
        assert said[one.__name__] in builtins, one


@pytest.mark.parametrize("kind", kinds(errors))
def test_any_of_them_ends_a_command_with_1_and_one_line(kind: type[ColibriError]) -> None:
    class One(LazyCommands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            @click.command()
            def fails() -> None:
                raise kind("something is wrong")

            return fails

    done = CliRunner().invoke(One(name="colibri"), ["fails"])
    assert (done.exit_code, done.stderr) == (1, "Error: something is wrong\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise on Windows")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_signals_end_a_command_with_their_codes(name: str) -> None:
    number = getattr(signal, name)
    words = [
        "encode",
        *(str(i) for i in range(2000)),
        "--model",
        str(ROOT / "tests" / "artefacts" / "tiny-random-xlmr"),
    ]
    # The tests' own signals may be ignored, Ctrl-C as shells do with what runs aside and a hang-up under nohup.
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    code += "import colibri.cli as c; sys.argv = ['colibri', *sys.argv[1:]]; c.main()"
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # far more will come than a pipe takes, so it is in the middle of it
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert b"Traceback" not in told
