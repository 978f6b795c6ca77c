"""Checkpoints of any family with random weights, as small as config.json says, around the files of others."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from colibri_export import layout

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
_BERT = {"model_type": "bert", "hidden_act": "gelu", "layer_norm_eps": 1e-12, "type_vocab_size": 2}
CONFIGS: dict[str, dict[str, Any]] = {
    "bert": {**_BERT, "max_position_embeddings": 512, "architectures": ["HF_ColBERT"]},
    "jina-bert": {
        **_BERT,
        "max_position_embeddings": 8192,
        "position_embedding_type": "alibi",
        "feed_forward_type": "geglu",
        "architectures": ["HF_ColBERT"],
    },
    "modernbert": {
        "model_type": "modernbert",
        "hidden_activation": "gelu",
        "norm_eps": 1e-5,
        "max_position_embeddings": 8192,
        "global_rope_theta": 160000.0,
        "local_rope_theta": 10000.0,
    },
    "xlm-roberta": {**_BERT, "model_type": "xlm-roberta", "max_position_embeddings": 8194, "pad_token_id": 1},
    "xlm-roberta-flash": {
        "position_embedding_type": "rotary",
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "type_vocab_size": 1,
        "max_position_embeddings": 8194,
        "architectures": ["HF_ColBERT"],
    },
}


def write_checkpoint(folder: Path, config: dict[str, Any], tokenizer: str, head: int | None = None) -> Path:
    """config.json, tokenizer.json and random weights; head: the width of linear.weight, where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = 1 + max(_ids(json.loads(tokenizer)))
    config = {**TINY, "vocab_size": vocabulary, **config}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    family, architecture = layout.find(config, "config.json")
    rng = np.random.default_rng(7)
    prefix = family.prefixes[0]
    tensors = {
        prefix + name: rng.normal(0, 1 / math.sqrt(architecture.hidden), [size or 2 for size in shape])
        for tensor in family.tensors(architecture).values()
        for name, shape in zip(tensor.sources, tensor.shapes, strict=True)
    }
    if head is not None:
        tensors["linear.weight"] = rng.normal(0, 0.1, (head, architecture.hidden))
    arrays = {name: array.astype(np.float32) for name, array in tensors.items()}
    save_file(arrays, folder / "model.safetensors")
    return folder


def write_dense(folder: Path, inputs: int, outputs: int) -> None:
    """modules.json and one Dense module, as PyLate has them."""
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    modules += [{"idx": 1, "name": "1", "path": "1_Dense", "type": "pylate.models.Dense.Dense"}]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (folder / "1_Dense").mkdir()
    config: dict[str, Any] = {"in_features": inputs, "out_features": outputs, "bias": False}
    config["activation_function"] = "torch.nn.modules.linear.Identity"
    (folder / "1_Dense" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    matrix = np.random.default_rng(8).normal(0, 0.2, (outputs, inputs)).astype(np.float32)
    save_file({"linear.weight": matrix}, folder / "1_Dense" / "model.safetensors")


def _ids(document: dict[str, Any]) -> list[int]:
    vocabulary = document["model"]["vocab"]
    own = range(len(vocabulary)) if isinstance(vocabulary, list) else vocabulary.values()
    return [*own, *(token["id"] for token in document["added_tokens"])]
