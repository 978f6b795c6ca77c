"""Importing a shim loads nothing but Colibri."""

import json
import subprocess
import sys
from functools import cache

import pytest

_OTHERS = """
import json, sys
tops = {name.partition(".")[0] for name in sys.modules}
print(json.dumps(sorted(name for name in tops - sys.stdlib_module_names if not name.startswith("_"))))
"""

MODULES = [
    "colibri.compat",
    "colibri.compat.colbert",
    "colibri.compat.ragatouille",
    "colibri.compat.pylate",
    "colibri.compat.sentence_transformers",
    "colibri.compat.fastembed",
    "colibri.compat.found",
    "colibri.compat.highlighting",
]
STATEMENTS = [
    *(f"import {module}" for module in MODULES),
    "from colibri.compat.colbert import Indexer, Searcher; from colibri.compat.colbert.infra import ColBERTConfig",
    "from colibri.compat.colbert.modeling.checkpoint import Checkpoint",
    "from colibri.compat.ragatouille import RAGPretrainedModel",
    "from colibri.compat.pylate import indexes, models, rank, retrieve, scores",
    "from colibri.compat.sentence_transformers import MultiVectorEncoder",
    "from colibri.compat.fastembed import LateInteractionTextEmbedding, register",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_nothing_but_colibri_is_loaded(statement: str) -> None:
    """Neither numpy nor anything else that is not Python's own."""
    child = subprocess.run([sys.executable, "-c", statement + _OTHERS], capture_output=True, text=True, check=True)
    empty = subprocess.run([sys.executable, "-c", _OTHERS], capture_output=True, text=True, check=True)
    assert set(json.loads(child.stdout)) - set(json.loads(empty.stdout)) == {"colibri"}


_SLOW = {"dataclasses", "datetime", "inspect", "logging", "secrets", "shutil", "uuid"}
"""Of Python's own, half of what the import of RAGatouille's words took."""


@cache
def loaded_after(statement: str) -> set[str]:
    names = "; import json, sys; print(json.dumps(sorted(sys.modules)))"
    child = subprocess.run([sys.executable, "-c", statement + names], capture_output=True, text=True, check=True)
    return set(json.loads(child.stdout))


@pytest.mark.parametrize("statement", STATEMENTS)
def test_nor_what_is_slow_to_import_of_pythons_own(statement: str) -> None:
    """Beyond what paths, JSON and locks bring along, by the version of Python."""
    given = loaded_after("import colibri, pathlib, json, threading, weakref, contextlib")
    assert not _SLOW & (loaded_after(statement) - given)
