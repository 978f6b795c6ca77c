"""How much a decoded text looks like writing: what decides between encodings that a detector holds for equally likely.

A wrong one-byte encoding shows in three ways: letters of no one language ("pr•d", "enthŠlt" are Polish and German in
the wrong set), capitals behind small letters or alone, and symbols or another script inside words.
"""

import re
from collections import Counter

_ALPHABETS = tuple(
    frozenset(letters)
    for letters in (
        "äöüß",  # German
        "àâçéèêëîïôùûüÿœæ",  # French
        "áéíñóúüªº",  # Spanish
        "ãõáâàçéêíóôúüªº",  # Portuguese
        "àèéìíîòóùú",  # Italian
        "ąćęłńóśźż",  # Polish
        "áčďéěíňóřšťúůýžäľĺôŕ",  # Czech, Slovak
        "áéíóöőúüű",  # Hungarian
        "ăâîşţșț",  # Romanian
        "čćđšž",  # Croatian, Slovene
        "çğıöşüâîû",  # Turkish; its dotted capital is two signs in small letters
        "åäöæøé",  # Danish, Norwegian, Swedish, Finnish
        "áðéíóúýþæö",  # Icelandic
        "ąčęėįšųūž",  # Lithuanian
        "āčēģīķļņšūž",  # Latvian
        "äõöüšž",  # Estonian
        "ëéèïöüáóí",  # Dutch, Albanian
        "àáâãèéêìíòóôõùúýăđĩũơư\u0300\u0301\u0303\u0309\u0323",  # Vietnamese
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",  # Russian, Bulgarian
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",  # Ukrainian
        "абвгдеёжзіийклмнопрстуўфхцчшыьэюя",  # Belarusian
        "абвгдђѓежзѕијќклљмнњопрстћуфхцчџш",  # Serbian, Macedonian
        "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ",  # Greek
        map(chr, range(0x05B0, 0x05EB)),  # Hebrew
        map(chr, range(0x0621, 0x0670)),  # Arabic
        map(chr, range(0x0E01, 0x0E5C)),  # Thai
    )
)
_PUNCTUATION = frozenset("‘’‚“”„«»‹›–—…€°§·¿¡№•×©®´\xa0")
_IN_WORDS = frozenset("’‘´·\xad\u200c\u200d°")
_MOST = 4_000  # signs looked at
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def likeness(text: str) -> float:
    """The share of the signs beyond ASCII that stand as writing has them, at most 1; wrong ones count against it."""
    letters: Counter[str] = Counter()
    good = count = 0.0
    for found in _BEYOND_ASCII.finditer(text):
        count += 1
        if count > _MOST:
            break
        at, sign = found.start(), found[0]
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        if sign.isalpha() or "\u0300" <= sign <= "\u036f":
            letters[sign.lower() if sign != "İ" else "ı"] += 1
            good -= (sign.isupper() and before.islower()) + (sign.islower() and after.isupper())
            good -= 0.5 * (sign.isupper() and _is_latin(sign) and not before.isalpha() and not after.isalpha())
            good -= _strange(sign, before) + _strange(sign, after)
        elif sign not in _PUNCTUATION or (before.isalpha() and after.isalpha() and sign not in _IN_WORDS):
            good -= 1
        else:
            # Less than a letter: many signs are punctuation in one set, and in another letters.
            good += 0.95 if sign == "’" and before.isalpha() else 0.75
    of_one = max(sum(letters[letter] for letter in alphabet) for alphabet in _ALPHABETS)
    return (good + of_one) / min(count, _MOST) if count else 1.0


def _strange(sign: str, beside: str) -> bool:
    """Whether a letter of another script stands beside it."""
    return beside.isalpha() and _is_latin(sign) != _is_latin(beside)


def _is_latin(sign: str) -> bool:
    return sign < "\u0370" or "\u1e00" <= sign < "\u1f00"
