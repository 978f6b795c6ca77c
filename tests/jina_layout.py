"""Checkpoints in the exact layout of jinaai/jina-colbert-v2, of any size, with random weights.

    python tests/jina_layout.py FOLDER [DIM]      the full size: 559,497,216 parameters, 1,119,027,888 bytes at dim 128

Names, order and header of model.safetensors, keys of config.json and artifact.metadata, and the tokenizer's ids are
those published; at full size the file has the published size to the byte. Weights are drawn and written tensor by
tensor, which needs little memory. The vocabulary is XLM-R's own, from colibri-mini's tokenizer.json.
"""

import json
import math
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer

ROOT = Path(__file__).parents[1]
MARKERS = ("[QueryMarker]", "[DocumentMarker]")

_CODE = "jinaai/xlm-roberta-flash-implementation--"
_SPECIAL = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
_SPECIAL |= {"pad_token": "<pad>", "unk_token": "<unk>"}
_AT_ONCE = 1 << 22  # values drawn together


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """The published sizes, to be made smaller by tests."""

    layers: int = 24
    hidden: int = 1024
    heads: int = 16
    intermediate: int = 4096
    dim: int = 128
    vocabulary: int = 250_004


def tensor_shapes(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Name -> shape in the order the safetensors library stores them. The pooler is there, and nothing uses it."""
    hidden, wide = sizes.hidden, sizes.intermediate
    shapes: dict[str, tuple[int, ...]] = {
        "linear.weight": (sizes.dim, hidden),
        "roberta.embeddings.word_embeddings.weight": (sizes.vocabulary, hidden),
        "roberta.embeddings.token_type_embeddings.weight": (1, hidden),
    }
    parts = {"mixer.Wqkv": (3 * hidden, hidden), "mixer.out_proj": (hidden, hidden), "norm1": (hidden,)}
    parts |= {"mlp.fc1": (wide, hidden), "mlp.fc2": (hidden, wide), "norm2": (hidden,)}
    biased = {"emb_ln": (hidden,), "pooler.dense": (hidden, hidden)}
    for layer in range(sizes.layers):
        biased |= {f"encoder.layers.{layer}.{part}": shape for part, shape in parts.items()}
    for name, shape in biased.items():
        shapes |= {f"roberta.{name}.weight": shape, f"roberta.{name}.bias": shape[:1]}
    return dict(sorted(shapes.items()))


def config_json(sizes: Sizes, name: str) -> dict[str, object]:
    """The published config.json. It has no model_type, and the width of the head is not in it."""
    return {
        "_name_or_path": name,
        "architectures": ["HF_ColBERT"],
        "attention_probs_dropout_prob": 0.1,
        "auto_map": {
            "AutoConfig": f"{_CODE}configuration_xlm_roberta.XLMRobertaFlashConfig",
            "AutoModel": f"{_CODE}modeling_xlm_roberta.XLMRobertaModel",
            "AutoModelForMaskedLM": f"{_CODE}modeling_xlm_roberta.XLMRobertaForMaskedLM",
            "AutoModelForPreTraining": f"{_CODE}modeling_xlm_roberta.XLMRobertaForPreTraining",
        },
        "bos_token_id": 0,
        "classifier_dropout": None,
        "emb_pooler": None,
        "eos_token_id": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": sizes.hidden,
        "initializer_range": 0.02,
        "intermediate_size": sizes.intermediate,
        "layer_norm_eps": 1e-05,
        "load_trained_adapters": False,
        "lora_adaptations": None,
        "lora_alpha": 1,
        "lora_dropout_p": 0.0,
        "lora_main_params_trainable": False,
        "lora_prompts": None,
        "lora_rank": 4,
        "matryoshka_dimensions": None,
        "max_position_embeddings": 8194,
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "output_past": True,
        "pad_token_id": 1,
        "position_embedding_type": "rotary",
        "rotary_emb_base": 10000.0,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.43.2",
        "truncate_dim": None,
        "type_vocab_size": 1,
        "use_cache": True,
        "use_flash_attn": True,
        "vocab_size": sizes.vocabulary,
    }


def artifact_metadata(dim: int, name: str) -> dict[str, object]:
    """The published artifact.metadata, but for `dim` and names. *_token_id hold strings there, too."""
    unset = ["ncells", "centroid_score_threshold", "ndocs", "index_path", "lr", "maxsteps", "save_every", "warmup"]
    unset += ["warmup_bert", "checkpoint", "triples", "collection", "queries", "index_name", "index_root"]
    query, document = MARKERS
    return dict.fromkeys(unset) | {
        "query_token_id": query,
        "doc_token_id": document,
        "query_token": query,
        "doc_token": document,
        "load_index_with_mmap": False,
        "nbits": 2,
        "kmeans_niters": 20,
        "resume": False,
        "similarity": "cosine",
        "bsize": 32,
        "accumsteps": 1,
        "relu": False,
        "nway": 7,
        "use_ib_negatives": False,
        "reranker": False,
        "distillation_alpha": 1.0,
        "ignore_scores": True,
        "model_name": name,
        "query_maxlen": 32,
        "attend_to_mask_tokens": True,
        "interaction": "colbert",
        "dim": dim,
        "doc_maxlen": 300,
        "mask_punctuation": True,
        "overwrite": False,
        "root": "",
        "experiment": "default",
        "name": name,
        "rank": 0,
        "nranks": 1,
        "amp": False,
        "gpus": 2,
        "avoid_fork_if_possible": False,
    }


def xlmr_tokenizer_json() -> str:
    """XLM-R's tokenizer.json as published: colibri-mini's, with score 0 for the special tokens, as they have there."""
    document = json.loads((ROOT / "models/colibri-mini/tokenizer.json").read_text(encoding="utf-8"))
    special = {token["content"] for token in document["added_tokens"]}
    for entry in document["model"]["vocab"]:
        if entry[0] in special:
            entry[1] = 0.0
    return json.dumps(document, ensure_ascii=False)


def tokenizer() -> Tokenizer:
    """XLM-R's tokenizer with the two markers: `<mask>` 250001, `[QueryMarker]` 250002, `[DocumentMarker]` 250003."""
    made: Tokenizer = Tokenizer.from_str(xlmr_tokenizer_json())
    made.add_special_tokens([AddedToken(marker, special=True, normalized=False) for marker in MARKERS])
    return made


def write_checkpoint(folder: Path, sizes: Sizes | None = None, *, seed: int = 0) -> Path:
    """Write every file an exporter or FastEmbed reads; the folder's name is the model's. Returns the folder.

    sizes  None: the published ones
    seed   of the weights; the same with another `dim` gives the same backbone and a head of its own, which is no prefix
    """
    sizes = sizes or Sizes()
    folder.mkdir(parents=True, exist_ok=True)
    mask = {"content": "<mask>", "lstrip": True, "normalized": False, "rstrip": False, "single_word": False}
    special = {**_SPECIAL, "mask_token": mask, "additional_special_tokens": list(MARKERS)}
    documents = {
        "config.json": config_json(sizes, folder.name),
        "artifact.metadata": artifact_metadata(sizes.dim, folder.name),
        "special_tokens_map.json": special,
        "tokenizer_config.json": {
            **special,
            "mask_token": "<mask>",
            "clean_up_tokenization_spaces": True,
            "model_max_length": 8194,
            "tokenizer_class": "XLMRobertaTokenizer",
        },
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    tokenizer().save(str(folder / "tokenizer.json"), pretty=False)
    write_weights(folder / "model.safetensors", sizes, seed=seed)
    return folder


def write_weights(path: Path, sizes: Sizes, *, seed: int = 0) -> None:
    """Write model.safetensors alone."""
    shapes = tensor_shapes(sizes)
    with path.open("wb") as file:
        file.write(header(shapes))
        for name, shape in shapes.items():
            for part in _random_bfloat16(name, shape, seed):
                file.write(part.tobytes())


def header(shapes: dict[str, tuple[int, ...]]) -> bytes:
    """The length of the JSON in 8 bytes, then the JSON, padded with spaces to a multiple of 8."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, shape in shapes.items():
        end = offset + 2 * math.prod(shape)
        entries[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _random_bfloat16(name: str, shape: tuple[int, ...], seed: int) -> Iterator[NDArray[np.uint16]]:
    """Values of a tensor in parts, as the upper halves of float32.

    Their spread keeps signals of one size through the layers: 1/sqrt(inputs), twice that for queries and keys. Half of
    it in out_proj keeps the rows of a text from growing alike.
    """
    rng = np.random.default_rng([seed, zlib.crc32(name.encode()), *shape])
    total = math.prod(shape)
    for first in range(0, total, _AT_ONCE):
        count = min(_AT_ONCE, total - first)
        values = rng.standard_normal(count, np.float32)
        if "norm" in name or "emb_ln" in name:
            values = 0.1 * values + (1 if name.endswith("weight") else 0)
        elif name.endswith("bias"):
            values *= 0.1
        elif "embeddings" in name:
            values *= 0.1 if "token_type" in name else 0.5
        else:
            values *= (0.5 if "out_proj" in name else 1.0) / math.sqrt(shape[1])
            if name.endswith("Wqkv.weight"):
                values[: max(0, 2 * total // 3 - first)] *= 2
        bits = values.astype(np.float32).view(np.uint32)
        yield ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)  # to nearest, ties to even


if __name__ == "__main__":
    write_checkpoint(Path(sys.argv[1]), Sizes(dim=int(sys.argv[2]) if len(sys.argv) > 2 else 128))
