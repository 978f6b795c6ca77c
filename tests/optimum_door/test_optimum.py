"""`--via optimum`: encoders without a builder of ours, compared with transformers' own forward pass.

Needs torch and the extra [optimum], so these tests have a verb of their own: `python3 run.py test-optimum`.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from transformers import DistilBertConfig, DistilBertModel, MPNetConfig, MPNetModel

import colibri
from colibri.artefact import check_files, find
from colibri.artefact.manifest import RoleName
from colibri.cli import group
from colibri.tokens.tokenizer import TextTokenizer
from reference import GOLDEN

TEXTS = ["small bird", "", "a", "the old house by the river. " * 20, "Zug, über! 東京 🐦", "word " * 300]
SHAPE = {"vocab_size": 1024, "max_position_embeddings": 96}
FACTS = ("layers", "hidden", "heads", "intermediate", "max_positions", "position_offset", "activation", "norm_epsilon")


def distilbert() -> Any:
    return DistilBertModel(DistilBertConfig(**SHAPE, dim=64, n_layers=2, n_heads=4, hidden_dim=128))


def mpnet() -> Any:
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
    return MPNetModel(MPNetConfig(**SHAPE, **sizes), add_pooling_layer=False)


@pytest.fixture(scope="session", params=[distilbert, mpnet], ids=["distilbert", "mpnet"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random checkpoint in Stanford's layout, with the tokenizer and metadata of golden's tiny-random-bert."""
    torch.manual_seed(1)
    return save(request.param(), tmp_path_factory.mktemp("tiny-random"))


def save(model: Any, folder: Path) -> Path:
    for name in ("tokenizer.json", "artifact.metadata"):
        shutil.copy(GOLDEN / "tiny-random-bert" / name, folder / name)
    model.save_pretrained(folder)
    inside = model.base_model_prefix
    tensors = {f"{inside}.{name}": array for name, array in load_file(folder / "model.safetensors").items()}
    random = np.random.default_rng(2)
    tensors["linear.weight"] = random.standard_normal((48, 64)).astype(np.float32)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    save_file({"linear.weight": random.standard_normal((16, 64)).astype(np.float32)}, folder / "head-16.safetensors")
    return folder


@pytest.fixture(scope="session")
def artefact(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artefact") / "out"
    longest = 94 if "mpnet" in (checkpoint / "config.json").read_text(encoding="utf-8") else 96
    words = ["--head", f"16={checkpoint / 'head-16.safetensors'}", "--doc-max-length", str(longest)]
    done = export(checkpoint, out, *words)
    assert done.exit_code == 0, done.output
    assert [path.name for path in out.parent.iterdir()] == ["out"], "optimum's own files are gone"
    return out


def export(*words: str | Path) -> Result:
    return CliRunner().invoke(group, ["export", *map(str, words), "--via", "optimum"])


def truth(checkpoint: Path, ids: list[int], attended: list[bool], dim: int) -> NDArray[np.float64]:
    """transformers' rows, through the head, of unit length."""
    kinds = {"distilbert": DistilBertModel, "mpnet": MPNetModel}
    kind = kinds[json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))["model_type"]]
    model = kind.from_pretrained(checkpoint).eval()
    with torch.no_grad():
        rows = model(torch.tensor([ids]), attention_mask=torch.tensor([attended]).long()).last_hidden_state[0].numpy()
    file = "model.safetensors" if dim == 48 else f"head-{dim}.safetensors"
    vectors = rows.astype(np.float64) @ load_file(checkpoint / file)["linear.weight"].T.astype(np.float64)
    unit: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("dim", [48, 16])
@pytest.mark.parametrize("role", ["query", "document"])
def test_rows_equal_those_of_transformers(role: RoleName, dim: int, checkpoint: Path, artefact: Path) -> None:
    model = colibri.load(artefact, dim, "portable")
    encode = model.encode_queries if role == "query" else model.encode_documents
    rules = model.manifest.role(role)
    for text, tokens in zip(TEXTS, TextTokenizer(find(artefact)).encode(TEXTS, rules), strict=True):
        found = encode([text])
        expected = truth(checkpoint, tokens.ids.tolist(), tokens.attended.tolist(), dim)[tokens.keep]
        assert found.rows.shape == expected.shape
        assert np.einsum("td,td->t", found.rows, expected).min() >= 0.99999


def test_the_manifest_says_what_it_is(checkpoint: Path, artefact: Path) -> None:
    made = find(artefact)
    check_files(made)
    architecture = made.manifest.architecture
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    assert architecture.family == config["model_type"]
    mpnet = architecture.family == "mpnet"
    facts = (2, 64, 4, 128, 94 if mpnet else 96, 2 if mpnet else 0, "gelu", 1e-12)
    assert tuple(getattr(architecture, name) for name in FACTS) == facts
    assert architecture.vocabulary == 1024
    assert list(made.manifest.variants) == ["cpu-int8", "portable"]
    assert made.manifest.dims == (48, 16)
    int8, portable = made.manifest.variants.values()
    for variant in (int8, portable):
        (graph,) = variant.graphs
        assert (graph.masked_query, graph.masked_document, graph.any_cpu_feature) == (True, True, ())
        assert graph.parity is not None
    assert all(parity.mean_cosine >= 0.98 for parity in (int8.graphs[0].parity or {}).values())
    assert int8.size_bytes < portable.size_bytes / 2
    assert made.manifest.query.expansion is not None
    assert not made.manifest.query.expansion.attended


def test_the_longest_document_runs(artefact: Path) -> None:
    model = colibri.load(artefact, variant="portable")
    role = model.manifest.document
    (tokens,) = TextTokenizer(find(artefact)).encode(["word " * 300], role)
    assert len(tokens.ids) == role.max_tokens == model.manifest.architecture.max_positions
    assert np.isfinite(model.encode_documents(["word " * 300]).rows).all()


def test_int8_that_misses_its_tolerance_is_left_out_unless_it_was_asked_for(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = distilbert()
    with torch.no_grad():  # one weight a thousand times the others: every other one of its table rounds to nothing
        model.embeddings.word_embeddings.weight[0, 0] = 1000.0
    folder = tmp_path / "spoiled"
    folder.mkdir()
    save(model, folder)
    done = export(folder, tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert list(find(tmp_path / "out").manifest.variants) == ["portable"]
    check_files(find(tmp_path / "out"))
    assert not [path.name for path in (tmp_path / "out").iterdir() if "int8" in path.name]
    refused = export(folder, tmp_path / "asked", "--variants", "cpu-int8")
    assert refused.exit_code == 1
    assert "cpu-int8 (cpu-int8.onnx) is too far from float32" in refused.output
    assert not (tmp_path / "asked").exists()


def test_a_family_that_has_a_builder_goes_through_as_well(tmp_path: Path) -> None:
    source = GOLDEN / "tiny-random-bert"
    done = export(source, tmp_path / "out", "--variants", "portable")
    assert done.exit_code == 0, done.output
    theirs = colibri.load(tmp_path / "out")
    ours = colibri.load(GOLDEN.parent / "artefacts" / "tiny-random-bert", 48, "cpu-fp32")
    for encode in ("encode_queries", "encode_documents"):
        pair = [getattr(model, encode)(TEXTS).rows for model in (theirs, ours)]
        assert np.einsum("td,td->t", *pair).min() >= 0.99999


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (
            lambda t: t.pop("distilbert.transformer.layer.1.ffn.lin1.bias"),
            "missing distilbert.transformer.layer.1.ffn.lin1.bias",
        ),
        (lambda t: t.update({"distilbert.extra": np.ones(3, np.float32)}), "unknown distilbert.extra"),
        (lambda t: t.pop("linear.weight"), "no head: no linear.weight"),
        (lambda t: t.update({"distilbert.embeddings.LayerNorm.bias": np.full(64, np.nan, np.float32)}), "not finite"),
    ],
)
def test_tensors_that_are_not_the_models_are_named(
    change: Callable[[Any], object], wanted: str, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    (tmp_path / "made").mkdir()
    folder = save(distilbert(), tmp_path / "made")
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    refused = export(folder, tmp_path / "out")
    assert refused.exit_code == 1
    assert wanted in refused.output
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"model_type": "no-such-model"}, "transformers"),
        ({"model_type": "t5"}, "t5"),
        (
            {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}},
            "trust_remote_code",
        ),
    ],
)
def test_what_transformers_does_not_know_is_refused_and_no_code_of_it_runs(
    change: dict[str, Any], wanted: str, tmp_path: Path
) -> None:
    (tmp_path / "made").mkdir()
    folder = save(distilbert(), tmp_path / "made")
    (folder / "own.py").write_text("raise SystemExit('remote code ran')", encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, **change}), encoding="utf-8")
    refused = export(folder, tmp_path / "out")
    assert refused.exit_code == 1, refused.output
    assert wanted in refused.output
    assert "remote code ran" not in refused.output
    assert not (tmp_path / "out").exists()


def test_other_variants_and_our_builders_options_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    refused = export(checkpoint, tmp_path / "out", "--variants", "cpu-fp32")
    assert (refused.exit_code, "--via optimum gives cpu-int8, portable" in refused.output) == (1, True)
    refused = export(checkpoint, tmp_path / "out", "--vocab-bits", "8")
    assert (refused.exit_code, "not --via optimum" in refused.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_sibling_brings_its_head_if_its_backbone_is_the_same(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        torch.manual_seed(5 if name == "three" else 1)
        (tmp_path / name).mkdir()
        save(distilbert(), tmp_path / name)
        tensors = load_file(tmp_path / name / "model.safetensors")
        tensors["linear.weight"] = tensors["linear.weight"][: {"one": 48}.get(name, 24)][::-1].copy()
        save_file(tensors, tmp_path / name / "model.safetensors", {"format": "pt"})
    done = export(tmp_path / "one", tmp_path / "out", "--head", f"24={tmp_path / 'two'}", "--variants", "portable")
    assert done.exit_code == 0, done.output
    assert find(tmp_path / "out").manifest.dims == (48, 24)
    refused = export(tmp_path / "one", tmp_path / "no", "--head", f"24={tmp_path / 'three'}", "--variants", "portable")
    assert refused.exit_code == 1
    assert "its backbone is another one" in refused.output
