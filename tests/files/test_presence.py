"""Whether a file is there, by the path that an index has of it."""

import os
from pathlib import Path

import pytest

from colibri.files.presence import is_gone, real
from colibri.files.walk import shown


def test_a_file_is_gone_where_nothing_has_its_name(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    assert is_gone(str(place))
    place.symlink_to("nowhere")
    assert not is_gone(str(place))
    assert is_gone(str(place / "b.txt"))
    assert is_gone(str(tmp_path / "no" / "folder"))
    assert not is_gone("a\0b")  # of which nobody can say


def test_names_that_differ_by_case_alone_are_one_file_where_the_system_says_so(tmp_path: Path) -> None:
    """As on macOS: here two names of a folder stand in."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "Notes").symlink_to("notes")
    (tmp_path / "notes" / "a.txt").write_text("x", encoding="utf-8")
    old, new = str(tmp_path / "notes" / "a.txt"), str(tmp_path / "Notes" / "a.txt")
    assert is_gone(old, new)
    assert not is_gone(old)
    assert not is_gone(old, old)
    assert not is_gone(old, str(tmp_path / "Notes" / "b.txt"))
    os.link(old, tmp_path / "notes" / "b.txt")  # of which one can be a copy of the other
    assert not is_gone(old, new)


@pytest.mark.parametrize("name", [b"caf\xe9 bread.txt", "ü 鳥.txt".encode(), b"back\\udce9slash.txt"])
def test_a_stored_path_is_found_again(tmp_path: Path, name: bytes) -> None:
    try:
        with open(os.fsencode(tmp_path) + b"/" + name, "wb"):  # noqa: PTH123 - pathlib takes no bytes
            pass
    except OSError:
        pytest.skip("this file system takes no such names")
    (found,) = tmp_path.iterdir()
    assert os.fsencode(real(shown(found))) == os.fsencode(found)
    assert not is_gone(shown(found))
