"""Real English prose that every Python has: its reference manual's topics, and the standard library's docstrings."""

import ast
import pydoc_data.topics
import re
import sysconfig
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

_SHORTEST, _LONGEST = 8, 40  # words
_WORDS = re.compile(r"[A-Za-z]{2,}")


def passages(count: int) -> list[str]:
    """The first so many, no two alike; one a paragraph, cut at 40 words."""
    return list(islice(dict.fromkeys(_cut()), count))


def _cut() -> Iterator[str]:
    for text in _texts():
        for paragraph in re.split(r"\n\s*\n", text):
            words = paragraph.split()
            for first in range(0, len(words), _LONGEST):
                some = " ".join(words[first : first + _LONGEST])
                if len(_WORDS.findall(some)) >= _SHORTEST:
                    yield some


def _texts() -> Iterator[str]:
    topics: dict[str, str] = pydoc_data.topics.topics
    yield from (topics[name] for name in sorted(topics))
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield ast.get_docstring(node) or ""
