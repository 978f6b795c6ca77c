"""Every option of `colibri serve` by its variable: the same value, the command line first, and errors that name it."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from colibri.cli import group
from colibri.cli.serve import serve
from colibri.cli.variables import FromEnvironment, Words, variable_of
from colibri.server import add_key
from live_server import BERT, XLMR, LiveServer
from reference import ARTEFACTS

assert isinstance(serve, FromEnvironment)
OPTIONS = {variable_of("serve", one): one for one in serve.params if isinstance(one, click.Option)}
FLAGS = [name for name, option in OPTIONS.items() if option.is_flag]
TYPED = [name for name, option in OPTIONS.items() if isinstance(option.type, click.IntRange | click.Choice)]


def example(option: click.Option) -> tuple[str, list[str]]:
    """A value that is not the default, as a variable has it and as the command line has it."""
    word = option.opts[0]
    if option.is_flag:
        return "yes", [word]
    if option.multiple:
        return "one, 'the other' C:\\three", [word, "one", word, "the other", word, "C:\\three"]
    if isinstance(option.type, click.Choice):
        return option.type.choices[-1], [word, option.type.choices[-1]]
    return "7", [word, "7"]


def values(*words: str) -> dict[str, Any]:
    """What the command would be called with."""
    return serve.make_context("serve", list(words)).params


def run(*words: str) -> Result:
    return CliRunner().invoke(group, ["serve", *words])


@pytest.fixture(autouse=True)
def none_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OPTIONS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_variable_is_as_its_option(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said, words = example(OPTIONS[name])
    by_option = values(*words)
    assert by_option != values()
    monkeypatch.setenv(name, said)
    assert values() == by_option


@pytest.mark.parametrize("name", OPTIONS)
def test_the_command_line_wins_and_an_empty_variable_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, (_, words) = values(), example(OPTIONS[name])
    by_option = values(*words)
    monkeypatch.setenv(name, "")
    assert values() == plain
    monkeypatch.setenv(name, "0" if name in FLAGS else "auto" if "PROVIDER" in name else "8")
    assert values(*words) == by_option


@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_can_be_said_either_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    option = OPTIONS[name]
    for said, on in {"1": True, "true": True, "ON": True, "0": False, "no": False, "off": False}.items():
        monkeypatch.setenv(name, said)
        assert values()[str(option.name)] is on
    monkeypatch.setenv(name, "1")
    assert values(option.secondary_opts[0])[str(option.name)] is False


@pytest.mark.parametrize("name", [*FLAGS, *TYPED])
def test_a_value_that_cannot_be_is_blamed_on_the_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "abacus")
    done = run()
    assert done.exit_code == 2
    assert f"the variable {name}" in done.stderr
    assert "abacus" in done.stderr
    (line,) = done.stderr.splitlines()
    found = json.loads(line)  # of whoever reads the log of a service
    assert (found["level"], f"the variable {name}" in found["message"]) == ("error", True)
    if name in TYPED:  # the same from the command line is not
        monkeypatch.delenv(name)
        done = run(OPTIONS[name].opts[0], "abacus")
        assert "variable" not in done.stderr
        assert done.stderr.startswith("Usage:")


@pytest.mark.parametrize("name", ["COLIBRI_SERVE_COLLECTION", "COLIBRI_SERVE_URL"])
def test_what_is_of_a_store_is_refused_without_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_URL", "http://127.0.0.1:1")  # of the user's other programs
    monkeypatch.setenv(name, "notes")
    done = run()
    assert done.exit_code == 1
    assert f"{name} is of a Qdrant server: give --store qdrant" in done.stderr


def test_a_list_whose_quote_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLIBRI_SERVE_ARTEFACT", "'a b")
    (line,) = run().stderr.splitlines()
    assert 'the variable COLIBRI_SERVE_ARTEFACT: "\'a b" has a quote' in json.loads(line)["message"]


@given(st.lists(st.text(st.characters(exclude_characters='"\0', codec="utf-8")), max_size=5), st.sampled_from(", \t\n"))
def test_any_names_can_be_a_list(names: list[str], between: str) -> None:
    assert Words().split_envvar_value(between.join(f'"{name}"' for name in names)) == tuple(names)


def test_help_shows_every_variable() -> None:
    context = click.Context(serve, max_content_width=200, terminal_width=200, **group.context_settings)
    text = " ".join(serve.get_help(context).split())
    assert [name for name in OPTIONS if f"env var: {name}" not in text] == []


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8080", "udp://[fd00::1]:80"])
def test_what_kubernetes_sets_for_a_service_is_told_from_a_port(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLIBRI_SERVE_PORT", address)
    done = run()
    assert done.exit_code == 2
    assert "enableServiceLinks: false" in done.stderr


def test_a_key_in_place_of_its_file_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = add_key(tmp_path / "keys.json", "laptop")
    monkeypatch.setenv("COLIBRI_SERVE_KEYS_FILE", key)
    done = run()
    assert done.exit_code == 2
    assert "the variable COLIBRI_SERVE_KEYS_FILE: this is a key itself" in done.stderr
    assert key not in done.output
    monkeypatch.delenv("COLIBRI_SERVE_KEYS_FILE")
    assert key not in run("--keys-file", key).output


def test_variables_that_are_none_of_ours_are_told_by_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLIBRI_SERVE_KEYFILE", "COLIBRI_HOST", "COLIBRI_SERVE_QUEU"):
        monkeypatch.setenv(name, "secret")
    for name in ("PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR", "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP"):
        monkeypatch.setenv(f"COLIBRI_{name}", "x")  # of Kubernetes, for a Service called colibri
    told = list(serve.strangers())
    assert [line.split()[0] for line in told] == ["COLIBRI_HOST", "COLIBRI_SERVE_KEYFILE", "COLIBRI_SERVE_QUEU"]
    assert told[1].endswith("COLIBRI_SERVE_KEYS_FILE is")
    assert told[2].endswith("COLIBRI_SERVE_QUEUE is")
    assert not any("secret" in line for line in told)


def test_a_server_by_variables_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.json", "laptop")
    environment = {
        "ARTEFACT": f'"{ARTEFACTS / XLMR}", "{ARTEFACTS / BERT}"',
        "ALIAS": f"jina={XLMR} other={BERT}",
        "KEYS_FILE": str(tmp_path / "keys.json"),
        "MAX_TEXTS": "2",
        "NORMALISE_SCORES": "1",
        "PORT": "1",  # the test's own --port 0 comes first
        "QUEU": "9",
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"COLIBRI_SERVE_{name}", value)
    with LiveServer(log=tmp_path / "log", artefacts=()) as running:
        headers = {"Authorization": f"Bearer {key}"}
        assert running.call("/v1/models").status == 401
        for model in ("jina", "other"):
            asked = {"model": model, "query": "a", "documents": ["b", "c"]}
            answer = running.call("/v1/rerank", asked, headers=headers)
            assert answer.status == 200
            assert all(abs(one["relevance_score"]) <= 1 for one in answer.json["results"])
        many = {"model": "jina", "input": ["a", "b", "c"]}
        assert running.call("/v1/multi-vector", many, headers=headers).status == 422
        assert running.stop() == 0
    lines = (tmp_path / "log").read_text(encoding="utf-8")
    assert key not in lines
    told = [line["variables"] for line in map(json.loads, lines.splitlines()) if "variables" in line]
    assert told == [
        [f"COLIBRI_SERVE_{name}" for name in ("ARTEFACT", "ALIAS", "KEYS_FILE", "MAX_TEXTS", "NORMALISE_SCORES")]
    ]
    assert "COLIBRI_SERVE_QUEU is set" in lines
