"""SHA-256 of files, whole and in parts, and artefacts whose weights have parts."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri import artefact
from colibri.artefact.hashing import PART_BYTES, file_sha256, part_count
from colibri.errors import ArtefactError

SIZES = [0, 1, 16 << 20, (16 << 20) + 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 3]


@pytest.mark.parametrize("size", SIZES)
def test_hashes_are_those_of_the_bytes(size: int, tmp_path: Path) -> None:
    raw = (os.urandom(1 << 20) * (size // (1 << 20) + 1))[:size]
    (tmp_path / "file").write_bytes(raw)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(raw).hexdigest()
    parts = [raw[start : start + PART_BYTES] for start in range(0, size, PART_BYTES)]
    found = [file_sha256(tmp_path / "file", part) for part in range(len(parts))]
    assert found == [hashlib.sha256(part).hexdigest() for part in parts]
    assert part_count(size) == (len(parts) if len(parts) > 1 else 0)


def lengthened(path: Path) -> Path:
    """A weight file of three parts: its tensors, then nothing."""
    with path.open("r+b") as file:
        file.truncate(2 * PART_BYTES + 1)
    return path


@pytest.fixture(scope="module")
def entry(bert: artefact.Artefact, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What colibri.json says of tiny-random-bert's weights, lengthened."""
    copy = tmp_path_factory.mktemp("lengthened") / "backbone.f32.bin"
    path = lengthened(Path(shutil.copy(bert.folder / copy.name, copy)))
    parts = [file_sha256(path, part) for part in range(3)]
    return {"size_bytes": path.stat().st_size, "sha256": file_sha256(path), "parts_sha256": parts}


@pytest.fixture
def large(folder: Path, entry: dict[str, Any], edit: Callable[[Callable[[dict[str, Any]], object]], Path]) -> Path:
    """tiny-random-bert with a weight file of three parts."""
    path = lengthened(folder / "backbone.f32.bin")
    return edit(lambda document: document["files"].update({path.name: entry}))


def change_byte(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"?")


def test_a_file_in_parts_is_loaded(large: Path) -> None:
    artefact.check_files(artefact.find(large))
    assert colibri.load(large, variant="cpu-fp32").encode_documents(["small bird"])


@pytest.mark.parametrize("place", [0, PART_BYTES - 1, PART_BYTES, 2 * PART_BYTES - 1, 2 * PART_BYTES])
def test_a_change_in_any_part_is_named_once(place: int, large: Path) -> None:
    change_byte(large / "backbone.f32.bin", place)
    wanted = rf"{large}: backbone\.f32\.bin: its bytes changed \(SHA-256 differs\)\. "
    with pytest.raises(ArtefactError, match=wanted):
        colibri.load(large, variant="cpu-fp32")
    with pytest.raises(ArtefactError, match=wanted):
        artefact.check_files(artefact.find(large))


def test_the_hash_of_the_whole_is_compared_where_files_are_verified(
    large: Path, edit: Callable[[Callable[[dict[str, Any]], object]], Path]
) -> None:
    edit(lambda document: document["files"]["backbone.f32.bin"].update(sha256="0" * 64))
    with pytest.raises(ArtefactError, match="its bytes changed"):
        artefact.check_files(artefact.find(large))


def test_ctrl_c_while_loading_is_ctrl_c_though_bytes_changed(large: Path) -> None:
    change_byte(large / "backbone.f32.bin", 0)
    found = artefact.find(large)
    with pytest.raises(KeyboardInterrupt), artefact.Checking(found) as one, one.checked(["backbone.f32.bin"]):
        raise KeyboardInterrupt
