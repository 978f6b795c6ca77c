"""Notebooks: text, code and what it printed, cell by cell; no pictures."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.notebook import read
from colibri.files.source import Source
from colibri.files.text import FileText, Place, Unreadable

BASE64 = "iVBORw0KGgoAAAANSUhEUgAA" * 40


def text_of(notebook: object) -> FileText:
    return read(Source(name="a.ipynb", data=json.dumps(notebook).encode()))


def code(*outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "source": "run()", "outputs": list(outputs)}], "nbformat": 4}


def test_cells_of_version_4() -> None:
    found = text_of(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["# Descaling\n", "\n", "Boil *vinegar*."]},
                {"cell_type": "code", "source": "", "outputs": []},
                {
                    "cell_type": "code",
                    "source": ["x = 1\n", "print(x)"],
                    "outputs": [
                        {"output_type": "stream", "name": "stdout", "text": ["1\n"]},
                        {"output_type": "execute_result", "data": {"text/plain": "<Axes>", "image/png": BASE64}},
                        {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["\x1b[0;31mlong"]},
                    ],
                },
                {"cell_type": "raw", "source": "as it is"},
            ],
            "metadata": {"authors": [{"name": "Ann"}, {"name": "Bob"}, 3]},
            "nbformat": 4,
        }
    )
    assert found.text == "# Descaling\n\nBoil *vinegar*.\n\nx = 1\nprint(x)\n\n1\n\nKeyError: 'x'\n\nas it is"
    assert found.places == (Place(0, "cell 1"), Place(30, "cell 3"), Place(64, "cell 4"))
    assert (found.title, found.author) == ("Descaling", "Ann, Bob")


def test_cells_of_version_3() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Tides"},
        {
            "cell_type": "code",
            "input": ["a()\n", "b()"],
            "outputs": [
                {"output_type": "pyout", "text": ["9"], "png": BASE64},
                {"output_type": "stream", "stream": "stdout", "text": "out"},
                {"output_type": "pyerr", "ename": "E", "evalue": "no"},
            ],
        },
    ]
    found = text_of({"worksheets": [{"cells": cells[:1]}, {"cells": cells[1:]}], "nbformat": 3})
    assert found.text == "## Tides\n\na()\nb()\n\n9\n\nout\n\nE: no"
    assert [place.label for place in found.places] == ["cell 1", "cell 2"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text/html": "<b>one</b>", "text/plain": "one"}, "one"),
        ({"text/html": ["<p>a</p>", "<p>b</p>"]}, "a\n\nb"),
        ({"text/markdown": "**two**", "text/plain": "<Markdown>"}, "**two**"),
        ({"text/latex": "$x$"}, "$x$"),
        ({"image/png": BASE64}, ""),
        ({"image/svg+xml": "<svg/>", "text/plain": "<Figure 1>"}, ""),
        ({"text/plain": ["<Figure>"]}, "<Figure>"),
        ({"application/json": {"a": 1}}, ""),
    ],
)
def test_of_what_is_displayed_the_text_is_taken(data: dict[str, Any], text: str) -> None:
    assert text_of(code({"output_type": "display_data", "data": data})).text == f"run()\n\n{text}".strip()


def test_bars_of_progress_and_colours() -> None:
    printed = "10%\r50%\r100%\nnext\r\n\x1b[31mred\x1b[0m"
    assert text_of(code({"output_type": "stream", "text": printed})).text == "run()\n\n100%\nnext\nred"


def test_pictures_within_a_text_are_left_out() -> None:
    cell = {"cell_type": "markdown", "source": f"Before ![x](data:image/png;base64,{BASE64}) after", "attachments": {}}
    assert text_of({"cells": [cell]}).text == "Before ![x]() after"


def test_damaged_cells_are_said() -> None:
    found = text_of({"cells": [None, {"source": 3, "outputs": 7}, {"source": ["x", 1], "outputs": [None]}]})
    assert (found.text, found.remarks) == ("x", ("cell 1 is damaged",))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"cells": {}}', b"[" * 100_000])
def test_what_is_no_notebook_says_so(data: bytes) -> None:
    with pytest.raises(Unreadable, match=r"not JSON|no cells"):
        read(Source(name="a.ipynb", data=data))


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["code", "stream", "markdown"]),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(
            st.sampled_from(["source", "outputs", "data", "text", "cell_type", "output_type"]), values, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["cells", "worksheets", "metadata"]), VALUES, max_size=3))
def test_any_json_is_a_notebook_or_none(notebook: dict[str, Any]) -> None:
    try:
        assert isinstance(text_of(notebook), FileText)
    except Unreadable as error:
        assert "no cells" in str(error)  # noqa: PT017 - either is right


def test_a_long_line_takes_no_long_time() -> None:
    printed = "x" * 2_000_000
    assert len(text_of(code({"output_type": "stream", "text": printed})).text) == 2_000_007
