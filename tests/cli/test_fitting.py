"""`--min`, `--all` and "nothing fits well": what is shown, what is said of the rest, and what scripts get."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from colibri import Index
from colibri.cli import fitting, group
from colibri.errors import InputError
from colibri.index import Hit
from cutoff_fixtures import with_cutoffs
from reference import ARTEFACTS

TEXTS = ["a bird", "bread and salt", "a house by the sea"]


def hit(name: str, normalised: float, fit: str | None) -> Hit:
    return Hit(name, normalised * 4, normalised, fit=fit)  # type: ignore[arg-type]


HITS = [hit("a", 0.8, "likely"), hit("b", 0.6, "maybe"), hit("c", 0.4, "unlikely")]
UNKNOWN = [hit("a", 0.8, None), hit("b", 0.2, None)]


def least(value: str | None) -> fitting.Least | None:
    context = click.Context(click.Command("search"))
    return fitting.least_of(context, click.Option(["--min"]), value)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(None, "ab"), ("maybe", "ab"), ("likely", "a"), ("0.5", "ab"), ("0.4", "abc"), ("1", ""), ("-1", "abc")],
)
def test_what_is_shown(given: str | None, wanted: str) -> None:
    found = fitting.shown(HITS, least(given), query="x", everything=False)
    assert "".join(one.id for one in found) == wanted
    assert fitting.shown(HITS, least(given), query="x", everything=True) == HITS


@pytest.mark.parametrize("value", ["", "unlikely", "often", "nan", "inf", "Likely"])
def test_what_is_no_least_is_refused(value: str) -> None:
    with pytest.raises(click.BadParameter, match="wanted likely, maybe, or a number"):
        least(value)


def test_without_cutoffs_all_is_shown_and_words_are_refused() -> None:
    assert fitting.shown(UNKNOWN, None, query="x", everything=False) == UNKNOWN
    assert [one.id for one in fitting.shown(UNKNOWN, 0.5, query="x", everything=False)] == ["a"]
    with pytest.raises(InputError, match="--min maybe: these hits have none"):
        fitting.shown(UNKNOWN, "maybe", query="x", everything=False)


def test_what_is_left_out_is_said() -> None:
    assert fitting.left_out(3, HITS, None) is None
    assert fitting.left_out(0, [], None) is None
    assert fitting.left_out(2, HITS, None) == "1 more fits less; --all shows it"
    assert fitting.left_out(1, HITS, None) == "2 more fit less; --all shows them"
    said = fitting.left_out(0, HITS, "likely")
    assert said == "nothing fits well (--min likely): the best has 0.800; --all shows what came nearest"


def run(*words: str) -> Result:
    return CliRunner().invoke(group, list(words))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a model that calls nothing a fit."""
    base = tmp_path_factory.mktemp("fitting")
    model = with_cutoffs(base / "model", 2.0, 1.5)
    with Index.open(base / "index", model) as index:
        index.add([{"id": text, "text": text} for text in TEXTS])
    return base / "index"


def test_a_miss_looks_like_a_miss(place: Path) -> None:
    found = run("search", "the whale dives", "--index", str(place))
    assert found.exit_code == 0
    assert found.stdout == ""
    assert "nothing fits well: the best has " in found.stderr
    assert found.stderr.endswith("; --mode words looks for the words alone\n")
    assert "--mode" not in run("search", "the whale dives", "--index", str(place), "--mode", "meaning").stderr
    everything = run("search", "the whale dives", "--index", str(place), "--all")
    assert everything.stdout.count(" unlikely  ") == 3
    assert everything.stderr == ""


def test_what_holds_every_word_of_the_query_is_no_stranger(place: Path) -> None:
    """Whoever types a name or a code has found it, whatever it scores."""
    found = run("search", "Salt bread", "--index", str(place))
    assert "1. " in found.stdout
    assert "unlikely  bread and salt" in found.stdout
    assert "a house" not in found.stdout
    assert "2 more fit less; --all shows them" in found.stderr


@pytest.mark.parametrize("query", ["strasse lodz", "LÓDZ", "straße -sea", '"nach lodz"', "機械学習"])
def test_words_are_the_same_whatever_their_accents_and_what_is_excluded_is_not_wanted(
    query: str, place: Path, tmp_path: Path
) -> None:
    text = "Die Straße nach Łódź; 機械学習"
    with Index.open(tmp_path / "index", place.parent / "model") as index:
        index.add([{"id": "a", "text": text}, *({"id": one, "text": one} for one in TEXTS)])
    found = run("search", query, "--index", str(tmp_path / "index"))
    assert "unlikely  a\n" in found.stdout, found.output
    assert "bread" not in found.stdout


def test_scripts_get_every_result_with_its_fit(place: Path) -> None:
    results = json.loads(run("search", "a bird", "--index", str(place), "--json").stdout)["results"]
    assert [one["fit"] for one in results] == ["unlikely"] * 3
    few = json.loads(run("search", "a bird", "--index", str(place), "--json", "--min", "maybe").stdout)["results"]
    assert few == []
    assert run("search", "a bird", "--index", str(place), "--min", "often").exit_code == 2


def test_rerank_says_it_too(place: Path) -> None:
    model = str(place.parent / "model")
    found = json.loads(run("rerank", "a bird", *TEXTS, "--model", model, "--json").stdout)["results"]
    assert [one["fit"] for one in found] == ["unlikely"] * 3
    assert run("rerank", "a bird", *TEXTS, "--model", model).stderr == "nothing fits well\n"
    plain = str(ARTEFACTS / "tiny-random-bert")
    assert run("rerank", "a bird", *TEXTS, "--model", plain).stderr == ""


def test_an_empty_query_gets_nothing_from_either_command(place: Path) -> None:
    model = str(place.parent / "model")
    for words in (["search", " ", "--index", str(place)], ["rerank", " ", *TEXTS, "--model", model]):
        said = run(*words)
        assert (said.exit_code, said.stdout, said.stderr.partition(":")[0].strip()) == (0, "", "nothing found"), words
        assert json.loads(run(*words, "--json").stdout)["results"] == []


def test_all_of_them_and_only_the_best_of_them_is_refused(place: Path) -> None:
    for least in ("likely", "0.7"):
        for rest in ([], ["--json"]):
            refused = run("search", "a bird", "--index", str(place), "--all", "--min", least, *rest)
            assert (refused.exit_code, refused.stdout) == (2, "")
            assert f"--min {least} leaves it out: give one of them" in refused.stderr


def test_info_shows_cutoffs_or_that_there_are_none(place: Path) -> None:
    said = run("info", str(place.parent / "model")).stdout
    assert "0.01: 1.5 (maybe)  0.001: 2 (likely)  balanced: 1.5" in said
    assert "cutoffs       none measured" in run("info", str(ARTEFACTS / "tiny-random-bert")).stdout
