"""An artefact of each of two families, made now, with a variant for every kind of provider."""

from pathlib import Path

import onnxruntime_ep_openvino  # noqa: F401 - without the plugin nothing here says anything
import pytest

from colibri_export.pipeline import export
from reference import GOLDEN


@pytest.fixture(scope="session", params=["bert", "jina"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Absolute positions and unattended expansion; rotary positions."""
    name = f"tiny-random-{request.param}"
    out = tmp_path_factory.mktemp("exported") / name
    export(GOLDEN / name, out, variant_names=["gpu-fp16", "cpu-int8", "cpu-fp32", "portable"], doc_max_length=64)
    return out
