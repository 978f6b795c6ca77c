"""tokenizer.json files: rebuild XLM-R's from its pieces, and make text that spells special tokens plain text."""

import hashlib
import io
import json
import math
from collections.abc import Iterator, Sequence

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from colibri.errors import ExportError, MissingExtra

# sentencepiece 0.1.99's nmt_nfkc rules; 0.2.3's carry newer Unicode tables than XLM-R was trained with
# (174 code points differ from the real normaliser instead of 15).
CHARSMAP_SHA256 = "51d3684747b35ef99cd4802f37cc1ee0c6bec4d060814f774efb1066d3c167f2"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def xlmr_tokenizer(pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    """XLM-R's tokenizer from its Unigram pieces (n of (piece, score), id = position).

    Follows transformers' XLMRobertaTokenizer; WhitespaceSplit before Metaspace reproduces its published id lists
    where Metaspace alone does not. U+200D becomes a space, as in the original charsmap and not in ours.
    """
    tokenizer = Tokenizer(models.Unigram(list(pieces), unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace("\u200d", " "),
            normalizers.Precompiled(nmt_nfkc_charsmap()),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([AddedToken(t, special=True, lstrip=t == "<mask>") for t in _SPECIAL])
    return tokenizer


def plain_text_special_tokens(tokenizer_json: str) -> str:
    """Lower the Unigram scores of special tokens so that text which spells them is split like any text; ids stay.

    `encode_special_tokens` keeps the added-token matcher away from "<s>", but the Unigram model itself holds "<s>" as
    a piece with score 0 and would choose it. Each gets a score below its spelling by other pieces: not lower, because
    the model derives the cost of an unknown character from the lowest score. Other models are returned unchanged.
    """
    document = json.loads(tokenizer_json)
    if document["model"].get("type") != "Unigram":
        return tokenizer_json
    vocabulary: list[list[str | float]] = document["model"]["vocab"]
    special = {token["content"] for token in document["added_tokens"] if token["special"]}
    found = [entry for entry in vocabulary if entry[0] in special]
    scores = {str(piece): float(score) for piece, score in vocabulary if piece not in special}
    lowest = min(scores.values())
    for entry in found:
        entry[1] = _spelling(str(entry[0]), scores, unknown=lowest - 10) - 1.0
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _spelling(word: str, scores: dict[str, float], unknown: float) -> float:
    """Best total score of `word` in pieces (Viterbi)."""
    best = [0.0] + [-math.inf] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(end):
            score = scores.get(word[start:end], unknown if end - start == 1 else -math.inf)
            best[end] = max(best[end], best[start] + score)
    return best[-1]


def nmt_nfkc_charsmap() -> bytes:
    """The compiled `nmt_nfkc` rules, taken from a toy model that sentencepiece 0.1.99 trains in a second.

    Raises MissingExtra without sentencepiece, ExportError when another release made another map.
    """
    try:
        import sentencepiece  # noqa: PLC0415 - one command needs it, once
    except ImportError as error:
        raise MissingExtra(
            "XLM-R's normaliser needs, once, at build time: pip install sentencepiece==0.1.99"
        ) from error
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d e f g h i j k l m n o p"] * 20),
        model_writer=model,
        vocab_size=20,
        hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc",
        minloglevel=2,
    )
    # ModelProto.normalizer_spec = 3, NormalizerSpec.precompiled_charsmap = 2. sentencepiece 0.1.99's own protobuf
    # classes do not load under a current protobuf.
    charsmap = dict(_fields(dict(_fields(model.getvalue()))[3]))[2]
    found = hashlib.sha256(charsmap).hexdigest()
    if found != CHARSMAP_SHA256:
        raise ExportError(f"nmt_nfkc rules have sha256 {found}, wanted {CHARSMAP_SHA256}: use sentencepiece==0.1.99")
    return charsmap


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Length-delimited fields of a protobuf message; scalar fields are skipped."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        match key & 7:
            case 0:
                varint()
            case 1:
                at += 8
            case 5:
                at += 4
            case _:
                length = varint()
                at += length
                yield key >> 3, message[at - length : at]
