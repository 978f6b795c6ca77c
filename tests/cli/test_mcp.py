"""What `colibri mcp` refuses before it looks for the protocol's package; the rest: tests/assistant_clients."""

import pytest
from click.testing import CliRunner

from colibri.cli import group


@pytest.mark.parametrize("words", [("--host", "0.0.0.0"), ("--port", "8091"), ("--keys-file", "keys.json")])
def test_what_is_of_a_server_is_not_passed_over_without_one(words: tuple[str, str]) -> None:
    refused = CliRunner().invoke(group, ["mcp", *words])
    assert refused.exit_code == 1
    assert f"{words[0]} is of a server: give --http as well" in refused.output
