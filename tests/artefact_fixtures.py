"""Artefacts for the tests: the committed tiny ones, copies that a test may damage, and the shipped model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri.artefact import finding as artefact
from colibri.artefact.finding import Artefact
from colibri.model import Colibri
from colibri.tokens.tokenizer import TextTokenizer
from reference import ARTEFACTS

TINY = ("tiny-random-bert", "tiny-random-xlmr")


@pytest.fixture(scope="session")
def bert() -> Artefact:
    """Markers, queries expanded with unattended masks, documents of 40 tokens, stanford skiplist."""
    return artefact.find(ARTEFACTS / TINY[0])


@pytest.fixture(scope="session")
def xlmr() -> Artefact:
    """Markers, queries expanded with attended masks, documents of 62 tokens."""
    return artefact.find(ARTEFACTS / TINY[1])


@pytest.fixture(scope="session", params=TINY)
def tiny(request: pytest.FixtureRequest) -> Artefact:
    """Each of the two tiny artefacts."""
    return artefact.find(ARTEFACTS / request.param)


@pytest.fixture(scope="session")
def tiny_model(tiny: Artefact) -> Colibri:
    """Each of the two, loaded as it comes: int8."""
    return colibri.load(tiny.folder)


@pytest.fixture(scope="session")
def model() -> Colibri:
    """tiny-random-bert in float32."""
    return colibri.load(ARTEFACTS / TINY[0], variant="cpu-fp32")


@pytest.fixture(scope="session")
def mini() -> Colibri:
    """The shipped model."""
    return colibri.load()


@pytest.fixture(scope="session")
def mini_tokenizer() -> TextTokenizer:
    """The shipped model's tokenizer."""
    return TextTokenizer(artefact.find())


@pytest.fixture(scope="session", params=[*TINY, artefact.DEFAULT])
def tokenized(request: pytest.FixtureRequest) -> tuple[Artefact, TextTokenizer]:
    """Each of the three artefacts with its tokenizer."""
    if request.param == artefact.DEFAULT:
        return artefact.find(), request.getfixturevalue("mini_tokenizer")
    found = artefact.find(ARTEFACTS / request.param)
    return found, TextTokenizer(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of tiny-random-bert to change at will."""
    return shutil.copytree(ARTEFACTS / TINY[0], tmp_path / TINY[0])


@pytest.fixture
def edit(folder: Path) -> Callable[[Callable[[dict[str, Any]], object]], Path]:
    """Change the copy's colibri.json: edit(lambda document: ...) gives its folder."""

    def apply(change: Callable[[dict[str, Any]], object]) -> Path:
        path = folder / "colibri.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")
        return folder

    return apply
