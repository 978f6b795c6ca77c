"""Packed weights give the bits of the artefact's own graphs, and are used only where they are whole and fit."""

import json
import logging
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

import colibri
import other_user
from colibri.artefact import finding as artefact
from colibri.artefact.finding import Artefact
from colibri.encoding.prepacked import packed_for, prepack
from colibri.errors import ArtefactError, ProviderError
from colibri.model import Colibri
from colibri.providers import Choice, best_choices, find_packed, likely_weights, note_packed, packed_folder
from reference import ARTEFACTS
from rounds import rounds

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


def run_as(*words: str) -> "subprocess.CompletedProcess[str]":
    """Python, as another user."""
    return other_user.python(*words, user=other_user.NOBODYS)


def remove_own(source: Artefact, variant: str = "cpu-int8") -> None:
    """Without its own graphs and weights only packed ones can run."""
    made = source.manifest.variants[variant]
    for name in {*made.data, *(file for graph in made.graphs for file in (graph.query, graph.document))}:
        source.path(name).unlink()


@pytest.mark.parametrize(
    ("variant", "provider", "of"),
    [
        (None, "auto", "cpu-int8"),
        ("cpu-fp32", "auto", "cpu-fp32"),
        ("cpu-fp32", "cpu", "cpu-fp32"),
        (None, "CPUExecutionProvider", "cpu-int8"),
        (None, "cuda", None),
        ("gpu-fp16", "auto", None),
    ],
)
def test_which_weights_are_hashed_before_anything_is_known_of_the_machine(
    variant: str | None, provider: str, of: str | None, source: Artefact, tmp_path: Path
) -> None:
    variants = source.manifest.variants
    if variant == "gpu-fp16":  # one that is made for accelerators
        variants[variant] = replace(variants["cpu-fp32"], providers=("CUDAExecutionProvider", "CPUExecutionProvider"))
    wanted = () if of is None else variants[of].data
    for root in (None, tmp_path / "nowhere", tmp_path):
        assert likely_weights(source, variant, provider, root) == wanted


def test_weights_that_were_packed_are_not_hashed_early(source: Artefact, place: Path) -> None:
    assert likely_weights(source, None, "auto", place) == ()
    assert likely_weights(source, None, "auto", None) != ()


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


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def said_of(folder: Path, **changes: str) -> None:
    """A note that tells of another key than its folder's name."""
    note = folder / "packed.json"
    document = json.loads(note.read_text(encoding="utf-8"))
    assert document["key"].keys() >= changes.keys()
    document["key"] |= changes
    note.write_text(json.dumps(document), encoding="utf-8")


HARMS: dict[str, Callable[[Path], object]] = {
    "weights flipped": lambda folder: flipped(folder / "packed.bin"),
    "weights cut": lambda folder: (folder / "packed.bin").write_bytes((folder / "packed.bin").read_bytes()[:-1]),
    "weights gone": lambda folder: (folder / "packed.bin").unlink(),
    "graph flipped": lambda folder: flipped(folder / "packed.onnx"),
    "graph empty": lambda folder: (folder / "packed.onnx").write_bytes(b""),
    "no note": lambda folder: (folder / "packed.json").write_text("{", encoding="utf-8"),
    "another processor": lambda folder: said_of(folder, processor="another"),
    "other features": lambda folder: said_of(folder, features="0"),
    "another onnxruntime": lambda folder: said_of(folder, onnxruntime="1.0.0"),
    "another system": lambda folder: said_of(folder, system="Amiga 68k"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_what_is_not_whole_is_not_used_and_is_made_anew(
    harm: str, source: Artefact, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = rows(colibri.load(source.folder, engine_cache=False))
    for folder in place.glob("*-packed-*"):
        HARMS[harm](folder)
    assert not packed_for(source, chosen(source), place).graphs
    assert caplog.text.count("not used, and `colibri warmup --packed` makes it anew") == 2
    assert rows(colibri.load(source.folder, engine_cache=place)) == before
    prepack(source, chosen(source), place)
    remove_own(source)
    assert rows(colibri.load(source.folder, engine_cache=place)) == before


PACK = """
import os, signal, sys
from pathlib import Path
from colibri.artefact import find
from colibri.encoding import prepack
from colibri.providers import best_choices

source = find(sys.argv[1])
choice = best_choices(source.manifest, "cpu-int8", "cpu").found[0]
root = Path(sys.argv[2])
"""

TOGETHER = """
print("ready", flush=True)
sys.stdin.readline()
print(sorted(path.stat().st_ino for path in prepack(source, choice, root).values()))
"""


def test_of_several_processes_at_once_one_packs_and_all_have_its_files(source: Artefact, tmp_path: Path) -> None:
    words = [sys.executable, "-c", PACK + TOGETHER, str(source.folder), str(tmp_path / "cache")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    begun = [subprocess.Popen(words, text=True, **pipes) for _ in range(rounds(3, 12))]
    assert [process.stdout.readline() for process in begun if process.stdout] == ["ready\n"] * len(begun)
    for process in begun:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate() for process in begun]
    assert [error for _, error in said] == [""] * len(begun)
    assert len({answer for answer, _ in said}) == 1
    assert not list((tmp_path / "cache").glob("unfinished-*"))


KILLED = """
events, last = 0, int(sys.argv[3])
CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "tempfile.mkdtemp"}

def hook(name, words):
    global events
    if name in CHANGES and any(str(root) in str(word) for word in words):
        events += 1
        if events == last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
prepack(source, choice, root)
print(events)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal on this system")
def test_a_process_killed_while_it_packs_leaves_nothing_that_is_used_or_stays(source: Artefact, tmp_path: Path) -> None:
    def pack(root: Path, last: int) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, "-c", PACK + KILLED, str(source.folder), str(root), str(last)]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def damaged(root: Path) -> Path:  # so that the old one has to go as well
        prepack(source, chosen(source), root)
        for folder in root.glob("*-packed-*"):
            flipped(folder / "packed.bin")
        return root

    before = rows(colibri.load(source.folder, engine_cache=False))
    done = pack(damaged(tmp_path / "whole"), 0)
    assert done.returncode == 0, done.stderr
    events = int(done.stdout)
    unfinished = 0
    for last in range(events // 6, events, rounds(events // 4, 1)):
        root = damaged(tmp_path / str(last))
        assert pack(root, last).returncode == -signal.SIGKILL
        unfinished += len(list(root.glob("unfinished-*")))
        assert rows(colibri.load(source.folder, engine_cache=root)) == before
        assert packed_for(source, chosen(source), root).graphs.keys() <= prepack(source, chosen(source), root).keys()
        assert not list(root.glob("unfinished-*/*"))  # an empty folder stays of one killed when all was whole
        packed = packed_for(source, chosen(source), root).graphs
        assert len(packed) == 2
        assert rows(colibri.load(source.folder, engine_cache=root)) == before
    assert unfinished


def test_a_folder_that_is_closed_or_cannot_be_written_is_told() -> None:
    if why := other_user.why_not():
        pytest.skip(why)
    model = str(ARTEFACTS / "tiny-random-bert")
    with tempfile.TemporaryDirectory() as name:  # what pytest makes is closed to others
        root = Path(name)
        root.chmod(0o755)
        source = artefact.find(model)
        prepack(source, chosen(source), root / "cache")
        load = "import sys, colibri; print(colibri.load(sys.argv[1], engine_cache=sys.argv[2]).dim)"
        closed = run_as(load, model, str(root / "cache"))
        assert (closed.returncode, closed.stdout) == (0, "48\n")
        assert closed.stderr == f"{root}/cache: Permission denied; packed weights are not looked for there\n"
        (root / "cache").chmod(0o755)
        assert run_as(load, model, str(root / "cache")).stderr == ""
        words = ["-m", "colibri", "warmup", "--packed", "--model", model, "--cache"]
        there = run_as(*words, str(root / "cache"))
        assert (there.returncode, there.stdout.count("there already")) == (0, 2), there.stderr
        refused = run_as(*words, name)
        wanted = (
            f"Error: {name}: packed weights cannot be kept there (Permission denied); wanted another --cache FOLDER\n"
        )
        assert (refused.returncode, refused.stderr) == (1, wanted)
        assert [path.name for path in root.iterdir()] == ["cache"]


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
    for folder in place.glob("*-packed-*"):
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
