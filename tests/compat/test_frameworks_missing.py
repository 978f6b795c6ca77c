"""Without LangChain and LlamaIndex, which this environment lacks, the import says which extra brings them."""

import importlib
from importlib.util import find_spec

import pytest

from colibri.errors import MissingExtra


@pytest.mark.parametrize(
    ("module", "theirs", "wanted"),
    [
        ("langchain", "langchain_core", r"langchain-core>=0.3.86,<2 \(colibri-edge\[langchain\]\)"),
        ("llama_index", "llama_index", r"llama-index-core>=0.13.0,<0.15 \(colibri-edge\[llama-index\]\)"),
    ],
)
def test_what_is_missing_is_said(module: str, theirs: str, wanted: str) -> None:
    if find_spec(theirs) is not None:
        pytest.skip("it is here")
    with pytest.raises(MissingExtra, match=rf"colibri.compat.{module} needs {wanted}: pip install"):
        importlib.import_module(f"colibri.compat.{module}")
