"""Artefacts of the checkpoints that the original packages were asked with, in float32 alone: rounding random weights
to int8 proves nothing."""

import json
import shutil
from pathlib import Path

import pytest

from colibri.compat.colbert.infra import Run
from colibri.compat.colbert.infra.config.settings import RunSettings
from reference import ARTEFACTS, GOLDEN

BIG, MODERN = "tiny-random-bert-512", "tiny-random-modernbert"


@pytest.fixture(autouse=True)
def experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Stanford's words read and write: that is the working directory of the import, the checkout."""
    root = tmp_path / "experiments"
    monkeypatch.setattr(Run().stack[0], "root", str(root))
    monkeypatch.setattr(RunSettings, "root", str(root))
    return root


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Checkpoint name -> folder."""
    pipeline = pytest.importorskip("colibri_export.pipeline", reason="making artefacts is an extra")
    parent, made = tmp_path_factory.mktemp("artefacts"), {}
    for name in ("tiny-random-bert", "tiny-random-xlmr"):
        made[name] = shutil.copytree(ARTEFACTS / name, parent / name)
        manifest = json.loads((made[name] / "colibri.json").read_text(encoding="utf-8"))
        del manifest["variants"]["cpu-int8"]
        (made[name] / "colibri.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in (BIG, MODERN):
        made[name] = parent / name
        pipeline.export(GOLDEN / name, made[name], variant_names=["cpu-fp32", "portable"])
    return made
