"""Without Haystack, which this environment lacks, each import says which extra brings it."""

import importlib
from importlib.util import find_spec

import pytest

from colibri.errors import MissingExtra

pytestmark = pytest.mark.skipif(find_spec("haystack") is not None, reason="it is here")


@pytest.mark.parametrize(
    "module",
    [
        "colibri.compat.haystack",
        "haystack_integrations.components.rankers.colibri",
        "haystack_integrations.components.retrievers.colibri",
        "haystack_integrations.document_stores.colibri",
    ],
)
def test_what_is_missing_is_said(module: str) -> None:
    with pytest.raises(MissingExtra, match=r"needs haystack-ai>=3,<4 \(colibri-edge\[haystack\]\): pip install"):
        importlib.import_module(module)
