"""Packed weights give the bits of the artefact's own graphs, and are used only where they are whole and fit."""

import json
import logging
import shutil
from pathlib import Path

import onnxruntime
import pytest

import colibri
from colibri.artefact import finding as artefact
from colibri.artefact.finding import Artefact
from colibri.encoding.prepacked import packed_for, prepack
from colibri.errors import ArtefactError, ProviderError
from colibri.model import Colibri
from colibri.providers import Choice, best_choices, find_packed, note_packed, packed_folder
from reference import ARTEFACTS

TEXTS = ["how many people live in Berlin?", "", "日本語 niño ção", "x" * 300]
VARIANTS = ("cpu-int8", "cpu-fp32", "portable")


def chosen(source: Artefact, variant: str = "cpu-int8") -> Choice:
    return best_choices(source.manifest, variant, "cpu").found[0]


@pytest.fixture
def source(folder: Path) -> Artefact:
    """A copy of tiny-random-bert, which has a graph for queries and one for documents."""
    return artefact.find(folder)


@pytest.fixture
def place(source: Artefact, tmp_path: Path) -> Path:
    """Where its int8 graphs are packed."""
    prepack(source, chosen(source), tmp_path / "cache")
    return tmp_path / "cache"


def rows(model: Colibri) -> list[bytes]:
    return [encode(TEXTS, dim).rows.tobytes() for dim in model.dims for encode in encoders(model)]


def encoders(model: Colibri) -> tuple:  # type: ignore[type-arg]
    return model.encode_queries, model.encode_documents


def remove_own(source: Artefact, variant: str = "cpu-int8") -> None:
    """Without its own graphs and weights only packed ones can run."""
    made = source.manifest.variants[variant]
    for name in {*made.data, *(file for graph in made.graphs for file in (graph.query, graph.document))}:
        source.path(name).unlink()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["tiny-random-bert", "tiny-random-xlmr"])
def test_rows_are_the_same_bits_and_nothing_else_of_the_model_is_read(name: str, variant: str, tmp_path: Path) -> None:
    source = artefact.find(shutil.copytree(ARTEFACTS / name, tmp_path / name))
    before = rows(colibri.load(source.folder, variant=variant, engine_cache=False))
    choice = chosen(source, variant)
    made = prepack(source, choice, tmp_path / "cache")
    assert made.keys() == {choice.graph.query, choice.graph.document}
    remove_own(source, variant)
    assert rows(colibri.load(source.folder, variant=variant, engine_cache=tmp_path / "cache")) == before


def test_a_second_time_nothing_is_made(source: Artefact, place: Path) -> None:
    before = {path: path.stat().st_ino for path in place.rglob("*")}
    remove_own(source)
    prepack(source, chosen(source), place)
    assert {path: path.stat().st_ino for path in place.rglob("*")} == before


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "note", "other"])
def test_what_is_not_whole_is_not_used_and_is_made_anew(
    harm: str, source: Artefact, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = rows(colibri.load(source.folder, engine_cache=False))
    for folder in place.iterdir():
        path, note = folder / "packed.bin", folder / "packed.json"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        if harm == "flip":
            path.write_bytes(data)
        elif harm == "cut":
            path.write_bytes(data[:-1])
        elif harm == "gone":
            path.unlink()
        elif harm == "note":
            note.write_text("{", encoding="utf-8")
        else:
            document = json.loads(note.read_text(encoding="utf-8"))
            document["key"]["processor"] = "another"
            note.write_text(json.dumps(document), encoding="utf-8")
    assert not packed_for(source, chosen(source), place).graphs
    assert caplog.text.count("not used, and `colibri warmup --packed` makes it anew") == 2
    assert rows(colibri.load(source.folder, engine_cache=place)) == before
    prepack(source, chosen(source), place)
    remove_own(source)
    assert rows(colibri.load(source.folder, engine_cache=place)) == before


def test_another_onnxruntime_or_other_weights_have_a_folder_of_their_own(source: Artefact, place: Path) -> None:
    choice = chosen(source)
    assert not find_packed(source, choice, "0.0.1", place).graphs
    assert find_packed(source, choice, onnxruntime.__version__, place).graphs
    other = artefact.find(ARTEFACTS / "tiny-random-xlmr")
    assert not packed_for(other, chosen(other), place).graphs
    names = {packed_folder(source, choice, choice.graph.query, version, place) for version in ("1.20.0", "1.21.0")}
    assert len(names) == 2


def test_one_that_onnxruntime_refuses_gives_way_to_the_artefact_own_graph(
    source: Artefact, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    choice = chosen(source)
    before = rows(colibri.load(source.folder, engine_cache=False))
    for name in (choice.graph.query, choice.graph.document):
        folder = packed_folder(source, choice, name, onnxruntime.__version__, place)
        (folder / "packed.onnx").write_bytes(b"no graph")
        note_packed(source, choice, name, onnxruntime.__version__, folder)
    assert rows(colibri.load(source.folder, engine_cache=place)) == before
    assert "the artefact's own graph is taken" in caplog.text
    path = source.path("backbone.int8.bin")
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(ArtefactError, match="bytes changed"):
        colibri.load(source.folder, engine_cache=place)


def test_nothing_is_kept_of_a_damaged_artefact(source: Artefact, tmp_path: Path) -> None:
    path = source.path("heads.f32.bin")
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(ArtefactError, match=r"heads.f32.bin: its bytes changed"):
        prepack(source, chosen(source), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_an_unfinished_folder_is_as_none(source: Artefact, place: Path, caplog: pytest.LogCaptureFixture) -> None:
    for folder in place.iterdir():
        (folder / "packed.json").unlink()
    with caplog.at_level(logging.WARNING):
        assert not packed_for(source, chosen(source), place).graphs
    assert not caplog.records


def test_weights_are_packed_for_the_cpu_alone(source: Artefact, tmp_path: Path) -> None:
    variant = source.manifest.variants["portable"]
    choice = Choice("portable", variant, variant.graphs[0], "CUDAExecutionProvider")
    with pytest.raises(ProviderError, match="packed for the CPU"):
        prepack(source, choice, tmp_path)
    assert not packed_for(source, choice, tmp_path).graphs
    assert not list(tmp_path.glob("*packed*"))
