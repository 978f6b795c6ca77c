#!/usr/bin/env bash
# One would expect: a Unigram model's normalisation rules (sentencepiece's precompiled_charsmap, rule nmt_nfkc) give the
# same text in `tokenizers` as in sentencepiece, whose file they are copied from.
# What happens: sentencepiece composes a letter and its marks by the longest rule. tokenizers' Precompiled looks rules up
# for whole grapheme clusters of fewer than six bytes, else code point by code point, so that a decomposed Hangul syllable
# or kana with a voicing mark, and half-width kana with theirs, stay apart. Ids then differ from those of training.
# Whom it matters to: whoever runs XLM-R, E5, BGE-M3 or jina-colbert-v2 with `tokenizers` on text that macOS wrote.
# Versions: tokenizers 0.23.1, sentencepiece 0.2.1. Source: tokenizers/src/normalizers/precompiled.rs (spm_precompiled),
# sentencepiece/src/normalizer.cc (Normalizer::NormalizePrefix). Exit code 1 when this changes.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "tokenizers==0.23.1" "sentencepiece==0.2.1"
cd "$scratch"
"$scratch/venv/bin/python" - <<'PY'
import io, sys, unicodedata
import sentencepiece as spm
from tokenizers.normalizers import Precompiled

model = io.BytesIO()
lines = iter(["the kettle is on the stove", "the library is closed on Monday", "한국 도서관 ガラス"] * 50)
spm.SentencePieceTrainer.train(
    sentence_iterator=lines, model_writer=model, vocab_size=60, model_type="unigram", hard_vocab_limit=False,
    normalization_rule_name="nmt_nfkc", minloglevel=2,
)


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 2:
            size, at = varint(data, at)
            yield key >> 3, data[at : at + size]
            at += size
        elif key & 7 == 0:
            _, at = varint(data, at)
        else:
            at += 4 if key & 7 == 5 else 8


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


spec = next(value for number, value in fields(model.getvalue()) if number == 3)  # NormalizerSpec
charsmap = next(value for number, value in fields(spec) if number == 2)  # precompiled_charsmap
theirs, original = Precompiled(charsmap), spm.SentencePieceProcessor(model_proto=model.getvalue())
changed = False
for name, text in (("Hangul", unicodedata.normalize("NFD", "한국")), ("kana", unicodedata.normalize("NFD", "ガ")), ("half-width kana", "ｶﾞ")):
    here = theirs.normalize_str(text)
    there = original.normalize(text).lstrip("\u2581")
    print(f"{name:<16} given {ascii(text)}  sentencepiece {ascii(there)}  tokenizers {ascii(here)}")
    changed |= here == there or unicodedata.normalize("NFC", there) != there
sys.exit(changed)
PY
