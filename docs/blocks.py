"""The Python in README and docs: what a reader would copy, as files that mypy and Python can be given.

    python docs/blocks.py       writes each block to build/docs_code and prints how many

A block whose fence says more than `python` is not run, and what it says is why: ```python needs a GPU. Such blocks are
type-checked as all others are.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "docs_code"
_FENCE = re.compile(r"^( *)(`{3,}|~{3,})[ \t]*([\w+-]*)[ \t]*(.*)$")
_PYTHON = {"python", "py", "python3"}


@dataclass(frozen=True, kw_only=True)
class Block:
    """One of a page."""

    page: Path
    line: int
    """Of its first line of code, from 1."""
    code: str
    why_not_run: str
    """Empty: it is run."""

    @property
    def name(self) -> str:
        """A module's."""
        return f"{re.sub(r'[^a-z0-9]+', '_', self.page.stem.lower())}_{self.line}"


def pages() -> list[Path]:
    """README and all that docs/ has."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def blocks(page: Path) -> Iterator[Block]:
    """Its fenced blocks of Python, in their order. Raises ValueError for a fence that does not end."""
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), 1))
    for number, line in lines:
        fence = _FENCE.match(line)
        if not fence:
            continue
        indent, marks, language, more = fence.groups()
        code: list[str] = []
        for _, inner in lines:
            if inner.strip() == marks:
                break
            code.append(inner.removeprefix(indent))
        else:
            raise ValueError(f"{page}:{number}: the block does not end")
        if language.lower() in _PYTHON:
            yield Block(page=page, line=number + 1, code="\n".join(code) + "\n", why_not_run=more.strip())


def main() -> None:
    """Write them all."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    found = [block for page in pages() for block in blocks(page)]
    for block in found:
        (FOLDER / f"{block.name}.py").write_text(block.code, encoding="utf-8")
    print(f"{len(found)} blocks of Python in README and docs, {sum(not one.why_not_run for one in found)} of them run")


if __name__ == "__main__":
    main()
