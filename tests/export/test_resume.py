"""An export that was interrupted goes on from what it had written, when asked to keep it."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from colibri.errors import ExportError
from colibri_export.checkpoint import open_checkpoint
from colibri_export.folders import folders, kept_folder
from colibri_export.layers import by_layer
from colibri_export.pipeline import export
from colibri_export.weights import write_int8
from reference import GOLDEN

BERT = GOLDEN / "tiny-random-bert"
_ON_A_FULL_DISK = """
import resource, sys
from colibri.cli import main

sys.dont_write_bytecode = True  # Python 3.11 would keep what was cut short, and import it ever after
largest = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))  # a file that would grow longer fails as on a full disk
main()
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on a file's size")
def test_an_interrupted_export_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [sys.executable, "-c", _ON_A_FULL_DISK, "400000", "export", str(BERT), str(out), "--resume"]
    broken = subprocess.run(words, capture_output=True, text=True, check=False)
    assert broken.returncode == 1
    kept = kept_folder(out)
    assert broken.stderr.splitlines()[-1] == f"Error: {out}: File too large; {kept} is kept, and --resume goes on"
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    journal = kept / "journals" / "artefact.backbone.f32.bin.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines()
    assert 0 < len(lines) < len(list(open_checkpoint(BERT).tensor_names()))
    files = {name: (kept / "artefact" / name).stat().st_ino for name in ("backbone.int8.bin", "backbone.f32.bin")}
    export(BERT, out, resume=True)
    assert {name: (out / name).stat().st_ino for name in files} == files, "gone on with, not written anew"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    export(BERT, tmp_path / "whole")
    whole, resumed = contents(tmp_path / "whole"), contents(out)
    manifests = [json.loads(found.pop("colibri.json")) for found in (whole, resumed)]
    assert resumed == whole
    assert manifests[0] == {**manifests[1], "name": "whole"}


def interrupted(out: Path) -> None:
    with folders(out, False, {"of": "another"}) as made:
        (made.artefact / "backbone.int8.bin").write_bytes(b"of another")
        raise KeyboardInterrupt


def test_what_another_checkpoint_left_is_not_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        interrupted(out)
    assert kept_folder(out).is_dir()
    export(BERT, out, resume=True, variant_names=["cpu-int8"])
    export(BERT, tmp_path / "whole", variant_names=["cpu-int8"])
    assert (out / "backbone.int8.bin").read_bytes() == (tmp_path / "whole" / "backbone.int8.bin").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"out", "whole"}


def test_an_export_that_is_refused_leaves_nothing_to_go_on_with(spoiled: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(ExportError, match="too far from float32"):
        export(spoiled, tmp_path / "here" / "out", resume=True)
    assert not list((tmp_path / "here").iterdir())


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="files are locked by flock, which this system lacks")
    with folders(tmp_path / "out", False, {"of": 1}) as made:
        with (
            pytest.raises(ExportError, match="another export works there"),
            folders(tmp_path / "out", False, {"of": 1}),
        ):
            pass
        assert made.artefact.is_dir()


@pytest.mark.parametrize("cut", [0, 1, 40, 1000, 100_000])
def test_a_file_or_a_journal_cut_anywhere_is_gone_on_with(cut: int, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(BERT)
    write_int8(checkpoint, tmp_path / "whole.bin")
    first, journal = tmp_path / "a.bin", tmp_path / "a.jsonl"
    whole = write_int8(checkpoint, first, journal=journal)
    for shortened, other in ((first, journal), (journal, first)):
        shutil.copy(shortened, tmp_path / "kept")
        shortened.write_bytes(shortened.read_bytes()[:cut])
        assert other.stat().st_size > 0
        assert write_int8(checkpoint, first, journal=journal) == whole
        assert first.read_bytes() == (tmp_path / "whole.bin").read_bytes()
        assert (tmp_path / "kept").read_bytes() == shortened.read_bytes()


def test_progress_is_told_by_layer(caplog: pytest.LogCaptureFixture) -> None:
    names = list(open_checkpoint(BERT).tensor_names())
    with caplog.at_level(logging.INFO, "colibri_export"):
        assert list(by_layer(names, 3, "backbone.int8.bin", every=0)) == names
        assert list(by_layer(names, 3, "backbone.int8.bin", every=3600)) == names
    told = [message.split(",")[0] for message in caplog.messages]
    assert told == [f"backbone.int8.bin: layer {n} of 3" for n in (1, 2, 3)]
