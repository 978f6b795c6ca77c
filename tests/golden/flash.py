"""XLM-R with rotary positions, in the layout of jina-colbert-v2.

Tensor names and config.json's keys are those of jinaai/xlm-roberta-flash-implementation, artifact.metadata's those of
jinaai/jina-colbert-v2; weights are bfloat16. The oracle is transformers' JinaEmbeddingsV3Model, which renames the flash
layout by itself when it loads the folder; it computes in float32 with the bfloat16 values.
"""

from pathlib import Path

import numpy as np
import torch
from oracle import Oracle, golden_outputs, linear, must_differ, random_tensor, write_json, write_tensors
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import JinaEmbeddingsV3Config, JinaEmbeddingsV3Model
from vocabularies import xlmr_tokenizer

NAME, SEED = "tiny-random-jina", 20003
HIDDEN, LAYERS, HEADS, INTERMEDIATE, DIM, SIBLING_DIM, EXTRA_DIM = 64, 3, 4, 128, 48, 32, 16
BASE = 10000.0
SCALES = {"embeddings.": 0.5, "Wqkv": 0.3, "out_proj": 0.1, "": 0.15}
_CODE = "jinaai/xlm-roberta-flash-implementation--"


def config_json(vocabulary: int) -> dict[str, object]:
    """The published config.json with tiny sizes. It has no model_type and no width of the head."""
    return {
        "_name_or_path": NAME,
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
        "hidden_size": HIDDEN,
        "initializer_range": 0.02,
        "intermediate_size": INTERMEDIATE,
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
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "output_past": True,
        "pad_token_id": 1,
        "position_embedding_type": "rotary",
        "rotary_emb_base": BASE,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.43.2",
        "truncate_dim": None,
        "type_vocab_size": 1,
        "use_cache": True,
        "use_flash_attn": True,
        "vocab_size": vocabulary,
    }


def metadata(dim: int) -> dict[str, object]:
    """The published artifact.metadata, but for `dim` and names. *_token_id hold strings there, too."""
    unset = ["ncells", "centroid_score_threshold", "ndocs", "index_path", "lr", "maxsteps", "save_every", "warmup"]
    unset += ["warmup_bert", "checkpoint", "triples", "collection", "queries", "index_name", "index_root"]
    return dict.fromkeys(unset) | {
        "query_token_id": "[QueryMarker]",
        "doc_token_id": "[DocumentMarker]",
        "query_token": "[QueryMarker]",
        "doc_token": "[DocumentMarker]",
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
        "model_name": NAME,
        "query_maxlen": 32,
        "attend_to_mask_tokens": True,
        "interaction": "colbert",
        "dim": dim,
        "doc_maxlen": 300,
        "mask_punctuation": True,
        "overwrite": False,
        "root": "",
        "experiment": "default",
        "name": NAME,
        "rank": 0,
        "nranks": 1,
        "amp": False,
        "gpus": 2,
        "avoid_fork_if_possible": False,
    }


def shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    """All tensors of the backbone, the pooler included, which nothing uses."""
    found: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (vocabulary, HIDDEN),
        "embeddings.token_type_embeddings.weight": (1, HIDDEN),
        "pooler.dense.weight": (HIDDEN, HIDDEN),
        "pooler.dense.bias": (HIDDEN,),
    }
    parts = {"mixer.Wqkv": (3 * HIDDEN, HIDDEN), "mixer.out_proj": (HIDDEN, HIDDEN), "norm1": (HIDDEN,)}
    parts |= {"mlp.fc1": (INTERMEDIATE, HIDDEN), "mlp.fc2": (HIDDEN, INTERMEDIATE), "norm2": (HIDDEN,)}
    named = {"emb_ln": (HIDDEN,)}
    named |= {f"encoder.layers.{layer}.{part}": shape for layer in range(LAYERS) for part, shape in parts.items()}
    for name, shape in named.items():
        found |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return {f"roberta.{name}": shape for name, shape in found.items()}


def write_checkpoint(folder: Path, tokenizer: Tokenizer, tensors: dict[str, torch.Tensor], dim: int) -> None:
    """Write everything in the folder but the golden outputs."""
    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", config_json(tokenizer.get_vocab_size()))
    write_json(folder / "artifact.metadata", metadata(dim))
    tokenizer.save(str(folder / "tokenizer.json"))
    write_tensors(folder / "model.safetensors", tensors)


def load_model(folder: Path, base: float = BASE) -> JinaEmbeddingsV3Model:
    """Load the folder as transformers does, and check that it took every weight but the head."""
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    rope = {"rope_type": "default", "rope_theta": base}
    vocabulary = len(load_file(folder / "model.safetensors")["roberta.embeddings.word_embeddings.weight"])
    config = JinaEmbeddingsV3Config(
        vocab_size=vocabulary, intermediate_size=INTERMEDIATE, rope_parameters=rope, **sizes
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
    wanted = sorted(shapes(tokenizer.get_vocab_size()).items())
    backbone = {name: random_tensor(rng, name, shape, SCALES).bfloat16() for name, shape in wanted}
    matrices = {
        dim: random_tensor(rng, "linear.weight", (dim, HIDDEN), SCALES).bfloat16()
        for dim in (DIM, SIBLING_DIM, EXTRA_DIM)
    }
    write_checkpoint(folder, tokenizer, {**backbone, "linear.weight": matrices[DIM]}, DIM)
    write_checkpoint(sibling, tokenizer, {**backbone, "linear.weight": matrices[SIBLING_DIM]}, SIBLING_DIM)
    for dim in (SIBLING_DIM, EXTRA_DIM):
        write_tensors(folder / f"head-{dim}.safetensors", {"linear.weight": matrices[dim]})
    oracle = Oracle(
        name=NAME,
        model=load_model(folder),
        heads={dim: linear(matrix) for dim, matrix in matrices.items()},
        start=0,
        end=2,
        pad=1,
        mask=tokenizer.token_to_id("<mask>"),
        vocabulary=tokenizer.get_vocab_size(),
        seed=SEED,
        lengths=(1, 2, 3, 7, 16, 33, 64, 211),
    )
    out = golden_outputs(oracle)
    must_differ(oracle, out, load_model(folder, base=20000.0), "the rotary base of jina-embeddings-v3")
    write_tensors(folder / "golden.safetensors", out)
    return {NAME: SEED}
