"""docs/server.md: its commands are run as they stand there, against a server that was started as it says."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from live_server import LiveServer

PAGE = Path(__file__).parents[2] / "docs" / "server.md"
COMMANDS = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """colibri-mini and an index."""
    folder = tmp_path_factory.mktemp("page")
    with LiveServer("--index", str(folder / "notes.index"), log=folder / "log.jsonl", artefacts=()) as running:
        yield running


@pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="the page uses curl")
def test_its_commands_are_answered_in_their_order(documented: LiveServer) -> None:
    assert COMMANDS
    for command in COMMANDS:
        assert command.startswith("curl http://127.0.0.1:8080/")
        here = command.replace("http://127.0.0.1:8080", documented.url).replace(
            "curl ", "curl -sS --fail-with-body ", 1
        )
        done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert "code" not in json.loads(done.stdout)
