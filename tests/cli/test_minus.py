"""Words of a query that begin with a minus, unquoted."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from colibri.cli import group
from colibri.index import Index
from reference import ARTEFACTS

MODEL = str(ARTEFACTS / "tiny-random-bert")


def run(*words: str) -> Result:
    return CliRunner().invoke(group, list(words), prog_name="colibri")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = tmp_path_factory.mktemp("minus") / "index"
    with Index.open(found, MODEL) as index:
        index.add([{"id": text, "text": text} for text in ("a small bird", "a bird", "bread -3 degrees")])
    return str(found)


@pytest.mark.parametrize("word", ["-draft", "-holiday", "-kitchen", "-d", "-3", "-K", '-"small bird"', "-ä", "-k3x"])
@pytest.mark.parametrize("command", ["search", "rerank"])
def test_what_to_type_instead_is_said(place: str, command: str, word: str) -> None:
    """Among them what click takes for --help (-h) and for a number of documents (-k)."""
    refused = run(command, "bird", word, *(["--index", place] if command == "search" else ["--model", MODEL]))
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"no such option: {word}. If it is a word of the query, quote it" in refused.stderr
    assert f"colibri {command} -- {word}" in refused.stderr


@pytest.mark.parametrize("command", ["search", "rerank"])
def test_an_option_of_all_commands_is_told_where_it_stands(command: str) -> None:
    refused = run(command, "-v", "bird")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"-v stands before the command: colibri -v {command}" in refused.stderr


def test_what_it_says_to_type_works(place: str) -> None:
    for words in (["bird -small"], ["--", "bird", "-small"], ["--", "-small", "bird"]):
        found = run("search", "--index", place, "--mode", "words", "--json", *words)
        assert [hit["id"] for hit in json.loads(found.stdout)["results"]] == ["a bird"], words


@pytest.mark.parametrize("few", [["-k1"], ["-k", "1"], ["-k", "01"]])
def test_options_are_still_options(place: str, few: list[str]) -> None:
    found = run("search", "bird", *few, "--index", place, "--json", "--where", "-x=1")
    assert json.loads(found.stdout)["results"] == []
    assert len(json.loads(run("search", "bird", *few, "--index", place, "--json").stdout)["results"]) == 1
    assert run("search", "-h").stdout.startswith("Usage:")
    assert run("search", "--no-such", "bird").exit_code == 2


def test_a_lone_minus_is_a_word_and_documents_of_rerank_come_from_stdin_by_it(place: str, tmp_path: Path) -> None:
    assert run("search", "bird", "-", "--index", place).exit_code == 0
    ranked = CliRunner().invoke(group, ["rerank", "bird", "-", "--model", MODEL], input="a bird\nbread\n")
    assert len(ranked.stdout.splitlines()) == 2


@pytest.mark.parametrize("mode", ["both", "words"])
def test_a_query_that_only_excludes_is_told_so(place: str, mode: str) -> None:
    for words in (["--", "-small"], ["--", '-"small bird"', "-bread"]):
        said = run("search", "--index", place, "--mode", mode, *words)
        assert (said.exit_code, said.stdout) == (0, "")
        assert said.stderr == "nothing found: the query says only what must not be there; add a word to look for\n"
    assert run("search", "--index", place, "--mode", mode, '"" ').stderr == (
        "nothing found: the query holds no word to look for\n"
    )


@pytest.mark.parametrize("mode", ["both", "words"])
def test_a_phrase_that_stands_nowhere_is_told_so(place: str, mode: str) -> None:
    here = ("search", "--index", place, "--mode", mode)
    assert run(*here, '"no such phrase"').stderr == (
        "nothing found: no document has all that stands in quotation marks\n"
    )
    assert run(*here, '"a small bird"', "--where", "id=nobody").stderr == (
        "nothing found: no document that the filters leave has all that stands in quotation marks\n"
    )


def test_a_phrase_is_not_what_a_search_by_meaning_lacks(place: str) -> None:
    said = run("search", "--index", place, "--mode", "meaning", '"no such phrase"', "--where", "id=nobody")
    assert said.stderr == "nothing found: the filters leave no document\n"


def test_what_stands_somewhere_is_not_said_to_stand_nowhere(place: str) -> None:
    here = ("search", "--index", place)
    assert run(*here, "--", '"a small bird"', "-bird").stderr == (
        "nothing found: no document has all that stands in quotation marks without what a minus excludes\n"
    )
    assert run(*here, "--mode", "words", "--", "bird", "-a").stderr == (
        "nothing found: no document has a word of the query without what a minus excludes\n"
    )


def test_a_minus_that_leaves_nothing_is_told_so(place: str) -> None:
    assert run("search", "--index", place, "--", "bird", "-a", "-bread").stderr == (
        "nothing found: what a minus excludes stands in every document\n"
    )


def test_an_index_of_no_documents_is_told_from_a_miss(tmp_path: Path) -> None:
    Index.open(tmp_path / "i", MODEL).close()
    assert run("search", "--index", str(tmp_path / "i"), "bird").stderr.endswith(
        "nothing found: the index holds no documents yet\n"
    )
    assert run("search", "--index", str(tmp_path / "i"), "bird", "--where", "id=x").stderr.endswith(
        "nothing found: the index holds no documents yet\n"
    )


def test_filters_that_leave_nothing_are_told_from_a_miss(place: str) -> None:
    here = ("search", "--index", place, "--where", "id=nobody")
    assert run(*here, "bird").stderr == "nothing found: the filters leave no document\n"
    assert run(*here, "bird", "--mode", "words").stderr == (
        "nothing found: no document that the filters leave has a word of the query\n"
    )
