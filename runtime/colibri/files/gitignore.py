"""Patterns of .gitignore, read and matched over bytes as git's own wildmatch does. Oracle: `git check-ignore`.

A line that git can make nothing of, such as `[a`, matches nothing here either, and is never an error.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress

_SLASH, _ANY = ord("/"), frozenset(range(256)) - {ord("/")}
# ASCII alone, whatever the locale, and [:space:] without \v and \f: git has tables of its own, not the C library's.
_NAMED = rb"""alnum 0-9A-Za-z  alpha A-Za-z  blank \x20\t  cntrl \x00-\x1f\x7f  digit 0-9  graph !-~  lower a-z
    print \x20-~  punct !-/:-@\[-`{-~  space \x20\t\n\r  upper A-Z  xdigit 0-9A-Fa-f""".split()
_CLASSES = {
    name: frozenset(b"".join(re.findall(b"[%s]" % members, bytes(range(256)))))
    for name, members in zip(_NAMED[::2], _NAMED[1::2], strict=True)
}
_STARS = re.compile(rb"(?P<folders>(?:(?<![^/])\*\*+/)+)|(?P<all>(?<![^/])\*\*+(?=\\/|\Z))|(?P<star>\*+)")
_MEMBERS = re.compile(rb"\\?(.)(?:-(?:\\(.)|([^]\\])))?", re.DOTALL)  # of a class: one, or a range

_Token = frozenset[int] | str  # bytes, one of which is to come; or the name of a group of _STARS


class Patterns:
    """Patterns in the order of their lines; the last one that matches decides."""

    def __init__(self, patterns: "Sequence[Pattern]") -> None:
        self._last_first = patterns[::-1]

    def verdict(self, path: bytes, is_folder: bool) -> bool | None:
        """Of a path from the patterns' folder: True when ignored, False when kept by a `!`, None when not spoken of.

        What lies in an ignored folder is ignored whatever is said of itself: whoever walks never goes there.
        """
        return next((not one.negated for one in self._last_first if one.matches(path, is_folder)), None)

    def choose(self, path: bytes) -> bool:
        """Whether the last pattern that matches a file, or a folder the file is in, has no `!`: how globs choose."""
        folders = [path[:at] for at, byte in enumerate(path) if byte == _SLASH]
        for one in self._last_first:
            if one.matches(path, False) or any(one.matches(folder, True) for folder in folders):
                return not one.negated
        return False


def parse(data: bytes) -> Patterns:
    """The patterns in the bytes of a .gitignore file."""
    patterns = []
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        text = line.removesuffix(b"\r").partition(b"\0")[0]  # git's lines are strings of C, which end at a NUL
        trimmed = text.rstrip(b" ")
        if (len(trimmed) - len(trimmed.rstrip(b"\\"))) % 2:
            trimmed = text[: len(trimmed) + 1]  # the first of the spaces is escaped
        if not trimmed.startswith(b"#"):
            with suppress(NeverMatches):
                patterns.append(Pattern(trimmed))
    return Patterns(patterns)


class NeverMatches(ValueError):
    """A pattern that can match nothing; says why."""


class Pattern:
    """A pattern without its line's end. Raises NeverMatches."""

    def __init__(self, text: bytes) -> None:
        self.negated = text.startswith(b"!")
        text = text[self.negated :]
        self._folders_only = text.endswith(b"/")
        text = text.removesuffix(b"/")
        self._whole_path = b"/" in text  # else the last name of a path is looked at
        text = text.removeprefix(b"/")
        if not text:
            raise NeverMatches("it is empty")
        self._tokens = _tokens(text)
        # A name must begin and end with these, which settles nearly all patterns. `**/a` matches a, hence no slash.
        self._head = text[: min((at for at in map(text.find, b"*?[\\") if at >= 0), default=len(text))]
        self._tail = text[max(map(text.rfind, b"*?[]\\/")) + 1 :]

    def matches(self, path: bytes, is_folder: bool) -> bool:
        name = path if self._whole_path else path[path.rfind(b"/") + 1 :]
        if self._folders_only > is_folder or not (name.startswith(self._head) and name.endswith(self._tail)):
            return False
        return _accepts(self._tokens, name)


def _accepts(tokens: list[_Token], name: bytes) -> bool:
    """Keeps all places in the name where the tokens so far can end, a bit each: a step a token, whatever the stars."""
    stands: dict[int, int] = {}
    for place, byte in enumerate(name):
        stands[byte] = stands.get(byte, 0) | 1 << place
    others = (1 << len(name)) - 1 ^ stands.get(_SLASH, 0)
    places = 1
    for token in tokens:
        first = places & -places
        if token == "star":  # an addition carries each bit on to the next slash, or to the end
            places |= (others + (places & others)) ^ others
        elif token == "all":
            places = (2 << len(name)) - first
        elif token == "folders":
            places |= stands.get(_SLASH, 0) << 1 & -first
        else:
            places = (sum(where for byte, where in stands.items() if byte in token) & places) << 1
        if not places:
            return False
    return bool(places >> len(name))


def _tokens(text: bytes) -> list[_Token]:
    tokens: list[_Token] = []
    at, last = 0, text.rfind(b"]")
    while at < len(text):
        if stars := _STARS.match(text, at):
            tokens.append(stars.lastgroup or "")
            at = stars.end()
        elif text[at] == ord("["):
            members, at = _class(text, at + 1, last)
            tokens.append(members)
        else:
            escaped = text[at] == ord("\\")
            at += 1 + escaped
            if at > len(text):
                raise NeverMatches("nothing is behind its last backslash")
            tokens.append(_ANY if text[at - 1] == ord("?") and not escaped else frozenset([text[at - 1]]))
    return tokens


def _class(text: bytes, at: int, last: int) -> tuple[frozenset[int], int]:
    """What a class matches, and where it ends; at: behind its `[`, last: of all `]`."""
    negated = text[at : at + 1] in (b"!", b"^")
    at = start = at + negated
    close, found = 0, set[int]()
    while at == start or text[at : at + 1] != b"]":
        if at > last:
            raise NeverMatches("its [ is not closed")
        named = text.startswith(b"[:", at)
        close = text.find(b"]", at + 2) if named and close < at + 2 else close
        if named and close > at + 2 and text[close - 1] == ord(":"):
            if text[at + 2 : close - 1] not in _CLASSES:
                raise NeverMatches(f"there is no class {os.fsdecode(text[at : close + 1])}")
            found |= _CLASSES[text[at + 2 : close - 1]]
            at = close + 1
        elif member := _MEMBERS.match(text, at):
            (low,), (high,) = member[1], member[2] or member[3] or member[1]
            found.update(range(low, high + 1), (low,))  # of [z-a], z alone
            at = member.end()
    return _ANY - found if negated else frozenset(found - {_SLASH}), at + 1
