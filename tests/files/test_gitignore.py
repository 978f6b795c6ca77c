"""Patterns of .gitignore against git itself, where it is installed, and in cases whose reason stands beside them."""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from colibri.files.gitignore import NeverMatches, Pattern, Patterns, parse
from rounds import rounds

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")
CASES = Path(__file__).with_name("cases") / "ignore"
FILES = rounds(quick=400, soak=4_000)


def verdict(lines: bytes, path: bytes) -> bool | None:
    """Of a file, or of a folder where the path ends in a slash."""
    return parse(lines).verdict(path.removesuffix(b"/"), path.endswith(b"/"))


CASES_WITH_REASONS: list[tuple[bytes, bytes, bool | None, str]] = [
    (b"a", b"a", True, "a name"),
    (b"a", b"d/e/a", True, "a name without a slash is looked for at any depth"),
    (b"a", b"ab", None, "all of a name"),
    (b"/a", b"a", True, "a leading slash is the .gitignore's folder"),
    (b"/a", b"d/a", None, "and no other"),
    (b"d/a", b"e/d/a", None, "a slash within is as good as one in front"),
    (b"a/", b"a", None, "a slash behind asks for a folder"),
    (b"a/", b"d/a/", True, "and is no slash within"),
    (b"a//", b"a/", None, "of two the second only is taken off"),
    (b"a\n!a", b"a", False, "the last that matches decides"),
    (b"!a\na", b"a", True, "the last that matches decides"),
    (b"!!a", b"!a", False, "one ! only is taken off"),
    (b"\\!a", b"!a", True, "an escaped ! is a name's"),
    (b"\\#a", b"#a", True, "an escaped # is a name's"),
    (b"!#a", b"#a", False, "a comment is one at a line's start"),
    (b"#a", b"#a", None, "a comment"),
    (b" #a", b" #a", True, "a comment is one at a line's start"),
    (b"a  ", b"a", True, "spaces behind are taken off"),
    (b"a\\  ", b"a ", True, "but for an escaped one"),
    (b"a\\\\  ", b"a\\", True, "whose backslash is not escaped itself"),
    (b"a\t", b"a\t", True, "tabs are not taken off"),
    (b" a", b" a", True, "nor spaces before"),
    (b"a \r\nb", b"a", True, "Windows' ends of lines"),
    (b"a\r", b"a", True, "also without an end of line"),
    (b"a\rb", b"a\rb", True, "a carriage return within is a name's"),
    (b"\xef\xbb\xbf#a\nb", b"b", True, "an editor's mark before a comment"),
    (b"a\n\xef\xbb\xbfb", b"b", None, "the mark is one at the file's start"),
    (b"a\0b\nc", b"a", True, "a line of C ends at a NUL"),
    (b"a\0b\nc", b"c", True, "the next goes on"),
    (b"*", b"d/.a", True, "a star takes dots"),
    (b"d/*", b"d/e/a", None, "but no slash"),
    (b"*/a", b"a", None, "a star before a slash is a folder"),
    (b"*/a", b"d/a", True, "just one"),
    (b"*/a", b"d/e/a", None, "just one"),
    (b"**/a", b"a", True, "two stars are any folders, or none"),
    (b"**/a", b"d/e/a", True, "two stars are any folders, or none"),
    (b"**/a", b"d/ea", None, "whole folders"),
    (b"d/**/a", b"d/a", True, "none"),
    (b"d/**/a", b"d/e/f/a", True, "two"),
    (b"d/**/**/a", b"d/a", True, "none"),
    (b"d/***/a", b"d/e/f/a", True, "three stars are as two"),
    (b"b/a/**/a/x", b"b/a/x", None, "folders behind those that were matched before"),
    (b"d/**", b"d/e/a", True, "all below"),
    (b"d/**", b"d/", None, "but not the folder"),
    (b"d**/a", b"d/e/a", None, "two stars beside another character are as one"),
    (b"d**/a", b"da", None, "and the slash is needed"),
    (b"d/**e", b"d/f/e", None, "two stars beside another character are as one"),
    (b"d/**\\/a", b"d/a", None, "an escaped slash must be there"),
    (b"d/**\\/a", b"d/e/f/a", True, "and the stars are whole"),
    (b"d?a", b"d/a", None, "? takes no slash"),
    (b"\xc3?", "é".encode(), True, "? is a byte"),
    (b"?", "é".encode(), None, "? is a byte"),
    (b"[a-c]", b"b", True, "a range"),
    (b"[c-a]", b"c", True, "a range from behind is its first byte"),
    (b"[c-a]", b"b", None, "a range from behind is its first byte"),
    (b"[a-]", b"-", True, "a dash at the end"),
    (b"[a-c-e]", b"d", None, "behind a range a dash is one"),
    (b"[!a]", b"b", True, "another byte"),
    (b"[^a]", b"a", None, "^ is as !"),
    (b"[]a]", b"]", True, "a ] that comes first"),
    (b"[!]a]", b"]", None, "a ] that comes first"),
    (b"[\\]a]", b"]", True, "an escaped ]"),
    (b"[a-\\]]", b"_", None, "an escaped ] ends a range"),
    (b"[A-\\]]", b"]", True, "an escaped ] ends a range"),
    (b"d[/]a", b"d/a", None, "no class takes a slash"),
    (b"d[!b]a", b"d/a", None, "no class takes a slash"),
    (b"[[:digit:]x]", b"7", True, "a named class"),
    (b"[![:digit:]]", b"7", None, "a named class"),
    (b"[[:digit:]-z]", b"-", True, "a dash behind a named class"),
    (b"[[:alpha:]]", b"\xe9", None, "names are ASCII's"),
    (b"[[:space:]]", b"\v", None, "which to git are four"),
    (b"[[:a]", b":", True, "no name without its end"),
    (b"[[:]", b":", True, "no name between two colons"),
    (b"[[:nope:]]", b"n", None, "an unknown name matches nothing"),
    (b"[[::]]", b":", None, "an empty name matches nothing"),
    (b"[", b"[", None, "an open class matches nothing"),
    (b"[]", b"[]", None, "an open class matches nothing"),
    (b"a\\", b"a\\", None, "a backslash behind which is nothing matches nothing"),
    (b"\\a\\*", b"a*", True, "an escaped byte is itself"),
    (b"\\/a", b"a", None, "an escaped slash is not a leading one"),
    (b"\n\n/\n!\n!/\n", b"a/", None, "empty patterns match nothing"),
    (b"\xe9*", b"\xe9\xff", True, "names are bytes"),
]


@pytest.mark.parametrize(("lines", "path", "wanted", "why"), CASES_WITH_REASONS)
def test_a_case_and_its_reason(lines: bytes, path: bytes, wanted: bool | None, why: str) -> None:
    assert verdict(lines, path) is wanted, why


@pytest.mark.parametrize(
    ("name", "ignored", "others"),
    [
        ("backslash_at_the_end", [b"b.log"], [b"a.txt", b"a.txt\\"]),
        ("byte_order_mark", [b"secret.txt"], [b"\xef\xbb\xbfsecret.txt"]),
        ("exclamation", [b"a.log"], [b"!", b"a.txt"]),
    ],
)
def test_files_that_others_stumbled_over(name: str, ignored: list[bytes], others: list[bytes]) -> None:
    patterns = parse((CASES / f"{name}.gitignore").read_bytes())
    assert [patterns.verdict(path, False) for path in ignored] == [True] * len(ignored)
    assert [patterns.verdict(path, False) for path in others] == [None] * len(others)


@pytest.mark.parametrize("text", ["", "!", "/", "!/", "[a", "a[!", "[]", "[\\]", "[[:nope:]]", "a\\", "a\\/", "[a-\\"])
def test_a_pattern_that_can_match_nothing_says_so(text: str) -> None:
    with pytest.raises(NeverMatches, match=r"empty|closed|backslash|no class \[?\[:nope:\]"):
        Pattern(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        b"*a" * 2000 + b"b",
        b"**/" * 2000 + b"*a" * 2000 + b"b",
        b"/**/*a" * 1000 + b"b",
        b"*" * 4000 + b"b",
        b"[!b]*" * 1000 + b"b",
        b"[" + b"[:" * 4000 + b"x]" + b"?" * 4000,
    ],
    ids=["stars", "folders", "both", "row", "classes", "colons"],
)
def test_steps_grow_with_the_pattern_and_the_name_not_with_their_product(text: bytes) -> None:
    """wildmatch without its cuts, and `re`, try a number of ways that grows exponentially with the stars."""
    name = b"/".join([b"a" * 63] * 64)
    taken = 0

    def count(frame: FrameType, event: str, arg: object) -> object:
        nonlocal taken
        taken += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)  # type: ignore[arg-type]
    try:
        patterns = parse(text)
        assert patterns.verdict(name, False) is None
        assert patterns.verdict(name.replace(b"/", b"a"), False) is None
    finally:
        sys.settrace(before)
    assert 0 < taken < 20 * (len(text) + 2 * len(name))


@cache
def git_takes_stars_for_folders() -> bool:
    """Whether `foo**/bar` matches foobar: a mistake that git 2.52 mended (match_pathname of dir.c)."""
    words = subprocess.run(["git", "version"], capture_output=True, text=True, check=True).stdout.split()
    return [int(part) for part in words[2].split(".")[:2]] < [2, 52]


def mistaken(lines: bytes) -> bool:
    """Whether one of the lines falls under that mistake: two stars behind what has no special byte, and no slash."""
    found = re.search(rb"(?m)^[^*?\[\\\n]*[^*?\[\\\n/]\*\*", re.sub(rb"(?m)^!", b"", lines))
    return found is not None and git_takes_stars_for_folders()


class Git:
    """A repository, and what git says of paths in it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        subprocess.run(["git", "init", "-q", top], check=True)

    def write(self, path: bytes, data: bytes = b"") -> None:
        place = self.top / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    def tree(self, folder: bytes, lines: bytes, paths: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """A .gitignore in a folder, and all that can be of the paths below it: (folder, path), "/" behind folders."""
        self.write(folder + b"/.gitignore", lines)
        made: dict[bytes, None] = {}
        for path in paths:
            parts = path.rstrip(b"/").split(b"/")
            above = [b"/".join(parts[: i + 1]) + b"/" for i in range(len(parts) - 1)]
            is_folder = path.endswith(b"/")
            other = path.removesuffix(b"/") if is_folder else path + b"/"
            if other in made or any(part.removesuffix(b"/") in made for part in above):
                continue  # a file cannot be a folder
            if is_folder:
                (self.top / os.fsdecode(folder + b"/" + path)).mkdir(parents=True, exist_ok=True)
            else:
                self.write(folder + b"/" + path)
            made |= dict.fromkeys([*above, path])
        return [(folder, path) for path in made]

    def verdicts(self, paths: Sequence[bytes]) -> list[bool | None]:
        """As `Patterns.verdict`, and True for what lies in an ignored folder."""
        command = ["git", "-c", "core.excludesFile=", "-c", "core.ignoreCase=false", "-C", str(self.top)]
        command += ["check-ignore", "--no-index", "-v", "-n", "-z", "--stdin"]
        done = subprocess.run(command, input=b"\0".join([*paths, b""]), capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        fields = done.stdout.split(b"\0")[:-1]
        assert fields[3::4] == list(paths)
        return [
            not pattern.startswith(b"!") if source else None
            for source, pattern in zip(fields[0::4], fields[2::4], strict=True)
        ]


def ours(patterns: Patterns, path: bytes) -> bool | None:
    """What git says of a path: its own verdict, unless it lies in an ignored folder."""
    above = [path[:at] for at, byte in enumerate(path[:-1]) if byte == ord("/")]
    if any(patterns.verdict(folder, True) for folder in above):
        return True
    return patterns.verdict(path.removesuffix(b"/"), path.endswith(b"/"))


def compare(git: Git, files: Sequence[tuple[bytes, Sequence[bytes]]], name: str) -> tuple[int, int]:
    """Every .gitignore in a folder of its own, all asked at once. Returns how many paths are spoken of, of how many."""
    asked: list[tuple[bytes, bytes]] = []
    patterns = {}
    for number, (lines, paths) in enumerate(files):
        folder = f"{name}{number}".encode()
        patterns[folder] = parse(lines)
        asked += git.tree(folder, lines, paths)
    said = git.verdicts([folder + b"/" + path.removesuffix(b"/") for folder, path in asked])
    for (folder, path), wanted in zip(asked, said, strict=True):
        lines = files[int(folder.removeprefix(name.encode()))][0]
        assert ours(patterns[folder], path) is wanted, (lines, path)
    return sum(one is not None for one in said), len(said)


ALPHABET = [
    b"a",
    b"b",
    b"ab",
    b"A",
    b"z",
    b"0",
    b"-",
    b".",
    b" ",
    b"!",
    b"#",
    b":",
    b"[",
    b"]",
    b"^",
    b"\\",
    b"?",
    b"*",
]
# Names of Windows and macOS are Unicode without some characters; tests run on Linux take any bytes.
ODD = [b"\xe9", b"\xff", "\u00e9".encode(), "e\u0301".encode(), b"\t", b"\r", b"\v", b"\x7f", b"\x01", b"\xc2\x80"]
PIECES = [
    *ALPHABET, b"/", b"/", b"/", b"*", b"*", b"**", b"**/", b"/**", b"***", b"?", b"\\", b"\\/", b"\\ ", b"[a-c]",
    b"[!a]", b"[^b]", b"[]", b"[]-a]", b"[a-", b"[\\]]", b"[z-a]", b"[[:alpha:]]", b"[[:digit:]-z]", b"[![:upper:]]",
    b"[[:nope:]]", b"[[:a]", b"[:", b":]", b"[/]", b"[+--]", b"[--0]", b"[ -~]", b"[\x01-\xff]",
    b"[[:space:][:punct:]]", b"\0", b"\xef\xbb\xbf",
]  # fmt: skip
ENDS = [b"\n"] * 6 + [b"\r\n", b"\r\n", b" \n", b"  \r\n", b"\\ \n", b"/\n", b"/ \n", b"\\\n", b"\r\r\n", b"\n\n"]


def odd_file(rng: random.Random) -> tuple[bytes, list[bytes]]:
    """A .gitignore of few lines, and paths that are made of the same pieces, so that many of them match."""
    lines, paths = b"\xef\xbb\xbf" * (rng.random() < 0.1), []
    for _ in range(rng.randint(1, 4)):
        pieces = rng.choices(PIECES + ODD, k=rng.choice([1, 1, 2, 2, 3, 4]))
        lines += rng.choice([b"", b"", b"", b"!", b"/", b"#"]) + b"".join(pieces) + rng.choice(ENDS)
        for _ in range(3):
            paths.append(b"".join(rng.choice(fitting(piece, rng)) for piece in pieces))
    for _ in range(4):
        paths.append(
            b"/".join(b"".join(rng.choices(ALPHABET + ODD, k=rng.randint(1, 3))) for _ in range(rng.randint(1, 3)))
        )
    return lines, [path for path in map(as_path, paths) if path]


def fitting(piece: bytes, rng: random.Random) -> list[bytes]:
    """Something that a piece of a pattern could match, or nearly."""
    if piece.startswith(b"["):
        return [b"a", b"b", b"]", b"-", b"Z", b"7", b" ", b"["]
    if b"*" in piece:
        return [piece.replace(b"*", b""), b"a/b/".join([b"/"[: piece.startswith(b"/")], b""]), b"", b"b", b"x/ab"]
    return [piece, piece.replace(b"\\", b""), rng.choice(ALPHABET)]


def as_path(path: bytes) -> bytes:
    """The nearest path that can be made: no empty parts, nothing that git keeps for itself."""
    parts = path.replace(b"\0", b"").replace(b"\n", b"").split(b"/")
    parts = [part for part in parts if part and part not in (b".", b"..", b".git", b".gitignore")]
    return b"/".join(parts) + (b"/" if parts and path.endswith(b"/") else b"")


@needs_git
@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_odd_files_are_read_as_git_reads_them(tmp_path: Path) -> None:
    rng = random.Random(17)
    files: list[tuple[bytes, list[bytes]]] = []
    while len(files) < FILES:
        lines, paths = odd_file(rng)
        if not mistaken(lines):
            files.append((lines, paths))
    spoken, total = compare(Git(tmp_path), files, "case")
    assert total > 10 * FILES
    assert spoken > 2 * FILES  # else the test would be of what matches nothing


@needs_git
@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
@given(
    lines=st.lists(st.lists(st.sampled_from(PIECES + ODD) | st.binary(min_size=1, max_size=2), max_size=6), max_size=4),
    ends=st.lists(st.sampled_from(ENDS), min_size=4, max_size=4),
    paths=st.lists(st.lists(st.sampled_from([*ALPHABET, *ODD, b"/"]), min_size=1, max_size=6), min_size=1, max_size=6),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_lines_are_read_as_git_reads_them(
    tmp_path: Path, lines: list[list[bytes]], ends: list[bytes], paths: list[list[bytes]]
) -> None:
    data = b"".join(b"".join(pieces) + end for pieces, end in zip(lines, ends, strict=False))
    assume(not mistaken(data))
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        compare(Git(Path(folder)), [(data, [path for path in map(as_path, map(b"".join, paths)) if path])], "case")


@needs_git
@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_every_byte_is_in_the_classes_that_git_has_it_in(tmp_path: Path) -> None:
    names = [
        "alnum",
        "alpha",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "xdigit",
    ]
    bytes_ = [bytes([byte]) for byte in range(1, 256) if byte not in b"/."]
    files = [(f"x[[:{name}:]]\n".encode(), [b"x" + byte for byte in bytes_]) for name in names]
    assert compare(Git(tmp_path), files, "class")[1] == len(names) * len(bytes_)


@needs_git
def test_cases_and_files_of_others_are_as_git_has_them(tmp_path: Path) -> None:
    """What the hand-written cases say, git says too, but for the mistake that it mended since."""
    cases = [(lines, path) for lines, path, _, _ in CASES_WITH_REASONS if not mistaken(lines)]
    files = [(lines, [path]) for lines, path in cases if sys.platform == "linux" or path.isascii()]
    files += [(file.read_bytes(), [b"a.txt", b"a.log", b"!", b"secret.txt"]) for file in sorted(CASES.iterdir())]
    assert compare(Git(tmp_path), files, "hand")[1] >= len(files)
