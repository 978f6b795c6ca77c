"""This environment has none of the packages that Colibri stands in for, and nothing that they need."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

THEIRS = ("torch", "transformers", "colbert", "ragatouille", "pylate", "sentence_transformers", "fast_plaid", "voyager")


@pytest.mark.parametrize("name", THEIRS)
def test_no_module_of_theirs_can_be_imported(name: str) -> None:
    assert find_spec(name) is None


def test_nothing_of_theirs_is_loaded_by_the_packages_either() -> None:
    code = (
        "import sys, fastembed, qdrant_client, rerankers, colibri.compat.rerankers, colibri.compat.fastembed\n"
        "colibri.compat.fastembed.register()\n"
        f"assert not set({THEIRS!r}) & sys.modules.keys(), sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
