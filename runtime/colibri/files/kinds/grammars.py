"""Which files are source code of which language, and where units of each begin."""

import re
from pathlib import PurePosixPath

from colibri.files.kinds.bracketed import BRACKETED
from colibri.files.kinds.languages import Language
from colibri.files.kinds.lined import LINED
from colibri.files.kinds.scripted import SCRIPTED

LANGUAGES: dict[str, Language] = {**BRACKETED, **LINED, **SCRIPTED}

_ENDINGS = {
    "python": "py pyi pyw pyx pxd bzl star sage", "ruby": "rb rake gemspec cr",
    "javascript": "js mjs cjs jsx vue svelte",
    "typescript": "ts tsx mts cts", "c": "c h", "c++": "cc cpp cxx hpp hh hxx ino cu cuh", "objective-c": "mm",
    "java": "java", "c#": "cs", "kotlin": "kt kts", "scala": "scala sc sbt", "groovy": "groovy gradle", "go": "go",
    "rust": "rs", "swift": "swift", "php": "php phtml", "dart": "dart", "d": "d", "solidity": "sol", "zig": "zig",
    "protobuf": "proto thrift", "graphql": "graphql gql", "terraform": "tf hcl tfvars", "css": "css scss less",
    "perl": "pl pm t", "lua": "lua luau", "julia": "jl", "r": "r", "haskell": "hs", "ocaml": "ml mli",
    "f#": "fs fsi fsx", "elixir": "ex exs", "erlang": "erl hrl", "clojure": "clj cljs cljc edn", "scheme": "scm ss rkt",
    "lisp": "lisp lsp cl el", "sql": "sql ddl psql", "shell": "sh bash zsh ksh bats fish",
    "powershell": "ps1 psm1 psd1",
    "make": "mk mak make", "cmake": "cmake", "fortran": "f f77 f90 f95 f03 f08 for", "ada": "adb ads",
    "pascal": "pas pp dpr lpr", "vb": "vb bas cls frm vbs", "tcl": "tcl tk", "nim": "nim nims", "matlab": "m",
    "verilog": "v sv svh", "vhdl": "vhd vhdl", "coffeescript": "coffee",
    "vim": "vim", "awk": "awk gawk", "prolog": "pro prolog", "gdscript": "gd",
}  # fmt: skip
_NAMES = {
    "makefile": "make", "gnumakefile": "make", "cmakelists.txt": "cmake", "rakefile": "ruby", "gemfile": "ruby",
    "vagrantfile": "ruby", "podfile": "ruby", "jenkinsfile": "groovy", "sconstruct": "python", "build": "python",
    "workspace": "python",
}  # fmt: skip
_INTERPRETERS = {
    "python": "python", "pypy": "python", "ruby": "ruby", "perl": "perl", "node": "javascript", "deno": "typescript",
    "bash": "shell", "sh": "shell", "zsh": "shell", "ksh": "shell", "dash": "shell", "fish": "shell", "lua": "lua",
    "tclsh": "tcl", "wish": "tcl", "php": "php", "rscript": "r", "julia": "julia", "groovy": "groovy",
    "escript": "erlang", "elixir": "elixir", "pwsh": "powershell", "make": "make", "guile": "scheme",
}  # fmt: skip
_BY_ENDING = {ending: name for name, endings in _ENDINGS.items() for ending in endings.split()}
ENDINGS = frozenset(f".{ending}" for ending in _BY_ENDING)
"""Endings of files that are source code here."""

_SHEBANG = re.compile(r"#![ \t]*(?:\S*/env[ \t]+(?:-\S+[ \t]+)*)?(?:[^\s/]*/)*([A-Za-z]+)")
_OBJECTIVE = re.compile(r"(?m)^[ \t]*(?:@(?:interface|implementation|protocol|class|import)\b|#import\b)")


def language_of(name: str, text: str = "") -> str | None:
    """The language of a file by its name, else by its first line; None where it is none of these.

    name: of a file ("a/b.py"), an ending (".py", "py"), or of a language ("python"). text: tells Objective-C
    from MATLAB
    """
    path = PurePosixPath(name.lower())
    ending = path.suffix.removeprefix(".") or path.name.removeprefix(".")
    if path.name in LANGUAGES:
        return path.name
    found = _NAMES.get(path.name) or _BY_ENDING.get(ending)
    if found == "matlab" and _OBJECTIVE.search(text[:20_000]):
        return "objective-c"
    if found is None and (first := _SHEBANG.match(text[:200])):
        return _INTERPRETERS.get(first[1].lower())
    return found
