"""Tensors out of torch.save's files, of which nothing is run (tests/golden/make_pickles.py wrote them)."""

import io
import pickle
import pickletools
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from colibri.errors import ExportError
from colibri_export.heads import read_head
from colibri_export.pickled import convert_pickled, read_pickled
from colibri_export.pipeline import export
from reference import GOLDEN
from rounds import rounds

PICKLES = GOLDEN / "pickles"
XLMR = GOLDEN / "tiny-random-xlmr"


def changed(source: Path, out: Path, program: bytes | None = None, **entries: bytes) -> Path:
    """The zip with another program, or other entries."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = program if program is not None and name.endswith("data.pkl") else old.read(name)
            new.writestr(name, entries.get(name.rpartition("/")[2], data))
    return out


def program_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))


def test_a_checkpoint_turns_into_the_same_tensors(tmp_path: Path) -> None:
    names = convert_pickled(PICKLES / "pytorch_model.bin", tmp_path / "model.safetensors")
    found, wanted = load_file(tmp_path / "model.safetensors"), load_file(XLMR / "model.safetensors")
    assert set(names) == found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert (found[name].dtype, found[name].tobytes()) == (array.dtype, array.tobytes())
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    with pytest.raises(ExportError, match="exists already"):
        convert_pickled(PICKLES / "pytorch_model.bin", tmp_path / "model.safetensors")


def test_a_head_of_half_precision_is_read_with_its_bias() -> None:
    head = read_head(PICKLES / "head.pt", 32, 64)
    (layer,) = head.layers
    tensors = read_pickled(PICKLES / "head.pt")
    assert layer.bias is not None
    np.testing.assert_array_equal(layer.bias, tensors["bias"])
    assert layer.weight.shape == (32, 64)
    assert layer.weight.dtype == np.float32
    assert float(np.abs(layer.weight).max()) <= 0.125
    with pytest.raises(ExportError, match=r"wanted weight \(16, 64\)"):
        read_head(PICKLES / "head.pt", 16, 64)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("module.pt", r"it names torch\.nn\.modules\.linear\.Linear"),
        ("runs.pt", r"it names (posix|nt)\.system"),
        ("turned.pt", "of strides"),
        ("training.pt", "'step' is a int"),
        ("integers.pt", r"it names torch\.IntStorage"),
        ("older.pt", "older pickles are never read"),
    ],
)
def test_what_is_no_dictionary_of_tensors_is_refused_and_not_run(
    name: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for read in (read_pickled, lambda path: convert_pickled(path, tmp_path / "out.safetensors")):
        with pytest.raises(ExportError, match=wanted):
            read(PICKLES / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "program",
    [
        b"",
        b".",
        b"N.",
        b"}.",
        b"cos\nsystem\n(S'touch ran'\ntR.",
        b"cbuiltins\neval\n.",
        b"(i__main__\nX\n.",
        b"\x80\x02}X\x01\x00\x00\x00aK\x01s.",
        b"\x80\x02]K\x01a.",
        b"\x80\x02}(X\x01\x00\x00\x00ax",
        pickle.dumps({"a": bytearray(3)}),
        pickle.dumps(np.zeros(3)),
    ],
    ids=lambda program: repr(program)[:30],
)
def test_other_programs_are_refused(program: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExportError):
        read_pickled(changed(PICKLES / "head.pt", tmp_path / "x.pt", program))
    assert [path.name for path in tmp_path.iterdir()] == ["x.pt"]


def test_bytes_that_a_shape_does_not_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="over 6 bytes of HalfStorage"):
        read_pickled(changed(PICKLES / "head.pt", tmp_path / "short.pt", **{"0": b"123456"}))
    with pytest.raises(ExportError, match="byte order"):
        read_pickled(changed(PICKLES / "head.pt", tmp_path / "big.pt", byteorder=b"big"))
    (tmp_path / "none.pt").write_bytes(b"PK")
    with pytest.raises(ExportError, match=r"no zip of torch\.save"):
        read_pickled(tmp_path / "none.pt")


def test_a_program_changed_anywhere_is_read_or_refused_and_never_run(tmp_path: Path) -> None:
    """One byte at a time: a tensor moved inside its own bytes is possible, anything else is an ExportError."""
    program = program_of(PICKLES / "head.pt")
    rng = np.random.default_rng(3)
    outcomes = set()
    for _ in range(rounds(300, 5000)):
        at, value = int(rng.integers(len(program))), int(rng.integers(256))
        broken = program[:at] + bytes([value]) + program[at + 1 :]
        try:
            found = read_pickled(changed(PICKLES / "head.pt", tmp_path / "x.pt", broken))
            assert all(array.dtype == np.float32 for array in found.values())
            outcomes.add("read")
        except ExportError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
    steps = io.StringIO()
    pickletools.dis(program, steps)
    assert "_rebuild_tensor_v2" in steps.getvalue()


def test_a_folder_of_pickles_is_exported_when_asked(tmp_path: Path) -> None:
    folder = shutil.copytree(XLMR, tmp_path / "folder")
    (folder / "model.safetensors").unlink()
    shutil.copy(PICKLES / "pytorch_model.bin", folder)
    with pytest.raises(ExportError, match="--convert-pickles turns pytorch_model"):
        export(folder, tmp_path / "out", variant_names=["cpu-fp32"])
    made = export(folder, tmp_path / "out", variant_names=["cpu-fp32"], convert_pickles=True)
    assert made.space_id == export(XLMR, tmp_path / "same", variant_names=["cpu-fp32"]).space_id
    biased = export(folder, tmp_path / "biased", variant_names=["cpu-fp32"], heads={32: PICKLES / "head.pt"})
    assert {head.dim for head in biased.heads} == {48, 32}
