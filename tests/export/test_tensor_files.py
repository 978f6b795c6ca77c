"""Safetensors files of a checkpoint: whole, in shards, in bfloat16, and what is refused."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from colibri.errors import ExportError
from colibri_export.checkpoint import open_checkpoint
from colibri_export.tensor_files import INDEX, WHOLE, TensorFiles
from reference import GOLDEN

BERT, JINA = GOLDEN / "tiny-random-bert", GOLDEN / "tiny-random-jina"


def sharded(folder: Path) -> Path:
    """The BERT checkpoint in three files and an index."""
    shutil.copytree(BERT, folder)
    tensors = load_file(folder / WHOLE)
    (folder / WHOLE).unlink()
    names = sorted(tensors)
    places = {name: f"model-0000{i % 3 + 1}-of-00003.safetensors" for i, name in enumerate(names)}
    for file in set(places.values()):
        save_file({name: tensors[name] for name in names if places[name] == file}, folder / file)
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}), encoding="utf-8")
    return folder


def digest(folder: Path) -> bytes:
    pieces: list[bytes] = []
    open_checkpoint(folder).backbone_hash(lambda data: pieces.append(bytes(data)))
    return b"".join(pieces)


def test_shards_read_as_the_whole_file(tmp_path: Path) -> None:
    folder = sharded(tmp_path / "sharded")
    assert len(TensorFiles(folder).paths) == 3
    assert digest(folder) == digest(BERT)


def test_a_missing_shard_or_a_broken_index_is_named(tmp_path: Path) -> None:
    folder = sharded(tmp_path / "sharded")
    (folder / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(ExportError, match=r"names model-00002-of-00003.safetensors, which is not there"):
        TensorFiles(folder)
    (folder / INDEX).write_text('{"weight_map": {"a": "../outside.safetensors"}}', encoding="utf-8")
    with pytest.raises(ExportError, match=r"names outside.safetensors, which is not there"):
        TensorFiles(folder)
    for text in ("{", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3}}'):
        (folder / INDEX).write_text(text, encoding="utf-8")
        with pytest.raises(ExportError, match="not an index of safetensors files"):
            TensorFiles(folder)


def test_bfloat16_is_read_bit_for_bit() -> None:
    files = TensorFiles(JINA)
    key = "roberta.encoder.layers.1.mixer.Wqkv.weight"
    assert files.dtype(key) == "BF16"
    raw = (JINA / WHOLE).read_bytes()
    base = 8 + int.from_bytes(raw[:8], "little")
    first, last = json.loads(raw[8:base])[key]["data_offsets"]
    upper = np.frombuffer(raw[base + first : base + last], "<u2").astype(np.uint32) << 16
    np.testing.assert_array_equal(files.read(key).ravel(), upper.view(np.float32))
    np.testing.assert_array_equal(files.read(key, 3, 7), files.read(key)[3:7])
    np.testing.assert_array_equal(files.read(key, 190, 500), files.read(key)[190:])


@pytest.mark.parametrize(("dtype", "width"), [("F8_E4M3", 1), ("F8_E5M2", 1), ("I8", 1)])
def test_numbers_of_another_kind_are_refused_by_the_tensors_name(dtype: str, width: int, tmp_path: Path) -> None:
    """safetensors written by hand: one tensor's dtype replaced, its bytes cut or repeated to fit."""
    folder = shutil.copytree(BERT, tmp_path / "copy")
    raw = (folder / WHOLE).read_bytes()
    base = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:base])
    metadata = header.pop("__metadata__")
    name, body, written = "bert.encoder.layer.1.output.dense.weight", b"", {"__metadata__": metadata}
    for key, entry in header.items():
        first, last = entry["data_offsets"]
        data = raw[base + first : base + last]
        if key == name:
            data = (data * 2)[: len(data) // 4 * width]
            entry["dtype"] = dtype
        written[key] = {**entry, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(written).encode()
    text += b" " * (-len(text) % 8)
    (folder / WHOLE).write_bytes(len(text).to_bytes(8, "little") + text + body)
    checkpoint = open_checkpoint(folder)
    with pytest.raises(ExportError, match=f"{name} is {dtype}, this exporter reads F64, F32, F16, BF16; a quantised"):
        checkpoint.read("layers.1.ffn_out.weight")


def with_doubles(folder: Path, change: Callable[[dict[str, Any]], object] = lambda tensors: None) -> Path:
    shutil.copytree(BERT, folder)
    tensors: dict[str, Any] = {name: array.astype(np.float64) for name, array in load_file(folder / WHOLE).items()}
    change(tensors)
    save_file(tensors, folder / WHOLE)
    return folder


def test_float64_is_rounded_to_float32_with_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = with_doubles(tmp_path / "copy")
    with caplog.at_level(logging.INFO, "colibri_export"):
        assert digest(folder) == digest(BERT)
    count = len(TensorFiles(BERT).keys)
    assert caplog.messages == [f"{folder}: {count} tensors are float64 and are rounded to float32"]


@pytest.mark.filterwarnings("error")
def test_float64_beyond_float32_is_called_neither_quantised_nor_finite(tmp_path: Path) -> None:
    name = "bert.encoder.layer.1.output.dense.weight"
    folder = with_doubles(tmp_path / "copy", lambda tensors: tensors[name].put(0, 1e300))
    with pytest.raises(ExportError, match=f"{name} holds values that are not finite in float32"):
        digest(folder)


def test_no_file_stays_open_or_mapped() -> None:
    files = TensorFiles(BERT)
    files.read("linear.weight")
    maps = Path("/proc/self/maps")
    if maps.exists():
        assert str(BERT / WHOLE) not in maps.read_text(encoding="utf-8")
