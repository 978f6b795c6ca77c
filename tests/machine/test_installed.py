"""What installs an extra, for each way in which a copy can have come here, by distributions in folders of their own."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.machine import frozen_by, install_command
from colibri.machine.installed import _quoted

RUNTIME = str(Path(install_command.__code__.co_filename).parents[2])
REQUIRES = """Metadata-Version: 2.4
Name: colibri-edge
Version: 0.1.0
Requires-Dist: click<9,>=8.2
Requires-Dist: chardet<8,>=7.7; extra == 'files'
Requires-Dist: backports-zstd<2,>=1; (python_version < '3.14') and extra == 'files'
Requires-Dist: old-one; (python_version < '3.5') and extra == "files"
Requires-Dist: starlette<2; extra == 'server'
"""


def said(folder: Path, origin: object, words: str = "'files'", before: str = "") -> str:
    """install_command's answer where the distribution is one in `folder`, with such a direct_url.json."""
    info = folder / "colibri_edge-0.1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(REQUIRES)
    if origin is not None:
        text = origin if isinstance(origin, str) else json.dumps(origin)
        (info / "direct_url.json").write_text(text)
    code = f"import sys; sys.path[:0] = sys.argv[1:]; {before}from colibri.machine import install_command; "
    code += f"print(install_command({words}))"
    command = [sys.executable, "-I", "-c", code, str(folder), RUNTIME]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def words_of(command: str) -> list[str]:
    """As a shell splits them; pip would be given the last ones."""
    found = shlex.split(command)
    assert found[:2] == ["pip", "install"]
    return found[2:]


def test_from_an_index_it_is_the_name(tmp_path: Path) -> None:
    assert words_of(said(tmp_path, None)) == ["colibri-edge[files]"]
    assert words_of(said(tmp_path, "no JSON")) == ["colibri-edge[files]"]
    assert words_of(said(tmp_path, [])) == ["colibri-edge[files]"]
    assert words_of(said(tmp_path, None, "'cpu', more='other'")) == ["colibri-edge[cpu]", "other"]


@pytest.mark.skipif(os.name == "nt", reason="paths of Windows are quoted otherwise")
@pytest.mark.parametrize("name", ["src", "it's mine", "a b", "größe%20"])
def test_from_a_checkout_or_a_wheel_it_is_that_one_again(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    place.mkdir()
    editable = {"url": place.as_uri(), "dir_info": {"editable": True}}
    assert words_of(said(tmp_path / "1", editable)) == ["-e", f"{place}[files]"]
    assert words_of(said(tmp_path / "1", editable, "'cpu', more='x'")) == ["-e", f"{place}[cpu]", "x"]
    ways: list[dict[str, object]] = [{"dir_info": {}}, {"archive_info": {"hash": "sha256=00"}}]
    for more in ways:
        folder = tmp_path / next(iter(more))
        assert words_of(said(folder, {"url": place.as_uri(), **more})) == [f"colibri-edge[files] @ {place.as_uri()}"]


def test_where_that_is_gone_it_is_what_the_extra_brings(tmp_path: Path) -> None:
    gone = {"url": (tmp_path / "gone.whl").as_uri(), "archive_info": {}}
    newer = [] if sys.version_info >= (3, 14) else ["backports-zstd<2,>=1"]
    assert words_of(said(tmp_path, gone)) == ["chardet<8,>=7.7", *newer]
    assert words_of(said(tmp_path, gone, "'server'")) == ["starlette<2"]


def test_from_a_repository_or_an_address_it_is_that_one(tmp_path: Path) -> None:
    url = "https://example.org/colibri"
    repository = {"url": url, "vcs_info": {"vcs": "git", "commit_id": "abc"}, "subdirectory": "python"}
    wanted = [f"colibri-edge[files] @ git+{url}@abc#subdirectory=python"]
    assert words_of(said(tmp_path / "1", repository)) == wanted
    wheel = {"url": f"{url}.whl", "archive_info": {}}
    assert words_of(said(tmp_path / "2", wheel)) == [f"colibri-edge[files] @ {url}.whl"]


def test_a_frozen_program_has_to_be_frozen_again(tmp_path: Path) -> None:
    assert frozen_by() is None
    told = said(tmp_path, None, before="sys.frozen = True; ")
    assert told.startswith("pip install 'colibri-edge[files]', and the program frozen again")
    assert told.endswith("by PyInstaller without")


@pytest.mark.skipif(os.name == "nt", reason="paths of Windows are quoted otherwise")
@given(st.text(st.characters(exclude_characters="\0")))
def test_a_shell_gets_the_word(word: str) -> None:
    assert shlex.split(_quoted(word)) == [word]


def test_what_it_says_here_names_the_extra() -> None:
    assert install_command("files").startswith("pip install ")
    assert "[files]" in install_command("files") or "chardet" in install_command("files")
