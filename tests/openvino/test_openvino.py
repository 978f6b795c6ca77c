"""A plugin provider for real: OpenVINO's, on this CPU. What is proven here holds for every plugin: registration,
choice, batches with masks, compiled graphs that are kept, and what is said.

The plugin lists Intel's devices only: on another CPU `test_elsewhere.py` is what runs.
"""

import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import onnxruntime_ep_openvino as plugin
import pytest

import colibri
from colibri.providers.installed import look_for, register
from colibri.providers.known import ORDER
from openvino_cpu import INTEL

pytestmark = pytest.mark.skipif(not INTEL, reason="OpenVINO's plugin lists no device on a CPU that is not Intel's")

OPENVINO = "OpenVINOExecutionProvider"
TEXTS = [
    "the small bird",
    "",
    "water " * 80,
    "x",
    "Hello, World! 日本語",
    "a river and a bird",
    "the the",
    "e\u0301",
] * 6


def test_the_plugin_is_registered_once_by_whoever_comes_first() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: look_for(ORDER), range(8)))
    for here in found:
        assert {OPENVINO, "CPUExecutionProvider"} <= set(here.devices)
        assert OPENVINO not in here.refused
    device = found[0].devices[OPENVINO]
    assert device.kind == "cpu"
    assert "version" in device.facts
    assert register(plugin.get_ep_name(), plugin.get_library_path) is None
    with pytest.raises(Exception, match="already registered"):  # onnxruntime's own word on a second time
        onnxruntime.register_execution_provider_library(plugin.get_ep_name(), plugin.get_library_path())


def test_a_plugin_that_the_application_registered_itself_is_used() -> None:
    code = (
        "import onnxruntime, onnxruntime_ep_openvino as p\n"
        "onnxruntime.register_execution_provider_library('a name of their own', p.get_library_path())\n"
        "from colibri.providers.installed import look_for\nfrom colibri.providers.known import ORDER\n"
        "here = look_for(ORDER)\nassert not here.refused, here.refused\n"
        "print('OpenVINOExecutionProvider' in here.devices)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize(("variant", "tolerance"), [("portable", 1e-5), ("gpu-fp16", 5e-3)])
def test_padded_batches_have_the_rows_of_texts_alone(
    variant: str, tolerance: float, folder: Path, tmp_path: Path
) -> None:
    """Without OpenVINO's accuracy mode portable would differ by 7e-3 on a CPU that multiplies bfloat16."""
    exact = colibri.load(folder, variant="cpu-fp32")
    model = colibri.load(folder, variant=variant, provider="openvino", engine_cache=tmp_path, batch_tokens=500)
    assert (model.provider.name, model.variant) == ("openvino", variant)
    for found, wanted in (
        (model.encode_documents(TEXTS), exact.encode_documents(TEXTS)),
        (model.encode_queries(TEXTS), exact.encode_queries(TEXTS)),
    ):
        np.testing.assert_array_equal(found.starts, wanted.starts)
        np.testing.assert_array_equal(found.spans, wanted.spans)
        assert np.abs(found.rows - wanted.rows).max() <= tolerance


def test_the_order_of_texts_changes_no_bit(folder: Path, tmp_path: Path) -> None:
    model = colibri.load(folder, variant="portable", provider="openvino", engine_cache=tmp_path)
    backwards = model.encode_documents(TEXTS[::-1])
    for place, rows in enumerate(model.encode_documents(TEXTS)):
        assert rows.tobytes() == backwards[len(TEXTS) - 1 - place].tobytes()


def test_with_only_a_cpu_it_is_passed_over_unless_named(folder: Path, tmp_path: Path) -> None:
    model = colibri.load(folder)
    assert (model.provider.name, model.variant) == ("cpu", "cpu-int8")
    assert any(reason.startswith("openvino: its only device here is the CPU") for reason in model.provider.reasons)
    named = colibri.load(folder, provider="openvino", engine_cache=tmp_path)
    assert (named.provider.name, named.variant, named.provider.reasons) == ("openvino", "gpu-fp16", ())
    assert named.provider.device
    with pytest.raises(colibri.ProviderError, match="its variant cpu-int8 runs on cpu; gpu-fp16 and portable can"):
        colibri.load(folder, provider="openvino", variant="cpu-int8")
    with pytest.raises(colibri.ProviderError, match=r"cuda: not installed here; installed .*OpenVINO.*pip"):
        colibri.load(folder, provider="cuda")


def state(cache: Path) -> dict[str, int]:
    return {str(path.relative_to(cache)): path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}


def test_what_was_compiled_is_kept_and_loaded_again(folder: Path, tmp_path: Path) -> None:
    first = colibri.load(folder, provider="openvino", engine_cache=tmp_path).encode_documents(TEXTS)
    kept = state(tmp_path)
    (place,) = tmp_path.iterdir()
    assert {Path(name).name for name in kept} >= {"key.json", "compiled.onnx"}
    assert place.name.startswith(f"{folder.name}-gpu-fp16-openvino-")
    key = json.loads((place / "key.json").read_text(encoding="utf-8"))
    assert key["onnxruntime"] == onnxruntime.__version__
    assert key["facts"]["version"] == look_for(ORDER).devices[OPENVINO].facts["version"]
    (folder / "aside").mkdir()
    graph = (folder / "gpu-fp16.onnx").rename(folder / "aside" / "gpu-fp16.onnx")
    try:  # compared with the manifest first, so the graph has to be there when a model is loaded
        with pytest.raises(colibri.ArtefactError, match=r"gpu-fp16\.onnx: missing"):
            colibri.load(folder, provider="openvino", engine_cache=tmp_path)
    finally:
        graph.rename(folder / "gpu-fp16.onnx")
        (folder / "aside").rmdir()
    again = colibri.load(folder, provider="openvino", engine_cache=tmp_path).encode_documents(TEXTS)
    assert state(tmp_path) == kept
    assert again.rows.tobytes() == first.rows.tobytes()


def test_a_damaged_compiled_graph_is_made_again(folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    colibri.load(folder, provider="openvino", variant="portable", engine_cache=tmp_path)
    (compiled,) = tmp_path.rglob("compiled_*.bin")
    os.truncate(compiled, 100)
    with caplog.at_level(logging.WARNING, logger="colibri"):
        model = colibri.load(folder, provider="openvino", variant="portable", engine_cache=tmp_path)
    assert "what was compiled before cannot be loaded and is made again" in caplog.text
    assert model.provider.name == "openvino"
    assert compiled.stat().st_size > 100


def test_nothing_is_kept_where_nothing_may_be(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert colibri.load(folder, provider="openvino", engine_cache=False).provider.name == "openvino"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert colibri.load(folder, provider="openvino", engine_cache=tmp_path / "file").provider.name == "openvino"
    assert colibri.load(folder, provider="openvino").provider.name == "openvino"
    assert list((tmp_path / "home" / "colibri" / "engines").iterdir())


def test_the_command_and_doctor_tell_the_same(folder: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "colibri", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return done.stdout

    model = ("--model", str(folder), "--provider", "openvino", "--json")
    ranked = json.loads(run("rerank", "bird", "the small bird", "water", *model))
    assert (ranked["variant"], ranked["provider"]) == ("gpu-fp16", "openvino")
    told = json.loads(run("doctor", str(folder), "--provider", "openvino", "--json"))
    assert (told["would_run"]["provider"], told["would_run"]["variant"]) == ("openvino", "gpu-fp16")
    assert told["would_run"]["device"] == told["providers"]["openvino"]
    assert told["providers"]["cuda"].startswith("not installed; pip uninstall onnxruntime, then pip install")
    assert told["engine_cache"] == str(tmp_path / "colibri" / "engines")
    told = json.loads(run("doctor", str(folder), "--json"))
    assert told["would_run"]["provider"] == "cpu"
    assert any(reason.startswith("openvino: its only device") for reason in told["would_run"]["reasons"])
