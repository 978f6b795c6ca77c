"""An index that is damaged or gone, and a model that is: the page is told what it is and what to do."""

import shutil
from pathlib import Path

from colibri.index import Index
from cutoff_fixtures import with_cutoffs
from ui_server import TINY, UiServer, write


def test_a_damaged_index_says_what_mends_it(tmp_path: Path) -> None:
    with Index.open(tmp_path / "i", TINY) as index:
        index.add([{"id": "a", "text": "A bird sings of the sea."}])
    place = tmp_path / "i/index.sqlite"
    assert place.read_bytes().count(b"A bird sings") == 1
    place.write_bytes(place.read_bytes().replace(b"A bird sings", b"A bear sings"))
    with UiServer("--index", "i", "--model", TINY, folder=tmp_path, log=tmp_path / "log.jsonl") as page:
        for route, asks in (("search", {"query": "bird"}), ("hits", {"query": "bird"})):
            answer = page.api(route, asks)
            assert (answer.status, answer.json["code"]) == (500, "INDEX_FAILED"), answer.body
            assert "--repair mends it" in answer.json["detail"]
    assert "--repair mends it" in (tmp_path / "log.jsonl").read_text(encoding="utf-8")


def test_an_index_that_was_taken_away_and_a_model_that_was_are_named(tmp_path: Path) -> None:
    model = with_cutoffs(tmp_path / "model", 2.0, 1.5)
    files = write(tmp_path / "files", {"a.txt": "A bird sings.\n"})
    with Index.open(tmp_path / "i", model) as index:
        index.sync(files)
    shutil.rmtree(model)
    with UiServer("--index", "i", folder=tmp_path, log=tmp_path / "log.jsonl") as page:
        assert page.search("bird", mode="words")["files"]
        answer = page.api("search", {"query": "bird"})
        assert (answer.status, answer.json["code"]) == (500, "INDEX_FAILED")
        assert str(model) in answer.json["detail"]
        shutil.rmtree(tmp_path / "i")
        answer = page.api("forget", {"path": str(files)})
        assert (answer.status, answer.json["code"]) == (500, "INDEX_FAILED")
        assert "i: cannot be written" in answer.json["detail"]
