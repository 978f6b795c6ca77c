"""Which pieces texts use: those of files, and the words of languages by how often they are used."""

import gzip
import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colibri.artefact import Manifest
from colibri.errors import InputError, MissingExtra
from colibri.machine import install_command
from colibri.tokens import TextTokenizer

_WORDS_AT_ONCE = 256  # a text of so many words: one call for each would take ten times as long
# Of English all 321,000 words need 68,800 of XLM-R's pieces, those used once in ten million words 53,400, and 99.8 to
# 99.98 % of the tokens of three English sets are among either's (benchmarks/NOTES.md).
_RAREST = 1e-7
# wordfreq folds case, and these letters with it: its German has "strasse", its Greek no final sigma.
_FOLDED = {"de": ("ss", "ß"), "el": (r"σ(?=$)", "ς")}
_TRADITIONAL = {"hant", "tw", "hk", "mo"}
_PER_WORD = 1e9  # frequencies become whole numbers of so many words


@dataclass(frozen=True)
class Uses:
    """How often each piece is used: (vocabulary,) int64."""

    counts: NDArray[np.int64]

    def __add__(self, other: "Uses") -> "Uses":
        return Uses(self.counts + other.counts)

    def ids(self) -> list[int]:
        """Those used at all, the most used first, of equal ones the lower id."""
        order = np.argsort(-self.counts, kind="stable")
        found: list[int] = order[: int((self.counts > 0).sum())].tolist()
        return found


def corpus_texts(files: Iterable[Path]) -> Iterator[str]:
    """Texts of files: one a line, or of `.jsonl` the strings of each line's object, but of blank lines; `.gz` around
    either.

    Raises InputError for what is no UTF-8, holds zero bytes (UTF-16 of Latin letters decodes as UTF-8), or is no JSON
    object, with file and line, and for a file without any text.
    """
    for path in files:
        some = False
        as_json = path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson"))
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    if as_json and not line.strip():
                        continue
                    try:
                        if b"\0" in line:  # json.loads would take one line of a file for UTF-16, and the next for none
                            raise ValueError("found zero bytes, as UTF-16 has them; save it as UTF-8")
                        texts = _strings(json.loads(line)) if as_json else [line.decode("utf-8-sig").strip()]
                    except ValueError as error:
                        wanted = "a JSON object with texts, in UTF-8" if as_json else "text in UTF-8"
                        raise InputError(f"{path}, line {number}: wanted {wanted} ({error})") from error
                    some |= any(map(str.strip, texts))
                    yield from texts
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: cannot be read ({error})") from error
        if not some:  # every piece that its texts use would be none at all
            wanted = "strings in the objects of its lines" if as_json else "a text a line"
            raise InputError(f"{path}: holds no text; wanted {wanted}")


def _strings(found: object) -> list[str]:
    if not isinstance(found, dict):
        raise ValueError(f"found {type(found).__name__}")
    return [value for key, value in found.items() if isinstance(value, str) and key != "_id"]


def uses_of_texts(tokenizer: TextTokenizer, manifest: Manifest, texts: Iterable[str]) -> Uses:
    """Of whole texts, however long, in both roles."""
    vocabulary = manifest.architecture.vocabulary
    counts = np.zeros(vocabulary, np.int64)
    for text in texts:
        counts += np.bincount(ids_in_roles(tokenizer, manifest, text), minlength=vocabulary)
    return Uses(counts)


def ids_in_roles(tokenizer: TextTokenizer, manifest: Manifest, text: str) -> NDArray[np.int64]:
    """A whole text as a query and as a document, all that is put around it included: (n,). A byte-level vocabulary has
    other pieces for its first word where a prefix stands before it."""
    roles = {role.prefix: role for role in (manifest.query, manifest.document)}.values()
    return np.concatenate(
        [window.ids for role in roles for windows in tokenizer.encode_windows([text], role, 0) for window in windows]
    )


def language_named(given: str, known: Collection[str]) -> str:
    """Which of the known languages is meant: case, `_` for `-`, and a country or script behind it make no difference,
    as where files say what they are in.

    Raises InputError for a language that isn't known, and for traditional Chinese, which the words of zh are not in.
    """
    language, *rest = given.replace("_", "-").lower().split("-")
    if language not in known:
        raise InputError(f"--languages: no words of {given!r}; there are {', '.join(sorted(known))}, else --corpus")
    if language == "zh" and _TRADITIONAL.intersection(rest):
        raise InputError(
            f"--languages: no words of {given!r}: those of zh are in simplified characters; wanted zh, or --corpus"
        )
    return language


def known_languages() -> set[str]:
    """Those that there are words of. Raises MissingExtra without wordfreq."""
    require_words()
    import wordfreq  # noqa: PLC0415 - of an extra

    return set(wordfreq.available_languages("best"))


def language_words(language: str) -> list[tuple[str, float]]:
    """Words of a language that are used once in ten million words or more, and their share of all words, the most
    frequent first, in lower case.

    They come from wordfreq (Speer, 2022: Wikipedia, subtitles, news, books, the web, forums), which is the extra
    [prune]. Raises MissingExtra without it.

    language: one of `known_languages`
    """
    require_words()
    import wordfreq  # noqa: PLC0415 - of an extra

    frequencies = wordfreq.get_frequency_dict(language, "best")
    used = {word: share for word, share in frequencies.items() if share >= _RAREST}
    lost, letter = _FOLDED.get(language, ("(?!)", ""))
    used |= {re.sub(lost, letter, word): share for word, share in used.items() if re.search(lost, word)}
    return sorted(used.items(), key=lambda entry: (-entry[1], entry[0]))


def require_words() -> None:
    """Raise MissingExtra where the words of languages are not installed."""
    if util.find_spec("wordfreq") is None:
        raise MissingExtra(f"--languages needs wordfreq (colibri-edge[prune]): {install_command('prune')}; or --corpus")


def uses_of_words(tokenizer: TextTokenizer, words: Sequence[tuple[str, float]], vocabulary: int) -> Uses:
    """Of words as they stand in texts: in lower case, with a capital, in capitals, and behind a bracket.

    words: each with its share of all words, which its pieces are counted with.
    """
    counts = np.zeros(vocabulary, np.int64)
    for start in range(0, len(words), _WORDS_AT_ONCE):
        some = words[start : start + _WORDS_AT_ONCE]
        times = max(round(some[-1][1] * _PER_WORD), 1)  # of the rarest: they are sorted, and so nearly alike
        written = [form for word, _ in some for form in dict.fromkeys((word, word.title(), word.upper()))]
        for text in (" ".join(written), " ".join(f"({form}" for form in written)):
            counts += times * np.bincount(tokenizer.ids(text), minlength=vocabulary)
    return Uses(counts)
