"""Texts on which a light tokenizer has to give the ids and offsets of `tokenizers`, and the comparison."""

import random
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from tokenizers import Tokenizer

from colibri.tokens import LightTokenizer
from colibri_export.sample_texts import DOCUMENTS, QUERIES

_HURTFUL = [
    "",
    " ",
    " \t\n\u3000\u00a0\u2028\x85 " * 50,
    "a\0b\0\0 \0",
    "\x01a\x1fb\x7f \x0bc\x9f",
    "\r\n\r\na\r\rb\n\r",
    "👩‍👩‍👧 🇩🇪🇫🇷 👍🏽 1️⃣ ❤️",
    "\u200fשָׁלוֹם עולם\u200e، مَرْحَبًا ﷺ ﷻ",
    "\u0301\u0323 e\u0301 \u0301x e\u0301\u0323 \u1100\u1161\u11a8 각",
    "ﬁnd the ﬂow ﬃ ﬁ\u0301 ½¾ … ㍿ ´ ¨a",
    "Ｈｅｌｌｏ　Ｗｏｒｌｄ！ ｶﾞｷﾞ ＜mask＞ ＜／s＞",
    "\ufeffa\u200bb\u2060c\u00add\u200ce\ufffd",
    "▁▁the ▁river▁",
    "กำลัง น้ำ नमस्ते க்ஷ ខ្មែរ မြန်မာ",
    "....... (iii) 1111111 ???!!! ------",
    "x" * 10_000,
    "the river runs " * 667,
    "日本語の文章、" * 1_500,
    "\U0001f600" * 3_000,
    "a\u0301" * 3_000,
]


def proof_texts(
    special: Sequence[str], mapped: Sequence[int], extending: Sequence[int], several: Sequence[str] = ()
) -> list[str]:
    """Sample texts, texts that hurt, every code point in a word (of the unassigned planes a few), and mixtures made by
    a fixed rule.

    special    spellings of special tokens
    mapped     code points with a normalisation rule
    extending  code points that join the one before them
    several    texts of several code points with a rule of their own, or some of them
    """
    spellings = [*special, "".join(special), " ".join(special), *(f"a{token}b{token}" for token in special)]
    texts = [*QUERIES, *DOCUMENTS, *_HURTFUL, *spellings]
    planes = (*range(0xD800), *range(0xE000, 0x34000), *range(0x34000, sys.maxunicode + 1, 101))
    texts += [" ".join(f"b{chr(i)}c" for i in planes[at : at + 1_000]) for at in range(0, len(planes), 1_000)]
    texts += [" ".join(f"{key} b{key}c" for key in several[at : at + 500]) for at in range(0, len(several), 500)]
    return [*texts, *_mixtures(special, [chr(i) for i in mapped], [chr(i) for i in extending], list(several))]


def _mixtures(special: Sequence[str], mapped: list[str], extending: list[str], several: list[str]) -> Iterator[str]:
    """Random texts of code points that meddle with each other, among letters of every script."""
    chance = random.Random(5)
    letters = sorted({character for text in DOCUMENTS for character in text})
    odd = [*" \t\n\r\0\x01\x1f\u00a0\u3000\u200b\u200c\u200d\ufe0f\u0600\u061c\U0001f3fb\U0001f1e6\U0001f469", *special]
    pools = [mapped, extending, letters, odd, list("abe.,1-<>"), several or mapped]
    for _ in range(5_000):
        chosen = chance.sample(pools, chance.choice([1, 2, 3]))
        yield "".join(chance.choice(chance.choice(chosen)) for _ in range(chance.choice([2, 3, 5, 8, 20, 60])))
    for _ in range(2_000):
        yield "".join(chr(chance.randrange(0x20, 0xD800)) for _ in range(chance.choice([3, 8, 20])))


def first_difference(tokenizer: Tokenizer, light: LightTokenizer, texts: Sequence[str]) -> str | None:
    """The first text whose ids or offsets differ. Texts that the light tokenizer leaves to the other do not."""
    for start in range(0, len(texts), 256):
        part = list(texts[start : start + 256])
        for text, encoding, pieces in zip(
            part, tokenizer.encode_batch(part, add_special_tokens=False), light.encode(part), strict=True
        ):
            if pieces is None:
                continue
            offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2)
            if encoding.ids != pieces.ids.tolist() or not np.array_equal(offsets, pieces.offsets):
                return text
    return None
