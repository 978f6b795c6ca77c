"""The other packages, told to be quiet before they are loaded, and the models' names."""

import os

import pytest

from colibri.compat import arrays

os.environ |= {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}

ALIASES = "jinaai/jina-colbert-v2=colibri-mini,colbert-ir/colbertv2.0=colibri-mini"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of models that users pass, mapped openly."""
    monkeypatch.setenv("COLIBRI_ALIAS", ALIASES)
    arrays("auto")
