"""Source code is read as it stands, with its units as places, in time that grows with its length, whatever it holds."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri.errors import ColibriError
from colibri.files.kinds.code import read, units
from colibri.files.kinds.grammars import ENDINGS, LANGUAGES, language_of
from colibri.files.kinds.lexer import INSIDE, LEXERS, blanked
from colibri.files.source import Source
from colibri.files.text import Place
from rounds import rounds

PYTHON = '''import os


# How it is unpacked.
@lru_cache(
    maxsize=3,
)
def unpack(data: bytes) -> str:
    """Def: a docstring."""
    return data.decode()


class Budget:
    """Bytes."""

    def take(self) -> None:
        ...

print(unpack(b""))
'''


def test_a_file_is_its_own_text_with_true_lines_and_units_as_places() -> None:
    found = read(Source(name="a/budget.py", data=PYTHON.replace("\n", "\r\n").encode()))
    assert found.verbatim
    assert found.text == PYTHON
    begins = {place.label: PYTHON[place.start :].split("\n", 1)[0] for place in found.places}
    assert begins == {
        "unpack": "# How it is unpacked.",
        "Budget": "class Budget:",
        "Budget.take": "    def take(self) -> None:",
        "": 'print(unpack(b""))',
    }


def test_binary_data_is_no_source_code() -> None:
    with pytest.raises(ColibriError, match="is binary"):
        read(Source(name="a.py", data=b"\x7fELF\0\0"))


def test_a_comment_with_a_blank_line_below_belongs_to_nothing() -> None:
    text = "# Licence.\n\n# About f.\ndef f(): pass\n"
    assert units(text, "python") == (Place(text.index("# About"), "f"),)


def test_a_file_cut_in_the_middle_still_has_what_is_left() -> None:
    java = "class Lamp {\n    void burn() {\n        x();\n    }\n\n    void glow() {\n        y(\n"
    assert [place.label for place in units(java, "java")] == ["Lamp", "Lamp.burn", "Lamp.glow"]
    tail = "        y();\n    }\n}\n\nclass Bulb {\n    void shine() {\n    }\n}\n"
    assert [place.label for place in units(tail, "java")] == ["Bulb", "Bulb.shine"]


@pytest.mark.parametrize(
    ("name", "text", "language"),
    [
        ("src/a.py", "", "python"),
        (".rs", "", "rust"),
        ("go", "", "go"),
        ("Makefile", "", "make"),
        ("build/CMakeLists.txt", "", "cmake"),
        ("run", "#!/usr/bin/env python3\n", "python"),
        ("run", "#!/bin/sh -e\n", "shell"),
        ("a.m", "#import <Foundation.h>\n", "objective-c"),
        ("a.m", "function y = f(x)\n", "matlab"),
        ("haskell", "", "haskell"),
        ("notes.txt", "def f(): pass\n", None),
        ("config.yaml", "", None),
        ("README", "", None),
    ],
)
def test_the_language_of_a_file(name: str, text: str, language: str | None) -> None:
    assert language_of(name, text) == language
    assert language is not None or units(text, name) == ()


def test_forty_languages_are_known() -> None:
    assert len({id(grammar) for grammar in LANGUAGES.values()}) >= 40
    assert all(language_of(f"a{ending}") in LANGUAGES for ending in ENDINGS)


PIECES = [
    *"{}()[];:=<>'\"`#/*-\\\n\n\n  \t.,@$%!|&",
    *(
        "def f",
        "class A",
        "function g(",
        "fn h(",
        "end",
        "=>",
        "/*",
        "*/",
        '"""',
        "//",
        "<<EOF",
        "EOF",
        "r#",
        "#if",
        "->",
    ),
    *("impl X", "begin", "CREATE TABLE t", "sub s", "module M", "\x1f", "é", "🐦", "\u2028", "\x0c", "\r", "name"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=120).map("".join), st.sampled_from(sorted(LANGUAGES)))
@settings(max_examples=rounds(quick=150, soak=600), deadline=None)
def test_whatever_a_file_holds_places_ascend_and_point_into_it(text: str, language: str) -> None:
    found = units(text, language)
    starts = [place.start for place in found]
    assert starts == sorted(set(starts))
    assert all(0 <= start < len(text) for start in starts)
    assert not found or found[0].label


@given(st.text(max_size=200), st.sampled_from(sorted(LEXERS)))
@settings(max_examples=rounds(quick=75, soak=300), deadline=None)
def test_blanking_keeps_every_place_and_line(text: str, lexer: str) -> None:
    found = blanked(text, LEXERS[lexer])
    assert len(found) == len(text)
    assert all(a == b or b in f'" ;#{INSIDE}' for a, b in zip(text, found, strict=True))
    assert [i for i, sign in enumerate(found) if sign == "\n"] == [i for i, sign in enumerate(text) if sign == "\n"]


def spent(text: str, language: str) -> float:
    """Seconds of this thread's CPU: others' work does not count."""
    begin = time.thread_time()
    units(text, language)
    return time.thread_time() - begin


HURT = {
    "quotes": '"' * 9,
    "braces": "{",
    "closing": "}",
    "calls": "a()",
    "functions": "int f(){}\n",
    "one line": "function a(){return {b:1}};",
    "open comments": "/*",
    "lines": "\n",
    "spaces": " ",
    "letters": "a",
    "open heads": "const a = (\n",
    "shifts": "x <<A\n",
    "classes": "class A{",
    "decorators": "@a(\n",
    "signatures": "f a\n  | b\n",
}


@pytest.mark.parametrize("name", HURT)
def test_time_grows_with_the_length_alone(name: str) -> None:
    """Four times the text takes about four times as long, in every language; squared it would be sixteen times."""
    first = list(HURT).index(name) % 3  # outside of soak each language meets a third of them, and each of them a third
    for language in rounds(quick=sorted(LANGUAGES)[first::3], soak=sorted(LANGUAGES)):
        small, large = (HURT[name] * (size // len(HURT[name])) for size in (6_000, 24_000))
        taken = [spent(small, language), spent(large, language)]
        if taken[1] >= 10 * taken[0] + 0.2:  # a busy machine: the least of three
            taken = [min(spent(text, language) for _ in range(3)) for text in (small, large)]
        assert taken[1] < 10 * taken[0] + 0.2, (language, taken)


def test_five_megabytes_of_noise_are_read_in_seconds() -> None:
    text = "".join(random.Random(7).choices("{}()[];'\"`/*#\\\n aA=<>:@-$%!|", k=1 << 20)) * 5
    assert spent(text, "typescript") < 20
