"""Tables in any dialect of CSV: cells as the module csv reads them, with the lines they stand in."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.tables import Dialect, cells_of, dialect_of, table
from colibri.files.source import Source
from colibri.files.text import Part, Passed

CASES = Path(__file__).parent.parent / "cases" / "rows"


def read(data: str | bytes, text_field: str | None = None, id_field: str | None = None) -> list[Part | Passed]:
    data = data.encode() if isinstance(data, str) else data
    return list(table(Source(name="a.csv", data=data), text_field, id_field))


def rows(found: list[Part | Passed]) -> list[tuple[int | None, str, dict[str, object]]]:
    return [(one.line, one.content.text, one.fields) for one in found if isinstance(one, Part)]


def test_semicolons_are_seen_whatever_the_name() -> None:
    found = read((CASES / "semicolons.csv").read_bytes(), text_field="text")
    assert rows(found) == [
        (2, "boil vinegar, then rinse", {"name": "kettle"}),
        (3, "change the fuse", {"name": "lamp"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_quoted_cells_keep_delimiters_quotes_and_line_ends(delimiter: str) -> None:
    data = 'id|text\n1|"one ""big"" | ; , \t cat\n\nsleeps"\n2|dog\n'.replace("|", delimiter, 1)
    data = data.replace("\n1|", f"\n1{delimiter}").replace("\n2|", f"\n2{delimiter}")
    assert rows(read(data)) == [
        (2, 'one "big" | ; , \t cat\n\nsleeps', {"id": "1"}),
        (5, "dog", {"id": "2"}),
    ]


def test_decimal_commas_do_not_make_columns() -> None:
    assert dialect_of("name;price;weight\nkettle;1,50;2,5\nlamp;3,00;1,2\n") == Dialect(";")


def test_excels_first_line_says_the_delimiter() -> None:
    assert rows(read("sep=;\r\nname;text\r\na;b, c, d\r\n")) == [(3, "b, c, d", {"name": "a"})]


def test_a_field_of_megabytes_and_the_limit_of_the_process_stays() -> None:
    limit = csv.field_size_limit()
    ((line, text, fields),) = rows(read(f'name,text\nlong,"{"word, " * 500_000}"\n'))
    assert (line, len(text), fields) == (2, 3_000_000, {"name": "long"})
    assert csv.field_size_limit() == limit


def test_columns_of_one_name_and_of_none_are_all_kept() -> None:
    ((_, text, fields),) = rows(read("name,text,name,,name_2,\na,b,c,d,e,f\n"))
    assert text == "b"
    assert fields == {"name": "a", "name_2": "c", "column 4": "d", "name_2_2": "e", "column 6": "f"}


def test_longer_and_shorter_rows() -> None:
    found = read("name,more,text\na,x,b,c,d\ne,f\n,,\n\ng,h,i\n", text_field="text")
    assert rows(found) == [
        (2, "b", {"name": "a", "more": "x", "more_2": ["c", "d"]}),
        (6, "i", {"name": "g", "more": "h"}),
    ]
    assert [one for one in found if isinstance(one, Passed)] == [
        Passed(name="line 3", why="no field 'text'; there is name, more")
    ]


def test_without_a_field_of_text_all_cells_are() -> None:
    assert rows(read("a\tb\nx\t\ny\tz\n")) == [(2, "x", {"a": "x", "b": ""}), (3, "y\nz", {"a": "y", "b": "z"})]


def test_a_table_without_names_loses_no_row() -> None:
    found = read("1,kettle,9.50\n2,lamp,3\n")
    assert rows(found)[0] == (1, "1\nkettle\n9.50", {"column 1": "1", "column 2": "kettle", "column 3": "9.50"})
    assert len(found) == 2


def test_years_name_columns() -> None:
    assert rows(read("place,2019,2020\nOslo,3,4\n"))[0][2] == {"place": "Oslo", "2019": "3", "2020": "4"}


def test_lines_above_the_names_are_said() -> None:
    found = read("Account of May\n\ndate;text;sum\n1.5.;rent;900\n2.5.;bread;3\n")
    assert found[0] == Passed(name="line 1", why="stands above the names of the columns: 'Account of May'")
    assert rows(found) == [(4, "rent", {"date": "1.5.", "sum": "900"}), (5, "bread", {"date": "2.5.", "sum": "3"})]


def test_one_column_is_not_split() -> None:
    assert [text for _, text, _ in rows(read('text\nhello, world\nfoo, bar, "baz"\n'))] == [
        "hello, world",
        'foo, bar, "baz"',
    ]


def test_prose_without_names_is_a_row_a_line() -> None:
    found = rows(read("A line, of text.\nAnother.\nAnd, well, a third; with more.\nfin\n"))
    assert [line for line, _, _ in found] == [2, 3, 4]


def test_a_stray_quote_costs_no_other_row() -> None:
    found = rows(read('size,text\n"5 inch,pipe\n6" inch,"tall" tree\n7,last\n'))
    assert [(line, text, fields["size"]) for line, text, fields in found] == [
        (2, "pipe", '"5 inch'),
        (3, "tall tree", '6" inch'),
        (4, "last", "7"),
    ]


def test_quotes_behind_backslashes_and_single_quotes() -> None:
    assert rows(read('a,text\n1,"say \\"no\\", twice"\n2,"x, y"\n'))[0][1] == 'say "no", twice'
    assert rows(read("'a','text'\n'1','it''s, so'\n"))[0] == (2, "it's, so", {"a": "1"})
    assert rows(read('a,text\n1,"C:\\"\n2,"D:\\"\n'))[0][1] == "C:\\"


def test_ids_of_rows() -> None:
    found = read("id,text\na,one\nb,two\na,three\n,four\n", id_field="id")
    assert [(one.name, one.line) for one in found if isinstance(one, Part)] == [("b", 3), ("a", 4)]
    assert [one.name for one in found if isinstance(one, Passed)] == ["line 2", "line 5"]


def test_old_line_ends_and_wide_characters() -> None:
    assert rows(read("a,text\r1,x\r2,y\r")) == [(2, "x", {"a": "1"}), (3, "y", {"a": "2"})]
    assert rows(read("a\ttext\r\n1\tß\r\n".encode("utf-16"))) == [(2, "ß", {"a": "1"})]


def test_no_rows() -> None:
    assert [read(data) for data in ("", "\n\n", "sep=;\n")] == [[], [], []]
    said = "no rows below the names of the columns: 'Nothing but a note, in one line.'"
    assert read("Nothing but a note, in one line.\n") == [Passed(name="line 1", why=said)]
    assert read("sep=;\na;b\n") == [Passed(name="line 2", why="no rows below the names of the columns: 'a, b'")]


DIALECTS = [
    {"delimiter": delimiter, "quoting": quoting, "lineterminator": end}
    for delimiter in ",;\t|"
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)
    for end in ("\n", "\r\n")
]
CELL = st.text("ab ,;\t|\"'\n\r\\ß1", max_size=8).map(lambda cell: cell.replace("\r", "\r\n"))  # "\r" goes unquoted


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=6), st.sampled_from(DIALECTS))
def test_what_the_module_csv_writes_comes_back(cells: list[list[str]], dialect: dict[str, str]) -> None:
    out = io.StringIO(newline="")
    written = [["id", "name", "text"], *cells]
    csv.writer(out, **dialect).writerows(written)  # type: ignore[arg-type]
    found = dialect_of(out.getvalue())
    assert found.delimiter == dialect["delimiter"]
    assert [row for _, row in cells_of(out.getvalue(), Dialect(found.delimiter))] == written
    lines = out.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line, row in cells_of(out.getvalue(), found):
        first = row[0].replace("\r\n", "\n").replace("\r", "\n").split("\n")[0].replace('"', '""')
        assert lines[line - 1].removeprefix('"').startswith(first)


@given(st.text('ab,;"\n\\', max_size=60))
def test_any_text_is_cells(data: str) -> None:
    for found in read(data):
        assert isinstance(found, Part | Passed)
    joined = "".join(cell for _, row in cells_of(data, Dialect(",")) for cell in row)
    assert all(joined.count(letter) == data.count(letter) for letter in "ab;")


def test_many_columns_of_one_name_take_no_long_time() -> None:
    (row,) = rows(read('"a",' * 30_000 + "text\n" + "1," * 30_000 + "x\n"))
    assert (row[1], len(row[2])) == ("x", 30_000)
