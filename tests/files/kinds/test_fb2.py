"""A FictionBook is read by its sections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.fb2 import read
from colibri.files.source import Source
from colibri.files.text import Unreadable

BOOK = """<?xml version="1.0" encoding="windows-1251"?>
<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0" xmlns:l="http://www.w3.org/1999/xlink">
<stylesheet type="text/css">p { color: red }</stylesheet>
<description><title-info><genre>sf</genre>
<author><first-name>Иван</first-name><middle-name/><last-name>Петров</last-name></author>
<author><nickname>Рыбак</nickname></author><book-title>Маяк</book-title>
<annotation><p>О смотрителе маяка.</p></annotation><date value="2001-02-03">2001</date><lang>ru</lang>
<translator><first-name>Не</first-name><last-name>Автор</last-name></translator></title-info>
<document-info><author><nickname>nobody</nickname></author><date>2020</date></document-info></description>
<body><title><p>Иван Петров</p><p>Маяк</p></title>
<section><title><p>Глава 1</p><p>Смотритель</p></title><epigraph><p>Море.</p><text-author>А. К.</text-author></epigraph>
<p>Первый <emphasis>аб</emphasis>зац<a l:href="#n1" type="note">[1]</a>.</p><empty-line/>
<p>Вто\u00adрой &amp; третий.</p>
<poem><stanza><v>Раз,</v><v>два.</v></stanza><stanza><v>Три.</v></stanza></poem><image l:href="#p"/>
<section><title><p>Лампа</p></title><p>Горит.</p><table><tr><th>день</th><th>масло</th></tr><tr><td>1</td><td>2</td></tr></table>
</section><section><p>Без имени.</p></section></section>
<section><p>Конец.</p></section></body>
<body name="notes"><title><p>Примечания</p></title>
<section id="n1"><title><p>1</p></title><p>Сноска.</p></section></body>
<binary id="p" content-type="image/png">iVBORw0KGgoAAAANSUhEUgAA</binary></FictionBook>"""


def test_a_book_with_its_facts_and_sections() -> None:
    found = read(Source(name="book.fb2", data=BOOK.replace("\u00ad", "&#173;").encode("cp1251")))
    assert found.text == (
        "О смотрителе маяка.\n\nИван Петров\nМаяк\n\nГлава 1\nСмотритель\n\nМоре.\n\nА. К.\n\nПервый абзац[1].\n\n"
        "Второй & третий.\n\nРаз,\nдва.\n\nТри.\n\nЛампа\n\nГорит.\n\nдень\tмасло\n1\t2\n\nБез имени.\n\nКонец.\n\n"
        "Примечания\n\n1\n\nСноска."
    )
    assert (found.title, found.author, found.language, found.created) == (
        "Маяк",
        "Иван Петров, Рыбак",
        "ru",
        "2001-02-03",
    )
    assert [(place.label, found.text[place.start :].split("\n")[0]) for place in found.places] == [
        ("Глава 1 Смотритель", "Глава 1"),
        ("Глава 1 Смотритель > Лампа", "Лампа"),
        ("Глава 1 Смотритель", "Без имени."),
        ("", "Конец."),
        ("Примечания", "Примечания"),
        ("Примечания > 1", "1"),
    ]
    assert found.remarks == ()


def test_a_book_in_utf8_and_one_that_is_cut() -> None:
    whole = BOOK.replace("windows-1251", "utf-8").encode()
    assert "Второй & третий." in read(Source(name="book.fb2", data=whole)).text
    cut = read(Source(name="book.fb2", data=whole[: whole.index("Без имени".encode())]))
    assert cut.text.endswith("день\tмасло\n1\t2")
    assert cut.remarks == ("its end is missing",)


def test_what_is_no_fictionbook_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="is no FictionBook"):
        read(Source(name="book.fb2", data=b"<html><p>x</p></html>"))


@given(
    st.lists(
        st.sampled_from(
            "<body> </body> <section> </section> <title> </title> <p> </p> <v> <stanza> </stanza> <table> <tr> <td> "  # noqa: SIM905
            "</td> </table> <annotation> </annotation> <title-info> </title-info> "
            "<binary> </binary> <date> word &x;".split()
        )
    ).map("".join)
)
def test_any_book_is_read_and_its_places_lie_in_its_text(markup: str) -> None:
    found = read(Source(name="book.fb2", data=f"<FictionBook>{markup}".encode()))
    starts = [place.start for place in found.places]
    assert starts == sorted(set(starts))
    assert all(start < len(found.text) for start in starts)
