"""What an assistant is answered: bounded, with places and characters that are right, and errors it can act on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from colibri import Index
from colibri.assistants import Library, in_words, named
from colibri.assistants.library import MOST_CHARACTERS as MOST_IN_ALL
from colibri.assistants.library import PASSAGE_CHARACTERS
from colibri.assistants.reading import MOST_CHARACTERS
from colibri.errors import InputError, StoreError
from colibri.model import Colibri

BIRDS = "The hummingbird drinks nectar. It hovers before a flower."
BREAD = "Bread is baked from flour, water and salt."


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, model: Colibri) -> dict[str, Path]:
    """Two indexes that every test only asks, as the last of them proves."""
    folder = tmp_path_factory.mktemp("places")
    with Index.open(folder / "birds", model) as index:
        index.add(
            [
                {"id": "bird", "text": BIRDS, "payload": {"title": "Birds", "year": 2024}},
                {"id": "bread", "text": BREAD},
                {"id": "long", "text": "wing " * 20_000},
            ]
        )
    with Index.open(folder / "bare", model) as index:
        index.add([{"id": "bird", "text": BIRDS}], keep_text=False)
    return named([folder / "birds", folder / "bare"])


@pytest.fixture
def library(places: dict[str, Path], model: Colibri) -> Iterator[Library]:
    found = Library(places, lambda place: Index.open(place, model, create=False))
    yield found
    found.close()


def test_names_are_the_folders_own(tmp_path: Path) -> None:
    given = [tmp_path / "a" / "notes", tmp_path / "b" / "notes", tmp_path / "papers" / ".colibri-index"]
    assert named(given) == {"notes": given[0], "notes-2": given[1], "papers": given[2]}


def test_every_index_is_listed_also_one_that_cannot_be_asked(
    places: dict[str, Path], model: Colibri, tmp_path: Path
) -> None:
    found = Library({**places, "lost": tmp_path / "lost"}, lambda place: Index.open(place, model, create=False))
    birds, bare, lost = found.listed().indexes
    assert (birds.name, birds.documents, birds.keeps_texts, birds.problem) == ("birds", 3, True, None)
    assert (bare.documents, bare.keeps_texts) == (1, False)
    assert lost.problem is not None
    assert "lost: cannot be asked now" in in_words(found.listed())
    found.close()


def test_a_result_is_the_documents_own_characters(library: Library) -> None:
    found = library.search("a bird that hovers", "birds", k=3)
    assert {one.id for one in found.results} == {"bird", "bread", "long"}
    texts = {"bird": BIRDS, "bread": BREAD, "long": "wing " * 20_000}
    for one in found.results:
        for passage in one.passages:
            shown = texts[one.id][passage.start : passage.end]
            assert shown.startswith(passage.text)
            assert passage.cut == (passage.text != shown)
            assert all(passage.start <= word.start < word.end <= passage.end for word in passage.highlights)
    words = in_words(found)
    assert "id: bird" in words
    assert "Birds" in words
    assert BIRDS in words


def test_a_search_is_bounded(tmp_path: Path, model: Colibri) -> None:
    with Index.open(tmp_path / "whole", model) as index:
        index.add([{"id": str(i), "text": f"{i} wing " * 900} for i in range(20)], split=False)
    library = Library({"whole": tmp_path / "whole"}, lambda place: Index.open(place, model, create=False))
    found = library.search("wings", k=20)
    lengths = [len(passage.text) for one in found.results for passage in one.passages]
    assert len(found.results) == 20
    assert max(lengths) == PASSAGE_CHARACTERS
    assert sum(lengths) == MOST_IN_ALL
    assert all(passage.cut for one in found.results for passage in one.passages)
    library.close()


@pytest.mark.parametrize(
    ("query", "k", "why"), [("", 5, "empty"), (" \n", 5, "empty"), ("x" * 4_001, 5, "4,000"), ("x", 0, "1 to 20")]
)
def test_what_cannot_be_asked_is_refused(library: Library, query: str, k: int, why: str) -> None:
    with pytest.raises(InputError, match=why):
        library.search(query, "birds", k)


def test_an_index_is_named_where_there_are_several(library: Library, places: dict[str, Path], model: Colibri) -> None:
    with pytest.raises(InputError, match="there is 'birds', 'bare'"):
        library.search("bird")
    with pytest.raises(InputError, match="index 'other': no such index; there is 'birds', 'bare'"):
        library.search("bird", "other")
    alone = Library({"birds": places["birds"]}, lambda place: Index.open(place, model, create=False))
    assert alone.search("bird").index == "birds"
    alone.close()


def test_a_filter_that_keeps_nothing_is_said(library: Library) -> None:
    found = library.search("bird", "birds", where={"year": 1999})
    assert found.results == []
    assert found.note == "nothing that the filter keeps"
    with pytest.raises(InputError, match="unknown operator"):
        library.search("bird", "birds", where={"$near": 1})


def test_reading_gives_the_text_with_its_bounds(library: Library) -> None:
    found = library.read("bird", index="birds")
    assert (found.text, found.start, found.end, found.whole_length) == (BIRDS, 0, len(BIRDS), len(BIRDS))
    assert (found.more_before, found.more_after) == (False, False)
    long = library.read("long", 50_000, neighbours=20, index="birds")
    assert len(long.text) <= MOST_CHARACTERS
    assert long.text == ("wing " * 20_000)[long.start : long.end]
    assert long.more_before
    assert long.more_after
    assert "goes on before; goes on after" in in_words(long)


def test_what_cannot_be_read_is_refused_with_what_to_do(library: Library) -> None:
    with pytest.raises(InputError, match="no such document; take an id that `search` gave"):
        library.read("nothing", index="birds")
    with pytest.raises(InputError, match="keeps no texts"):
        library.read("bird", index="bare")
    with pytest.raises(InputError, match="neighbours"):
        library.read("bird", neighbours=-1, index="birds")


def test_an_index_without_texts_gives_ids(library: Library) -> None:
    (found,) = library.search("bird", "bare").results
    assert (found.id, found.passages) == ("bird", [])


def test_an_index_that_comes_back_is_asked_again(tmp_path: Path, model: Colibri) -> None:
    library = Library({"late": tmp_path / "late"}, lambda place: Index.open(place, model, create=False))
    with pytest.raises(StoreError):
        library.search("bird")
    with Index.open(tmp_path / "late", model) as index:
        index.add([{"id": "bird", "text": BIRDS}])
    assert [one.id for one in library.search("bird").results] == ["bird"]
    library.close()


def test_nothing_is_written(library: Library, places: dict[str, Path]) -> None:
    """Beside SQLite's own shared memory and log, which a reader may open."""

    def state() -> dict[str, tuple[int, int]]:
        every = [path for path in places["birds"].rglob("*") if path.is_file()]
        files = [path for path in every if not path.name.endswith(("-shm", "-wal"))]
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    before = state()
    library.listed()
    library.search("bird", "birds")
    library.read("bird", index="birds")
    assert state() == before
