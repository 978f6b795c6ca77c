"""JinaBERT: its slopes, its turns, what is refused, and the memory of its longest document."""

import dataclasses
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
from safetensors.numpy import save_file

import colibri
from colibri.errors import ExportError
from colibri.providers import CPU
from colibri_export.checkpoint import open_checkpoint
from colibri_export.graph.alibi import slopes
from colibri_export.graph.blocks import GraphBuilder
from colibri_export.graph.turns import in_turns
from colibri_export.heads import gather
from colibri_export.pipeline import export
from colibri_export.variants import Workshop
from reference import GOLDEN
from rounds import rounds

JINA_BERT = GOLDEN / "tiny-random-jina-bert"
# layers, hidden, heads, intermediate; the soak profile's are those of jina-colbert-v1-en.
SIZES = rounds((1, 32, 4, 128), (12, 768, 12, 3072))
# One layer's scores of all pairs would be 4 heads * 8,192^2 * 4 bytes = 1.1 GB (3.2 GB), its bias as much again.
MOST_MB = {"cpu-fp32": 400, "cpu-int8": 400, "portable": 500}
_PEAK = (
    "import resource, sys, pathlib, numpy as np, onnxruntime as ort;"
    # Linux tells what is held now, since loading may have held more for a moment; its ru_maxrss begins with what the
    # process was forked of held (2.9 GB of a long test run), VmHWM with the program.
    "status = pathlib.Path('/proc/self/status');"
    "told = lambda name: int(status.read_text().split(name + ':')[1].split()[0]);"
    "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
    "peak = (lambda: told('VmHWM')) if status.is_file() else most;"
    "held = (lambda: told('VmRSS')) if status.is_file() else most;"
    "session = ort.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider']);"
    "names = [value.name for value in session.get_inputs()];"
    "feeds = lambda n: {name: np.ones((1, n), np.int64) for name in names};"
    "session.run(None, feeds(8));"
    "before = held();"
    "rows = session.run(None, feeds(8192))[0];"
    "assert rows.shape[1] == 8192 and np.isfinite(rows).all();"
    "print(peak() - before)"
)


def test_slopes_are_those_of_the_paper_and_between_two_powers_every_other_one() -> None:
    assert slopes(8) == [2**-k for k in range(1, 9)]
    twelve = [2**-k for k in range(1, 9)] + [2 ** -(k + 0.5) for k in range(4)]
    assert slopes(12) == pytest.approx(twelve, rel=1e-15)
    assert slopes(1) == [2**-8]
    for heads in range(1, 33):
        found = slopes(heads)
        assert (len(found), len(set(found)), max(found) < 1) == (heads, heads, True)


@pytest.mark.parametrize("tokens", [1, 2, 4, 5, 8, 9, 15, 16, 17, 31])
def test_turns_are_the_whole_in_any_number_of_them(tokens: int, tmp_path: Path) -> None:
    """Each row with its place: in turns of 4 tokens, and at once."""
    found = []
    for turns in (True, False):
        g = GraphBuilder("standard", masked=False, in_turns=turns)
        numbers = g.op("Cast", g.op("Unsqueeze", g.ids, g.constant([-1])), to=ir.DataType.FLOAT.value)

        def turn(rows: ir.Value, first: ir.Value, g: GraphBuilder = g) -> ir.Value:
            count = g.op("Squeeze", g.op("Shape", g.ids, start=1, end=2), g.constant([0]))
            places = g.op("Range", g.constant(np.int64(0)), count, g.constant(np.int64(1)))
            places = g.op("Cast", g.op("Add", places, first), to=ir.DataType.FLOAT.value)
            return g.op("Add", g.op("Mul", rows, rows), g.op("Unsqueeze", places, g.constant([0, 2])))

        file = tmp_path / f"{turns}.onnx"
        ir.save(g.finish({"rows": (in_turns(g, numbers, 4, 1, turn), 1)}, "test"), file)
        onnx.checker.check_model(str(file), full_check=True)
        session = onnxruntime.InferenceSession(file, providers=[CPU])
        ids = np.arange(2 * tokens).reshape(2, tokens)
        found.append(session.run(["rows"], {"input_ids": ids})[0])
    wanted = [[[value**2 + place] for place, value in enumerate(row)] for row in ids.tolist()]
    np.testing.assert_array_equal(found[0], np.array(wanted, np.float32))
    np.testing.assert_array_equal(found[1], found[0])


def test_every_variant_is_near_float32_and_its_roles_are_stanfords(tmp_path: Path) -> None:
    names = ["cpu-int8", "cpu-fp32", "portable", "gpu-fp16"]
    made = export(JINA_BERT, tmp_path / "out", variant_names=names, doc_max_length=512)
    # A processor without VNNI runs the second of cpu-int8's graphs alone.
    measured = {name: any(graph.parity for graph in variant.graphs) for name, variant in made.variants.items()}
    assert measured == dict.fromkeys(names, True)
    assert (made.architecture.family, made.architecture.activation) == ("jina-bert", "gelu")
    assert made.query.expansion is not None
    assert (made.query.max_tokens, made.query.expansion.to_tokens, made.query.expansion.attended) == (32, 32, False)
    assert (made.document.max_tokens, made.document.recorded_max_tokens) == (512, 160)
    assert (made.document.skiplist.rule, made.query.skiplist.rule) == ("stanford", "none")
    half = onnx.load(tmp_path / "out" / "gpu-fp16.onnx", load_external_data=False)
    assert "Loop" not in {node.op_type for node in half.graph.node}


def test_a_text_has_the_same_bits_in_any_company(tmp_path: Path) -> None:
    export(JINA_BERT, tmp_path / "out", variant_names=["cpu-int8", "cpu-fp32"], doc_max_length=512)
    texts = [" ".join(["bird", "river", "the"] * n) for n in (1, 42, 43, 100)]
    for variant in ("cpu-int8", "cpu-fp32"):
        model = colibri.load(tmp_path / "out", variant=variant)
        together = model.encode_documents([*texts, *reversed(texts)])
        for n, text in enumerate(texts):
            alone = model.encode_documents([text]).rows.tobytes()
            assert together[n].tobytes() == together[-1 - n].tobytes() == alone


@pytest.mark.parametrize("part", ["attention.self.layer_norm_q.weight", "mlp.up_gated_layer.weight"])
def test_siblings_with_normed_queries_and_keys_are_refused_by_their_tensors(
    part: str, remake: Callable[..., Path]
) -> None:
    name = f"bert.encoder.layer.0.{part}"
    folder = remake(JINA_BERT, tensors=lambda tensors: tensors.update({name: np.zeros(4, np.float32)}))
    with pytest.raises(ExportError, match=rf"{name}: normed queries and keys"):
        open_checkpoint(folder)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"feed_forward_type": "original"}, "feed_forward_type 'original', this exporter knows geglu, reglu"),
        ({"feed_forward_type": None}, "feed_forward_type None"),
        ({"hidden_act": "relu"}, "hidden_act 'relu'"),
        ({"position_embedding_type": "rope"}, "position_embedding_type 'rope'"),
    ],
)
def test_what_no_builder_computes_is_refused_by_its_key(
    change: dict[str, Any], wanted: str, remake: Callable[..., Path]
) -> None:
    with pytest.raises(ExportError, match=wanted):
        open_checkpoint(remake(JINA_BERT, config=lambda config: config.update(change)))


def test_reglu_is_the_same_with_relu(remake: Callable[..., Path], tmp_path: Path) -> None:
    rows = {}
    for kind in ("geglu", "reglu"):
        folder = remake(JINA_BERT, config=lambda config, kind=kind: config.update(feed_forward_type=kind))
        checkpoint = open_checkpoint(folder)
        (out := tmp_path / kind).mkdir()
        Workshop(checkpoint, gather(checkpoint, {}, (), None), out, unattended_queries=False).write("cpu-fp32")
        kinds = {node.op_type for node in ir.load(out / "cpu-fp32.onnx").graph.all_nodes()}
        rows[kind] = "Relu" in kinds, "Gelu" in kinds
    assert rows == {"geglu": (False, True), "reglu": (True, False)}


def random_checkpoint(folder: Path) -> Path:
    """tiny-random-jina-bert's files with random weights of other sizes."""
    layers, hidden, heads, wide = SIZES
    shutil.copytree(JINA_BERT, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads}
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": wide}), encoding="utf-8")
    rng = np.random.default_rng(5)
    original = open_checkpoint(JINA_BERT)
    facts = dataclasses.replace(original.architecture, layers=layers, hidden=hidden, heads=heads, intermediate=wide)
    from colibri_export.layout import jina_bert

    tensors = {
        f"bert.{name}": rng.normal(0, 1 / math.sqrt(hidden), [size or 1 for size in shape]).astype(np.float32)
        for tensor in jina_bert.tensors(facts).values()
        for name, shape in zip(tensor.sources, tensor.shapes, strict=True)
    }
    tensors["linear.weight"] = rng.normal(0, 0.05, (128, hidden)).astype(np.float32)
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_8192_tokens_never_hold_the_scores_of_all_pairs(tmp_path: Path) -> None:
    """In a process of its own for each variant, over what it holds once eight tokens were through."""
    checkpoint = open_checkpoint(random_checkpoint(tmp_path / "checkpoint"))
    (out := tmp_path / "out").mkdir()
    workshop = Workshop(checkpoint, gather(checkpoint, {}, (), None), out, unattended_queries=False)
    found = {}
    for name, most in MOST_MB.items():
        workshop.write(name)
        graph = out / (f"{name}.u8.onnx" if name == "cpu-int8" else f"{name}.onnx")
        done = subprocess.run([sys.executable, "-c", _PEAK, str(graph)], capture_output=True, text=True, check=True)
        found[name] = int(done.stdout) * (1 if sys.platform == "darwin" else 1024) / 1e6
        assert found[name] < most, found
    sys.stdout.write(f"MB over the loaded model: {found}\n")
