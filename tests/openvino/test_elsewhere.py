"""A plugin that is installed, loads, and finds no device: OpenVINO's, on a CPU that is not Intel's."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import colibri
from colibri.providers.installed import look_for
from colibri.providers.known import ORDER
from openvino_cpu import INTEL

pytestmark = pytest.mark.skipif(INTEL, reason="here the plugin has a device: test_openvino.py runs it")

OPENVINO = "OpenVINOExecutionProvider"
WHY = "its plugin found no device that it can use"


def test_it_is_there_and_cannot_be_used() -> None:
    here = look_for(ORDER)
    assert OPENVINO not in here.devices
    assert here.refused[OPENVINO] == WHY


def test_the_cpu_runs_and_says_why(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="colibri"):
        model = colibri.load(folder)
    assert (model.provider.name, model.variant) == ("cpu", "cpu-int8")
    assert f"openvino: {WHY}" in model.provider.reasons
    assert WHY in caplog.text
    assert len(model.encode_documents(["the small bird", ""])) == 2


@pytest.mark.parametrize("variant", [None, "portable"])
def test_named_it_is_refused_without_advice_to_install_it(folder: Path, variant: str | None) -> None:
    with pytest.raises(colibri.ProviderError, match=WHY) as raised:
        colibri.load(folder, provider="openvino", variant=variant)
    assert "pip install" not in str(raised.value)


def test_doctor_says_the_same(folder: Path) -> None:
    command = [sys.executable, "-m", "colibri", "doctor", str(folder), "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told["providers"]["openvino"] == f"cannot be used; {WHY}"
    assert told["would_run"]["provider"] == "cpu"
