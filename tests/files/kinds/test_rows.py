"""Rows of JSON: what is right is read, and what is not is named with its line and costs itself alone."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.rows import holds_rows, rows
from colibri.files.source import Source
from colibri.files.text import Part, Passed, Place, Unreadable

CASES = Path(__file__).parent.parent / "cases" / "rows"


def read(data: str | bytes, text_field: str | None = None, id_field: str | None = None) -> list[Part | Passed]:
    data = data.encode() if isinstance(data, str) else data
    return list(rows(Source(name="a.jsonl", data=data), text_field, id_field))


def texts(found: list[Part | Passed]) -> list[tuple[int | None, str]]:
    return [(one.line, one.content.text) for one in found if isinstance(one, Part)]


def passed(found: list[Part | Passed]) -> list[str]:
    return [f"{one.name}: {one.why}" for one in found if isinstance(one, Passed)]


def case(name: str) -> bytes:
    return (CASES / name).read_bytes()


def test_a_row_with_null_for_its_text_is_passed_over() -> None:
    found = read(case("null_text.jsonl"))
    assert texts(found) == [(1, "first row about cats"), (3, "third row about dogs")]
    assert passed(found) == ["line 2: no text in field 'text': found null"]


def test_a_row_with_no_number_is_passed_over() -> None:
    found = read(case("not_a_number.jsonl"))
    assert texts(found) == [(2, "a lamp that glows")]
    assert passed(found) == ["line 1: holds NaN, Infinity or a number beyond what a float holds"]


def test_of_two_rows_of_one_id_the_last_stays_and_both_lines_are_said() -> None:
    found = read(case("two_of_one_id.jsonl"), id_field="id")
    assert [(one.name, one.line, one.content.text) for one in found if isinstance(one, Part)] == [("1", 2, "two dogs")]
    assert passed(found) == ["line 1: its id '1' stands again in line 2, which is kept"]


def test_a_number_and_its_digits_are_one_id() -> None:
    found = read('{"id": 7, "text": "a"}\n{"id": "7", "text": "b"}\n{"id": 7.5, "text": "c"}', id_field="id")
    assert [(one.name, one.line) for one in found if isinstance(one, Part)] == [("7", 2), ("7.5", 3)]


@pytest.mark.parametrize("found", ["null", "true", '""', '{"a": 1}', '"\\ud800"', f'"{"x" * 3_000}"'])
def test_a_row_without_an_id_that_can_be_one_is_passed_over(found: str) -> None:
    read_rows = read(f'{{"id": {found}, "text": "a"}}\n{{"text": "b"}}\n{{"id": 3, "text": "c"}}', id_field="id")
    assert texts(read_rows) == [(3, "c")]
    first, second = passed(read_rows)
    assert first.startswith("line 1: no id in field 'id'")
    assert second == "line 2: no field 'id'; there is text"


def test_a_chat_is_read_with_its_roles_and_places() -> None:
    (row,) = read(case("chat.jsonl"))
    assert isinstance(row, Part)
    assert row.content.text == "user: how do I descale the kettle\n\nassistant: boil vinegar, then rinse twice"
    assert row.content.places == (Place(0, "message 1"), Place(35, "message 2"))
    assert row.fields == {}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            {"conversations": [{"from": "human", "value": "why"}, {"from": "gpt", "value": "so"}]},
            "human: why\n\ngpt: so",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image_url"}]}]},
            "user: see",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "input_text", "text": "a"}, "b"]}]}, "user: a\nb"),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}],
                    },
                    {
                        "role": "tool",
                        "content": [{"type": "tool_result", "content": [{"type": "text", "text": "9 C"}]}],
                    },
                ]
            },
            "assistant: f {}\n\ntool: 9 C",
        ),
        (
            {"messages": [{"role": "a", "content": [{"type": "tool_use", "name": "g", "input": {"x": 1}}]}]},
            'a: g {"x": 1}',
        ),
        ({"prompt": "how", "completion": " so"}, "how\n so"),
        ({"chosen": [{"role": "u", "content": "y"}], "rejected": [{"role": "u", "content": "n"}]}, "u: y\nu: n"),
        ({"question": {"en": "why", "de": ["warum", "wieso"]}, "n": 3}, "why\nwarum\nwieso"),
        ({"messages": ["no", "chat"]}, "no\nchat"),
    ],
)
def test_rows_without_a_field_of_text(row: dict[str, object], text: str) -> None:
    assert texts(read(json.dumps(row))) == [(1, text)]


def test_pictures_of_a_chat_are_counted() -> None:
    (row,) = read('{"messages": [{"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "x"}]}]}')
    assert isinstance(row, Part)
    assert row.content.remarks == ("1 part of a message is no text",)


def test_own_fields_named_like_ours_survive() -> None:
    (row,) = read('{"file": 1, "line": 2, "path": "p", "title": "t", "name": "n", "body": "b"}', text_field="body")
    assert isinstance(row, Part)
    assert row.fields == {"file": 1, "line": 2, "path": "p", "title": "t", "name": "n"}
    assert (row.content.title, row.name, row.line) == ("t", "1", 1)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("null", "null, wanted an object"),
        ("[1]", "an array, wanted an object"),
        ('"text"', "a string, wanted an object"),
        ("3", "a number, wanted an object"),
        ("{", "not JSON"),
        ("{'text': 'x'}", "not JSON"),
        ('{"text": "x"} {"text": "y"}', "not JSON"),
        ('{"text": "x", "deep": [[{"a": [-Infinity]}]]}', "holds NaN"),
        ('{"text": "x", "large": 1e999}', "holds NaN"),
        ('{"text": "x", "deep": ' + "[" * 101 + "]" * 101 + "}", "nested more than 100"),
        ('{"text": "x", "deep": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested more than 100"),
        ('{"title": "x"}', "no field 'text'; there is title"),
        ('{"text": 3}', "no text in field 'text': found a number"),
        ('{"text": [{"role": "user"}]}', "no text in field 'text': found an array"),
        ('{"text": " "}', "field 'text' is empty"),
    ],
)
def test_a_bad_row_costs_itself_alone(row: str, why: str) -> None:
    found = read(f'{{"text": "before"}}\n{row}\n{{"text": "after"}}\n', text_field="text")
    assert texts(found) == [(1, "before"), (3, "after")]
    (said,) = passed(found)
    assert said.startswith("line 2: ")
    assert why in said


def test_a_hundred_levels_are_read() -> None:
    assert len(texts(read('{"text": "x", "deep": ' + "[" * 99 + "]" * 99 + "}"))) == 1


def test_large_integers_are_kept_as_their_digits() -> None:
    large = ["9223372036854775807", "18446744073709551616", "-9223372036854775809", "7" * 5_000]
    (row,) = read(f'{{"text": "x", "n": [{", ".join(large)}]}}')
    assert isinstance(row, Part)
    assert row.fields == {"n": [int(large[0]), *large[1:]]}


def test_a_field_given_twice_is_said() -> None:
    (row,) = read('{"text": "a", "text": "b", "x": {"y": 1, "y": 2}}')
    assert isinstance(row, Part)
    assert row.content.text == "b"
    assert sorted(row.content.remarks) == [
        "field 'text' stands twice in one object; the last is kept",
        "field 'y' stands twice in one object; the last is kept",
    ]


ARRAY = """
[
  {"text": "one",
   "n": 1},
  {"text": "two ] } \\" ,"}, 7,
  {"text": "bad" "x"},
  {"text": "NaN", "n": NaN}
  , {"text": "five"}
]
"""


def test_an_array_is_rows_with_their_lines() -> None:
    found = read(ARRAY)
    assert texts(found) == [(3, "one"), (5, 'two ] } " ,'), (8, "five")]
    assert [said.split(":")[0] for said in passed(found)] == ["line 5", "line 6", "line 7"]


def test_rows_that_begin_in_one_line_have_names_of_their_own() -> None:
    data = '[{"text":"a"},7,{"text":"b"},\n{"text":"c"},{"text":"d"}]'
    found = [part for part in read(data) if isinstance(part, Part)]
    assert [(part.name, part.line, part.content.text) for part in found] == [
        ("1", 1, "a"),
        ("1.2", 1, "b"),
        ("2", 2, "c"),
        ("2.2", 2, "d"),
    ]


@pytest.mark.parametrize(
    ("data", "wanted", "why"),
    [
        ('[{"text": "a"}, {"text": "b', ["a"], "nothing after it is read"),
        ('[{"text": "a"}, ', ["a"], "the file ends within its array"),
        ('[{"text": "a"}]\n]', ["a"], "what follows is not read"),
        ('[{"text": "a"}}, {"text": "b"}]', ["a"], "nothing after it is read"),
    ],
)
def test_of_a_damaged_array_what_stands_before_is_read(data: str, wanted: list[str], why: str) -> None:
    found = read(data)
    assert [text for _, text in texts(found)] == wanted
    assert why in passed(found)[-1]


def test_arrays_one_after_another() -> None:
    assert texts(read('[{"text": "a"}]\n[{"text": "b"},\n{"text": "c"}]\n')) == [(1, "a"), (2, "b"), (3, "c")]
    assert [said.split(":")[0] for said in passed(read("[1]\n[2]"))] == ["line 1", "line 2"]


def test_objects_over_several_lines_one_after_another() -> None:
    found = read('{\n "text": "a"\n}\n{\n "text": "b"\n}\n')
    assert texts(found) == [(1, "a"), (4, "b")]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", "\n\x1e"])
def test_marks_blank_lines_and_line_ends(mark: str, end: str) -> None:
    found = read(mark + end.join(['{"text": "a"}', '{"text": "b\\u2028\u2028"}', ""]))
    assert [text for _, text in texts(found)] == ["a", "b\u2028\u2028"]
    assert not passed(found)


def test_rows_in_utf_16() -> None:
    assert texts(read('{"text": "ß"}\n{"text": "я"}'.encode("utf-16"))) == [(1, "ß"), (2, "я")]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ('[{"a": 1}]', True),
        (" [\n {", True),
        ("[1, 2]", False),
        ('{"a": 1}', False),
        ('{\n"a": 1\n}', False),
        ('{"a": 1}\n{"a": 2}', True),
        ("", False),
    ],
)
def test_whether_a_file_of_json_holds_rows(data: str, wanted: bool) -> None:
    assert holds_rows(Source(name="a.json", data=data.encode())) is wanted


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(), values, max_size=4),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=6), st.sampled_from([None, 0, 3]))
def test_any_rows_come_back_from_lines_and_from_an_array(found: list[dict[str, object]], indent: int | None) -> None:
    wanted = [{**fields, "text": f"row {number}"} for number, fields in enumerate(found)]
    lines = "\n".join(json.dumps(fields) for fields in wanted)
    array = json.dumps(wanted, indent=indent, ensure_ascii=False)
    for data in (lines, array):
        back = read(data.encode("utf-8", "surrogatepass") if data.isascii() else json.dumps(wanted, indent=indent))
        assert [{**row.fields, "text": row.content.text} for row in back if isinstance(row, Part)] == wanted
        assert len({row.name for row in back}) == len(back) == len(wanted)


@given(st.binary(max_size=200) | st.text('[]{}":,\\ \n1a', max_size=60).map(str.encode))
def test_any_bytes_give_rows_or_reasons(data: bytes) -> None:
    for field in (None, "id"):
        found: list[Part | Passed] = []
        with contextlib.suppress(Unreadable):  # binary data
            found = read(data, id_field=field)
        assert all(isinstance(one, Part | Passed) for one in found)


def test_a_row_with_too_much_beside_its_text_is_passed_over() -> None:
    found = read(json.dumps({"text": "a", "large": "x" * (16 << 20)}) + '\n{"text": "b"}')
    assert texts(found) == [(2, "b")]
    assert passed(found) == ["line 1: has more than 15 MB beside its text"]


def test_many_fields_of_one_name_and_many_bad_rows_take_no_long_time() -> None:
    (row,) = read('{"text": "x"' + ', "a": 1' * 100_000 + "}")
    assert isinstance(row, Part)
    assert len(row.content.remarks) == 1
    assert len(passed(read("[" + "{1},\n" * 20_000 + "]"))) == 20_000
