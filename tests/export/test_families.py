"""Rotary XLM-R and ModernBERT against what Hugging Face transformers answered for the same checkpoints."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from colibri.providers import CPU, cpu_features
from colibri_export.checkpoint import open_checkpoint
from colibri_export.heads import gather
from colibri_export.variants import Workshop
from reference import GOLDEN, read_safetensors

Floats = NDArray[np.float32]
Golden = dict[str, NDArray[np.generic]]

SIBLINGS = {"tiny-random-jina": {32: "tiny-random-jina-32"}}
NAMES = ("tiny-random-jina", "tiny-random-jina-bert", "tiny-random-modernbert", "tiny-random-modernbert-dense2")
FLOAT_GRAPHS = ("cpu-fp32", "cpu-fp32.query", "portable")


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def golden(name: str) -> Golden:
    return read_safetensors(GOLDEN / name / "golden.safetensors")


@pytest.fixture(scope="module")
def graphs(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every graph of the checkpoint; `.query` ones are fused with a mask."""
    checkpoint = open_checkpoint(GOLDEN / name)
    siblings = {dim: GOLDEN / folder for dim, folder in SIBLINGS.get(name, {}).items()}
    folder = tmp_path_factory.mktemp(name)
    workshop = Workshop(checkpoint, gather(checkpoint, siblings, (), None), folder, unattended_queries=True)
    for variant in ("cpu-int8", "cpu-fp32", "portable"):
        workshop.write(variant)
    return folder


def run(graph: Path, ids: NDArray[np.generic], mask: NDArray[np.generic] | None = None) -> dict[int, Floats]:
    """Rows by dim. The mask goes in only where the graph has one."""
    session = onnxruntime.InferenceSession(graph, providers=[CPU])
    feeds = {"input_ids": ids.astype(np.int64)}
    if len(session.get_inputs()) > 1:
        feeds["attention_mask"] = np.ones_like(feeds["input_ids"]) if mask is None else mask.astype(np.int64)
    outputs = [node.name for node in session.get_outputs()]
    return {int(o.removeprefix("tokens_")): rows for o, rows in zip(outputs, session.run(outputs, feeds), strict=True)}


def lengths(golden: Golden) -> list[int]:
    return sorted(int(key.removeprefix("ids_")) for key in golden if key.startswith("ids_"))


def assert_same_rows(found: Floats, wanted: Floats) -> None:
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-4
    assert np.einsum("...d,...d->...", found, wanted, dtype=np.float64).min() >= 0.99999


@pytest.mark.parametrize("graph", FLOAT_GRAPHS)
def test_rows_equal_those_of_transformers_at_every_length(graph: str, graphs: Path, golden: Golden, name: str) -> None:
    found_lengths = lengths(golden)
    assert found_lengths[0] == 1
    assert found_lengths[-1] >= {
        "tiny-random-jina": 200,
        "tiny-random-jina-bert": 300,
        "tiny-random-modernbert": 100,
    }.get(name, 64)
    for length in found_lengths:
        for dim, rows in run(graphs / f"{graph}.onnx", golden[f"ids_{length}"]).items():
            assert_same_rows(rows, golden[f"tokens_{dim}_{length}"].astype(np.float32))


@pytest.mark.parametrize("graph", ["cpu-fp32.query", "portable"])
def test_padding_never_changes_an_attended_row(graph: str, graphs: Path, golden: Golden) -> None:
    ids, mask = golden["masked_ids"], golden["masked_mask"]
    assert len(set(mask.sum(axis=1).tolist())) > 1
    padded = run(graphs / f"{graph}.onnx", ids, mask)
    for i, length in enumerate(mask.sum(axis=1).tolist()):
        alone = run(graphs / "cpu-fp32.onnx", ids[i : i + 1, :length])
        for dim, rows in padded.items():
            assert_same_rows(rows[i, :length], alone[dim][0])


@pytest.mark.parametrize("graph", ["cpu-fp32.query", "portable"])
def test_hidden_mask_tokens_have_the_rows_transformers_gives_them(
    graph: str, graphs: Path, golden: Golden, name: str
) -> None:
    ids, mask = golden["expanded_ids"], golden["expanded_mask"]
    assert 0 < mask.sum() < mask.size
    head = gather(open_checkpoint(GOLDEN / name), {}, (), None)
    seen = run(graphs / f"{graph}.onnx", ids)
    for dim, rows in run(graphs / f"{graph}.onnx", ids, mask).items():
        if dim in head:
            (*layers,) = head[dim].layers
            if len(layers) == 1:  # what several layers compute is tested in test_heads.py
                projected = golden["expanded_hidden"].astype(np.float64) @ layers[0].weight.T
                unit = projected / np.linalg.norm(projected, axis=-1, keepdims=True)
                assert_same_rows(rows, unit.astype(np.float32))
        assert np.abs(rows - seen[dim]).max() > 0.01, "attended, they would change the others"


def test_documents_of_one_length_may_share_a_run(graphs: Path, golden: Golden) -> None:
    """The runtime never does, but the graph's first axis is a batch."""
    ids = golden["ids_33"]
    both = run(graphs / "cpu-fp32.onnx", np.concatenate([ids, ids[:, ::-1]]))
    for dim, rows in run(graphs / "cpu-fp32.onnx", ids[:, ::-1]).items():
        assert_same_rows(both[dim][1:], rows)


def test_both_int8_graphs_give_the_same_rows_near_the_float_ones(graphs: Path, golden: Golden, name: str) -> None:
    ids = golden[f"ids_{lengths(golden)[-1]}"]
    unsigned, seven, truth = (
        run(graphs / f"{graph}.onnx", ids) for graph in ("cpu-int8.u8", "cpu-int8.s8a7", "cpu-fp32")
    )
    exact = bool(cpu_features() & {"avx512_vnni", "avx_vnni", "neon"})
    signed = run(graphs / "cpu-int8.s8.onnx", ids) if exact else unsigned
    # Random weights were drawn so that rows depend on all tokens, and errors with them; trained ones are far calmer.
    least = {"tiny-random-modernbert": 0.75}.get(name, 0.95)
    for dim, rows in unsigned.items():
        np.testing.assert_allclose(rows, signed[dim], rtol=0, atol=1e-6)
        assert np.einsum("btd,btd->bt", rows, truth[dim]).mean() > least
        assert np.einsum("btd,btd->bt", seven[dim], truth[dim]).mean() > least - 0.1


@pytest.mark.parametrize("family", ["tiny-random-jina", "tiny-random-modernbert"])
def test_a_document_of_8192_tokens_never_holds_the_scores_of_all_pairs(family: str, tmp_path: Path) -> None:
    """One layer's scores would be 4 heads * 8192^2 * 4 bytes = 1,074 MB."""
    checkpoint = open_checkpoint(GOLDEN / family)
    Workshop(checkpoint, gather(checkpoint, {}, (), None), tmp_path, unattended_queries=False).write("cpu-fp32")
    script = (
        "import resource, sys, numpy as np, onnxruntime as ort;"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "session = ort.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider']);"
        "before = peak();"
        "ids = np.arange(8192)[None] % 300;"
        "rows = session.run(None, {'input_ids': ids})[0];"
        "assert rows.shape[1] == 8192 and np.isfinite(rows).all();"
        "print(peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cpu-fp32.onnx")], capture_output=True, text=True, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 150e6
