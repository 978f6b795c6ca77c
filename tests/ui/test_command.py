"""`colibri ui` as a command: what it needs, what it refuses, which index it opens."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from colibri.index import Index
from colibri.machine import install_command
from reference import ARTEFACTS
from ui_server import TINY, UiServer, write

PACKAGES = ("msgspec", "orjson", "prometheus_client", "starlette", "uvicorn")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_is_named_with_what_brings_it(package: str) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None; sys.argv = ['colibri', 'ui']; import colibri.cli as c; c.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == f"Error: no {package} (colibri-edge[desktop]): {install_command('desktop')}"


def test_help_loads_nothing_of_the_server() -> None:
    code = "import os, sys; end = os._exit\n"
    code += f"def tell(code): print([p for p in {PACKAGES!r} if p in sys.modules], flush=True); end(code)\n"
    code += "os._exit = tell; sys.argv = ['colibri', 'ui', '--help']; import colibri.cli as c; c.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_folder_that_is_not_there_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "colibri", "ui", "--no-browser", "--index", "i", "nowhere"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert done.returncode == 1
    assert "nowhere: no such file or folder" in done.stderr
    assert not (tmp_path / "i").exists()


@pytest.mark.skipif(os.name == "nt", reason="a device that has a path")
def test_what_cannot_be_indexed_is_refused_and_does_not_keep_the_others_out_unsaid(tmp_path: Path) -> None:
    write(tmp_path / "files", {"a.txt": "A goose swims.\n"})
    words = [sys.executable, "-m", "colibri", "ui", "--no-browser", "--index", "i", "--model", TINY]
    done = subprocess.run(
        [*words, "files", os.devnull], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{os.devnull}: neither a file nor a folder" in done.stderr


def test_an_index_of_a_read_only_kind_is_searched_all_the_same(tmp_path: Path) -> None:
    """Documents that a program added, of no file: there is nothing to follow, and all of it to find."""
    with Index.open(tmp_path / "i", ARTEFACTS / "tiny-random-bert") as index:
        index.add([{"id": "https://example.org/<b>", "text": "A goose & a bear."}])
    with UiServer("--index", "i", folder=tmp_path, log=tmp_path / "log") as page:
        state = page.wait_for(lambda state: state["indexing"]["phase"] == "idle")
        assert (state["documents"], state["roots"], state["name"]) == (1, [], "i")
        (file,) = page.search("goose", mode="words")["files"]
        assert (file["name"], file["kind"], file["path"]) == ("https://example.org/<b>", "no file", None)
        assert page.api("open", {"id": file["id"]}).status == 404
        assert page.search("goose", filters={"kinds": ["no file"]})["files"]
        assert not page.search("goose", filters={"kinds": ["text"]})["files"]


def test_without_more_it_opens_your_own_index(tmp_path: Path) -> None:
    write(tmp_path / "files", {"a.txt": "A goose swims.\n"})
    own = {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    with UiServer(
        "files", "--name", "work", "--model", TINY, folder=tmp_path, log=tmp_path / "log", environment=own
    ) as page:
        state = page.wait_for_documents(1)
        assert Path(state["index"]).is_relative_to(tmp_path)
        done = subprocess.run(
            [sys.executable, "-m", "colibri", "search", "--name", "work", "goose", "--json"],
            cwd=tmp_path,
            env={**os.environ, **own},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "a.txt" in done.stdout
