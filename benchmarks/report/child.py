"""A process that answers each line of JSON on its input with one on its output."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import click


class Child:
    """One of them, from its start until `end`."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ask(self, question: object) -> dict[str, Any]:
        """One answer. Raises ClickException when the process ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise click.ClickException(f"a contestant ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        """Nothing more is asked; it closes what it has open."""
        self._process.communicate()
