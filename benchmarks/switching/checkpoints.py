"""Checkpoints in Stanford's layout with random weights, and passages of their words: always the same.

Weights do not matter to how long anything takes; that both sides load the very same ones does.
"""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SIZES = {"2 x 64": (2, 64, 2), "12 x 384": (12, 384, 12)}
"""Layers, hidden width, heads: a toy, and what answerai-colbert-small and MiniLM-L12 have."""
DIM, POSITIONS, WORDS = 128, 512, 20_000
_SPECIAL = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def words() -> list[str]:
    """So many made-up words of two to four syllables, no two alike."""
    rng = np.random.default_rng(1)
    syllables = [first + vowel + last for first in "bdfgklmnprstv" for vowel in "aeiou" for last in ("", "n", "r", "s")]
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(rng.choice(syllables, int(rng.integers(2, 5))))] = None
    return list(found)


def passages(count: int, longest: int = 140) -> list[str]:
    """So many texts of 60 to `longest` words, a sentence every dozen."""
    rng, known = np.random.default_rng(2), words()
    made = []
    for _ in range(count):
        chosen = rng.choice(known, int(rng.integers(60, longest)))
        sentences = [" ".join(chosen[i : i + 12]).capitalize() for i in range(0, len(chosen), 12)]
        made.append(". ".join(sentences) + ".")
    return made


def make(size: str, folder: Path) -> Path:
    """A checkpoint that colbert-ai, RAGatouille and `colibri export` read."""
    if (folder / "artifact.metadata").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    layers, hidden, heads = SIZES[size]
    vocabulary = [*_SPECIAL, *_PUNCTUATION, *words()]
    _write_tokenizer(folder, vocabulary)
    config = {
        "architectures": ["HF_ColBERT"], "model_type": "bert", "vocab_size": len(vocabulary), "hidden_size": hidden,
        "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": 4 * hidden,
        "hidden_act": "gelu", "max_position_embeddings": POSITIONS, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "pad_token_id": 0, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(_weights(len(vocabulary), layers, hidden), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "artifact.metadata").write_text(
        json.dumps(METADATA), encoding="utf-8"
    )  # last: it tells that all is there
    return folder


METADATA = {
    "query_token_id": "[unused0]", "doc_token_id": "[unused1]", "query_token": "[Q]", "doc_token": "[D]",
    "dim": DIM, "query_maxlen": 32, "doc_maxlen": 220, "mask_punctuation": True, "attend_to_mask_tokens": False,
    "similarity": "cosine", "interaction": "colbert", "root": "experiments", "experiment": "default", "rank": 0,
    "nranks": 1, "amp": True, "gpus": 0, "bsize": 32, "nbits": 1, "kmeans_niters": 4, "checkpoint": None,
    "model_name": None, "collection": None, "queries": None, "index_name": None, "index_path": None, "resume": False,
    "overwrite": False,
}  # fmt: skip
"""Every setting that a published checkpoint's has and RAGatouille needs there."""


def _weights(vocabulary: int, layers: int, hidden: int) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(3)

    def normal(*shape: int) -> NDArray[np.float32]:
        return rng.normal(0, 0.02, shape).astype(np.float32)

    def norm(name: str) -> dict[str, NDArray[np.float32]]:
        return {f"{name}.weight": np.ones(hidden, np.float32), f"{name}.bias": np.zeros(hidden, np.float32)}

    def linear(name: str, outputs: int, inputs: int) -> dict[str, NDArray[np.float32]]:
        return {f"{name}.weight": normal(outputs, inputs), f"{name}.bias": normal(outputs)}

    found = {
        "bert.embeddings.word_embeddings.weight": normal(vocabulary, hidden),
        "bert.embeddings.position_embeddings.weight": normal(POSITIONS, hidden),
        "bert.embeddings.token_type_embeddings.weight": normal(2, hidden),
        **norm("bert.embeddings.LayerNorm"),
        "linear.weight": normal(DIM, hidden),
    }
    for i in range(layers):
        at = f"bert.encoder.layer.{i}"
        for part in ("query", "key", "value"):
            found |= linear(f"{at}.attention.self.{part}", hidden, hidden)
        found |= linear(f"{at}.attention.output.dense", hidden, hidden) | norm(f"{at}.attention.output.LayerNorm")
        found |= linear(f"{at}.intermediate.dense", 4 * hidden, hidden) | linear(
            f"{at}.output.dense", hidden, 4 * hidden
        )
        found |= norm(f"{at}.output.LayerNorm")
    return found


def _write_tokenizer(folder: Path, vocabulary: list[str]) -> None:
    ids = {token: i for i, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 4), ("[SEP]", 5)]
    )
    tokenizer.add_special_tokens(_SPECIAL)
    tokenizer.save(str(folder / "tokenizer.json"))
