"""What is no text is left out and counted, and every line keeps its number."""

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.noise import quiet

CHANCES = random.Random(16)
PICTURE = base64.b64encode(CHANCES.randbytes(36_000)).decode()


def wrapped(text: str, width: int, before: str = "") -> str:
    return "\n".join(before + text[i : i + width] for i in range(0, len(text), width))


@pytest.mark.parametrize(
    ("text", "left", "remark"),
    [
        (f"![lid](data:image/png;base64,{PICTURE}) ok", "![lid]() ok", "1 picture of 35 KB left out"),
        (f"[a]: <data:image/jpeg;base64,{PICTURE}>", "[a]: <>", "1 picture of 35 KB left out"),
        (f"url('data:font/woff2;base64,{PICTURE}')", "url('')", "1 font of 35 KB left out"),
        (f'src="data:application/pdf;name=a.pdf;base64,{PICTURE}"', 'src=""', "1 embedded file of 35 KB left out"),
        (f'"data:image/svg+xml,%3Csvg{"%20" * 50}"', '""', "1 picture of 1 KB left out"),
        (f"token = {PICTURE[:300]}", "token = ", "1 run of coded data of 1 KB left out"),
        (f"hash {'0a9f' * 60} end", "hash  end", "1 run of coded data of 1 KB left out"),
        (
            f"KEY\n{wrapped(PICTURE[:650], 64)}\nEND",
            "KEY" + "\n" * 12 + "END",
            "1 block of coded data of 1 KB left out",
        ),
        (f"> a\n{wrapped(PICTURE[:228], 76, '> ')}\n> b", "> a\n\n\n\n> b", "1 block of coded data of 1 KB left out"),
    ],
)
def test_coded_data_goes_and_what_stands_beside_it_stays(text: str, left: str, remark: str) -> None:
    found = quiet(text, "note.md")
    assert (found.text, found.remarks) == (left, (remark,))
    assert found.text.count("\n") == text.count("\n")


def test_pictures_are_counted_together() -> None:
    found = quiet("\n".join(f"![](data:image/png;base64,{PICTURE})" for _ in range(3)))
    assert (found.text, found.remarks) == ("![]()\n![]()\n![]()", ("3 pictures of 105 KB left out",))


@pytest.mark.parametrize(
    "text",
    [
        "A small icon: data:image/gif;base64,R0lGODlhAQABAAAAACw=",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "=" * 400 + "\n" + "-" * 400 + "\n" + "A" * 400 + "\n" + "x_" * 300,
        "31415926535897932384626433832795028841971693993751" * 10,
        "a/very/long/path/of/many/folders/" * 20,
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft\n" * 5,
        "词" * 1_000,
        "data: nothing follows here but words, and they are many, " * 10,
    ],
)
def test_words_numbers_and_ruled_lines_stay(text: str) -> None:
    assert quiet(text, "note.txt").text == text


def test_minified_lines_of_scripts_go_and_the_licence_at_the_head_stays() -> None:
    code = "/*! kettle.js 1.2 | MIT */\n" + "function a(b){return b+1};" * 60
    assert quiet(code, "js/kettle.js").text == "/*! kettle.js 1.2 | MIT */\n"
    assert quiet(code, "js/kettle.js").remarks == ("1 minified line of 2 KB left out",)
    assert quiet("p{}" * 80, "a.min.css").text == ""
    assert quiet("word " * 400, "a.md").remarks == ()
    assert quiet("short();\n" * 200, "a.js").remarks == ()


@pytest.mark.parametrize(
    "name", ["web/package-lock.json", "Cargo.lock", "go.sum", "poetry.lock", "yarn.lock", "uv.lock"]
)
def test_lock_files_are_left_out_by_name(name: str) -> None:
    found = quiet('{"lodash": "4.17.21"}\n' * 100, name)
    assert (found.text, found.remarks) == ("", ("a lock file of 2 KB left out",))
    assert quiet("how the lock works", "docs/lock.md").text == "how the lock works"


def test_source_maps_are_left_out_and_other_maps_are_not() -> None:
    assert quiet('{"version":3,"mappings":"AAAA"}', "a.js.map").remarks == ("a source map of 1 KB left out",)
    assert quiet("the way to the harbour", "island.map").text == "the way to the harbour"


def test_uuencoded_files_are_left_out() -> None:
    lines = "\n".join(
        "M" + "".join(CHANCES.choice("ABC#$%&'()*+,-./0123456789:;<=>?@") for _ in range(60)) for _ in range(5)
    )
    assert quiet(f"begin 644 a.gif\n{lines}\n`\nend\nHello.").text == "begin 644 a.gif" + "\n" * 5 + "\n`\nend\nHello."


def test_long_dumps_are_left_out_and_short_ones_are_examples() -> None:
    dump = "\n".join(f"{n * 16:08x}: 8950 4e47 0d0a 1a0a 0000 000d 4948 4452  .PNG........IHDR" for n in range(20))
    array = "\n".join("  0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a," for _ in range(20))
    for text in (dump, array, dump.replace(": ", "  ")):
        assert quiet(f"a\n{text}\n\nb").text == "a" + "\n" * 22 + "b"
        assert quiet(text[:500]).text == text[:500]


@given(
    st.lists(
        st.sampled_from(["\n", " ", "word", PICTURE[:210], PICTURE[:64], "data:image/png;base64,", "(", ")", "=", '"'])
    )
)
def test_no_line_is_lost(parts: list[str]) -> None:
    text = "".join(parts)
    assert quiet(text, "a.js").text.count("\n") == text.count("\n")
