"""Translations: each message beside what it became."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.po import read
from colibri.files.source import Source
from colibri.files.text import FileText, Place

PO = r"""# Translators of the harbour
msgid ""
msgstr ""
"Project-Id-Version: harbour 2.1\n"
"POT-Creation-Date: 2024-05-03 09:08+0200\n"
"PO-Revision-Date: YEAR-MO-DA HO:MI+ZONE\n"
"Last-Translator: Jiří Novák <jiri@example.org>\n"
"Language: pt_BR\n"
"Content-Type: text/plain; charset=CHARSET\n"

#. a comment of a developer
#: src/main.c:12
#, fuzzy, c-format
#| msgid "an older one"
msgctxt "menu"
msgid "Open the \"harbour\"\n"
"now"
msgstr ""
"Otevřít\t"
"přístav\n"

msgid "%d gull"
msgid_plural "%d gulls"
msgstr[0] "%d racek"
msgstr[1] "%d raci"
msgstr [2] "%d racků"

#~ msgid "obsolete"
#~ msgstr "zastaralé"

msgid "untranslated"
msgstr ""
"""


def text_of(data: str | bytes) -> FileText:
    return read(Source(name="cs.po", data=data.encode() if isinstance(data, str) else data))


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-2", "windows-1250"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_messages_and_translations(charset: str, end: str) -> None:
    found = text_of(PO.replace("CHARSET", charset).replace("\n", end).encode(charset))
    first = 'menu\nOpen the "harbour"\nnow\nOtevřít\tpřístav'
    second = "%d gull\n%d gulls\n%d racek\n%d raci\n%d racků"
    assert found.text == f"{first}\n\n{second}\n\nuntranslated"
    at = len(first) + 2
    assert found.places == (Place(0, "line 15"), Place(at, "line 22"), Place(at + len(second) + 2, "line 31"))
    assert (found.title, found.author) == ("harbour 2.1", "Jiří Novák <jiri@example.org>")
    assert (found.language, found.created, found.modified) == ("pt-BR", "2024-05-03T09:08:00+02:00", None)
    assert not found.remarks


def test_broken_lines_are_said_and_the_rest_is_read() -> None:
    found = text_of('"stray"\nmsgid "a"\nmsgstr "b\nmsgstr "c"\nnonsense\n')
    assert found.text == "a\nc"
    assert found.remarks == tuple(f"line {number} is no part of a message" for number in (1, 3, 5))
    assert text_of("x\n" * 30).remarks[-1] == "20 more lines are no part of a message"


def test_escapes() -> None:
    assert text_of(r'msgid "a\\n \101\x42 \q"').text == r"a\n AB \q"


def test_a_template_has_no_facts_that_nobody_filled_in() -> None:
    found = text_of('msgid ""\nmsgstr "Last-Translator: FULL NAME <EMAIL@ADDRESS>\\n"\n\nmsgid "x"\nmsgstr ""')
    assert (found.text, found.author, found.title) == ("x", None, None)


WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@given(st.dictionaries(WORDS.filter(str.strip), WORDS, max_size=5))
def test_any_strings_come_back(strings: dict[str, str]) -> None:
    def quoted(text: str) -> str:
        return '"' + "".join(f"\\{letter}" if letter in '\\"' else letter for letter in text) + '"'

    strings = {" ".join(key.split()): " ".join(value.split()) for key, value in strings.items()}
    data = "".join(f"msgid {quoted(key)}\nmsgstr {quoted(value)}\n\n" for key, value in strings.items())
    wanted = [f"{key}\n{value}".strip() if value != key else key for key, value in strings.items()]
    assert text_of(data.encode("utf-8", "surrogatepass")).text.split("\n\n") == (wanted or [""])
