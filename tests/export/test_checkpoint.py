"""Hugging Face folders as named tensors of one shape, and refusals that name everything at once."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from colibri.errors import ExportError
from colibri_export.checkpoint import open_checkpoint
from colibri_export.heads import read_matrix

Tensors = dict[str, Any]


def backbone_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    open_checkpoint(folder).backbone_hash(digest.update)
    return digest.hexdigest()


def renamed(prefix: str) -> Callable[[Tensors], None]:
    """Move the encoder's tensors from "bert." to another prefix."""

    def change(tensors: Tensors) -> None:
        for name in [name for name in tensors if name.startswith("bert.")]:
            tensors[prefix + name.removeprefix("bert.")] = tensors.pop(name)

    return change


def test_a_checkpoint_tells_the_facts_of_its_architecture(tiny: Path) -> None:
    facts = open_checkpoint(tiny).architecture
    assert (facts.layers, facts.hidden, facts.heads, facts.intermediate) == (3, 64, 4, 128)
    expected = {"tiny-random-bert": ("bert", 0, 293, 1e-12), "tiny-random-xlmr": ("xlm-roberta", 2, 335, 1e-5)}
    assert (facts.family, facts.position_offset, facts.vocabulary, facts.norm_epsilon) == expected[tiny.name]
    assert facts.max_positions == 64


@pytest.mark.parametrize(("name", "prefix", "unused"), [("bert", "bert.", 0), ("xlmr", "roberta.", 2)])
def test_positions_start_at_the_first_real_one_and_hold_the_token_type(
    name: str, prefix: str, unused: int, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(name)
    raw = load_file(folder / "model.safetensors")
    table = raw[f"{prefix}embeddings.position_embeddings.weight"]
    kind = raw[f"{prefix}embeddings.token_type_embeddings.weight"][0]
    positions = open_checkpoint(folder).read("positions")
    assert len(positions) == 64
    np.testing.assert_array_equal(positions, table[unused:] + kind)


def test_matrices_are_inputs_by_outputs_and_q_k_v_lie_side_by_side(bert: Path) -> None:
    checkpoint, raw = open_checkpoint(bert), load_file(bert / "model.safetensors")
    layer = "bert.encoder.layer.1."
    np.testing.assert_array_equal(checkpoint.read("layers.1.ffn_in.weight"), raw[f"{layer}intermediate.dense.weight"].T)
    parts = [raw[f"{layer}attention.self.{part}.weight"].T for part in ("query", "key", "value")]
    np.testing.assert_array_equal(checkpoint.read("layers.1.qkv.weight"), np.concatenate(parts, axis=1))
    assert checkpoint.read("layers.1.qkv.bias").shape == (192,)
    word = raw["bert.embeddings.word_embeddings.weight"]
    np.testing.assert_array_equal(checkpoint.read("word"), word)


@pytest.mark.parametrize("prefix", ["bert.", "roberta.", "model.", ""])
def test_every_usual_prefix_of_the_names_reads_the_same(prefix: str, bert: Path, remake: Callable[..., Path]) -> None:
    assert backbone_sha256(remake(bert, tensors=renamed(prefix))) == backbone_sha256(bert)


def test_the_pooler_and_stored_position_ids_are_ignored(bert: Path, remake: Callable[..., Path]) -> None:
    extra = {
        "bert.pooler.dense.weight": np.ones((64, 64), np.float32),
        "bert.pooler.dense.bias": np.ones(64, np.float32),
        "bert.embeddings.position_ids": np.arange(64)[None],
    }
    assert backbone_sha256(remake(bert, tensors=lambda t: t.update(extra))) == backbone_sha256(bert)


@pytest.mark.parametrize(
    "names",
    [
        ["cls.predictions.bias", "cls.predictions.decoder.weight", "cls.seq_relationship.weight"],
        ["lm_head.bias", "lm_head.dense.weight"],
        ["decoder.bias", "head.dense.weight", "head.norm.weight"],
    ],
    ids=["bert", "roberta", "modernbert"],
)
def test_a_head_that_guesses_masked_words_is_ignored_with_one_line(
    names: list[str], bert: Path, remake: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    plain = backbone_sha256(bert)
    folder = remake(bert, tensors=lambda t: t.update({name: np.ones(3, np.float32) for name in names}))
    with caplog.at_level(logging.INFO, "colibri_export"):
        assert backbone_sha256(folder) == plain
    assert caplog.messages == [f"{folder}: ignored, a head that guesses masked words: {', '.join(names)}"]


def test_half_precision_is_read_as_float32(bert: Path, remake: Callable[..., Path]) -> None:
    def halve(tensors: Tensors) -> None:
        tensors.update({name: array.astype(np.float16) for name, array in tensors.items()})

    checkpoint = open_checkpoint(remake(bert, tensors=halve))
    assert {checkpoint.read(name).dtype for name in checkpoint.tensor_names()} == {np.dtype(np.float32)}


def test_the_head_of_a_stanford_checkpoint_is_its_linear_weight(bert: Path, remake: Callable[..., Path]) -> None:
    head = open_checkpoint(bert).linear_head()
    assert head is not None
    np.testing.assert_array_equal(head, load_file(bert / "model.safetensors")["linear.weight"])
    assert open_checkpoint(remake(bert, tensors=lambda t: t.pop("linear.weight"))).linear_head() is None


def test_one_error_names_every_missing_and_every_unknown_tensor(bert: Path, remake: Callable[..., Path]) -> None:
    def change(tensors: Tensors) -> None:
        del tensors["bert.encoder.layer.0.output.dense.weight"]
        del tensors["bert.embeddings.LayerNorm.bias"]
        tensors["classifier.bias"] = np.zeros(3, np.float32)
        tensors["bert.encoder.layer.3.output.dense.bias"] = np.zeros(64, np.float32)

    with pytest.raises(ExportError) as caught:
        open_checkpoint(remake(bert, tensors=change))
    for problem in (
        "missing bert.encoder.layer.0.output.dense.weight",
        "missing bert.embeddings.LayerNorm.bias",
        "unknown classifier.bias",
        "unknown bert.encoder.layer.3.output.dense.bias",
    ):
        assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("bert.embeddings.position_embeddings.weight", (20, 64)),
        ("bert.encoder.layer.0.intermediate.dense.weight", (100, 64)),
        ("bert.encoder.layer.2.attention.self.key.bias", (60,)),
    ],
)
def test_a_tensor_of_another_shape_than_the_config_says_is_named(
    name: str, shape: tuple[int, ...], bert: Path, remake: Callable[..., Path]
) -> None:
    folder = remake(bert, tensors=lambda t: t.update({name: np.zeros(shape, np.float32)}))
    with pytest.raises(ExportError, match=name.removeprefix("bert.")):
        open_checkpoint(folder)


def test_a_vocabulary_of_another_size_than_the_config_says_is_refused(bert: Path, remake: Callable[..., Path]) -> None:
    with pytest.raises(ExportError, match=r"\(293, 64\), config.json says \(294, 64\)"):
        open_checkpoint(remake(bert, config=lambda c: c.update(vocab_size=294)))


def test_without_any_word_embeddings_the_prefixes_tried_are_named(bert: Path, remake: Callable[..., Path]) -> None:
    with pytest.raises(ExportError, match=r"no embeddings.word_embeddings.weight under any of .*roberta"):
        open_checkpoint(remake(bert, tensors=renamed("encoder.")))


def test_a_pickle_is_never_loaded(bert: Path, remake: Callable[..., Path]) -> None:
    folder = remake(bert)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ExportError, match=r"only pytorch_model.bin \(a pickle, never loaded\); wanted model"):
        open_checkpoint(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ExportError, match=r"no weights; wanted model.safetensors"):
        open_checkpoint(folder)


@pytest.mark.parametrize("kept", [0, 5, 3_000, 400_000])
def test_a_truncated_weight_file_is_refused(kept: int, bert: Path, remake: Callable[..., Path]) -> None:
    path = remake(bert) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ExportError, match="not a whole safetensors file"):
        open_checkpoint(path.parent)


@pytest.mark.parametrize("key", ["num_hidden_layers", "hidden_size", "vocab_size", "layer_norm_eps"])
def test_a_missing_config_key_is_named(key: str, bert: Path, remake: Callable[..., Path]) -> None:
    with pytest.raises(ExportError, match=f"config.json: no {key}"):
        open_checkpoint(remake(bert, config=lambda c: c.pop(key)))


@pytest.mark.parametrize(
    ("key", "value"),
    [("num_hidden_layers", "3"), ("max_position_embeddings", None), ("num_attention_heads", 5)],
)
def test_a_config_value_that_cannot_be_is_named(
    key: str, value: object, bert: Path, remake: Callable[..., Path]
) -> None:
    with pytest.raises(ExportError, match=key):
        open_checkpoint(remake(bert, config=lambda c: c.update({key: value})))


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("model_type", "t5", "model_type 't5', this exporter knows bert, xlm-roberta, roberta"),
        ("hidden_act", "gelu_new", "hidden_act 'gelu_new', this exporter knows 'gelu'"),
        ("position_embedding_type", "relative_key", "position_embedding_type 'relative_key', .* knows 'absolute'"),
    ],
)
def test_an_architecture_we_do_not_know_is_refused(
    key: str, value: str, wanted: str, bert: Path, remake: Callable[..., Path]
) -> None:
    with pytest.raises(ExportError, match=wanted):
        open_checkpoint(remake(bert, config=lambda c: c.update({key: value})))


@pytest.mark.parametrize(("text", "wanted"), [(None, "no such file"), ("{", "not JSON"), ("[]", "wanted a JSON obj")])
def test_a_folder_without_a_readable_config_is_refused(text: str | None, wanted: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ExportError, match=wanted):
        open_checkpoint(tmp_path)


def test_a_head_file_may_call_its_only_tensor_anything(tmp_path: Path) -> None:
    matrix = np.arange(12, dtype=np.float16).reshape(3, 4)
    save_file({"projection": matrix}, tmp_path / "head.safetensors")
    head = read_matrix(tmp_path / "head.safetensors", 3, 4)
    assert head.dtype == np.float32
    np.testing.assert_array_equal(head, matrix)
    save_file({"a": matrix, "linear.weight": matrix + 1}, tmp_path / "named.safetensors")
    np.testing.assert_array_equal(read_matrix(tmp_path / "named.safetensors", 3, 4), matrix + 1)


def test_a_head_file_that_is_not_one_head_is_refused(tmp_path: Path) -> None:
    path, matrix = tmp_path / "head.safetensors", np.zeros((3, 4), np.float32)
    with pytest.raises(ExportError, match="not a whole safetensors file"):
        read_matrix(path, 3, 4)
    save_file({"a": matrix, "b": matrix}, path)
    with pytest.raises(ExportError, match=r"which of .* is the head"):
        read_matrix(path, 3, 4)
    save_file({"linear.weight": matrix}, path)
    with pytest.raises(ExportError, match=r"head \(3, 4\), wanted \(4, 3\)"):
        read_matrix(path, 4, 3)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ExportError, match="not a whole safetensors file"):
        read_matrix(path, 3, 4)


@pytest.mark.parametrize(("padding", "offset"), [(None, 2), (1, 2), (4, 5)])
def test_positions_of_xlmr_start_after_the_padding_id(
    padding: int | None, offset: int, xlmr: Path, remake: Callable[..., Path]
) -> None:
    folder = remake(xlmr, config=lambda c: c.update(pad_token_id=padding))
    architecture = open_checkpoint(folder).architecture
    assert (architecture.position_offset, architecture.max_positions) == (offset, 66 - offset)
