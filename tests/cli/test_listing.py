"""Results fit the terminal, say which lines they show, and move no cursor."""

import unicodedata

import pytest
from click import unstyle
from hypothesis import given
from hypothesis import strategies as st

from colibri.cli.links import linked, takes_links
from colibri.cli.listing import listing, snippet_lines
from colibri.cli.width import cells, columns_of, wrapped
from colibri.explain import Match, Span
from colibri.index import Hit, PassageHit


def width_of(text: str) -> int:
    """By the definition of East Asian widths."""
    seen = [c for c in text if unicodedata.category(c) not in {"Mn", "Me", "Cf"}]
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in seen)


def hit(text: str, word: str = "", begin: int = 0, **file: object) -> Hit:
    at = text.index(word) if word else 0
    why = (Match(Span(0, 1), Span(at, at + len(word)), 0.9, 0.9),) if word else ()
    facts = {"path": "/notes/a.md", "verbatim": True, **file}
    return Hit("/notes/a.md", 0.9, 0.9, text, {"file": facts}, (PassageHit(begin, len(text), 0.9, why),))


def shown(found: Hit) -> list[str]:
    """The lines below the first, which names the file."""
    return [unstyle(line) for line in listing([found])[1:]]


@pytest.fixture(autouse=True)
def of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_HYPERLINK", "0")


TEXTS = {
    "prose": "The keeper of the light writes down what the sea has taken and what it gave back. " * 4,
    "Chinese": "灯塔看守人写下大海带走了什么,又归还了什么。" * 12,
    "Thai": "ผู้ดูแลประภาคารจดสิ่งที่ทะเลเอาไปและสิ่งที่คืนมา" * 6,
    "emoji": "🐦🐦🐦 bird 🏔️ " * 24,
    "one long word": "x" * 300,
    "tabs": "\tint main(void)\t{\treturn 0;\t}\t/* a comment that goes on and on and on and on, and on */",
    "Hindi": "प्रकाशस्तंभ का रखवाला लिखता है कि समुद्र ने क्या लिया और क्या लौटाया। " * 4,
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("columns", [80, 40, 132])
def test_lines_are_no_wider_than_the_terminal(name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = TEXTS[name]
    lines = shown(hit(f"first\n{text}\nlast"))
    assert max(map(width_of, lines)) <= columns
    whole = "".join(lines)
    kept = [c for c in text[:100] if not c.isspace()]
    assert "".join(kept) in "".join(c for c in whole if not c.isspace())


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120), width=st.integers(4, 30))
def test_wrapping_loses_nothing_but_blanks_at_breaks(text: str, width: int) -> None:
    parts = ["".join(c for c, _ in part) for part in wrapped(cells([(text, False)]), width)]
    assert all(width_of(part) <= width or len(part) == 1 for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")


def test_words_stay_whole_where_they_fit() -> None:
    for line in shown(hit(TEXTS["prose"])):
        assert all(word in TEXTS["prose"].split() for word in line.replace("…", " ").split())


def test_no_line_begins_with_what_closes_a_sentence() -> None:
    assert all(line.strip()[0] not in "。,、」" for line in shown(hit("灯塔看守人写下大海带走了什么。" * 20)))


def test_a_mark_stays_with_its_letter() -> None:
    parts = ["".join(c for c, _ in part) for part in wrapped(cells([("e\u0301" * 20, False)]), 7)]
    assert all(part.startswith("e") for part in parts)
    assert columns_of("\u0301") == 0


def test_every_shown_line_has_its_number_and_the_named_one_is_shown() -> None:
    text = "\n".join(f"line {i} of a file that is long enough to be cut" for i in range(1, 40))
    found = hit(text, "line 30")
    head, *lines = [unstyle(line) for line in listing([found])]
    assert "/notes/a.md:30 " in head
    numbered = [line.split(None, 1) for line in lines]
    for number, rest in numbered:
        assert f"line {number} of" in rest or rest.startswith("…"), (number, rest)
    assert "30" in {number for number, _ in numbered}


def test_the_named_line_is_shown_though_most_that_is_marked_lies_elsewhere() -> None:
    text = "the boiler is serviced\n" + "padding words without any meaning\n" * 20 + "tea tea tea"
    line_1 = Match(Span(0, 1), Span(4, 10), 0.9, 0.9)
    ends = [Match(Span(0, 1), Span(at, at + 3), 0.3, 0.29) for at in range(len(text) - 11, len(text), 4)]
    found = Hit(
        "a", 1, 1, text, {"file": {"path": "/a", "verbatim": True}}, (PassageHit(0, len(text), 1, (line_1, *ends)),)
    )
    assert "a:1 " in unstyle(listing([found])[0])
    assert "boiler" in "".join(shown(found))


@given(st.lists(st.integers(0, 90), min_size=1, max_size=40), st.data())
def test_what_is_marked_is_shown_wherever_it_stands(lengths: list[int], data: st.DataObject) -> None:
    lines = ["word " * (length // 5) + "x" * (length % 5) for length in lengths]
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = f"{lines[at][: data.draw(st.integers(0, 90))]} zebra {'tail' * data.draw(st.integers(0, 2))}"
    text = "\n".join(lines)
    start = text.index("zebra")
    why = (Match(Span(0, 1), Span(start, start + 5), 0.9, 0.9),)
    for line in (None, at + 1):
        kept = snippet_lines(text, PassageHit(0, len(text), 0.9, why), [Span(start, start + 5)], line)
        assert [piece for line in kept for piece, bold in line.pieces if bold] == ["zebra"]
        assert len("\n".join(line.text for line in kept)) <= 320 + 40 + 2


def test_a_line_alone_has_no_number_beside_it() -> None:
    assert shown(hit("a single line")) == ["   a single line"]


def test_numbers_leave_out_what_is_blank_and_begin_within_a_file() -> None:
    text = "one\n\n\tdef f():\n\n\t    return 1\n"
    assert shown(hit(text, begin=text.index("def"))) == ["   3  def f():", "   5      return 1"]


@pytest.mark.parametrize("line", [1, 2, 12, 4_000])
def test_lines_of_a_row_have_no_numbers_of_their_file_wherever_it_begins(line: int) -> None:
    """They come from its fields: none of them is a line of the file."""
    text = "Keeper\n" + "padding words without any meaning\n" * 20 + "the zebra crosses"
    why = (Match(Span(0, 1), Span(text.index("zebra"), len(text)), 0.9, 0.9),)
    row = {"file": {"path": "/faq.jsonl", "line": line}}
    found = Hit(f"/faq.jsonl#{line}", 1, 1, text, row, (PassageHit(0, len(text), 1, why),))
    head, *lines = [unstyle(one) for one in listing([found])]
    assert f"/faq.jsonl:{line}" in head
    assert lines[-1] == "   the zebra crosses"
    assert not any(one.strip()[:1].isdecimal() for one in lines)


def test_code_that_is_too_wide_goes_on_below_its_own_indentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = shown(hit("def f():\n    return some_function_of(one_argument, another)\n"))
    assert lines == [
        "   1  def f():",
        "   2      return",
        "          some_function_of(one_argument,",
        "          another)",
    ]


def test_what_is_shown_ends_with_a_word() -> None:
    prose = "considerable circumstances notwithstanding " * 30
    (line,) = snippet_lines(prose, PassageHit(0, len(prose), 1.0), [])
    assert line.text.removesuffix("…").split()[-1] in prose.split()


def test_bold_goes_on_over_a_break(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    lines = listing([hit("x" * 60, "x" * 60)])
    assert [line.count("\x1b[1m") for line in lines[1:]] == [1] * (len(lines) - 1)
    assert len(lines) > 2


def test_controls_of_a_text_are_written_out() -> None:
    lines = shown(hit("a \x1b[2J b\x07\u202e c\rd\x85e"))
    assert not any(c in "".join(lines) for c in "\x1b\x07\u202e\r\x85")
    assert "\\x1b[2J" in lines[0]


def test_the_text_of_words_about_a_document_alone_is_not_claimed() -> None:
    about = Hit("/a", 1, 1, "text", {"file": {"path": "/a"}}, (PassageHit(0, 0, 1),))
    assert len(listing([about])) == 2


@pytest.mark.parametrize(
    ("variables", "takes"),
    [
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"FORCE_HYPERLINK": "0", "TERM": "xterm-kitty"}, False),
        ({"FORCE_HYPERLINK": "", "TERM": "xterm-kitty"}, False),  # stdout is no terminal here
    ],
)
def test_links_are_for_terminals_that_take_them(
    variables: dict[str, str], takes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert takes_links() is takes


@pytest.mark.parametrize(
    ("variables", "takes"),
    [
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7006"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4602"}, False),
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"WT_SESSION": "x"}, True),
        ({"TERM": "dumb", "WT_SESSION": "x"}, False),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm-kitty", "SSH_CONNECTION": "1 2 3 4"}, False),
        ({"TERM": "xterm"}, False),
    ],
)
def test_on_a_terminal_it_is_one_that_is_known(
    variables: dict[str, str], takes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ("FORCE_HYPERLINK", "NO_COLOR", "TERM", "TERM_PROGRAM", "VTE_VERSION", "SSH_CONNECTION")
    for name in (*known, "WT_SESSION", "KONSOLE_VERSION", "DOMTERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert takes_links() is takes


def test_a_link_leads_to_the_file_and_names_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    assert linked("a.md:3", "/no tes/ä.md") == "\x1b]8;;file:///no%20tes/%C3%A4.md\x1b\\a.md:3\x1b]8;;\x1b\\"
    assert "\x1b[2J" not in linked("x", "/\x1b[2J.md")
    assert linked("row", None) == linked("row", "C:\\not\\here") == "row"
