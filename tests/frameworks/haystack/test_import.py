"""What is missing, or too old or new, is said at the import of any of ours."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from colibri.compat import haystack as ours
from haystack_integrations.components.rankers.colibri import ColibriRanker
from haystack_integrations.components.retrievers.colibri import ColibriRetriever
from haystack_integrations.document_stores.colibri import ColibriDocumentStore

MODULES = [
    "colibri.compat.haystack",
    "haystack_integrations.components.rankers.colibri",
    "haystack_integrations.components.retrievers.colibri",
    "haystack_integrations.document_stores.colibri",
]


def test_both_names_are_one() -> None:
    assert ours.__all__ == ["ColibriDocumentStore", "ColibriRanker", "ColibriRetriever"]
    assert (ours.ColibriDocumentStore, ours.ColibriRanker, ours.ColibriRetriever) == (
        ColibriDocumentStore,
        ColibriRanker,
        ColibriRetriever,
    )


def test_the_namespace_is_shared_with_other_integrations() -> None:
    for name in (
        "haystack_integrations",
        "haystack_integrations.components",
        "haystack_integrations.components.rankers",
    ):
        __import__(name)
        assert getattr(sys.modules[name], "__file__", None) is None, "a namespace package has no __init__.py"


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("version", ["2.31.0", "4.0.0rc1"])
def test_another_version_is_refused_by_its_number(module: str, version: str, tmp_path: Path) -> None:
    """Of a Haystack that stands before the installed one, and fails when anything of it is imported."""
    info = tmp_path / f"haystack_ai-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: haystack-ai\nVersion: {version}\n", encoding="utf-8")
    (tmp_path / "haystack.py").write_text("raise AssertionError('imported')\n", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    wanted = f"MissingExtra: colibri.compat.haystack: found haystack-ai {version}, wanted haystack-ai>=3,<4"
    assert wanted in done.stderr
    assert "colibri-edge[haystack]" in done.stderr


def test_the_installed_one_is_an_end_of_what_is_supported() -> None:
    assert metadata.version("haystack-ai") == "3.0.0" or metadata.version("haystack-ai") >= "3.4"
