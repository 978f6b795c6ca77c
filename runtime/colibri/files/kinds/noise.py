"""What is no text in a file of text: taken out within its lines, so that the number of each line stays.

Out by one rule each, and counted in a remark:
- data URIs (`data:image/png;base64,…`) of 100 characters and more, whatever they hold
- runs of 200 and more characters of base64 or hexadecimal digits without a blank; and blocks of three and more lines of
  40 and more such characters each (certificates, keys, attachments, uuencoded files), or of sixteen and more lines of
  a dump (xxd, hexdump -C, arrays of bytes in C)
- in scripts and styles (.js, .mjs, .cjs, .css) lines above 1,000 characters, in *.min.* above 200: minified
- lock files (package-lock.json, Cargo.lock, …) and source maps, whole: programs write and read them
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from colibri.files.kinds.cleaning import cleaned, tidied

__all__ = ["Quiet", "cleaned", "quiet", "tidied"]

_LOCKS = frozenset(
    "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock deno.lock cargo.lock poetry.lock "  # noqa: SIM905
    "pipfile.lock pdm.lock uv.lock pixi.lock conda-lock.yml composer.lock gemfile.lock go.sum flake.lock mix.lock "
    "podfile.lock cartfile.resolved package.resolved pubspec.lock packages.lock.json gradle.lockfile "
    ".terraform.lock.hcl chart.lock stack.yaml.lock rebar.lock".split()
)
_SCRIPTS = frozenset({".js", ".mjs", ".cjs", ".css"})
_MINIFIED = 1_000
_MINIFIED_BY_NAME = 200  # the comment at its head, with name and licence, stays
_URI = r"data:([\w.+-]{0,40}/?[\w.+-]{0,80})(?:;[\w.=+-]{1,80}){0,8}"
_CODED_URI = re.compile(_URI + r";base64,([\w+/=%-]{100,})", re.IGNORECASE | re.ASCII)
_WRITTEN_URI = re.compile(
    _URI + r",([^\s\"'()<>]{100,}|(?<=svg\+xml,)[^\"\n]{100,}|(?<=utf8,)[^\"\n]{100,})", re.I | re.A
)
_RUN = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")
_BLOCK_LINES = 3
_BLOCK_WIDTH = 40
_CODED_LINE = re.compile(r"[\s>*#/;\"'+:,S-]{0,12}(?:[A-Za-z0-9+/]{40,}={0,2}|M[ -`]{60})[\s\"'+,;\\]{0,8}")
_LAST_LINE = re.compile(r"[\s>*#/;\"'+:,-]{0,12}[A-Za-z0-9+/]{2,}={0,2}[\s\"'+,;\\]{0,8}")
_DUMP_LINES = 16  # a few lines of a dump are an example in a text
_DUMP_LINE = re.compile(r"\s*(?:[0-9a-fA-F]{4,16}:?\s+(?:[0-9a-fA-F]{2,8}\s+){4}|(?:0[xX][0-9a-fA-F]{2},\s*){6})")
_HEX = re.compile(r"[\s0-9a-fA-F\W]+")


@dataclass(frozen=True)
class Quiet:
    """A text without its noise, and a remark for each kind that was left out: "1 picture of 48 KB left out"."""

    text: str
    remarks: tuple[str, ...] = ()


def quiet(text: str, name: str = "") -> Quiet:
    """A cleaned text without what is no text. name: of the file, by which scripts and lock files are known."""
    path = PurePosixPath(name.lower().replace("\\", "/"))
    if path.name in _LOCKS:
        return Quiet("", (f"a lock file of {_size(len(text))} left out",))
    if path.suffix == ".map" and '"mappings"' in text:
        return Quiet("", (f"a source map of {_size(len(text))} left out",))
    left = _LeftOut()
    if "data:" in text:
        text = _CODED_URI.sub(left.coded_uri, text)
        text = _WRITTEN_URI.sub(left.written_uri, text)
    if path.suffix in _SCRIPTS:
        longest = _MINIFIED_BY_NAME if path.stem.endswith((".min", "-min")) else _MINIFIED
        text = "\n".join(left.out("minified line", line) if len(line) > longest else line for line in text.split("\n"))
    text = left.blocks(_RUN.sub(left.run, text))
    return Quiet(text, left.remarks())


class _LeftOut:
    """Counts what is left out."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()

    def out(self, kind: str, text: str, size: int | None = None) -> str:
        self._counts[kind] += 1
        self._sizes[kind] += len(text) if size is None else size
        return ""

    def coded_uri(self, found: re.Match[str]) -> str:
        return self.out(_kind(found[1]), found[2], len(found[2]) * 3 // 4)

    def written_uri(self, found: re.Match[str]) -> str:
        return self.out(_kind(found[1]), found[2])

    def run(self, found: re.Match[str]) -> str:
        return self.out("run of coded data", found[0]) if _coded(found[0]) else found[0]

    def blocks(self, text: str) -> str:
        """Lines of coded data in a row become empty ones."""
        lines = text.split("\n")
        self._blocks(lines, _coded_line, _BLOCK_LINES)
        self._blocks(lines, _dump_line, _DUMP_LINES)
        return "\n".join(lines)

    def _blocks(self, lines: list[str], is_coded: Callable[[str], bool], least: int) -> None:
        start = 0
        while start < len(lines):
            end = start
            while end < len(lines) and is_coded(lines[end]):
                end += 1
            if end - start >= least:
                end += end < len(lines) and _LAST_LINE.fullmatch(lines[end]) is not None
                self.out("block of coded data", "\n".join(lines[start:end]))
                lines[start:end] = [""] * (end - start)
            start = end + 1

    def remarks(self) -> tuple[str, ...]:
        return tuple(
            f"{count:,} {kind if count == 1 else _plural(kind)} of {_size(self._sizes[kind])} left out"
            for kind, count in self._counts.items()
        )


def _coded_line(line: str) -> bool:
    return len(line) >= _BLOCK_WIDTH and _CODED_LINE.fullmatch(line) is not None and (line[0] == "M" or _coded(line))


def _dump_line(line: str) -> bool:
    return _DUMP_LINE.match(line) is not None


def _coded(run: str) -> bool:
    """Whether capitals, small letters and digits mix, or all are hexadecimal digits: no word is so."""
    if not any(sign.isdigit() for sign in run):
        return False
    if _HEX.fullmatch(run):
        return not run.strip().isdigit()
    return any(sign.islower() for sign in run) and any(sign.isupper() for sign in run)


def _kind(media: str) -> str:
    known = {"image": "picture", "font": "font", "audio": "sound", "video": "film"}
    return known.get(media.partition("/")[0].lower(), "font" if "font" in media else "embedded file")


def _plural(kind: str) -> str:
    return (
        f"runs{kind[3:]}"
        if kind.startswith("run ")
        else f"blocks{kind[5:]}"
        if kind.startswith("block ")
        else f"{kind}s"
    )


def _size(characters: int) -> str:
    return f"{max(1, round(characters / 1024)):,} KB"
