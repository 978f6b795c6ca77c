"""The questions, and what holds of them without any search engine."""

import fnmatch
import gzip
import html
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

QUESTIONS = Path(__file__).with_name("questions.toml")
FUNCTION_WORDS = frozenset(
    "a after apart are before down for have how i in is it let made of the they to two want while who with".split()  # noqa: SIM905
)
_MARKUP = re.compile(r"(?is)<(script|style|head)\b.*?</\1>|<[^>]+>")


@dataclass(frozen=True)
class Question:
    """files: patterns of the answers, below the tree."""

    kind: str
    text: str
    files: tuple[str, ...]

    def answers(self, paths: Iterable[str]) -> list[str]:
        """Those of the paths that answer it."""
        return [path for path in paths if any(fnmatch.fnmatchcase(path, one) for one in self.files)]


def read() -> list[Question]:
    """All of questions.toml."""
    found = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))["question"]
    return [Question(one["kind"], one["text"], tuple(one["files"])) for one in found]


def faults(questions: Sequence[Question], folder: Path, paths: Sequence[str]) -> list[str]:
    """What does not hold: a pattern without a file, a name that an answer lacks, a word that an answer has."""
    found = []
    for asked in questions:
        found += [f"{one}: no such file" for one in asked.files if not fnmatch.filter(paths, one)]
        for path in asked.answers(paths):
            text = _text(folder / path).casefold()
            if asked.kind == "name" and asked.text.casefold() not in text:
                found.append(f"{path}: lacks {asked.text}")
            if asked.kind == "meaning":
                found += [f"{path}: has {word!r} of {asked.text!r}" for word in _shared(asked.text, text)]
    return found


def _shared(question: str, text: str) -> list[str]:
    """Words of a question that begin a word of a text, endings of grammar taken off."""
    words = [word for word in re.findall(r"\w+", question.casefold()) if word not in FUNCTION_WORDS]
    return [word for word in words if re.search(rf"\b{re.sub(r'(ing|ed|es|s)$', '', word)}", text)]


def _text(path: Path) -> str:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")
    return html.unescape(_MARKUP.sub(" ", text)) if path.suffix == ".html" else text
