"""Source code with its comments and strings blanked out, so that what is left can be searched for brackets and words.

A small lexer for each family of languages, as data: not what a compiler would see, but enough not to take a bracket
within a string for one. Every pattern consumes what it looks at, so that the whole is linear in the text.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass

INSIDE = "\x1f"
"""What a string's second and later lines are blanked with; its first line has quotes."""

_DOUBLE = r'"(?:[^"\\\n]|\\[\s\S])*+"?'
_SINGLE = r"'(?:[^'\\\n]|\\[\s\S])*+'?"
_PLAIN_DOUBLE = r'"[^"\n]*+"?'  # "" within is a second string beside the first
_PLAIN_SINGLE = r"'[^'\n]*+'?"
_LONG_DOUBLE = r'"(?:[^"\\]|\\[\s\S])*+"?'
_LONG_SINGLE = r"'[^']*+'?"
_TRIPLE_DOUBLE = r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*+(?:"""|\Z)'
_TRIPLE_SINGLE = r"'''(?:[^'\\]|\\[\s\S]|'(?!''))*+(?:'''|\Z)"
_CHARACTER = r"'(?:\\[^\n][^'\n]{0,8}|[^'\\\n]{1,4})'"
_ONE_CHARACTER = r"'(?:\\[^\n][^'\n]{0,8}|[^'\\\n])'"  # 'a in Rust, OCaml or Ada is no string
_TEMPLATE = r"`(?:[^`\\]|\\[\s\S])*+`?"
_RAW = r"`[^`]*+`?"
_SLASHES = r"//[^\n]*"
_STARS = r"/\*[\s\S]*?(?:\*/|\Z)"
_HASH = r"\#[^\n]*"
_WORD_HASH = r"(?<!\S)\#[^\n]*"
_DASHES = r"--[^\n]*"
_SEMICOLON = r";[^\n]*"
_PERCENT = r"%[^\n]*"
_DIRECTIVE = r"(?m:^[ \t]*\#(?:[^\\\n]|\\[^\n]|\\\n(?=.))*+)"
_REGEX = (
    r"(?:(?<=[(,=:\[!&|?{};])|(?<=[(,=:\[!&|?{};][ ])|(?<=return[ ]))"
    r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*+\])*+/"
)
_C_RAW = r'R"(?P<mark>[^()\s\\"]{0,16})\([\s\S]*?(?:\)(?P=mark)"|\Z)'
_RUST_RAW = r'\bb?r(?P<mark>\#*)"[\s\S]*?(?:"(?P=mark)|\Z)'
_VERBATIM = r'\$?@\$?"(?:[^"]|"")*+"?'
_LUA_LONG = r"\[(?P<level>=*)\[[\s\S]*?(?:\](?P=level)\]|\Z)"
_LUA_COMMENT = r"--\[(?P<depth>=*)\[[\s\S]*?(?:\](?P=depth)\]|\Z)"
_DOLLARS = r"\$(?P<tag>\w*)\$[\s\S]*?(?:\$(?P=tag)\$|\Z)"
_HEREDOC = r"(?<![<\w)\]])<<<?[-~]?[ ]?(?:\\?|(?P<quote>[\"'`]))(?P<word>[A-Za-z_]\w*)(?(quote)(?P=quote))"
_QUOTE_LIKE = r"\bq[qwrx]?[ ]?(?:\{[^{}]*+\}|\([^()]*+\)|\[[^\[\]]*+\]|\|[^|\n]*+\||/[^/\n]*+/)"
_PERL_MATCH = r"=~[ ]*(?:(?:m|qr)?/(?:[^/\\\n]|\\.)*+/|(?:s|tr|y)/(?:[^/\\\n]|\\.)*+/(?:[^/\\\n]|\\.)*+/)"


@dataclass(frozen=True)
class Lexer:
    """What a family of languages hides.

    hidden  comments, strings, heredocs and directives, the first that matches wins
    nested  of comments that hold others: the opening mark -> what finds the next opening or closing one
    """

    hidden: re.Pattern[str]
    nested: dict[str, re.Pattern[str]]


def _lexer(
    comments: tuple[str, ...],
    strings: tuple[str, ...],
    nested: tuple[tuple[str, str], ...] = (),
    heredoc: bool = False,
    directives: bool = False,
) -> Lexer:
    kinds = [("directive", [_DIRECTIVE] if directives else [])]
    kinds += [("nested", [re.escape(opening) for opening, _ in nested]), ("comment", list(comments))]
    kinds += [("heredoc", [_HEREDOC] if heredoc else []), ("string", list(strings))]
    pattern = "|".join(f"(?P<{kind}>{'|'.join(found)})" for kind, found in kinds if found)
    pairs = {a: re.compile(f"(?P<open>{re.escape(a)})|{re.escape(b)}") for a, b in nested}
    return Lexer(re.compile(pattern), pairs)


_C_COMMENTS = (_SLASHES, _STARS)
_C_NESTED = (("/*", "*/"),)
LEXERS = {
    "c": _lexer(_C_COMMENTS, (_C_RAW, _DOUBLE, _CHARACTER), directives=True),
    "java": _lexer(_C_COMMENTS, (_TRIPLE_DOUBLE, _DOUBLE, _CHARACTER)),
    "groovy": _lexer(_C_COMMENTS, (_TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE)),
    "c#": _lexer(_C_COMMENTS, (_VERBATIM, _TRIPLE_DOUBLE, _DOUBLE, _CHARACTER), directives=True),
    "kotlin": _lexer((_SLASHES,), (_TRIPLE_DOUBLE, _DOUBLE, _ONE_CHARACTER, _RAW), _C_NESTED),
    "swift": _lexer((_SLASHES,), (_TRIPLE_DOUBLE, _DOUBLE), _C_NESTED),
    "javascript": _lexer(_C_COMMENTS, (_TEMPLATE, _DOUBLE, _SINGLE, _REGEX)),
    "go": _lexer(_C_COMMENTS, (_RAW, _DOUBLE, _CHARACTER)),
    "rust": _lexer((_SLASHES,), (_RUST_RAW, _DOUBLE, _ONE_CHARACTER), _C_NESTED),
    "d": _lexer((_SLASHES, _STARS), (_RAW, _DOUBLE, _ONE_CHARACTER), (("/+", "+/"),)),
    "zig": _lexer((_SLASHES,), (r"\\\\[^\n]*", _DOUBLE, _ONE_CHARACTER)),
    "php": _lexer((_SLASHES, _STARS, r"\#(?!\[)[^\n]*"), (_DOUBLE, _SINGLE), heredoc=True),
    "css": _lexer((_STARS, r"(?<!:)//[^\n]*"), (_DOUBLE, _SINGLE)),
    "terraform": _lexer((_WORD_HASH, _SLASHES, _STARS), (_DOUBLE,), heredoc=True),
    "python": _lexer((_HASH,), (_TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE)),
    "nim": _lexer((_HASH,), (_TRIPLE_DOUBLE, _DOUBLE, _ONE_CHARACTER), (("#[", "]#"),)),
    "julia": _lexer((_HASH,), (_TRIPLE_DOUBLE, _DOUBLE, _ONE_CHARACTER), (("#=", "=#"),)),
    "ruby": _lexer((r"(?m:^=begin\b)[\s\S]*?(?:\n=end\b|\Z)", _WORD_HASH), (_DOUBLE, _SINGLE), heredoc=True),
    "elixir": _lexer((_HASH,), (_TRIPLE_DOUBLE, _TRIPLE_SINGLE, _DOUBLE, _SINGLE)),
    "r": _lexer((_HASH,), (_LONG_DOUBLE, r"'(?:[^'\\]|\\[\s\S])*+'?", _RAW)),
    "shell": _lexer((_WORD_HASH,), (r"\\[\"']", _LONG_DOUBLE, _LONG_SINGLE), heredoc=True),
    "perl": _lexer(
        (r"(?m:^=[a-z]\w*)[\s\S]*?(?:\n=cut\b[^\n]*|\Z)", _WORD_HASH, r"(?m:^__(?:END|DATA)__)[\s\S]*"),
        (_QUOTE_LIKE, _PERL_MATCH, _DOUBLE, _SINGLE),
        heredoc=True,
    ),
    "hash": _lexer((_WORD_HASH,), (_DOUBLE,)),
    "cmake": _lexer((r"\#\[(?P<level>=*)\[[\s\S]*?(?:\](?P=level)\]|\Z)", _HASH), (_LONG_DOUBLE,)),
    "graphql": _lexer((_HASH,), (_TRIPLE_DOUBLE, _DOUBLE)),
    "powershell": _lexer(
        (r"<\#[\s\S]*?(?:\#>|\Z)", _WORD_HASH),
        (r'@"\n[\s\S]*?(?:\n"@|\Z)', r"@'\n[\s\S]*?(?:\n'@|\Z)", r'"(?:[^"`\n]|`[\s\S])*+"?', _PLAIN_SINGLE),
    ),
    "lisp": _lexer((_SEMICOLON,), (r"\#?\\(?:\w+|.)", _LONG_DOUBLE), (("#|", "|#"),)),
    "haskell": _lexer((r"--+(?![!#$%&*+./<=>?@\\^|~:])[^\n]*",), (_DOUBLE, _ONE_CHARACTER), (("{-", "-}"),)),
    "ml": _lexer((), (_LONG_DOUBLE, _ONE_CHARACTER), (("(*", "*)"),)),
    "f#": _lexer((_SLASHES, r"\(\*\)"), (_TRIPLE_DOUBLE, _VERBATIM, _LONG_DOUBLE, _ONE_CHARACTER), (("(*", "*)"),)),
    "pascal": _lexer((_SLASHES, r"\{[^}]*+\}?", r"\(\*[\s\S]*?(?:\*\)|\Z)"), (_PLAIN_SINGLE,)),
    "sql": _lexer((_DASHES, _STARS), (_DOLLARS, _PLAIN_SINGLE, _PLAIN_DOUBLE, r"`[^`\n]*+`?")),
    "lua": _lexer((_LUA_COMMENT, _DASHES), (_LUA_LONG, _DOUBLE, _SINGLE)),
    "erlang": _lexer((_PERCENT,), (r"\$(?:\\.|[^\n])", _LONG_DOUBLE, _SINGLE)),
    "matlab": _lexer((r"(?m:^[ \t]*%\{[ \t]*$)[\s\S]*?(?:\n[ \t]*%\}|\Z)", _PERCENT), (_PLAIN_DOUBLE,)),
    "fortran": _lexer((r"![^\n]*", r"(?m:^[cC*](?![\w(])[^\n]*)"), (_PLAIN_DOUBLE, _PLAIN_SINGLE)),
    "ada": _lexer((_DASHES,), (_PLAIN_DOUBLE, _ONE_CHARACTER)),
    "vb": _lexer((r"'[^\n]*",), (_PLAIN_DOUBLE,)),
    "vim": _lexer((r'(?m:^[ \t]*"[^\n]*)',), (_PLAIN_SINGLE, _DOUBLE)),
    "prolog": _lexer((_PERCENT, _STARS), (_DOUBLE, _SINGLE)),
}


def blanked(text: str, lexer: Lexer) -> str:
    """The text with what is hidden replaced, character by character: comments by spaces, strings by quotes, and a
    directive by what ends a statement. Line ends stay."""
    parts, at = [], 0
    lines: dict[str, list[int]] = {}
    while match := lexer.hidden.search(text, at):
        start, end, kind = match.start(), match.end(), match.lastgroup or "comment"
        if kind == "nested":
            end = _nested_end(text, end, lexer.nested[match["nested"]])
        parts.append(text[at:start])
        if kind == "heredoc":
            lines = lines or _line_ends(text)
            body = text.find("\n", end)
            closed = _heredoc_end(lines, match["word"], body)
            parts.append('"' * (end - start))
            if 0 <= body < closed:
                parts += [text[end:body], _blank(text[body:closed], INSIDE, INSIDE)]
                end = closed
        elif kind == "string":
            parts.append(_blank(text[start:end], '"', INSIDE))
        else:
            piece = _blank(text[start:end], " ", " ")
            parts.append(f"#{piece[1:-1]};" if kind == "directive" and len(piece) > 1 else piece)
        at = max(end, start + 1)
    parts.append(text[at:])
    return "".join(parts)


def _blank(piece: str, first: str, later: str) -> str:
    line, *others = piece.split("\n")
    return "\n".join([first * len(line), *(later * len(other) for other in others)])


def _nested_end(text: str, at: int, marks: re.Pattern[str]) -> int:
    depth = 1
    for mark in marks.finditer(text, at):
        depth += 1 if mark["open"] else -1
        if depth == 0:
            return mark.end()
    return len(text)


def _line_ends(text: str) -> dict[str, list[int]]:
    """Where each line that is one word ends, by the word: what may close a heredoc."""
    found: dict[str, list[int]] = {"": []}
    for match in re.finditer(r"(?m)^[ \t]*(\w+)(?=[;,)]*[ \t]*$)", text):
        found.setdefault(match[1], []).append(match.end())
    return found


def _heredoc_end(lines: dict[str, list[int]], word: str, after: int) -> int:
    """Where the heredoc's last line ends; -1 where it has none: then it was a shift to the left."""
    ends = lines.get(word, [])
    place = bisect_left(ends, after)
    return ends[place] if after >= 0 and place < len(ends) else -1
