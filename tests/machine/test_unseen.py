"""A machine whose /proc is hidden or masked: everything works, and `colibri doctor` says what cannot be known."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

import colibri
from colibri.encoding import weights_given
from colibri.machine.unseen import not_known
from colibri.providers import hardware
from reference import ARTEFACTS

MODEL = str(ARTEFACTS / "tiny-random-bert")


def hidden(*words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """A command with nothing in /proc, in a mount namespace of its own."""
    covered = 'mount -t tmpfs none /proc && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", covered, "sh", sys.executable, "-m", "colibri", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def _why_not() -> str | None:
    if shutil.which("unshare") is None:
        return "no unshare (util-linux) here"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /proc"], capture_output=True, text=True, check=False
    )
    return f"/proc cannot be covered here ({done.stderr.strip()})" if done.returncode else None


_NOT_HERE = _why_not()
covered = pytest.mark.skipif(_NOT_HERE is not None, reason=_NOT_HERE or "")


@covered
def test_files_are_indexed_and_found_without_proc(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A colibri is a small bird.")
    made = hidden("index", "a.txt", "--model", MODEL, folder=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "1 file indexed" in made.stdout
    found = hidden("search", "bird", "--json", folder=tmp_path)
    assert len(json.loads(found.stdout)["results"]) == 1, found.stderr


@covered
def test_doctor_says_what_a_hidden_proc_leaves_unknown(tmp_path: Path) -> None:
    shown = hidden("doctor", MODEL, folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "\nnot_known      /proc/cpuinfo cannot be read: whether the processor has AVX-VNNI" in shown.stdout
    told = hidden("doctor", MODEL, "--json", folder=tmp_path)
    said = [line.split()[0] for line in json.loads(told.stdout)["not_known"]]
    assert {name for name in said if name.startswith("/proc")} == {
        "/proc/cpuinfo",
        "/proc/self/cgroup",
        "/proc/self/statm",
    }


def test_what_is_missing_closed_or_empty_is_not_known(tmp_path: Path) -> None:
    if sys.platform != "linux":
        assert not_known({str(tmp_path / "missing"): "a"}) == []
        return
    (tmp_path / "empty").write_text("")
    (tmp_path / "there").write_text("x")
    paths = {str(tmp_path / name): name for name in ("there", "empty", "missing")}
    assert not_known(paths) == [f"{tmp_path / name} cannot be read: {name}" for name in ("empty", "missing")]


def test_features_are_told_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here = hardware.cpu_features()
    monkeypatch.setattr(hardware, "_CPUINFO", tmp_path / "missing")
    assert hardware.cpu_features.__wrapped__() == here - {"avx_vnni"}


def test_a_graph_has_the_same_rows_when_its_weights_are_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    texts = ["the small bird", "a house"]
    wanted = colibri.load(MODEL).encode_documents(texts)
    monkeypatch.setattr(weights_given, "_OPENED_FILES", tmp_path / "missing")
    found = colibri.load(MODEL).encode_documents(texts)
    assert found.rows.tobytes() == wanted.rows.tobytes()


@pytest.mark.skipif(
    sys.platform != "linux"
    or not hasattr(onnxruntime.SessionOptions, "add_external_initializers_from_files_in_memory"),
    reason="a system without /proc, or an onnxruntime that takes no weights from memory",
)
def test_weights_are_given_only_where_proc_is_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    graph = ARTEFACTS / "tiny-random-bert" / "cpu-int8.s8.onnx"
    assert weights_given.give_weights(graph, onnxruntime.SessionOptions()) == []
    monkeypatch.setattr(weights_given, "_OPENED_FILES", tmp_path / "missing")
    given = weights_given.give_weights(graph, onnxruntime.SessionOptions())
    sizes = [(graph.parent / name).stat().st_size for name in ("backbone.int8.bin", "heads.f32.bin")]
    assert [len(one) for one in given] == sizes
