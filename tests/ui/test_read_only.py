"""The page of an index that may only be read."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import other_user
from colibri.index import Index, may_write
from ui_server import TINY, UiServer, write

SAID = "the index may only be read here: it can be searched, and is not kept fresh"

pytestmark = pytest.mark.skipif(other_user.why_not() is not None, reason=str(other_user.why_not()))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Others may read the index and the file that it is of, and write nothing."""
    with other_user.open_folder(0o755) as made, Index.open(made / "i", TINY) as index:
        index.sync(write(made / "files", {"a.txt": "A goose swims.\n"}))
        assert may_write(made / "i")
        index.close()
        yield made


def test_it_searches_says_that_it_is_not_kept_fresh_and_offers_no_changes(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    home = {"HOME": "/", "PYTHONDONTWRITEBYTECODE": "1"}
    words = ("--index", "i", "--model", TINY)
    with UiServer(*words, folder=folder, log=log, environment=home, user=other_user.NOBODYS) as page:
        state = page.api("state").json
        assert (state["can_change"], state["watching"], state["note"]) == (False, False, SAID)
        assert (state["indexing"]["phase"], state["indexing"]["error"]) == ("idle", None)
        assert [root["path"] for root in state["roots"]] == [str(folder / "files")]
        assert [file["name"] for file in page.search("goose")["files"]] == ["a.txt"]
        for route, body in (("add", {"path": "/tmp"}), ("forget", {"path": str(folder / "files")}), ("look", {})):
            refused = page.api(route, body)
            assert (refused.status, refused.json["detail"]) == (403, SAID)
    assert log.read_text(encoding="utf-8").count(SAID) == 1


def test_a_path_to_index_is_refused(folder: Path) -> None:
    words = ("-m", "colibri", "ui", "--no-browser", "--index", "i", "--model", TINY, "files")
    done: subprocess.CompletedProcess[str] = other_user.python(*words, user=other_user.NOBODYS, folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{SAID}; without PATH, `colibri ui` does that" in done.stderr
