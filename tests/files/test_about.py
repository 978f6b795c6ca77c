"""The words of a name."""

from pathlib import PurePosixPath

import pytest

from colibri.files.about import about, words
from colibri.files.reading import Read
from colibri.files.text import FileText, Part


def of(path: str, root: str = "/home/ana/Documents", within: str = "", first: bool = True, line: int | None = None,
       title: str | None = None) -> str:  # fmt: skip
    part = Part(name="", content=FileText(text="x", title=title), line=line)
    item = Read(part=part, reader="text 1", within=within)
    return about(PurePosixPath(path), PurePosixPath(root), item, first=first)


def test_name_title_and_folders() -> None:
    found = of("/home/ana/Documents/Travel/2024_Peru/passport scan-2024.txt", title="My  Passport")
    assert found == "passport scan 2024\nMy Passport\nDocuments Travel 2024 Peru"


def test_a_file_that_was_given_lies_in_its_folder() -> None:
    assert of("/home/ana/notes/kettle.md", "/home/ana/notes/kettle.md") == "kettle\nnotes"
    assert of("/kettle.md", "/") == "kettle"


def test_members_have_their_own_names() -> None:
    found = of("/home/ana/Documents/letters.zip", within="2024/may.txt")
    assert found == "may\nDocuments letters 2024"


def test_of_rows_the_first_one_stands_for_the_file() -> None:
    path = "/home/ana/Documents/recipes.jsonl"
    assert of(path, line=1) == "recipes\nDocuments"
    assert of(path, line=2, first=False) == ""
    assert of(path, line=2, first=False, title="Plum cake") == "Plum cake"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("README", "README"),
        ("v1.2", "v1 2"),
        ("report.final.pdf", "report final"),
        ("InvoiceMarch.pdf", "Invoice March"),
        ("Счёт_за_май.pdf", "Счёт за май"),
        ("旅券のコピー.pdf", "旅券のコピー"),
        (".env", "env"),
        ("___", ""),
    ],
)
def test_words_of_a_name(name: str, wanted: str) -> None:
    assert words(name) == wanted


def test_a_long_name_stays_short() -> None:
    assert len(of("/r/" + "/".join("folder" * 20 for _ in range(20)) + "/a.txt", "/r")) == 400
