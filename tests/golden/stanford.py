"""BERT and XLM-R with absolute positions, as Stanford ColBERT stores them; one BERT whose lengths and width fit what
colbert-ai and RAGatouille do by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from oracle import Oracle, golden_outputs, linear, random_tensor, write_json, write_tensors
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModel, BertConfig, PretrainedConfig, PreTrainedModel, XLMRobertaConfig
from vocabularies import bert_tokenizer, xlmr_tokenizer

HIDDEN, DIM, EXTRA_DIMS, LONGEST = 64, 48, (32, 16), 64
# Standard deviations by part of the name. Sharp attention and a small attention output keep the rows apart.
SCALES = {"embeddings.": 0.5, ".query.": 0.3, ".key.": 0.3, "attention.output.": 0.1, "": 0.15}


@dataclass(frozen=True)
class Spec:
    """One checkpoint: everything that is written into its folder is derived from this."""

    tokenizer: Tokenizer
    config: PretrainedConfig
    metadata: dict[str, str | int | bool]
    start: int
    end: int
    pad: int
    mask: int
    folder: str
    prefix: str
    seed: int
    dim: int = DIM
    extra_dims: tuple[int, ...] = EXTRA_DIMS
    longest: int = LONGEST
    scales: Mapping[str, float] = field(default_factory=lambda: SCALES)


def make_spec(tokenizer: Tokenizer, names: str, make: type, shape: dict, metadata: dict, **rest) -> Spec:
    """One checkpoint, with what both have in common filled in; names: start, end, padding and mask token."""
    start, end, pad, mask = (tokenizer.token_to_id(name) for name in names.split())
    shape |= {"architectures": ["HF_ColBERT"], "vocab_size": tokenizer.get_vocab_size(), "pad_token_id": pad}
    shape = {"hidden_size": HIDDEN, "num_hidden_layers": 3, "intermediate_size": 128} | shape
    shape |= {"num_attention_heads": 4, "hidden_act": "gelu"}
    metadata |= {"query_token": "[Q]", "doc_token": "[D]"}
    metadata |= {"query_maxlen": metadata.get("query_maxlen", 16), "dim": rest.get("dim", DIM)}
    metadata |= {"mask_punctuation": True, "similarity": "cosine", "model_name": rest["folder"]}
    return Spec(tokenizer, make(**shape), metadata, start, end, pad, mask, **rest)


def make_specs() -> list[Spec]:
    """The checkpoints to make. XLM-R counts positions from pad_token_id + 1, hence its two more."""
    bert_shape = {"max_position_embeddings": LONGEST, "type_vocab_size": 2, "layer_norm_eps": 1e-12}
    xlmr_shape = {"max_position_embeddings": LONGEST + 2, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    bert_metadata = {"query_token_id": "[unused0]", "doc_token_id": "[unused1]"}
    bert_metadata |= {"doc_maxlen": 40, "attend_to_mask_tokens": False}
    xlmr_metadata = {"query_token_id": "[QueryMarker]", "doc_token_id": "[DocumentMarker]"}
    xlmr_metadata |= {"doc_maxlen": 62, "attend_to_mask_tokens": True}
    bert = (bert_tokenizer(), "[CLS] [SEP] [PAD] [MASK]", BertConfig, bert_shape, bert_metadata)
    xlmr = (xlmr_tokenizer(), "<s> </s> <pad> <mask>", XLMRobertaConfig, xlmr_shape, xlmr_metadata)
    return [
        make_spec(*bert, folder="tiny-random-bert", prefix="bert.", seed=20001),
        make_spec(*xlmr, folder="tiny-random-xlmr", prefix="roberta.", seed=20002),
        make_defaults_spec(),
    ]


def make_defaults_spec() -> Spec:
    """A BERT of 512 positions whose documents have 220 tokens and queries 32, as colbertv2.0's: colbert-ai and
    RAGatouille (256 tokens a passage, queries that grow) take such lengths for granted, and a width that they pack."""
    shape = {"max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12}
    shape |= {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}
    metadata = {"query_token_id": "[unused0]", "doc_token_id": "[unused1]", "attend_to_mask_tokens": False}
    metadata |= {"query_maxlen": 32, "doc_maxlen": 220}
    return make_spec(
        bert_tokenizer(),
        "[CLS] [SEP] [PAD] [MASK]",
        BertConfig,
        shape,
        metadata,
        folder="tiny-random-bert-512",
        prefix="bert.",
        seed=20006,
        dim=64,
        extra_dims=(),
        longest=512,
        scales=SCALES | {"attention.output.": 0.2},
    )


def write_checkpoint(spec: Spec, folder: Path) -> None:
    """Write everything in the folder but the golden outputs."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(spec.seed)
    spec.config.save_pretrained(folder)
    spec.tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "artifact.metadata", spec.metadata)
    shapes = {name: tuple(w.shape) for name, w in AutoModel.from_config(spec.config).state_dict().items()}
    weights = {
        spec.prefix + name: random_tensor(rng, name, shape, spec.scales) for name, shape in sorted(shapes.items())
    }
    hidden = spec.config.hidden_size
    weights["linear.weight"] = random_tensor(rng, "linear.weight", (spec.dim, hidden), spec.scales)
    write_tensors(folder / "model.safetensors", weights)
    for dim in spec.extra_dims:
        head = {"linear.weight": random_tensor(rng, "linear.weight", (dim, hidden), spec.scales)}
        write_tensors(folder / f"head-{dim}.safetensors", head)


def load_model(folder: Path) -> PreTrainedModel:
    """Load the folder as transformers does, and check that it took every weight but the head."""
    how = {"attn_implementation": "eager", "dtype": torch.float32}
    model, info = AutoModel.from_pretrained(folder, output_loading_info=True, **how)
    if info["missing_keys"] or set(info["unexpected_keys"]) != {"linear.weight"} or info["mismatched_keys"]:
        raise RuntimeError(f"transformers does not read {folder.name} as meant: {info}")
    return model.eval()


def make(parent: Path) -> dict[str, int]:
    """Write the folders; folder name -> seed of its weights."""
    for spec in (specs := make_specs()):
        folder = parent / spec.folder
        write_checkpoint(spec, folder)
        heads = {dim: linear(load_file(folder / f"head-{dim}.safetensors")["linear.weight"]) for dim in spec.extra_dims}
        heads[spec.dim] = linear(load_file(folder / "model.safetensors")["linear.weight"])
        oracle = Oracle(
            name=spec.folder,
            model=load_model(folder),
            heads=heads,
            start=spec.start,
            end=spec.end,
            pad=spec.pad,
            mask=spec.mask,
            vocabulary=spec.config.vocab_size,
            seed=spec.seed,
            lengths=(1, 2, 3, 7, 16, 33, spec.longest),
        )
        write_tensors(folder / "golden.safetensors", golden_outputs(oracle))
    return {spec.folder: spec.seed for spec in specs}
