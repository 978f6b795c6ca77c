"""JinaBERT in the layout of jina-colbert-v1-en: Stanford's files, masks that nobody attends to, ALiBi, GeGLU.

transformers has no JinaBERT; the oracle is put together of its own parts, none of Jina's code: BertModel (eager) with
a zeroed position table and a 4-D float attention mask that holds the bias, Bloom's slopes, ModernBERT's MLP (which has
the same order of halves and the exact GELU) with a bias on its output, and BERT's norm. 12 heads, as there: no power of
two. Tensor names, config.json and artifact.metadata: copies of the published files and of jina-bert-implementation in
public repositories. Weights are drawn large, since ALiBi moves rows little where attention is flat.
"""

import types
from pathlib import Path

import numpy as np
import torch
from oracle import Oracle, golden_outputs, linear, random_tensor, write_json, write_tensors
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.modernbert.configuration_modernbert import ModernBertConfig
from transformers.models.modernbert.modeling_modernbert import ModernBertMLP
from vocabularies import bert_tokenizer

NAME, SEED = "tiny-random-jina-bert", 20006
HIDDEN, HEADS, LAYERS, WIDE, DIM, SPARE = 96, 12, 2, 64, 48, 6
LONGEST = 8192
SCALES = {"embeddings.": 0.6, ".query.": 0.25, ".key.": 0.25, "attention.output.": 0.1, "": 0.08}


def config_json(vocabulary: int) -> dict[str, object]:
    """The published config.json with tiny sizes; vocab_size has some rows more than the tokenizer has tokens."""
    code = "jinaai/jina-bert-implementation--"
    return {
        "_name_or_path": NAME,
        "architectures": ["HF_ColBERT"],
        "attention_probs_dropout_prob": 0.1,
        "attn_implementation": None,
        "auto_map": {
            "AutoConfig": f"{code}configuration_bert.JinaBertConfig",
            "AutoModel": f"{code}modeling_bert.JinaBertModel",
            "AutoModelForMaskedLM": f"{code}modeling_bert.JinaBertForMaskedLM",
            "AutoModelForSequenceClassification": f"{code}modeling_bert.JinaBertForSequenceClassification",
        },
        "classifier_dropout": None,
        "emb_pooler": "mean",
        "feed_forward_type": "geglu",
        "gradient_checkpointing": False,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": HIDDEN,
        "initializer_range": 0.02,
        "intermediate_size": WIDE,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": LONGEST,
        "model_max_length": LONGEST,
        "model_type": "bert",
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "pad_token_id": 0,
        "position_embedding_type": "alibi",
        "torch_dtype": "float32",
        "transformers_version": "4.37.2",
        "type_vocab_size": 2,
        "use_cache": True,
        "vocab_size": vocabulary,
    }


def artifact_metadata() -> dict[str, object]:
    """The published keys that say something of the roles, lengths as there."""
    return {
        "query_token_id": "[unused0]",
        "doc_token_id": "[unused1]",
        "query_token": "[Q]",
        "doc_token": "[D]",
        "similarity": "cosine",
        "interaction": "colbert",
        "attend_to_mask_tokens": False,
        "query_maxlen": 32,
        "doc_maxlen": 160,
        "mask_punctuation": True,
        "dim": DIM,
        "model_name": NAME,
    }


def shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Name -> shape, behind the prefix "bert."."""
    square, row = (HIDDEN, HIDDEN), (HIDDEN,)
    found: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (vocabulary, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": row,
        "embeddings.LayerNorm.bias": row,
        "pooler.dense.weight": square,
        "pooler.dense.bias": row,
    }
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            found |= {f"{layer}attention.{part}.weight": square, f"{layer}attention.{part}.bias": row}
        found |= {f"{layer}mlp.gated_layers.weight": (2 * WIDE, HIDDEN), f"{layer}mlp.wo.weight": (HIDDEN, WIDE)}
        found[f"{layer}mlp.wo.bias"] = row
        for norm in ("attention.output.LayerNorm", "mlp.layernorm"):
            found |= {f"{layer}{norm}.weight": row, f"{layer}{norm}.bias": row}
    return found


class JinaBert(nn.Module):
    """BertModel with its feed-forward replaced, and the bias in its attention mask."""

    def __init__(self, tensors: dict[str, torch.Tensor], vocabulary: int, steepness: float = 1.0) -> None:
        """steepness: factor of the bias, to see that it matters."""
        super().__init__()
        sizes = {"hidden_size": HIDDEN, "num_attention_heads": HEADS, "num_hidden_layers": LAYERS}
        config = BertConfig(vocab_size=vocabulary, intermediate_size=WIDE, layer_norm_eps=1e-12, **sizes)
        config._attn_implementation = "eager"
        self.model = BertModel(config, add_pooling_layer=False)
        mlp = ModernBertConfig(hidden_size=HIDDEN, intermediate_size=WIDE, hidden_activation="gelu", mlp_bias=False)
        state = {name: t for name, t in tensors.items() if ".mlp." not in name and not name.startswith("pooler.")}
        state["embeddings.position_embeddings.weight"] = torch.zeros(config.max_position_embeddings, HIDDEN)
        for i, layer in enumerate(self.model.encoder.layer):
            own = f"encoder.layer.{i}.mlp."
            gated = ModernBertMLP(mlp)
            gated.Wo = nn.Linear(WIDE, HIDDEN)
            gated.load_state_dict(
                {"Wi.weight": tensors[own + "gated_layers.weight"], "Wo.weight": tensors[own + "wo.weight"]}
                | {"Wo.bias": tensors[own + "wo.bias"]}
            )
            layer.intermediate, layer.output.dense = gated, nn.Identity()
            state |= {
                f"encoder.layer.{i}.output.LayerNorm.{w}": tensors[f"{own}layernorm.{w}"] for w in ("weight", "bias")
            }
        missing, unexpected = self.model.load_state_dict(state, strict=False)
        if unexpected or set(missing) - {k for k in missing if ".intermediate." in k or "position_ids" in k}:
            raise RuntimeError(f"transformers' parts do not take the weights: {missing} {unexpected}")
        self.steepness = steepness

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> types.SimpleNamespace:
        """As transformers' models answer."""
        n = input_ids.shape[1]
        attended = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        # Bloom's bias at key j is slope * j for unmasked keys: the slopes are what it has at key 1.
        slopes = build_alibi_tensor(torch.ones(1, 2), HEADS, torch.float32)[:, 0, 1]
        places = torch.arange(n)
        distance = (places[:, None] - places[None]).abs().float()
        bias = -self.steepness * slopes[None, :, None, None] * distance[None, None]
        unseen = (1 - attended[:, None, None, :].float()) * torch.finfo(torch.float32).min
        rows = self.model(
            inputs_embeds=self.model.embeddings.word_embeddings(input_ids),
            attention_mask=(bias + unseen).clamp(min=-1e30),
        )
        return types.SimpleNamespace(last_hidden_state=rows.last_hidden_state)


def make(parent: Path) -> dict[str, int]:
    """Write the folder; its name -> seed of its weights."""
    folder, rng = parent / NAME, np.random.default_rng(SEED)
    folder.mkdir(exist_ok=True)
    tokenizer: Tokenizer = bert_tokenizer()
    vocabulary = tokenizer.get_vocab_size() + SPARE
    tensors = {name: random_tensor(rng, name, shape, SCALES) for name, shape in sorted(shapes(vocabulary).items())}
    matrix = random_tensor(rng, "linear.weight", (DIM, HIDDEN), SCALES)
    write_json(folder / "config.json", config_json(vocabulary))
    write_json(folder / "artifact.metadata", artifact_metadata())
    tokenizer.save(str(folder / "tokenizer.json"))
    weights = {f"bert.{name}": tensor for name, tensor in tensors.items()} | {"linear.weight": matrix}
    write_tensors(folder / "model.safetensors", weights)
    start, end, pad, mask = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[PAD]", "[MASK]"))
    oracle = Oracle(
        name=NAME,
        model=JinaBert(tensors, vocabulary).eval(),
        heads={DIM: linear(matrix)},
        start=start,
        end=end,
        pad=pad,
        mask=mask,
        vocabulary=vocabulary,
        seed=SEED,
        lengths=(1, 2, 3, 7, 16, 33, 64, 127, 128, 129, 300),
    )
    out = golden_outputs(oracle)
    for steepness in (0.0, 0.5, -1.0):
        with torch.no_grad():
            rows = JinaBert(tensors, vocabulary, steepness).eval()(out["ids_300"]).last_hidden_state
        off = (rows - out["hidden_300"]).abs().max()
        print(f"{NAME}: a bias times {steepness} moves a value by {off:.2f}")  # noqa: T201
        if off < 0.5:
            raise RuntimeError(f"{NAME}: a bias times {steepness} would not be noticed ({off})")
    kept = {name: array for name, array in out.items() if name != "hidden_300"}
    write_tensors(folder / "golden.safetensors", kept)
    return {NAME: SEED}
