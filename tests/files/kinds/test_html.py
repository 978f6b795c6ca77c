"""A page is read as it is shown, whatever its tags forget to close."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from colibri.files.kinds.html import page, page_text, read
from colibri.files.source import Source
from colibri.files.text import Place
from files.kinds.cases import Case, cases, check

FARM = """<!DOCTYPE html>
<html lang="de_AT">
<head><meta charset="utf-8"><title>Hof &amp; Garten</title>
<meta name="author" content="Ann Bell"><meta property="article:published_time" content="2024-05-03T10:00:00Z">
<meta http-equiv="last-modified" content="Fri, 03 May 2024 12:00:00 GMT">
<style>p > b { color: red }</style><script>if (a < b) document.write("<p>no</p>")</script></head>
<body><h1>Der Hof</h1><p>Ein Ab&shy;satz mit <b>fett</b>em Wort.<br>Neue Zeile.<br><br>Neuer Absatz.</p>
<h2>Die <i>Tiere</i></h2><ul><li>Huhn<li>Kuh</ul><h3>Kühe</h3><p>Drei.</p><h2>Das Feld</h2><p>Weizen.</p></body></html>
"""


@pytest.mark.parametrize("case", cases("html"), ids=lambda case: case.name)
def test_the_cases(case: Case) -> None:
    check(case, read(case.source))


def test_a_page_has_its_title_facts_and_headings_as_places() -> None:
    found = read(Source(name="farm.html", data=FARM.encode()))
    assert found.text == (
        "Hof & Garten\n\nDer Hof\n\nEin Absatz mit fettem Wort.\nNeue Zeile.\n\nNeuer Absatz.\n\n"
        "Die Tiere\n\nHuhn\nKuh\n\nKühe\n\nDrei.\n\nDas Feld\n\nWeizen."
    )
    assert (found.title, found.author, found.language) == ("Hof & Garten", "Ann Bell", "de-AT")
    assert (found.created, found.modified) == ("2024-05-03T10:00:00Z", "2024-05-03T12:00:00+00:00")
    assert [(place.label, found.text[place.start :].split("\n")[0]) for place in found.places] == [
        ("Der Hof", "Der Hof"),
        ("Der Hof > Die Tiere", "Die Tiere"),
        ("Der Hof > Die Tiere > Kühe", "Kühe"),
        ("Der Hof > Das Feld", "Das Feld"),
    ]
    assert found.remarks == ()


def test_a_title_that_is_the_first_heading_stands_once() -> None:
    assert page_text("<title>Kettle</title><h1>Kettle</h1><p>Boil.") == "Kettle\n\nBoil."
    assert page("<title>Kettle</title>").text == "Kettle"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<table><tr><th>a<th>b<tr><td>1<td>2</table>after", "a\tb\n1\t2\n\nafter"),
        ("<table><tr><td><p>a</p></td><td><p>b</p><p>c</p></td></tr></table>", "a\tb\n\nc"),
        ("<table><tr><td>x<table><tr><td>in</table></table>", "x\n\nin"),
        ("<details><summary>More</summary>bare <b>text</b></details>", "More\n\nbare text"),
        ("<select><optgroup label=Fruit><option>plum<option selected>pear</select>", "Fruit\nplum\npear"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</ruby>です", "漢字です"),
        ("<ruby><rb>漢</rb><rt>かん</ruby><p>次", "漢\n\n次"),
        ('a<img src=x alt="A lamp">b<img alt="">', "a A lamp b"),
        ('外<img alt="字">です', "外字です"),
        ("<input value=Send type=submit><input type=hidden value=no><input type=password value=no>", "Send"),
        ("<p hidden>no<p>yes<div hidden>no<div>no</div></div>end", "yes\n\nend"),
        ("<div hidden=until-found>found</div>", "found"),
        ("<html hidden><body hidden>shown once a script has run", "shown once a script has run"),
        ("<template><p>no</p></template><div><template shadowrootmode=open>yes</template></div>", "yes"),
        ("<noscript>no</noscript><iframe><p>no</iframe><svg><title>no</title><text>no</text></svg>x", "x"),
        ("a<svg/>b", "ab"),
        ("<svg><foreignObject><p>no</p></foreignObject></svg>yes", "yes"),
        ("<math><mi>x</mi><mo>=</mo><mn>2</mn><annotation>no</annotation></math>", "x=2"),
        ("<pre>\n  if a:\n    b\n</pre>c", "  if a:\n    b\n\nc"),
        ("<textarea>&lt;p> <b></textarea>", "<p> <b>"),
        ("a&nbsp;b&copy c&#8364;&#x20AC;&unknown;&amp;lt;", "a b© c€€&unknown;&lt;"),
        ("a < b and c <3 d", "a < b and c <3 d"),
        ("<p title='a>b'>x</p><a href=x/y/>z</a>", "x\n\nz"),
        ("<!-- <p>no --><p>a<!--> b <!---> c<!-- x --!> d", "a b c d"),
        ("<![CDATA[1 < 2 &amp; 3]]>", "1 < 2 &amp; 3"),
        ("<!--[if mso]><p>no</p><![endif]--><![if !mso]><p>yes</p><![endif]>", "yes"),
        ("<?php echo 'x > y' ?>z", "z"),
        ("<h1>Part<br>One</h1><p>x", "Part One\n\nx"),
        ("soft\xadware and zero\x00 and bell\x07", "software and zero and bell"),
        ("<frameset><noframes><p>shown</p></noframes></frameset>", "shown"),
        ("", ""),
    ],
)
def test_what_is_shown_and_what_is_not(markup: str, text: str) -> None:
    assert page_text(markup) == text


@pytest.mark.parametrize(
    ("markup", "remark"),
    [
        ("<p>Before.<script>var a = 1;\n<p>The rest.</p>", "a <script> that does not end"),
        ("<p>Before.<style>p {}\n<h1>The rest.</h1>", "a <style> that does not end"),
        (
            "<script>var a = 1\n</head>\n<body>\n<p>Before.</p><p>The rest.</p><script>x()</script>",
            "a <script> that does not",
        ),
        ("<p>Before.<svg><path d=M0><p>The rest.</p>", "an <svg> that does not end"),
        ("<p>Before.<svg><path d=M0>The rest.", "a <svg> that does not end"),
        ("<p>Before.<!-- note <p>The rest.</p>", "a comment that does not end"),
        ("<p>Before.<template><p>The rest.</p>", "a <template> that does not end"),
        ("<p>Before.<div hidden><p>The rest.</p>", "a <div> that does not end"),
        ("<p>Before.<iframe src=x><p>The rest.</p>", "a <iframe> that does not end"),
    ],
)
def test_what_does_not_end_swallows_nothing_without_a_word(markup: str, remark: str) -> None:
    found = page(markup)
    assert "Before." in found.text
    assert "The rest." in found.text
    assert len(found.remarks) == 1
    assert found.remarks[0].startswith(remark)


def test_a_title_that_does_not_end_ends_at_the_next_tag() -> None:
    found = page("<title>Kettle\n<p>Boil.</p>")
    assert (found.title, found.text) == ("Kettle", "Kettle\n\nBoil.")


def test_xhtml_closes_what_it_closes() -> None:
    markup = '<?xml version="1.0"?><html xmlns="x"><title/><script src="a.js"/><body><h1/><p>Text.</p></body></html>'
    assert page(markup).text == "Text."
    assert page_text('<html xmlns="x"><x:p xmlns:x="x">one</x:p><x:p>two</x:p></html>') == "one\n\ntwo"


def test_entities_that_a_document_declares_are_words_and_never_blow_up() -> None:
    head = '<!DOCTYPE html [<!ENTITY farm "Green <b>Farm</b> &#38; Co"><!ENTITY ext SYSTEM "file:///etc/passwd">]>'
    assert page_text(f"{head}<p>At &farm;, &ext;.") == "At Green Farm & Co, &ext;."
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    assert len(page_text(f'<!DOCTYPE html [<!ENTITY l0 "ha">{laughs}]><p>{"&l11;" * 1000}')) < 2_000_000
    assert len(page_text(f'<!DOCTYPE html [<!ENTITY a "{"x" * 1000}">]><p>{"&a;" * 20_000}')) < 2_000_000


def test_pages_of_a_million_tags_that_do_not_end_are_read_in_time() -> None:
    for piece in (
        "<script>",
        "<!--",
        "<![CDATA[",
        "<template>",
        "<a b='",
        "<",
        "</",
        "<svg>",
        "<!DOCTYPE [",
        "<ruby><rt>",
        "&",
    ):
        page(piece * 20_000)


def test_an_encoding_that_a_page_names_wrongly_is_no_end() -> None:
    text = "<meta charset=utf-8><p>Straße für Mäuse und Bären</p>"
    assert page_text(text).startswith("Straße")
    assert read(Source(name="a.html", data=text.encode("cp1252"))).text == "Straße für Mäuse und Bären"
    assert read(Source(name="a.html", data=text.encode("utf-16"))).text == "Straße für Mäuse und Bären"
    assert read(Source(name="a.html", data=b"<p>caf\xe9 \xe0 la cr\xe8me")).text == "café à la crème"


@given(
    st.lists(
        st.sampled_from(
            "<p> </p> <table> <tr> <td> </td> </table> <pre> </pre> <h1> </h1> <h2> <script> </script> <style> <svg> "  # noqa: SIM905
            "</svg> <ruby> <rt> </ruby> <!-- --> <template> </template> <select> <option> <br> <title> </title> word "
            "&amp; <![CDATA[ ]]> < > \" ' / = \n".split(" ")
        )
    ).map("".join)
)
@example("<pre><h1><br>")
def test_any_page_is_read_and_its_places_lie_in_its_text(markup: str) -> None:
    found = page(markup)
    starts = [place.start for place in found.places]
    assert starts == sorted(set(starts))
    assert all(0 <= start < len(found.text) for start in starts)
    assert not found.text[:1].isspace() or markup.count("<pre>")
    assert found.places == tuple(Place(*place) for place in found.places)
