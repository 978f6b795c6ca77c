"""An index is made anew beside the old one: interrupted, taken up again, changed meanwhile, for another model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri import Index
from colibri.errors import ColibriError, StoreLocked
from colibri.files import Sync, beside, left_beside, lengths, make_anew
from reference import ARTEFACTS

BERT, XLMR = str(ARTEFACTS / "tiny-random-bert"), str(ARTEFACTS / "tiny-random-xlmr")


def load(source: Any) -> colibri.Colibri:
    return colibri.load(source, variant="cpu-fp32")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Forty documents, of files and of nobody's, some in passages of their own length."""
    folder = tmp_path / "files"
    folder.mkdir()
    for i in range(20):
        (folder / f"{i:02}.md").write_text(f"# Bird {i}\n\n" + f"The keeper counts bird {i}. " * 20, encoding="utf-8")
    with Index.open(tmp_path / "index", BERT, load=load) as opened:
        sync = Sync(opened)
        sync.run(sync.plan([folder]), lambda tokens: None)
        opened.add([{"id": f"mine {i}", "text": f"a house of {i}", "payload": {"n": i}} for i in range(20)])
        yield opened


def held(index: Index) -> dict[str, Any]:
    assert index.verify().clean
    return {one.id: (one.text, one.payload) for one in index.documents(vectors=True)}


def test_what_was_encoded_before_an_interruption_is_not_encoded_again(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colibri.files.rebuild._AT_ONCE", 5)
    before, told = held(index), list[int]()

    def stop(tokens: int) -> None:
        told.append(tokens)
        if len(told) > 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_anew(index, None, 48, load, stop)
    assert (index.dim, held(index)) == (16, before)
    assert beside(index).is_dir()
    again: list[int] = []
    make_anew(index, None, 48, load, again.append)
    assert (index.dim, held(index)) == (48, before)
    assert sum(again) <= index.stats().tokens - sum(told[:10])  # five documents of some three messages each
    assert not beside(index).exists()


def test_what_was_encoded_in_passages_of_another_length_is_kept_too(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colibri.files.rebuild._AT_ONCE", 5)
    before, told = held(index), list[int]()
    others = lengths(index, [tmp_path / "files"], {"passage_tokens": 12})
    assert others == {str(tmp_path / "files"): 12}
    assert lengths(index, [], {"hidden": True}) == lengths(index, [tmp_path / "no root"], {"split": False}) == {}

    def stop(tokens: int) -> None:
        told.append(tokens)
        if len(told) > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_anew(index, None, 48, load, stop, others)
    assert held(index) == before
    again: list[int] = []
    make_anew(index, None, 48, load, again.append, others)
    assert sum(again) <= index.stats().tokens - sum(told[:20])
    for found_id, (text, payload) in held(index).items():
        assert text == before[found_id][0]
        assert payload.get("file", {}).get("passages") == (12 if "file" in payload else None)


def test_another_model_after_an_interruption_begins_anew(index: Index) -> None:
    before = held(index)

    def stop(tokens: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_anew(index, None, 48, load, stop)
    make_anew(index, XLMR, None, load, lambda tokens: None)
    assert held(index) == before
    assert index.model_name == XLMR
    assert index.search("the keeper counts bird 7", k=3)


@pytest.mark.parametrize(("model", "dim", "said"), [(None, 50, "50"), ("nosuch", None, "nosuch"), (BERT, 7, "7")])
def test_a_rebuild_that_cannot_be_is_refused_in_words_and_costs_nothing(
    index: Index, model: str | None, dim: int | None, said: str
) -> None:
    before = held(index)

    def stop(tokens: int) -> None:
        raise KeyboardInterrupt

    for begun in (False, True):
        with pytest.raises(ColibriError, match=rf"\b{said}\b"):
            make_anew(index, model, dim, load, lambda tokens: None)
        assert beside(index).exists() is begun
        assert held(index) == before
        if not begun:
            with pytest.raises(KeyboardInterrupt):
                make_anew(index, None, 48, load, stop)
    assert left_beside(index).startswith("an interrupted --rebuild")
    assert {one.name for one in index.path.glob("rebuild*")} == {"rebuild"}
    with Index.open(beside(index), create=False) as kept:
        assert kept.dim == 48


def test_of_two_at_once_the_second_is_refused_and_the_first_loses_nothing(index: Index) -> None:
    before, refused = held(index), list[str]()
    assert left_beside(index) == ""

    def another(tokens: int) -> None:
        assert left_beside(index) == "a --rebuild is at work beside the index"
        if not refused:
            with Index.open(index.path, create=False, load=load) as other, pytest.raises(StoreLocked) as late:
                make_anew(other, None, 32, load, lambda tokens: None)
            refused.append(str(late.value))

    make_anew(index, None, 48, load, another)
    assert "another --rebuild is at work" in refused[0]
    assert (index.dim, held(index)) == (48, before)
    assert not list(index.path.glob("rebuild*"))
    make_anew(index, None, 32, load, lambda tokens: None)
    assert index.dim == 32


def test_what_is_written_meanwhile_is_there_afterwards(index: Index) -> None:
    told: list[int] = []

    def write(tokens: int) -> None:
        told.append(tokens)
        if len(told) == 3:
            with Index.open(index.path, create=False, load=load) as other:
                other.upsert([{"id": "mine 3", "text": "a palace"}, {"id": "new", "text": "a tower"}])
                other.delete("mine 4")

    make_anew(index, None, 48, load, write)
    found = held(index)
    assert index.dim == 48
    assert (found["mine 3"][0], found["new"][0]) == ("a palace", "a tower")
    assert "mine 4" not in found
    assert len(found) == 40


def test_passages_end_where_they_ended(index: Index) -> None:
    before = {one.id: one.passages for one in index.documents()}
    make_anew(index, None, 48, load, lambda tokens: None)
    assert {one.id: one.passages for one in index.documents()} == before
