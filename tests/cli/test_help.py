"""Help in groups, and what somebody may have meant by a command, an option or a field that there is not."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from colibri import Index
from colibri.cli import group
from colibri.cli.fields import _asked, unknown_fields
from colibri.own import nearest


def run(*words: str, code: int = 0) -> Result:
    done = CliRunner().invoke(group, list(words))
    assert done.exit_code == code, done.output
    return done


def sections(text: str) -> dict[str, list[str]]:
    """Heading -> the first words of its lines that are entries."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][\w', ]*:", line):
            heading = line.rstrip(":")
            found[heading] = []
        elif heading and (entry := re.match(r"  (\S+)", line)):
            found[heading].append(entry[1].rstrip(","))
    return found


def every_command() -> dict[str, click.Command]:
    context, found = click.Context(group), {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": one for inner, one in command.commands.items()}
    return found


COMMANDS = every_command()


def test_index_shows_the_six_options_that_people_need_first() -> None:
    found = sections(run("index", "--help").stdout)
    assert next(iter(found)) == "Options"
    assert found["Options"] == ["--into", "--name", "--glob", "--watch", "--remove", "--stats"]
    assert list(found)[-1] == "Output and help"
    assert len(found) == 6


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_every_command_is_in_its_help_once(name: str) -> None:
    text = run(*name.split(), "--help").stdout.partition("\nOptions:\n")[
        2
    ]  # prose may have a line that begins with one
    shown = re.findall(r"(?m)^  (-[^\n]*?)(?:  |$)", text)
    listed = [word for line in shown for word in re.findall(r"(?:^|[ /])(--?[a-zA-Z][\w-]*)", line)]
    options = [one for one in COMMANDS[name].params if isinstance(one, click.Option) and not one.hidden]
    wanted = [word for one in options for word in (*one.opts, *one.secondary_opts)]
    # click keeps a command's --help as the first context had it, which in other tests may be one without -h.
    assert sorted(set(listed) - {"-h"}) == sorted([*wanted, "--help"])
    assert len(listed) == len(set(listed))


def test_one_thing_has_one_word_in_all_helps() -> None:
    """What stands behind an option: a FILE, a FOLDER, a PATH where it may be either, a NAME."""
    words: dict[str, set[str]] = {}
    for name, command in COMMANDS.items():
        context = click.Context(command, info_name=name)
        for option in command.params:
            if isinstance(option, click.Option) and not option.is_flag and not option.hidden:
                for spelt in option.opts:
                    words.setdefault(spelt, set()).add(option.make_metavar(context))
    several = {spelt for spelt, found in words.items() if len(found) > 1}
    # --kind is of files and of rows, --rows of one command has fewer; the other two take less in one command.
    assert several <= {"--kind", "--rows", "--artefact", "--recipe"}
    assert {word for found in words.values() for word in found} & {"DIRECTORY", "FILENAME"} == set()
    for spelt, wanted in {"--index": "FOLDER", "--name": "NAME", "--keys-file": "FILE", "--remove": "PATH"}.items():
        assert words[spelt] == {wanted}
    for name in ("index", "ui"):
        assert run(name, "--help").stdout.startswith(f"Usage: {group.name} {name} [OPTIONS] [PATH]...\n")


@pytest.mark.parametrize("name", ["search", "ui", "encode", "rerank", "qdrant search"])
def test_options_of_the_model_are_apart(name: str) -> None:
    found = sections(run(*name.split(), "--help").stdout)
    assert found["The model"][:2] == ["--model", "--dim"]
    assert not {"--model", "--threads", "--provider"} & set(found["Options"])
    assert "--help" in found["Options"] or "-h" in found["Options"]


def test_every_command_is_under_a_heading() -> None:
    found = sections(run("--help").stdout)
    commands = [name for heading, names in found.items() if heading != "Options" for name in names if name != "COMMAND"]
    assert sorted(commands) == sorted(group.list_commands(click.Context(group)))
    assert found["Your files"][:3] == ["index", "search", "ui"] or found["Your files"][:3] == [
        "index",
        "search",
        "status",
    ]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("serch", "search"),
        ("Search", "search"),
        ("idnex", "index"),
        ("expotr", "export"),  # of another package's entry point
        ("find", "search"),
        ("ls", "status"),
        ("completions", "completion"),
        ("keys ad", "add"),
        ("qdrant serach", "search"),
        ("index --golb x", "--glob"),
        ("search x --nmae y", "--name"),
        ("serve --prot 1", "--port"),
    ],
)
def test_the_nearest_is_suggested(words: str, meant: str) -> None:
    said = run(*words.split(), code=2).stderr
    assert re.search(rf"(Did you mean|Possible options).*{meant}", said, re.DOTALL), said  # the second: click 8.2


@pytest.mark.parametrize("words", ["zzzzzzz", "keys zzzzzzz"])
def test_where_nothing_is_near_nothing_is_suggested(words: str) -> None:
    said = run(*words.split(), code=2).stderr
    assert "No such command 'zzzzzzz'." in said
    assert "Did you mean" not in said


def test_nearest_knows_case_and_gives_up() -> None:
    assert nearest("PDFF", ["pdf", "docx"]) == "pdf"
    assert nearest("pdf", ["PDF"]) == "PDF"
    assert nearest("xyz", ["pdf"]) is None
    assert nearest("x", []) is None


@pytest.fixture
def place(tmp_path: Path) -> Path:
    vectors = [[1.0, 0.0]]
    with Index.open(tmp_path / "index", dim=2, space_id="mine") as index:
        for number, payload in enumerate([{"lang": "en", "file": {"suffix": "md", "kind": "text"}}, {"year": 1}, None]):
            index.add([{"id": f"{number}", "vectors": vectors, "payload": payload}])
    return tmp_path / "index"


@pytest.mark.parametrize(
    ("where", "unknown"),
    [
        ({"lang": "fr"}, {}),
        ({"year": 2, "file.suffix": "md"}, {}),
        ({"id": "x"}, {}),
        ({"lnag": "en"}, {"lnag": "lang"}),
        ({"file.sufix": "md"}, {"file.sufix": "file.suffix"}),
        ({"sufix": "md"}, {"sufix": "file.suffix"}),
        ({"$or": [{"lang": "x"}, {"$not": {"yaer": 1}}]}, {"yaer": "year"}),
        ({"$and": [{"lang.x": 1}]}, {"lang.x": "lang"}),
        ({"zzzzzz": 1, "file.kindd": 2}, {"zzzzzz": None, "file.kindd": "file.kind"}),
        (None, {}),
        ({}, {}),
    ],
)
def test_fields_that_no_document_has(
    place: Path, where: dict[str, object] | None, unknown: dict[str, str | None]
) -> None:
    assert unknown_fields(place, where, found=False) == unknown
    assert list(unknown_fields(place, where, found=False)) == sorted(unknown)


@pytest.mark.parametrize(
    ("condition", "told"),
    [("x", False), ({"$ne": "x"}, True), ({"$nin": ["x"]}, True), ({"$exists": False}, True), ({"$gt": 1}, False)],
)
def test_where_something_was_found_only_what_a_missing_field_fulfils_is_looked_at(
    place: Path, condition: object, told: bool
) -> None:
    assert bool(unknown_fields(place, {"lnag": condition}, found=True)) is told
    assert bool(unknown_fields(place, {"$not": {"lnag": condition}}, found=True)) is True


def test_names_of_a_filter() -> None:
    assert list(_asked({"a": 1, "$and": [{"b": {"$gt": 1}}, {"$or": [{"c": 2}]}], "$not": {"d": 1}})) == [
        "a",
        "b",
        "c",
        "d",
    ]
