"""What an export takes is known before it begins: sizes from shapes, disk and memory, a dry run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from colibri.cli import group
from colibri.errors import ExportError
from colibri_export.checkpoint import open_checkpoint
from colibri_export.room import free_disk, free_memory, require_space
from colibri_export.sizes import Sizes, sizes
from colibri_export.weights import VocabularyBits, write_float, write_half, write_int8
from hub_server import HubServer, serving
from reference import GOLDEN

CHECKPOINTS = ("bert", "xlmr", "jina", "jina-bert", "modernbert", "modernbert-dense2")


def colibri(*words: str | Path) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


@pytest.mark.parametrize("name", CHECKPOINTS)
@pytest.mark.parametrize("bits", [4, 8])
def test_sizes_from_shapes_are_those_of_the_files(name: str, bits: VocabularyBits, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(GOLDEN / f"tiny-random-{name}")
    stored = write_int8(checkpoint, tmp_path / "int8", bits)
    write_float(checkpoint, tmp_path / "f32")
    write_half(checkpoint, tmp_path / "f16")
    names = ("cpu-int8", "cpu-fp32", "gpu-fp16")
    found = sizes(checkpoint.architecture, checkpoint.tensors, [], names, bits)
    padding = 64 * len(stored)  # each tensor begins at a multiple of 64
    for variant, file in zip(names, ("int8", "f32", "f16"), strict=True):
        assert 0 <= (tmp_path / file).stat().st_size - (found.variants[variant] - 2_000_000) <= padding
    assert found.parameters == sum(checkpoint.read(tensor).size for tensor in checkpoint.tensor_names())


def test_too_little_disk_or_memory_is_refused_with_both_figures(tmp_path: Path) -> None:
    out = tmp_path / "not" / "there" / "yet"
    disk, memory = free_disk(out), free_memory()
    assert disk > 0
    small = Sizes(parameters=1, variants={}, disk=1000, memory=1000)
    require_space(small, out)
    with pytest.raises(ExportError, match=r"takes about .* GB while it is made, and .* are free there.*--ignore-room"):
        require_space(Sizes(parameters=1, variants={}, disk=disk * 2, memory=1), out)
    require_space(Sizes(parameters=1, variants={}, disk=disk * 2, memory=1), out, done=disk * 2)
    if memory is not None:
        with pytest.raises(ExportError, match=r"holds about .* of memory, and .* are free"):
            require_space(Sizes(parameters=1, variants={}, disk=1, memory=memory * 4), out)


def test_a_dry_run_says_what_would_be_done_and_does_none_of_it(tmp_path: Path) -> None:
    done = colibri("export", GOLDEN / "tiny-random-jina-bert", tmp_path / "out", "--dry-run", "--doc-max-length", "512")
    assert done.exit_code == 0, done.output
    for words in (
        "model.safetensors 0.6 MB, config.json",
        "jina-bert, 2 layers of 96, 299 tokens in its vocabulary",
        "query     marker '[unused0]', 32 tokens, masks up to 32, hidden, skiplist none",
        "document  marker '[unused1]', 512 tokens (its files say 160), no masks, skiplist stanford",
        "heads     48",
        f"builds    {tmp_path / 'out'}: cpu-int8 about 2.",
        "of disk while it works (",
    ):
        assert words in done.output
    assert not list(tmp_path.iterdir())


def test_a_dry_run_refuses_what_the_export_would(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN / "tiny-random-bert", tmp_path / "bare")
    (folder / "artifact.metadata").unlink()
    refused = colibri("export", folder, tmp_path / "out", "--dry-run")
    assert (refused.exit_code, "--query-marker TEXT" in refused.output) == (1, True)
    refused = colibri("export", folder, tmp_path / "out", "--dry-run", "--via", "optimum")
    assert refused.exit_code != 0


def test_a_dry_run_of_a_hub_id_downloads_no_weights(tmp_path: Path) -> None:
    with serving(HubServer({"owner/tiny": GOLDEN / "tiny-random-jina-bert"})) as hub:
        home = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
        command = [sys.executable, "-m", "colibri", "export", "owner/tiny", str(tmp_path / "out"), "--dry-run"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **home})
        fetched = hub.files_fetched()
    assert done.returncode == 0, done.stderr
    assert "reads     owner/tiny: weights, to be downloaded" in done.stdout
    assert "config.json" in fetched
    assert "model.safetensors" not in fetched
    assert not (tmp_path / "out").exists()
