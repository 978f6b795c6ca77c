"""Tiny tokenizers, put together like those of bert-base-uncased, XLM-R and ModernBERT."""

import math
import string

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

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


def modernbert_tokenizer(prefixes: tuple[str, ...] = ("[Q] ", "[D] ")) -> Tokenizer:
    """A byte-level BPE put together like that of ModernBERT, plus two prefix tokens as PyLate adds them: after the last
    piece, with the space in their text, not special, matched in normalised text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=340, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([" " + word for word in BERT_WORDS if "##" not in word], trainer)
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
    mask = AddedToken("[MASK]", lstrip=True, special=True, normalized=False)
    tokenizer.add_special_tokens([*special, mask])
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ends
    )
    tokenizer.add_tokens(list(prefixes))
    return tokenizer
