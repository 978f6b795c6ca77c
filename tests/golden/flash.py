"""XLM-R with rotary positions, in the layout of jina-colbert-v2.

What is in it stands in tests/jina_layout.py; weights are bfloat16. The oracle is transformers' JinaEmbeddingsV3Model,
which renames the flash layout by itself when it loads the folder; it computes in float32 with the bfloat16 values.
"""

from pathlib import Path

import numpy as np
import torch
from oracle import Oracle, golden_outputs, linear, must_differ, random_tensor, write_json, write_tensors
from tokenizers import Tokenizer
from transformers import JinaEmbeddingsV3Config, JinaEmbeddingsV3Model
from vocabularies import xlmr_tokenizer

from jina_layout import Sizes, artifact_metadata, config_json, tensor_shapes

NAME, SEED = "tiny-random-jina", 20003
HIDDEN, DIM, SIBLING_DIM, EXTRA_DIM = 64, 48, 32, 16
BASE = 10000.0
SCALES = {"embeddings.": 0.5, "Wqkv": 0.3, "out_proj": 0.1, "": 0.15}


def write_checkpoint(folder: Path, tokenizer: Tokenizer, tensors: dict[str, torch.Tensor], sizes: Sizes) -> None:
    """Write everything in the folder but the golden outputs."""
    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", config_json(sizes, NAME))
    write_json(folder / "artifact.metadata", artifact_metadata(len(tensors["linear.weight"]), NAME))
    tokenizer.save(str(folder / "tokenizer.json"))
    write_tensors(folder / "model.safetensors", tensors)


def load_model(folder: Path, sizes: Sizes, base: float) -> JinaEmbeddingsV3Model:
    """Load the folder as transformers does, and check that it took every weight but the head."""
    config = JinaEmbeddingsV3Config(
        vocab_size=sizes.vocabulary,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        rope_parameters={"rope_type": "default", "rope_theta": base},
    )
    how = {"attn_implementation": "eager", "dtype": torch.float32}
    model, info = JinaEmbeddingsV3Model.from_pretrained(folder, config=config, output_loading_info=True, **how)
    if info["missing_keys"] or set(info["unexpected_keys"]) != {"linear.weight"} or info["mismatched_keys"]:
        raise RuntimeError(f"transformers does not read {folder.name} as meant: {info}")
    return model.eval()


def make(parent: Path) -> dict[str, int]:
    """Write the checkpoint and its sibling with another head; folder name -> seed of its weights."""
    folder, sibling = parent / NAME, parent / f"{NAME}-{SIBLING_DIM}"
    rng, tokenizer = np.random.default_rng(SEED), xlmr_tokenizer()
    sizes = Sizes(layers=3, hidden=HIDDEN, heads=4, intermediate=128, dim=DIM, vocabulary=tokenizer.get_vocab_size())
    wanted = [(name, shape) for name, shape in tensor_shapes(sizes).items() if name != "linear.weight"]
    backbone = {name: random_tensor(rng, name, shape, SCALES).bfloat16() for name, shape in wanted}
    matrices = {
        dim: random_tensor(rng, "linear.weight", (dim, HIDDEN), SCALES).bfloat16()
        for dim in (DIM, SIBLING_DIM, EXTRA_DIM)
    }
    write_checkpoint(folder, tokenizer, {**backbone, "linear.weight": matrices[DIM]}, sizes)
    write_checkpoint(sibling, tokenizer, {**backbone, "linear.weight": matrices[SIBLING_DIM]}, sizes)
    for dim in (SIBLING_DIM, EXTRA_DIM):
        write_tensors(folder / f"head-{dim}.safetensors", {"linear.weight": matrices[dim]})
    oracle = Oracle(
        name=NAME,
        model=load_model(folder, sizes, BASE),
        heads={dim: linear(matrix) for dim, matrix in matrices.items()},
        start=0,
        end=2,
        pad=1,
        mask=tokenizer.token_to_id("<mask>"),
        vocabulary=sizes.vocabulary,
        seed=SEED,
        lengths=(1, 2, 3, 7, 16, 33, 64, 211),
    )
    out = golden_outputs(oracle)
    must_differ(oracle, out, load_model(folder, sizes, 20000.0), "the rotary base of jina-embeddings-v3")
    write_tensors(folder / "golden.safetensors", out)
    return {NAME: SEED}
