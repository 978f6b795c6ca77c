"""ModernBERT in the layout of PyLate: modules.json, config_sentence_transformers.json, one or two Dense modules.

Keys as in the published files of lightonai's GTE-ModernColBERT-v1, Reason-ModernColBERT, LateOn-Code and
LateOn-Code-edge (two Dense modules), and as PyLate 1.6.0 writes them (models/colbert.py `save`, models/Dense.py).
`tiny-random-modernbert` has config.json as transformers 4.48 to 4.57 wrote it, `-dense2` as transformers 5 does.
"""

import string
from pathlib import Path

import numpy as np
import torch
from oracle import Head, Oracle, golden_outputs, must_differ, random_tensor, write_json, write_tensors
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from transformers import ModernBertConfig, ModernBertModel
from vocabularies import modernbert_tokenizer

SCALES = {"embeddings.": 0.5, "Wqkv": 0.3, "Wo": 0.1, "": 0.15}
IDENTITY, GELU = "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.GELU"
# Half of it to the left and half to the right. In the first, no mask token of an expanded query is so far from the text
# that it sees nothing, as is true of the published models (32 tokens, 64 to each side): what it would get, nobody says.
LOCAL, LOCAL2 = 32, 16
QUERY = 16


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """config.json's keys of special tokens."""
    named = {"bos": "[CLS]", "cls": "[CLS]", "eos": "[SEP]", "sep": "[SEP]", "pad": "[PAD]"}
    return {f"{key}_token_id": tokenizer.token_to_id(token) for key, token in named.items()}


def older_config_json(tokenizer: Tokenizer) -> dict[str, object]:
    """As published with GTE-ModernColBERT-v1, with tiny sizes. `position_embedding_type` and `layer_norm_eps` are there
    and mean nothing."""
    return {
        "_name_or_path": "tiny-random-modernbert",
        "architectures": ["ModernBertModel"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "classifier_activation": "gelu",
        "classifier_bias": False,
        "classifier_dropout": 0.0,
        "classifier_pooling": "mean",
        "decoder_bias": True,
        "deterministic_flash_attn": False,
        "embedding_dropout": 0.0,
        "global_attn_every_n_layers": 3,
        "global_rope_theta": 160000.0,
        "gradient_checkpointing": False,
        "hidden_activation": "gelu",
        "hidden_size": 64,
        "initializer_cutoff_factor": 2.0,
        "initializer_range": 0.02,
        "intermediate_size": 96,
        "layer_norm_eps": 1e-05,
        "local_attention": LOCAL,
        "local_rope_theta": 10000.0,
        "max_position_embeddings": 8192,
        "mlp_bias": False,
        "mlp_dropout": 0.0,
        "model_type": "modernbert",
        "norm_bias": False,
        "norm_eps": 1e-05,
        "num_attention_heads": 4,
        "num_hidden_layers": 4,
        "position_embedding_type": "absolute",
        "reference_compile": False,
        "repad_logits_with_grad": False,
        "sparse_pred_ignore_index": -100,
        "sparse_prediction": False,
        "torch_dtype": "float32",
        "transformers_version": "4.48.2",
        "vocab_size": tokenizer.get_vocab_size(),
        **special_ids(tokenizer),
    }


def newer_config(tokenizer: Tokenizer) -> ModernBertConfig:
    """Both rotary bases are 160,000, as in mmBERT, from which mLateOn comes."""
    rope = {"rope_type": "default", "rope_theta": 160000.0}
    return ModernBertConfig(
        architectures=["ModernBertModel"],
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=2,
        local_attention=LOCAL2,
        rope_parameters={"full_attention": dict(rope), "sliding_attention": dict(rope)},
        dtype="float32",
        **special_ids(tokenizer),
    )


def pylate_json(query_length: int, document_length: int, **rest: object) -> dict[str, object]:
    """config_sentence_transformers.json."""
    versions = {"sentence_transformers": "5.1.1", "transformers": "4.57.3", "pytorch": "2.9.0+cu128"}
    return {
        "model_type": "ColBERT",
        "__version__": versions,
        "prompts": {"query": "", "document": ""},
        "default_prompt_name": None,
        "similarity_fn_name": "MaxSim",
        "query_prefix": "[Q] ",
        "document_prefix": "[D] ",
        "query_length": query_length,
        "document_length": document_length,
        "attend_to_expansion_tokens": False,
        "skiplist_words": list(string.punctuation),
        **rest,
    }


def dense_json(inputs: int, outputs: int, bias: bool = False, activation: str = IDENTITY, **rest: object) -> dict:
    """N_Dense/config.json."""
    head = {"in_features": inputs, "out_features": outputs, "bias": bias, "activation_function": activation}
    return head | rest


def write_dense(folder: Path, config: dict, rng: np.random.Generator) -> None:
    """One Dense module. With `use_residual`, widths that differ are met by a matrix of their own."""
    folder.mkdir(exist_ok=True)
    inputs, outputs = config["in_features"], config["out_features"]
    shapes = {"linear.weight": (outputs, inputs)}
    if config["bias"]:
        shapes["linear.bias"] = (outputs,)
    if config.get("use_residual") and inputs != outputs:
        shapes["residual.weight"] = (outputs, inputs)
    write_json(folder / "config.json", config)
    write_tensors(
        folder / "model.safetensors", {name: random_tensor(rng, name, s, {"": 0.15}) for name, s in shapes.items()}
    )


def load_dense(folder: Path, config: dict) -> Head:
    """The module's formula: activation(linear(x)), plus x or residual(x) where it has `use_residual`."""
    tensors = load_file(folder / "model.safetensors")
    activation = {IDENTITY: nn.Identity(), GELU: nn.GELU()}[config["activation_function"]]

    def head(x: torch.Tensor) -> torch.Tensor:
        y = activation(nn.functional.linear(x, tensors["linear.weight"], tensors.get("linear.bias")))
        if not config.get("use_residual"):
            return y
        return y + (nn.functional.linear(x, tensors["residual.weight"]) if "residual.weight" in tensors else x)

    return head


def load_model(folder: Path, **wrong: object) -> ModernBertModel:
    """Load the folder as transformers does, and check that it took every weight. wrong: changes to its config."""
    config = ModernBertConfig.from_pretrained(folder)
    for key, value in wrong.items():
        setattr(config, key, value)
    how = {"attn_implementation": "eager", "dtype": torch.float32}
    model, info = ModernBertModel.from_pretrained(folder, config=config, output_loading_info=True, **how)
    if info["missing_keys"] or info["unexpected_keys"] or info["mismatched_keys"]:
        raise RuntimeError(f"transformers does not read {folder.name} as meant: {info}")
    return model.eval()


def write_backbone(folder: Path, tokenizer: Tokenizer, pylate: dict, seed: int, modules: list[dict]) -> None:
    """Everything but config.json, which is there, and the golden outputs."""
    rng = np.random.default_rng(seed)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {f"{role}_token": f"[{role.upper()}]" for role in ("cls", "mask", "pad", "sep", "unk")}
    write_json(folder / "special_tokens_map.json", names)
    tokenizer_class = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 8192}
    write_json(folder / "tokenizer_config.json", names | tokenizer_class)
    state = ModernBertModel(ModernBertConfig.from_pretrained(folder)).state_dict()
    weights = {name: random_tensor(rng, name, tuple(w.shape), SCALES) for name, w in sorted(state.items())}
    write_tensors(folder / "model.safetensors", weights)
    parts = [("", "sentence_transformers.models.Transformer")]
    parts += [(f"{i}_Dense", "pylate.models.Dense.Dense") for i in range(1, len(modules) + 1)]
    listed = [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(parts)]
    write_json(folder / "modules.json", listed)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 299, "do_lower_case": False})
    write_json(folder / "config_sentence_transformers.json", pylate)
    for i, config in enumerate(modules, start=1):
        write_dense(folder / f"{i}_Dense", config, rng)


def write_golden(
    folder: Path, tokenizer: Tokenizer, seed: int, modules: list[dict], lengths: tuple[int, ...]
) -> tuple[Oracle, dict[str, torch.Tensor]]:
    """Run the folder's model and Dense modules, one after the other."""
    steps = [load_dense(folder / f"{i}_Dense", config) for i, config in enumerate(modules, start=1)]

    def head(hidden: torch.Tensor) -> torch.Tensor:
        for step in steps:
            hidden = step(hidden)
        return hidden

    oracle = Oracle(
        name=folder.name,
        model=load_model(folder),
        heads={modules[-1]["out_features"]: head},
        start=tokenizer.token_to_id("[CLS]"),
        end=tokenizer.token_to_id("[SEP]"),
        pad=tokenizer.token_to_id("[PAD]"),
        mask=tokenizer.token_to_id("[MASK]"),
        vocabulary=tokenizer.get_vocab_size(),
        seed=seed,
        lengths=lengths,
        masked_lengths=(5, 20, 41),
    )
    out = golden_outputs(oracle)
    write_tensors(folder / "golden.safetensors", out)
    return oracle, out


def make(parent: Path) -> dict[str, int]:
    """Write both folders; folder name -> seed of its weights."""
    tokenizer = modernbert_tokenizer()
    folder, seed = parent / "tiny-random-modernbert", 20004
    folder.mkdir(exist_ok=True)
    write_json(folder / "config.json", older_config_json(tokenizer))
    modules = [dense_json(64, 48)]
    write_backbone(folder, tokenizer, pylate_json(QUERY, 300, do_query_expansion=True), seed, modules)
    oracle, out = write_golden(folder, tokenizer, seed, modules, (1, 2, 3, 7, 16, 17, 18, 33, 64, 131))
    ropes = [{"rope_type": "default", "rope_theta": base} for base in (160000.0, 10000.0)]
    swapped = dict(zip(("sliding_attention", "full_attention"), ropes, strict=True))
    must_differ(oracle, out, load_model(folder, rope_parameters=swapped), "swapping the rotary bases")
    must_differ(oracle, out, load_model(folder, local_attention=1024), "attention without a window")
    must_differ(oracle, out, load_model(folder, local_attention=LOCAL + 2), "a window wider by one on each side")
    must_differ(oracle, out, load_model(folder, local_attention=LOCAL - 2), "a window narrower by one on each side")

    second, seed2 = parent / "tiny-random-modernbert-dense2", 20005
    second.mkdir(exist_ok=True)
    newer_config(tokenizer).save_pretrained(second)
    modules = [dense_json(32, 32, bias=True, activation=GELU, use_residual=True)]
    modules += [dense_json(32, 24, use_residual=True)]
    write_backbone(second, tokenizer, pylate_json(48, 512, do_query_expansion=False), seed2, modules)
    oracle, out = write_golden(second, tokenizer, seed2, modules, (1, 2, 9, 33, 70))
    ropes = {"full_attention": ropes[0], "sliding_attention": ropes[1]}
    must_differ(oracle, out, load_model(second, rope_parameters=ropes), "the usual local rotary base")
    return {folder.name: seed, second.name: seed2}
