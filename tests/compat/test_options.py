"""Options of other packages: devices, and what has no effect."""

import logging

import pytest

from colibri.compat.options import loaded, provider_for, without_effect
from colibri.errors import ArtefactNotFound, InputError, ProviderError
from reference import ARTEFACTS

BERT = ARTEFACTS / "tiny-random-bert"


class Device:
    """As torch.device looks to who cannot import torch."""

    def __str__(self) -> str:
        return "cuda:1"


@pytest.mark.parametrize(
    ("device", "provider"),
    [
        (None, "auto"),
        ("cpu", "cpu"),
        ("cuda", "cuda"),
        ("cuda:3", "cuda"),
        (0, "cuda"),
        (Device(), "cuda"),
        ("mps", "coreml"),
    ],
)
def test_a_device_is_a_provider(device: object, provider: str) -> None:
    assert provider_for(device) == provider


@pytest.mark.parametrize("device", ["tpu", "", True, "CPU", "auto"])
def test_another_device_is_refused(device: object) -> None:
    with pytest.raises(InputError, match=f"device: found {device!r}, wanted cpu, cuda, mps or None"):
        provider_for(device)


def test_what_has_no_effect_is_said_once_and_quietly(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "colibri.compat"):
        without_effect("Checkpoint.docFromText", bsize=32, nbits=None, verbose=0)
        without_effect("Checkpoint.docFromText", bsize=None)
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert record.getMessage() == "Checkpoint.docFromText: without effect here: bsize, verbose"


def test_models_are_loaded_by_folder_and_device() -> None:
    assert loaded(BERT, device="cpu").provider.name == "cpu"
    with pytest.raises(ArtefactNotFound):
        loaded("nobody-has-this")


def test_a_gpu_that_is_not_here_is_an_error() -> None:
    with pytest.raises(ProviderError, match="cuda"):
        loaded(BERT, device="cuda")
