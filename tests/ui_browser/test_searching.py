"""Typing, arrow keys, the heat map, opening, citing."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from browser_corpus import MARKUP, MARKUP_NAME
from browser_steps import Opener, answered, search, state_with
from ui_server import UiServer


def test_hits_come_while_one_types_grouped_by_file_with_their_place(page: Page) -> None:
    search(page, "how do hummingbirds sleep")
    first = page.locator("#files > li").first
    expect(first.locator("h2")).to_have_text("hummingbirds.md")
    expect(first.locator(".place").first).to_contain_text("line 3, Hummingbirds")
    assert len(page.locator("#files > li").all()) > 3
    names = page.locator("#files > li h2").all_text_contents()  # innerText is empty where nothing is drawn yet
    assert len(names) == len(set(names))
    expect(page.locator("#summary")).to_contain_text("files")
    expect(page.locator("#timing")).to_contain_text("from key to screen")


def test_a_page_of_a_pdf_is_named(page: Page) -> None:
    search(page, "penguins in the cold")
    first = page.locator("#files > li").first
    expect(first.locator("h2")).to_have_text("penguins.pdf")
    expect(first.locator(".place").first).to_contain_text("page 3")


def test_keys_ask_once_when_they_rest(page: Page) -> None:
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.post_data or "") if request.url.endswith("search") else None
    )
    page.locator("#query").press_sequentially("torpor at night", delay=0)
    answered(page, "torpor at night")
    assert len(asked) < len("torpor at night") / 2


def test_the_last_answer_wins_whatever_comes_when(page: Page) -> None:
    """The first question's answer is held back until the second's has come."""
    held: list[Route] = []

    def late(route: Route) -> None:
        if '"bread"' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/ui/api/search", late)
    page.locator("#query").fill("bread")
    page.wait_for_function("() => document.querySelector('#results').getAttribute('aria-busy') === 'true'")
    page.wait_for_timeout(300)  # past the rest of the keys: the request is on its way
    assert len(held) == 1
    page.locator("#query").fill("penguins")
    answered(page, "penguins")
    expect(page.locator("h2").filter(has_text="penguins.pdf").first).to_be_visible()
    held[0].continue_()  # the browser has given it up: this changes nothing
    search(page, "penguins sleep")
    expect(page.locator("#files > li").first.locator("h2")).to_have_text("penguins.pdf")


def test_an_index_that_moves_takes_no_question_away(open_page: Opener, server: UiServer) -> None:
    """Every look at the state finds another count, and what was typed meanwhile is answered all the same."""
    state, looks = server.api("state").json, iter(range(1, 1_000_000))

    def moving(route: Route) -> None:
        route.fulfill(json={**state, "bytes": next(looks), "indexing": {**state["indexing"], "phase": "looking"}})

    def late(route: Route) -> None:
        if (route.request.post_data_json or {})["query"] == "penguins":
            held.append(route)
        else:
            route.continue_()

    held: list[Route] = []
    page = open_page(server.address, before=lambda page: page.route("**/ui/api/state", moving))
    search(page, "bread")
    page.route("**/ui/api/search", late)
    page.locator("#query").fill("penguins")
    with page.expect_request(lambda request: "penguins" in (request.post_data or "")):
        pass
    page.evaluate("setInterval(() => document.dispatchEvent(new Event('visibilitychange')), 50)")  # a look each
    page.wait_for_timeout(4_000)  # longer than the page leaves between two answers of its own asking
    held[0].continue_()
    answered(page, "penguins")
    assert next(looks) > 10


def test_no_question_is_asked_while_a_character_is_being_composed(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("search") else None)
    page.locator("#query").focus()
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "とり", "selectionStart": 2, "selectionEnd": 2})
    page.wait_for_timeout(300)
    assert asked == []
    session.send("Input.insertText", {"text": "鳥"})
    answered(page, "鳥")


def test_arrow_keys_walk_through_passages_and_back_to_the_box(page: Page) -> None:
    search(page, "how do birds sleep")
    articles = page.locator("article")
    page.keyboard.press("ArrowDown")
    expect(articles.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(articles.nth(1)).to_be_focused()
    expect(articles.nth(1)).to_have_attribute("aria-current", "true")
    assert page.locator("article[aria-current=true]").count() == 1
    page.keyboard.press("End")
    expect(articles.last).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(articles.last).to_be_focused()
    page.keyboard.press("Home")
    expect(articles.nth(0)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("/")
    expect(page.locator("#query")).to_be_focused()
    assert page.evaluate(
        "getSelection().toString() || document.activeElement.selectionEnd"
    ) == "how do birds sleep" or (page.evaluate("document.activeElement.selectionEnd") == len("how do birds sleep"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#query")).to_have_value("")
    expect(page.locator("article")).to_have_count(0)
    expect(page.locator("#empty")).to_contain_text("documents to search")


def test_every_key_does_what_the_help_says(page: Page) -> None:
    search(page, "how do birds sleep")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("?")
    help_shown = page.locator("dialog#help")
    expect(help_shown).to_be_visible()
    page.keyboard.press("/")  # keys of the page are the dialog's now
    expect(help_shown).to_be_visible()
    page.keyboard.press("Escape")
    expect(help_shown).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.type("?/c")
    expect(page.locator("#query")).to_have_value("?/c")  # in the box they are letters


def test_single_letters_can_be_switched_off(page: Page) -> None:
    search(page, "how do birds sleep")
    page.locator("#help-open").click()
    page.locator("#single-keys").uncheck()
    page.keyboard.press("Escape")
    page.locator("article").first.focus()
    page.keyboard.press("/")
    page.keyboard.press("?")
    expect(page.locator("article").first).to_be_focused()
    expect(page.locator("dialog#help")).to_be_hidden()
    page.reload()
    page.locator("#help-open").click()
    expect(page.locator("#single-keys")).not_to_be_checked()


def calls(page: Page) -> list[tuple[str, str]]:
    """(route, body) of what is opened and shown from now on; nothing is opened on the machine that runs the test."""
    found: list[tuple[str, str]] = []

    def keep(route: Route) -> None:
        found.append((route.request.url.rpartition("/")[2], route.request.post_data or ""))
        route.fulfill(json={"done": True})

    page.route(re.compile("/ui/api/(open|reveal)$"), keep)
    return found


def test_enter_opens_and_with_shift_shows_the_folder(page: Page, corpus: Path) -> None:
    found = calls(page)
    search(page, "how do hummingbirds sleep")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_have_text("Opened hummingbirds.md")
    page.keyboard.press("Shift+Enter")
    expect(page.locator("#toast")).to_have_text("Showed the folder of hummingbirds.md")
    page.locator("#files h2 button").first.click()
    page.locator("article").first.get_by_role("button", name="Folder of hummingbirds.md").click()
    page.wait_for_function("() => document.querySelector('#toast').textContent.startsWith('Showed')")
    assert [name for name, _ in found] == ["open", "reveal", "open", "reveal"]
    assert all(str(corpus / "notes" / "hummingbirds.md") in body for _, body in found)


@pytest.mark.parametrize("query", ["how do hummingbirds sleep", "penguins in the cold", "小鸟睡觉"])
def test_c_copies_the_passage_with_its_place(page: Page, query: str, corpus: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    search(page, query)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    expect(page.locator("#toast")).to_have_text("Copied, with its place")
    quote, _, where = page.evaluate("navigator.clipboard.readText()").partition("\n")
    expected = {
        "how do hummingbirds sleep": ("in torpor", "hummingbirds.md, line 3, Hummingbirds", "notes/hummingbirds.md"),
        "penguins in the cold": ("Penguins huddle", "penguins.pdf, page 3", "work/penguins.pdf"),
        "小鸟睡觉": ("树枝上睡觉", "中文.txt, line 1", "scripts/中文.txt"),
    }[query]
    assert (quote[0], quote[-1]) == ("“", "”")
    assert expected[0] in quote
    assert where == f"{expected[1]} ({corpus / expected[2]})"


def test_where_the_browser_forbids_copying_the_text_is_shown_to_be_copied(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as over plain HTTP
    page.reload()
    search(page, "how do hummingbirds sleep")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("c")
    expect(page.locator("#cited")).to_be_visible()
    assert "hummingbirds.md" in page.locator("#cited-text").input_value()
    assert page.evaluate("document.querySelector('#cited-text').selectionEnd") > 20


def test_words_are_shaded_by_how_much_they_answered(page: Page, server: UiServer) -> None:
    """Steps on the page are the server's scores, fifth by fifth; together the marks' texts are the matches'."""
    query = "hummingbirds sleep in torpor"
    search(page, query)
    passage = server.search(query)["files"][0]["passages"][0]
    marks = page.locator("article").first.locator("mark")
    shown = [(mark.inner_text(), mark.get_attribute("class") or "") for mark in marks.all()]
    best: dict[tuple[int, int], float] = {}
    for match in passage["matches"]:
        place = (match["text"][0], match["text"][1])
        best[place] = max(best.get(place, 0.0), match["score"])
    wanted = [
        (passage["text"][start:end], min(5, -int(-score * 5 // 1))) for (start, end), score in sorted(best.items())
    ]
    assert [(text, int(kinds.split()[0].removeprefix("s"))) for text, kinds in shown] == wanted
    assert len({step for _, step in wanted}) > 1


def test_pointing_at_a_word_of_the_query_lights_its_answers_alone(page: Page) -> None:
    search(page, "hummingbirds torpor")
    chips = page.locator("#words button")
    assert chips.all_inner_texts() == ["hummingbirds", "torpor"]
    mark = page.locator("article").first.locator("mark").filter(has_text=re.compile("^torpor$"))
    other = (
        page.locator("article").first.locator("mark").filter(has_text=re.compile("^Hummingbirds$", re.IGNORECASE)).first
    )
    background = "getComputedStyle(arguments[0]).backgroundColor"
    clear = "rgba(0, 0, 0, 0)"

    def shades() -> tuple[bool, bool]:
        shown = [one.evaluate(f"(e) => {background.replace('arguments[0]', 'e')}") for one in (mark, other)]
        return shown[0] != clear, shown[1] != clear

    assert shades() == (True, True)
    chips.nth(1).hover()
    assert shades() == (True, False)
    page.mouse.move(0, 0)
    assert shades() == (True, True)
    chips.nth(0).focus()  # by keys, too
    assert shades()[1] is True
    page.keyboard.press("ArrowRight")
    expect(chips.nth(1)).to_be_focused()
    assert shades() == (True, False)
    page.keyboard.press("Enter")  # keeps it
    expect(chips.nth(1)).to_have_attribute("aria-pressed", "true")
    page.locator("#query").focus()
    assert shades() == (True, False)
    page.locator("article").first.focus()
    page.keyboard.press("w")  # after the last word all
    assert shades() == (True, True)
    mark.hover()
    expect(chips.nth(1)).to_have_class("answered")


def test_the_context_follows_the_arrow_keys_where_there_is_room(page: Page) -> None:
    search(page, "how do hummingbirds sleep")
    reader = page.locator("#reader")
    expect(reader).to_contain_text("drink nectar")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    name = page.locator("article[aria-current=true]").locator("xpath=ancestor::li[contains(@class, 'file')]//h2")
    expect(reader.locator("h2")).to_have_text(name.inner_text())
    page.keyboard.press(" ")
    expect(reader.locator(".whole")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("article[aria-current=true]")).to_be_focused()


def test_a_text_and_a_name_made_of_markup_are_text(page: Page) -> None:
    search(page, "birds in markup")
    item = page.locator("#files > li").filter(has_text="onerror").first
    expect(item.locator("h2")).to_have_text(MARKUP_NAME)
    item.locator("article").first.focus()
    expect(page.locator("#reader .whole")).to_contain_text(MARKUP.strip())
    assert MARKUP.strip() in item.locator(".text").first.inner_text()
    assert page.locator("#files script, #files iframe, #files img, #files b, #reader script").count() == 0
    assert page.evaluate("window.hurt") is None
    for markup in (MARKUP, "<img src=x onerror=window.hurt=1>", "</mark><script>window.hurt=1</script>", "&lt;b&gt;"):
        page.locator("#query").fill(markup.strip())
        answered(page, markup.strip())
    assert page.evaluate("window.hurt") is None
    assert page.locator("#words script, #words img").count() == 0


def test_signs_that_turn_a_name_around_are_made_visible(page: Page) -> None:
    search(page, "owl and mouse in the snow")
    name = page.locator("#files h2", has_text="notes").first
    assert name.text_content() == "notes\ufffdtxt.exe about\ufffdowls.txt"


def test_exact_words_phrases_and_what_is_not_to_stand_there(page: Page) -> None:
    page.locator("#modes label", has_text="Exact words").click()
    names = page.locator("#files h2")
    search(page, '"refund policy"')
    expect(names).to_have_text(["report.txt"])
    expect(page.locator("article").first.locator("mark").first).to_be_visible()
    search(page, "refu")  # the last word may go on
    expect(names).to_have_text(["report.txt"])
    page.keyboard.press("Enter")  # and now it is a word
    expect(page.locator("#empty h2")).to_have_text("Nothing found")
    expect(page.locator("#empty")).to_contain_text("search by meaning, too")
    page.get_by_role("button", name="Search by both").click()
    expect(page.locator("#modes input[value=both]")).to_be_checked()
    page.get_by_role("button", name="Show the nearest").click()  # half a word fits nothing well
    expect(names.first).to_have_text("report.txt")
    search(page, "birds sleep -torpor -penguins")
    expect(names.first).to_be_visible()
    assert {"hummingbirds.md", "penguins.pdf"}.isdisjoint(names.all_text_contents())
    assert "astral.txt" in names.all_text_contents()


@pytest.mark.parametrize("mode", ["meaning", "words", "both"])
def test_the_mode_is_asked_for_as_chosen(open_page: Opener, server: UiServer, mode: str) -> None:
    asked: list[str | None] = []

    def answer(route: Route) -> None:
        asked.append((route.request.post_data_json or {})["mode"])
        route.fulfill(json={**server.search("bread"), "mode": mode})

    def before(page: Page) -> None:
        state_with(page, server, modes=["meaning", "words", "both"])
        page.route("**/ui/api/search", answer)

    page = open_page(server.address, before=before)
    expect(page.locator("#modes")).to_be_visible()
    page.locator("#query").fill("bread")
    answered(page, "bread")
    page.locator(f"#modes input[value={mode}]").check()
    page.wait_for_function("() => document.querySelector('#results').getAttribute('aria-busy') === null")
    assert asked[-1] == mode
    page.locator("#modes input:checked").focus()
    page.keyboard.press("ArrowRight")  # a group of radios, by keys
    page.wait_for_function("() => document.querySelector('#results').getAttribute('aria-busy') === null")
    assert asked[-1] != mode


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("ציפורים ישנות", "עברית.txt"),
        ("تنام الطيور", "عربي.txt"),
        ("鳥は夜に眠る", "日本語.txt"),
        ("小鸟睡觉", "中文.txt"),
        ("birds then wake 🌅", "astral.txt"),
    ],
)
def test_offsets_of_every_script_fall_on_its_words(page: Page, server: UiServer, query: str, name: str) -> None:
    """The server counts code points, the page UTF-16: what is marked is what Python's slices say."""
    search(page, query)
    found = next(file for file in server.search(query)["files"] if file["name"] == name)
    passage = found["passages"][0]
    article = page.locator("#files > li").filter(has_text=name).first.locator("article").first
    marks = article.locator("mark").all_inner_texts()
    cuts = sorted({tuple(match["text"]) for match in passage["matches"]})
    assert marks == [passage["text"][start:end] for start, end in cuts]
    assert article.locator(".text").inner_text().strip() == passage["text"].strip()
    words = server.search(query)["query_words"]
    assert page.locator("#words button").all_inner_texts() == [query[word["start"] : word["end"]] for word in words]
    direction = article.locator(".text").evaluate("(e) => getComputedStyle(e).direction")
    assert direction == ("rtl" if name in {"עברית.txt", "عربي.txt"} else "ltr")


@pytest.mark.parametrize("before", ["z" * 60, "z" * 130, f"ab {'z' * 75}", f"{'z' * 45} {'y' * 45}"])
def test_a_passage_is_shown_from_a_whole_word_on_however_long(page: Page, before: str) -> None:
    text = f"{'other words ' * 40}{before} zebra {'tail ' * 200}"
    at = text.index("zebra")
    start, end = page.evaluate(
        """async ([text, at]) => {
            const { excerpt } = await import("./shading.js");
            return excerpt(text, [{ start: at, end: at + 5, score: 1, words: new Map([[0, 1]]) }], 240);
        }""",
        [text, at],
    )
    assert start <= at
    assert at + 5 <= end
    assert text[start - 1].isspace()
    assert text[start:end].split(maxsplit=1)[0] in text.split()
