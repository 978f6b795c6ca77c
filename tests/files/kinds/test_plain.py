"""Text keeps the lines of its file, and the headings of its form are places."""

import pytest

from colibri.files.kinds.plain import read
from colibri.files.source import Source
from colibri.files.text import FileText, Place, Unreadable
from files.kinds.cases import Case, cases, check


def of(name: str, text: str) -> FileText:
    found = read(Source(name=name, data=text.encode()))
    assert found.verbatim
    assert found.text.count("\n") == text.count("\n")
    return found


def labels(found: FileText) -> list[tuple[int, str]]:
    """The line of each place, from 1, and its label."""
    return [(found.text.count("\n", 0, place.start) + 1, place.label) for place in found.places]


@pytest.mark.parametrize("case", [*cases("text"), *cases("notes")], ids=lambda case: case.name)
def test_the_cases(case: Case) -> None:
    check(case, read(case.source))


def test_a_picture_in_a_note_is_counted() -> None:
    (note,) = (case for case in cases("notes") if case.name.endswith(".md"))
    found = read(note.source)
    assert found.remarks == ("1 picture of 25 KB left out",)
    assert found.places == (Place(0, "Kettle"),)
    assert len(found.text) < 120


def test_plain_text_has_one_place_and_its_remarks() -> None:
    found = read(Source(name="a.log", data="Tür auf\r\nTür zu\xa0\r".encode() + b"\xff"))
    assert found.text == "Tür auf\nTür zu\xa0\n\ufffd"
    assert (found.places, found.remarks) == ((), ("1 broken byte in utf-8 text",))
    with pytest.raises(Unreadable, match="is binary"):
        read(Source(name="a.txt", data=bytes(1000)))


def test_headings_of_markdown_stand_outside_of_code_and_lists() -> None:
    found = of(
        "docs/kettle.md",
        "# The *kettle* #\n\nBoil `water`.\n\n```sh\n# no heading\n```\n\nCare [here](x.md)\n-----------------\n\n"
        "~~~\n```\n# no\n~~~\n\n    # code\n\n- item\n---\n\n> quote\n===\n\n### Deep ![i](x.png) {#deep}\n\n"
        "#hashtag\n\nLines\nof two\n===\n\n<!--\n# no\n-->\n\n| a |\n|---|\n\n## \n\n####### seven",
    )
    assert labels(found) == [
        (1, "The kettle"),
        (9, "The kettle > Care here"),
        (25, "The kettle > Care here > Deep"),
        (29, "Lines of two"),
        (40, "Lines of two"),
    ]
    assert found.title == "The kettle"


def test_front_matter_gives_facts_and_no_headings() -> None:
    found = of(
        "a.md",
        '---\ntitle: "Kettles: a guide"\nauthors:\n  - Ann Bell\n  - name: Bo Crane\n# a comment\ndate: 2024/5/3\n'
        "lastmod: May 4, 2024\nlang: en-GB\ntags: [a, b]\n---\nText\n",
    )
    assert (found.title, found.author, found.language) == ("Kettles: a guide", "Ann Bell, Bo Crane", "en-GB")
    assert (found.created, found.modified, found.places) == ("2024-05-03", "2024-05-04", ())
    toml = of("a.md", "+++\ntitle = 'Pans'\nauthor = \"Cy\"\ndate = 2024-05-03T10:00:00Z\n+++\n# Head\n")
    assert (toml.title, toml.author, toml.created) == ("Pans", "Cy", "2024-05-03T10:00:00Z")
    assert labels(toml) == [(6, "Head")]
    assert of("a.md", "---\nno end of it\n").title is None


def test_headings_of_restructured_text_by_their_order() -> None:
    found = of(
        "a.rst",
        "======\nKettle\n======\n\n:Author: Ann Bell\n:Date: 2024-05-03\n\nText\n\nCare\n====\n\nLime\n----\n\n"
        "no title, a line\n\n----\n\nRepair\n======\n\n::\n\n    x\n    ===\n\n=====  ====\nA      B\n=====  ====\n",
    )
    assert labels(found) == [
        (1, "Kettle"),
        (10, "Kettle > Care"),
        (13, "Kettle > Care > Lime"),
        (20, "Kettle > Repair"),
    ]
    assert (found.title, found.author, found.created) == ("Kettle", "Ann Bell", "2024-05-03")


def test_headings_of_org_and_asciidoc() -> None:
    org = of(
        "a.org",
        f"#+TITLE: Kettle\n#+AUTHOR: Ann\n* {'todo'.upper()} [#A] Care :home:\n"
        "** Lime\n#+BEGIN_SRC sh\n* no\n#+END_SRC\n"
        "* *Bold* end\n",
    )
    assert (org.title, org.author) == ("Kettle", "Ann")
    assert labels(org) == [(3, "Care"), (4, "Care > Lime"), (8, "Bold end")]
    adoc = of("a.adoc", "= Kettle\n:author: Ann\n\n== Care\n\n----\n== no\n----\n\n=== Lime ===\n")
    assert labels(adoc) == [(1, "Kettle"), (4, "Kettle > Care"), (10, "Kettle > Care > Lime")]
    assert adoc.author == "Ann"


@pytest.mark.parametrize("name", ["a.md", "a.rst", "a.org", "a.adoc", "a.js"])
def test_lines_that_hurt_are_read_in_time(name: str) -> None:
    blanks = " " * 100_000
    for line in (
        f"# a{blanks}b",
        f"* a{blanks}:b",
        f"= a{blanks}b",
        "[" * 100_000,
        f"`{blanks}",
        "=" * 100_000,
        "data:" * 20_000,
    ):
        of(name, f"a\n{line}\n===\n{line}")
    of(name, "a" * 50_000 + "\b" * 50_000 + "\x1b]" * 20_000 + "<!--" * 20_000)


@pytest.mark.parametrize("name", ["a.md", "a.rst", "a.org", "a.adoc", "a.txt", "README"])
@pytest.mark.parametrize(
    "text", ["", "\n", "#", "# \n", "===", "\n===\n", "---\n---\n", "* ", "```", "😀", "= ", ":a: b"]
)
def test_texts_of_nearly_nothing_are_read(name: str, text: str) -> None:
    found = of(name, text)
    assert found.text == text
    assert all(place.start <= len(text) for place in found.places)
