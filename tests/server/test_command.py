"""`colibri serve` without its extra, and what other commands do not load because of it."""

import subprocess
import sys

import pytest

from colibri.machine import install_command
from live_server import BERT, XLMR, LiveServer

PACKAGES = ("msgspec", "orjson", "prometheus_client", "starlette", "uvicorn")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_named_with_what_brings_it(package: str) -> None:
    absent = f"import sys; sys.modules[{package!r}] = None; sys.argv = ['colibri', 'serve']; "
    done = run(absent + "import colibri.cli as c; c.main()")
    assert done.returncode == 1
    assert done.stderr.strip() == f"Error: no {package} (colibri-edge[server]): {install_command('server')}"


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["keys", "list", "--help"], ["rerank", "--help"]])
def test_help_loads_nothing_of_the_server(words: list[str]) -> None:
    """The command ends by os._exit, which tells here what there is."""
    code = "import os, sys; end = os._exit\n"
    code += f"def tell(code): print([p for p in {PACKAGES!r} if p in sys.modules], flush=True); end(code)\n"
    code += f"os._exit = tell; sys.argv = ['colibri', *{words!r}]; import colibri.cli as c; c.main()"
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_each_model_is_told_once(server: LiveServer) -> None:
    for name in (BERT, XLMR):
        assert len([line for line in server.logged() if line["message"].startswith(f"{name}: cpu-")]) == 1


def test_a_licence_that_nobody_recorded_is_said_and_is_no_prohibition(server: LiveServer) -> None:
    messages = [line["message"] for line in server.logged()]
    for name in (BERT, XLMR):
        assert f"{name}: licence unknown. No licence was recorded at export; see the source." in messages
    assert not any("ommercial" in message for message in messages)


def test_a_wrong_number_is_wrong_usage() -> None:
    for words in (["--port", "70000"], ["--queue", "0"], ["--workers", "x"], ["--provider", "abacus"]):
        command = [sys.executable, "-m", "colibri", "serve", *words]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 2
