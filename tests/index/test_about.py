"""Words that find a document though they stand nowhere in its text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri import Index
from colibri.explain import highlights
from colibri.index.about import about
from colibri.vectors import Span
from reference import ARTEFACTS

WORDS = "passport scan 2024"


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-fp32")


@pytest.fixture
def index(tmp_path: Path, model: colibri.Colibri) -> Iterator[Index]:
    with Index.open(tmp_path / "index", model) as opened:
        yield opened


def scan(text: str, words: Any = WORDS) -> dict[str, Any]:
    return {"id": "scan", "text": text, "payload": {"file": {"about": words}, "year": 2024}}


@pytest.mark.parametrize("text", ["Issued in Bern.", "Issued in Bern. " * 300, ""])
@pytest.mark.parametrize("split", [True, False])
def test_they_are_one_passage_more_and_leave_the_others_as_they_were(index: Index, text: str, split: bool) -> None:
    index.add([{"id": "plain", "text": text}, scan(text)], split=split)
    plain, found = index.get(["plain", "scan"], vectors=True)
    assert plain is not None
    assert found is not None
    assert found.text == text
    assert found.passages == (*plain.passages, Span(0, 0))
    assert plain.vectors is not None
    assert found.vectors is not None
    tokens = len(plain.vectors.rows)
    assert (found.vectors.rows[:tokens] == plain.vectors.rows).all()
    assert found.vectors.spans is not None
    assert not found.vectors.spans[tokens:].any()


def test_they_find_it_and_nothing_of_the_text_is_marked(index: Index) -> None:
    index.add([scan("Issued in Bern."), {"id": "other", "text": "A house."}])
    (hit,) = index.search(WORDS, k=1, explain=True, passages=5)
    assert hit.id == "scan"
    assert hit.text is not None
    assert [Span(one.start, one.end) for one in hit.passages] == [Span(0, 0), Span(0, 15)]
    assert highlights(hit.passages[0].matches, hit.text) == []


def test_another_payload_changes_them_when_the_text_is_encoded_again(index: Index) -> None:
    index.add([scan("Issued in Bern.")])
    index.set_payloads({"scan": {"year": 2025}})
    (found,) = index.get("scan")
    assert found is not None
    assert Span(0, 0) in found.passages
    index.upsert([{"id": "scan", "text": "Issued in Bern.", "payload": found.payload}])
    (found,) = index.get("scan")
    assert found is not None
    assert found.passages == (Span(0, 15),)


@pytest.mark.parametrize("payload", [None, {}, {"file": None}, {"file": "x"}, {"file": {"about": 5}}, {"about": "x"}])
def test_other_payloads_have_none(payload: dict[str, Any] | None) -> None:
    assert about(payload) == ""


def test_many_documents_keep_theirs_apart(index: Index) -> None:
    index.add([{"id": str(i), "text": f"text {i}", "payload": {"file": {"about": f"name{i}"}}} for i in range(60)])
    index.add([{"id": f"text of {i}", "text": f"name{i}"} for i in range(60)])
    assert index.verify().clean
    for i in range(60):
        found, alone = index.get([str(i), f"text of {i}"], vectors=True)
        assert found is not None
        assert alone is not None
        assert found.vectors is not None
        assert alone.vectors is not None
        assert (found.vectors[1] == alone.vectors[0]).all()
