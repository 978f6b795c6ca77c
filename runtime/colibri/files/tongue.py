"""Which language a text is in: by its script, and where many share one, by its commonest little words and letters.

Enough to filter by, for the texts of files: no model, no package, 0.1 ms a text. What is too short, mixed or code is
"und", as ISO 639 calls it. Measured on texts that it was not made from: benchmarks/NOTES.md.
"""

import re
from collections import Counter
from functools import cache

from colibri.files import tongue_words as words

UNDETERMINED = "und"
SAMPLE = 3_000
"""Characters that are looked at: the first ones, and as many from the middle."""

_FEWEST_LETTERS = 20
_SHARE = 0.5
"""Of the letters, for a script to decide."""
_SAYS = {"kana": 3, "han": 3, "ko": 3}
"""A letter of these counts for so many: a sentence of Chinese has few."""
_LEAST_SHARE = 0.06
"""Of the words that are to be little ones of a language, in Latin script: code is written in it as well."""
_LEAST_SCORE = {"latin": 2.0}
"""In others it is 1."""
_LEAD = 1.08
"""Times the next language's score."""
_LETTER = 0.5
"""What a letter that few languages have counts, of one little word that only one has."""

_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("latin", "A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿ"),
    ("cyrillic", "Ѐ-ԯ"),
    ("arabic", "ؠ-ؿف-يٮ-ۓۺ-ۿݐ-ݿﭐ-﷿ﹰ-ﻼ"),
    ("kana", "ぁ-ゖァ-ヺｦ-ﾝ"),
    ("han", r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ebe0"),
    ("ko", "가-힣ᄀ-ᇿㄱ-ㆎ"),
    ("el", "ͰͱͶͷΆ-ώἀ-ῼ"),
    ("he", "א-ת"),
    ("th", "ก-ฮะ-ๅ"),
    ("devanagari", "ऄ-हॐॠॡ"),
    ("bn", "অ-হ"),
    ("pa", "ਅ-ਹ"),
    ("gu", "અ-હ"),
    ("or", "ଅ-ହ"),
    ("ta", "அ-ஹ"),
    ("te", "అ-హ"),
    ("kn", "ಅ-ಹ"),
    ("ml", "അ-ഹ"),
    ("si", "අ-ෆ"),
    ("lo", "ກ-ຮ"),
    ("my", "က-ဪ"),
    ("km", "ក-ឳ"),
    ("bo", "ཀ-ཬ"),
    ("ka", "ა-ჿ"),
    ("hy", "Ա-Ֆա-և"),
    ("am", "ሀ-ፚ"),
)
"""Script, or the one language that is written in it, and its letters."""

_LATIN_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_TABLES = {
    "latin": (words.LATIN, words.LATIN_LETTERS),
    "cyrillic": (words.CYRILLIC, words.CYRILLIC_LETTERS),
    "arabic": (words.ARABIC, words.ARABIC_LETTERS),
    "devanagari": (words.DEVANAGARI, words.DEVANAGARI_LETTERS),
}


def language_of(text: str) -> str:
    """ISO 639-1 of the language that most of a text is in; "und": too short, mixed, or none of those known."""
    sample = text if len(text) <= SAMPLE else f"{text[: SAMPLE // 2]} {text[len(text) // 2 :][: SAMPLE // 2]}"
    counts = {name: len(pattern.findall(sample)) * _SAYS.get(name, 1) for name, pattern in _patterns()}
    letters = sum(counts.values())
    if letters < _FEWEST_LETTERS:
        return UNDETERMINED
    if counts["kana"] + counts["han"] > _SHARE * letters:
        return "ja" if counts["kana"] > 0.05 * (counts["kana"] + counts["han"]) else "zh"
    script = max(counts, key=lambda name: counts[name])
    if counts[script] <= _SHARE * letters:
        return UNDETERMINED
    return _by_words(sample.lower(), script) if script in _TABLES else script


def _by_words(sample: str, script: str) -> str:
    found = Counter(_LATIN_WORD.findall(sample) if script != "devanagari" else sample.split())
    total = sum(found.values())
    known, letters = _weights(script)
    scores: Counter[str] = Counter()
    for word, count in found.items():
        for language, weight in known.get(word, ()):
            scores[language] += weight * count  # type: ignore[assignment]
    small = dict(scores)
    for letter, count in Counter(sample).items():
        for language, weight in letters.get(letter, ()):
            scores[language] += weight * count  # type: ignore[assignment]
    ranked = scores.most_common(2)
    if not ranked:
        return UNDETERMINED
    best, score = ranked[0]
    next_score = ranked[1][1] if len(ranked) > 1 else 0
    if score < _LEAST_SCORE.get(script, 1.0) or score < _LEAD * next_score:
        return UNDETERMINED
    return UNDETERMINED if script == "latin" and small.get(best, 0) < _LEAST_SHARE * total else best


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(f"[{letters}]")) for name, letters in _SCRIPTS)


_Weights = dict[str, list[tuple[str, float]]]


@cache
def _weights(script: str) -> tuple[_Weights, _Weights]:
    """Words, and letters, with the languages that have them: what many have says little of each."""
    little, few = _TABLES[script]
    own_words = {language: {*said.split()} for language, said in little.items()}
    own_letters = {language: {*said} for language, said in few.items()}
    return _shared(own_words, 1.0), _shared(own_letters, _LETTER)


def _shared(sets: dict[str, set[str]], whole: float) -> _Weights:
    owners: dict[str, list[str]] = {}
    for language, own in sets.items():
        for one in own:
            owners.setdefault(one, []).append(language)
    return {one: [(language, whole / len(found) ** 0.5) for language in found] for one, found in owners.items()}
