# requirements: Python 3.11, torch==2.13.0 (CPU), then transformers>=5, tokenizers, safetensors, numpy
"""Make the tiny random ColBERT-type checkpoints and golden outputs of this folder.

What: two checkpoint folders, ``tiny-random-bert`` and ``tiny-random-xlmr``, each with random weights in
the layout of a Stanford ColBERT checkpoint (``config.json``, ``model.safetensors``, ``artifact.metadata``,
``tokenizer.json``, two additional heads), and ``golden.safetensors``: what Hugging Face transformers
answers when it loads that very folder. ``VERSIONS.json`` records the versions and seeds used.

Why: Colibri writes the network as ONNX by itself, without torch. Its tests need an oracle that is not
Colibri. The outputs are committed, so that the tests need neither torch nor transformers.

How: install the requirements in a separate virtual environment (torch first), then run
``python tests/golden/make_golden.py``. It needs no network, overwrites the files beside this script, and on
the same machine and versions gives the same bytes each time.
"""

import json
import math
import platform
import string
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel, BertConfig, PretrainedConfig, PreTrainedModel, XLMRobertaConfig

HERE = Path(__file__).resolve().parent
HIDDEN, DIM, EXTRA_DIMS, LONGEST = 64, 48, (32, 16), 64
LENGTHS = (1, 2, 3, 7, 16, 33, LONGEST)
MASKED_LENGTHS = (5, 11, 20)
EXPANDED, UNATTENDED = 16, 6  # a query of 16 ids, of which the last 6 are unattended mask tokens
# Standard deviations by part of the name. Sharp attention and a small attention output keep the rows apart.
SCALES = {"embeddings.": 0.5, ".query.": 0.3, ".key.": 0.3, "attention.output.": 0.1, "": 0.15}

BERT_WORDS = """
the of and to in a is that it was for on are with as his they at be this from have or by one had not but
what all were when we there can an your which their said if do will each about how up out them then she
many some so these would other into has more her two like him see time could no make than first been its
who now people my made over did down only way find use may water long little very after words called just
where most know search engine query document token vector model index rank score network language late
interaction retrieval passage neural match similar bird hummingbird small fast cafe naive ##s ##ed ##ing
##er ##ly ##ion ##tion ##al ##able ##ness ##ment ##ity ##ize ##est ##ful ##less ##or ##en house river city
world year day night school music science history computer data work place right new old good great high
large white black red green blue read write think under between through against during why
""".split()

XLMR_PIECES = """
▁the ▁of ▁and ▁to ▁in ▁is ▁that ▁for ▁on ▁with ▁was ▁as ▁it ▁this ▁are ▁from ▁what ▁how ▁search ▁model
▁token ▁query ▁document ▁water ▁small ▁bird ▁time ▁people ▁Hello ▁The ▁language ▁vector ▁late s ed ing er
ly ion tion al able ness ment ity est en ur ch ▁der ▁die ▁das ▁und ▁nicht ▁ist ▁ein ▁mit ▁für ▁über ▁Stra
ße ung ▁le ▁la ▁les ▁et ▁est ▁une ▁être ▁où ▁café é è ê ü ö ä ß ñ ç ▁el ▁los ▁que ▁por ▁años ▁niño
▁colibrí ción ▁и ▁в ▁не ▁на ▁что ▁это ▁как ▁язык ▁вода а е и о н т с ов ать ▁και ▁το ▁είναι α ς ▁في ▁من
▁على ال ة ▁של ▁את ה ▁है ▁में ▁के ▁और ा ी 的 是 了 不 我 语言 模型 ▁你好 水 鸟 世界 。 の は を です ます
検索 ▁日本 ア ン ▁이 ▁그 다 는 에 을 니다 한국 ▁và ▁của ▁không ▁là ▁ve ▁bir ▁için ▁değil ▁ni ▁ya ▁kwa ▁na
""".split()


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


def bert_tokenizer() -> Tokenizer:
    """A WordPiece tokenizer put together like that of bert-base-uncased."""
    special = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [*string.ascii_lowercase, *string.digits]
    pieces = ["[PAD]", *(f"[unused{i}]" for i in range(10)), *special, *string.punctuation, *letters]
    pieces = list(dict.fromkeys([*pieces, *(f"##{letter}" for letter in letters), *BERT_WORDS]))
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(token, pieces.index(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=ends
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.add_special_tokens(["[PAD]", *special])
    return tokenizer


def xlmr_tokenizer() -> Tokenizer:
    """A Unigram tokenizer put together like that of XLM-R, plus two marker tokens after its last piece."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    signs = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    signs = [*signs, *(f"▁{sign}" for sign in signs), *string.ascii_uppercase]
    words = dict.fromkeys(["▁", *XLMR_PIECES])
    scores = {word: -round(3.5 + 1.7 * math.log1p(rank), 4) for rank, word in enumerate(words)}
    for rank, sign in enumerate(signs):
        scores.setdefault(sign, -round(8.0 + 0.0137 * rank, 4))
    vocabulary = [*((token, 0.0) for token in special), *scores.items(), ("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=special.index("<unk>"), byte_fallback=False))
    squeeze = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), squeeze])
    metaspace = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    mask = AddedToken("<mask>", lstrip=True, special=True, normalized=False)
    tokenizer.add_special_tokens([*special, mask, "[QueryMarker]", "[DocumentMarker]"])
    return tokenizer


def make_spec(tokenizer: Tokenizer, names: str, make: type, shape: dict, metadata: dict, **rest) -> Spec:
    """One checkpoint, with what both have in common filled in; names: start, end, padding and mask token."""
    start, end, pad, mask = (tokenizer.token_to_id(name) for name in names.split())
    shape |= {"architectures": ["HF_ColBERT"], "vocab_size": tokenizer.get_vocab_size(), "pad_token_id": pad}
    shape |= {"hidden_size": HIDDEN, "num_hidden_layers": 3, "num_attention_heads": 4}
    shape |= {"intermediate_size": 128, "hidden_act": "gelu"}
    metadata |= {"query_token": "[Q]", "doc_token": "[D]", "query_maxlen": 16, "dim": DIM}
    metadata |= {"mask_punctuation": True, "similarity": "cosine", "model_name": rest["folder"]}
    return Spec(tokenizer, make(**shape), metadata, start, end, pad, mask, **rest)


def make_specs() -> list[Spec]:
    """The two checkpoints to make. XLM-R counts positions from pad_token_id + 1, hence its two more."""
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
    ]


def random_tensor(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A random weight, scaled by what it is for, so that tokens are really mixed, but not made alike."""
    if name.endswith("LayerNorm.weight"):
        values = rng.uniform(0.8, 1.2, shape)
    elif name.endswith(".bias"):
        values = rng.normal(0.0, 0.1, shape)
    else:
        values = rng.normal(0.0, next(scale for part, scale in SCALES.items() if part in name), shape)
    return torch.from_numpy(values.astype(np.float32))


def write_json(path: Path, content: object) -> None:
    """Write indented JSON with a newline at its end."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Write a safetensors file, marked as transformers marks its own."""
    path.write_bytes(save(tensors, metadata={"format": "pt"}))


def write_checkpoint(spec: Spec, folder: Path) -> None:
    """Write everything in the folder but the golden outputs."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(spec.seed)
    spec.config.save_pretrained(folder)
    spec.tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "artifact.metadata", spec.metadata)
    shapes = {name: tuple(w.shape) for name, w in AutoModel.from_config(spec.config).state_dict().items()}
    weights = {spec.prefix + name: random_tensor(rng, name, shape) for name, shape in sorted(shapes.items())}
    weights["linear.weight"] = random_tensor(rng, "linear.weight", (DIM, HIDDEN))
    write_tensors(folder / "model.safetensors", weights)
    for dim in EXTRA_DIMS:
        head = {"linear.weight": random_tensor(rng, "linear.weight", (dim, HIDDEN))}
        write_tensors(folder / f"head-{dim}.safetensors", head)


def load_model(folder: Path) -> PreTrainedModel:
    """Load the folder as transformers does, and check that it took every weight but the head."""
    how = {"attn_implementation": "eager", "dtype": torch.float32}
    model, info = AutoModel.from_pretrained(folder, output_loading_info=True, **how)
    if info["missing_keys"] or set(info["unexpected_keys"]) != {"linear.weight"} or info["mismatched_keys"]:
        raise RuntimeError(f"transformers does not read {folder.name} as meant: {info}")
    return model.eval()


def random_ids(spec: Spec, rng: np.random.Generator, length: int) -> torch.Tensor:
    """Ids [1, length] without padding, from the start token to (if there is room) the end token."""
    ids = rng.choice(np.delete(np.arange(spec.config.vocab_size), spec.pad), length)
    ids[-1], ids[0] = spec.end, spec.start
    return torch.from_numpy(ids.astype(np.int64))[None]


@torch.no_grad()
def golden_outputs(spec: Spec, folder: Path) -> dict[str, torch.Tensor]:
    """Run the checkpoint in the folder on random ids: whole rows, a padded batch, an expanded query."""
    model, rng = load_model(folder), np.random.default_rng(spec.seed + 1000)
    heads = {dim: load_file(folder / f"head-{dim}.safetensors")["linear.weight"] for dim in EXTRA_DIMS}
    heads[DIM] = load_file(folder / "model.safetensors")["linear.weight"]
    out: dict[str, torch.Tensor] = {}
    for n in LENGTHS:
        ids = random_ids(spec, rng, n)
        hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        out |= {f"ids_{n}": ids, f"hidden_{n}": hidden}
        for dim, head in heads.items():
            out[f"tokens_{dim}_{n}"] = torch.nn.functional.normalize(hidden @ head.T, dim=-1, eps=1e-12)
    masked = torch.full((len(MASKED_LENGTHS), max(MASKED_LENGTHS)), spec.pad)
    for row, n in enumerate(MASKED_LENGTHS):
        masked[row, :n] = random_ids(spec, rng, n)
    expanded = torch.full((1, EXPANDED), spec.mask)
    expanded[:, :-UNATTENDED] = random_ids(spec, rng, EXPANDED - UNATTENDED)
    attended = (torch.arange(EXPANDED) < EXPANDED - UNATTENDED)[None]
    cases = {"masked": (masked, masked != spec.pad), "expanded": (expanded, attended)}
    for name, (ids, mask) in cases.items():
        hidden = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        out |= {f"{name}_ids": ids, f"{name}_mask": mask.long(), f"{name}_hidden": hidden}
    changed = (out["ids_33"] + 7 * torch.eye(33, dtype=torch.int64)) % spec.config.vocab_size
    moved = (model(input_ids=changed).last_hidden_state - out["hidden_33"]).abs().amax(-1).min()
    alike = (out["tokens_48_33"][0] @ out["tokens_48_33"][0].T).mean()
    if moved < 0.01 or alike > 0.9:
        raise RuntimeError(f"{spec.folder}: rows ignore a token ({moved}) or are nearly the same ({alike})")
    return out


def main() -> None:
    """Write both folders and VERSIONS.json."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for spec in (specs := make_specs()):
        write_checkpoint(spec, HERE / spec.folder)
        write_tensors(HERE / spec.folder / "golden.safetensors", golden_outputs(spec, HERE / spec.folder))
    packages = ("torch", "transformers", "tokenizers", "safetensors", "numpy")
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    seeds = {spec.folder: {"weights": spec.seed, "ids": spec.seed + 1000} for spec in specs}
    write_json(HERE / "VERSIONS.json", {"versions": versions, "seeds": seeds})


if __name__ == "__main__":
    main()
