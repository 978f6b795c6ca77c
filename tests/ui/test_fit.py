"""Whether what is found fits at all, as the page is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from colibri.index import Hit, Index, PassageHit, asked
from colibri.ui.searching import _with_its_words
from cutoff_fixtures import with_cutoffs
from reference import ARTEFACTS
from ui_server import UiServer

CODE = Hit("a", 1.0, 0.5, text="Order XK-2041 was sent.", words=1.0, fit="unlikely")
NOTE = "Die Straße nach Łódź."
ROAD = Hit("a", 1.0, 0.5, NOTE, passages=(PassageHit(0, len(NOTE), 1.0, (), NOTE),), words=1.0, fit="unlikely")


@pytest.mark.parametrize(
    ("query", "hit", "wanted"),
    [
        ("XK-2041", CODE, "maybe"),
        ("xk-2041 sent", CODE, "maybe"),
        ("xk-2041 lost", CODE, "unlikely"),
        ("XK-2041", replace(CODE, words=None), "unlikely"),
        ("XK-2041", replace(CODE, fit="likely"), "likely"),
        ("XK-2041", replace(CODE, fit=None), None),
        ("XK-2041", replace(CODE, text=None), "unlikely"),
        ("!?", CODE, "unlikely"),
        ("lodz STRASSE", ROAD, "maybe"),
        ("lodz strassen", ROAD, "unlikely"),
    ],
)
def test_every_word_that_stands_there_may_fit(query: str, hit: Hit, wanted: str | None) -> None:
    assert _with_its_words(hit, asked(query)).fit == wanted


def test_the_page_of_an_index_that_names_its_model_tells_what_fits(tmp_path: Path) -> None:
    """Nobody names a model to `colibri ui`: it is loaded apart from the index, whose hits it judges all the same;
    so are those that `colibri search` is given."""
    model = with_cutoffs(tmp_path / "model", 2.0, 1.5)  # beyond every mean of cosines
    with Index.open(tmp_path / "i", model) as index:
        index.add([{"id": "a", "text": "A bird sings."}, {"id": "b", "text": "Bread is baked."}])
        assert {hit.fit for hit in index.search("a goose")} == {"unlikely"}
    with UiServer("--index", "i", folder=tmp_path, log=tmp_path / "log.jsonl") as page:
        answer = page.search("a goose", mode="meaning")
        assert answer["fit"] == "unlikely"
        assert [file["fit"] for file in answer["files"]] == ["unlikely", "unlikely"]
        asks = {"query": "a goose", "mode": "both", "spans": True}
        assert [one["fit"] for one in page.api("hits", asks).json["results"]] == ["unlikely", "unlikely"]


@pytest.mark.parametrize("sort", ["fit", "name", "time"])
def test_what_fits_is_told_in_every_order_though_it_comes_late(tmp_path: Path, sort: str) -> None:
    texts = ["A bird sings.", *(f"Bread number {i} is baked." for i in range(9))]
    with Index.open(tmp_path / "plain", ARTEFACTS / "tiny-random-bert") as index:
        index.add([{"id": f"{i}", "text": text} for i, text in enumerate(texts)])
        best, next_best, *_ = index.search("A bird sings.", 10)
        assert best.id == "0"
    cut = (best.normalised + next_best.normalised) / 2
    with Index.open(tmp_path / "i", with_cutoffs(tmp_path / "model", cut, cut)) as index:
        index.add(
            [
                {"id": f"{i}", "text": text, "payload": {"file": {"path": f"/f/{9 - i}.txt", "mtime_ns": i}}}
                for i, text in enumerate(texts)
            ]
        )
    with UiServer("--index", "i", folder=tmp_path, log=tmp_path / "log.jsonl") as page:
        answer = page.search("A bird sings.", k=3, mode="meaning", sort=sort)
        assert answer["fit"] == "likely"
        assert ("likely" in [file["fit"] for file in answer["files"]]) is (sort == "fit")
