"""LangSmith's tracing is its own: nothing of ours opens a socket, on or off."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("tracing_child.py")


def told(**setting: str) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LANGSMITH", "LANGCHAIN"))}
    environment |= {"PYTHONPATH": str(CHILD.parents[2]), **setting}
    done = subprocess.run([sys.executable, str(CHILD)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_turned_off_nothing_opens_a_socket() -> None:
    assert told() == told(LANGSMITH_TRACING="false") == {"ours": [], "traced": [], "torch": False}


def test_turned_on_only_its_own_client_does() -> None:
    """Refused by the audit hook, so that nothing is sent from here."""
    found = told(LANGSMITH_TRACING="true", LANGSMITH_API_KEY="none")
    assert found["traced"], "its client was seen to ask: else this test could not fail"
    assert all(host.endswith("smith.langchain.com") for host, _ in found["traced"])
    assert all(is_telemetry for _, is_telemetry in found.pop("traced"))
    assert found == {"ours": [], "torch": False}
