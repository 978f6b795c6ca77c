"""What a user is told of the provider that was taken, and of those that were not."""

import ctypes
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

import colibri
from colibri.errors import InputError, ProviderError
from colibri.providers import nvidia
from reference import ARTEFACTS

CPU, TENSORRT, CUDA = "CPUExecutionProvider", "TensorrtExecutionProvider", "CUDAExecutionProvider"

Edit = Callable[[Callable[[dict[str, Any]], object]], Path]


def test_a_provider_that_is_installed_and_refused_is_told_aloud_once(
    edit: Edit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """onnxruntime-gpu in a container without a GPU: its providers are listed all the same."""

    def no_library(name: str) -> None:
        raise OSError(name)

    gpu = [TENSORRT, CUDA]
    folder = edit(lambda document: document["variants"]["portable"].update(providers=[CPU, *gpu]))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*gpu, CPU])
    monkeypatch.setattr(ctypes, "CDLL", no_library)
    nvidia.look.cache_clear()
    try:
        model = colibri.load(folder)
        (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        with pytest.raises(ProviderError, match=r"cannot run on cuda: no NVIDIA driver is here .* installed is onnxr"):
            colibri.load(folder, provider="cuda")
    finally:
        nvidia.look.cache_clear()
    assert said.startswith("tensorrt, cuda: no NVIDIA driver is here (")
    assert said.endswith("so it is cpu-int8 on cpu")
    assert [reason.partition(":")[0] for reason in model.provider.reasons] == ["tensorrt", "cuda"]


def test_the_plain_cpu_is_nothing_to_talk_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="colibri"):
        model = colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-int8")
    (said,) = [record for record in caplog.records if record.name == "colibri.model"]
    assert said.levelname == "INFO"
    assert said.getMessage().startswith("tiny-random-bert: cpu-int8 on cpu (CPU")
    assert model.provider.reasons == ("no other provider can run cpu-int8",)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"provider": "gpu"}, "provider 'gpu': wanted one of auto, tensorrt-rtx, tensorrt, cuda,"),
        ({"provider": ""}, "wanted one of auto"),
        ({"batch_tokens": 0}, "batch_tokens: found 0, wanted a whole number from 1"),
        ({"batch_tokens": True}, "batch_tokens: found True"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        colibri.load(ARTEFACTS / "tiny-random-bert", **given)


def test_onnxruntimes_own_name_of_a_provider_is_understood() -> None:
    assert colibri.load(ARTEFACTS / "tiny-random-bert", provider=CPU).provider.name == "cpu"
