"""Haystack's telemetry is its own: we add nothing, change nothing, and open no socket, on or off."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from haystack import component

from colibri.compat.haystack import ColibriDocumentStore, ColibriRanker, ColibriRetriever

CHILD = Path(__file__).with_name("telemetry_child.py")


def told(setting: str | None, home: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if name != "HAYSTACK_TELEMETRY_ENABLED"}
    environment |= {"HOME": str(home), "PYTHONPATH": str(CHILD.parents[2])}
    if setting is not None:
        environment["HAYSTACK_TELEMETRY_ENABLED"] = setting
    done = subprocess.run([sys.executable, str(CHILD)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_turned_off_nothing_opens_a_socket(tmp_path: Path) -> None:
    found = told("False", tmp_path)
    assert found == {"outside": [], "pipeline": [], "as it was": True, "on": False, "id": False, "torch": False}


@pytest.mark.parametrize("setting", [None, "True"])
def test_left_on_only_its_own_sender_does_and_only_of_a_pipeline(setting: str | None, tmp_path: Path) -> None:
    """Refused by the audit hook, so that nothing is sent from here."""
    found = told(setting, tmp_path)
    assert found["pipeline"], "its sender was seen to ask: else this test could not fail"
    assert all(host.endswith(".posthog.com") for host, _ in found["pipeline"])
    assert all(is_telemetry for _, is_telemetry in found.pop("pipeline"))
    assert found == {"outside": [], "as it was": True, "on": True, "id": True, "torch": False}


def test_components_tell_it_nothing_but_their_classes(document_store: ColibriDocumentStore) -> None:
    """`_get_telemetry_data` is where Haystack asks a component for more."""
    for made in (ColibriRanker(), ColibriRetriever(document_store)):
        assert type(made) in component.registry.values()
        assert not hasattr(made, "_get_telemetry_data")
