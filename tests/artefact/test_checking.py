"""An artefact's files against its manifest: sizes and hashes, before anything is run."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import colibri
from colibri import artefact
from colibri.artefact import Artefact, Checking
from colibri.errors import ArtefactError
from reference import ARTEFACTS

FILES = sorted(path.name for path in (ARTEFACTS / "tiny-random-bert").iterdir() if path.name != "colibri.json")
FILES_OF_FP32 = ["backbone.f32.bin", "cpu-fp32.onnx", "cpu-fp32.query.onnx", "heads.f32.bin", "tokenizer.json"]


def flip_a_bit(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def remove(path: Path) -> None:
    path.unlink()


def append_a_byte(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def replace_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [flip_a_bit, remove, append_a_byte, empty, replace_by_a_folder]


def test_committed_and_shipped_artefacts_are_whole(tiny: Artefact) -> None:
    artefact.check_files(tiny)
    artefact.check_files(artefact.find())


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_named(damage: Callable[[Path], None], name: str, folder: Path) -> None:
    damage(folder / name)
    with pytest.raises(ArtefactError, match=rf"{folder}: {name}: "):
        artefact.check_files(artefact.find(folder))


def test_all_damaged_files_are_named_at_once(folder: Path) -> None:
    for name in FILES:
        flip_a_bit(folder / name)
    with pytest.raises(ArtefactError) as caught:
        artefact.check_files(artefact.find(folder))
    assert all(f"{name}: its bytes changed" in str(caught.value) for name in FILES)


@pytest.mark.parametrize("loads", [True, False])
def test_changed_tensors_are_named_whatever_loading_them_came_to(loads: bool, folder: Path) -> None:
    found = artefact.find(folder)
    variant = found.manifest.variants["cpu-fp32"]
    flip_a_bit(folder / variant.data[0])
    loading = iter([1] * loads)
    with (
        pytest.raises(ArtefactError, match="its bytes changed"),
        Checking(found) as checking,
        checking.checked(found.files_to_run(variant, variant.graphs[0])),
    ):
        next(loading)  # where there is none: StopIteration, as if it could not be loaded
    assert not list(loading)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_gets_parsed_is_compared_before_anything_is_loaded(damage: Callable[[Path], None], folder: Path) -> None:
    found = artefact.find(folder)
    variant = found.manifest.variants["cpu-fp32"]
    damage(folder / variant.graphs[0].document)
    with (
        pytest.raises(ArtefactError, match=r"\.onnx: "),
        Checking(found) as checking,
        checking.checked(found.files_to_run(variant, variant.graphs[0])),
    ):
        pytest.fail("the body began")


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES_OF_FP32)
def test_load_refuses_a_damaged_file(damage: Callable[[Path], None], name: str, folder: Path) -> None:
    damage(folder / name)
    with pytest.raises(ArtefactError, match=rf"{folder}: {name}: "):
        colibri.load(folder, variant="cpu-fp32")


def test_load_asks_nothing_of_files_it_does_not_use(folder: Path) -> None:
    for name in set(FILES) - set(FILES_OF_FP32):
        remove(folder / name)
    assert len(colibri.load(folder, variant="cpu-fp32").encode_documents(["small bird"])) == 1


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_begun_early_is_refused_all_the_same(damage: Callable[[Path], None], folder: Path) -> None:
    found = artefact.find(folder)
    variant = found.manifest.variants["cpu-fp32"]
    damage(folder / variant.data[0])
    checking = Checking(found)
    checking.begin(variant.data)
    with (
        checking,
        pytest.raises(ArtefactError, match=rf"{folder}: {variant.data[0]}: "),
        checking.checked(found.files_to_run(variant, variant.graphs[0])),
    ):
        pass


def test_a_file_is_hashed_once(folder: Path) -> None:
    found = artefact.find(folder)
    (name, *_) = found.manifest.variants["cpu-fp32"].data
    with Checking(found) as checking:
        with checking.checked([name]):
            pass
        flip_a_bit(folder / name)
        checking.begin([name])
        with checking.checked([name]):
            pass
    with pytest.raises(ArtefactError, match="its bytes changed"):
        artefact.check_files(found, [name])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_the_place_of_weights_is_not_waited_for(folder: Path) -> None:
    found = artefact.find(folder)
    (name, *_) = found.manifest.variants["cpu-fp32"].data
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(ArtefactError, match=f"{name}: 0 bytes, wanted "):
        colibri.load(folder, variant="cpu-fp32")


def test_what_nobody_asks_about_is_not_refused_and_no_thread_is_left(folder: Path) -> None:
    found = artefact.find(folder)
    before = set(threading.enumerate())
    (name, *others) = found.manifest.variants["cpu-fp32"].data
    flip_a_bit(folder / name)
    with Checking(found) as checking:
        checking.begin([name])
        with checking.checked(others):
            pass
    assert set(threading.enumerate()) <= before
