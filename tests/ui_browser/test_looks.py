"""Filters, many hits, and the page in every size and colour: clean to axe-core, nothing sticks out, all is reached."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser_steps import Opener, answered, search
from ui_server import UiServer

Check = Callable[[Page], None]


def fits(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(320, 640), (640, 400), (800, 1200), (1280, 800), (3840, 2160)])
def test_every_size_and_colour_is_clean(
    open_page: Opener, server: UiServer, check: Check, width: int, height: int, colours: str
) -> None:
    page = open_page(server.address, width=width, height=height, color_scheme=colours)
    search(page, "how do birds sleep")
    fits(page)
    check(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page.locator(".whole")).to_be_visible()
    fits(page)
    page.locator("#words button").nth(2).focus()
    check(page)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert (lightness < 64) == (colours == "dark")


def test_twice_the_size_is_clean_and_keeps_everything(open_page: Opener, server: UiServer, check: Check) -> None:
    """200 % zoom: half the CSS pixels, each twice as large, as browsers do it."""
    page = open_page(server.address, width=640, height=400, device_scale_factor=2)
    search(page, "how do birds sleep")
    fits(page)
    check(page)
    for name in ("#query", "#folders-open", "#theme", "#help-open", "#filters-shown", "#sort"):
        expect(page.locator(name)).to_be_visible()
    page.locator("#filters-shown").click()
    expect(page.locator("#filters")).to_be_visible()
    fits(page)
    check(page)


def test_letters_of_twice_the_size_stick_out_nowhere(open_page: Opener, server: UiServer) -> None:
    """Text alone enlarged, as a browser's setting does it."""
    page = open_page(server.address, width=1280, height=800)
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    search(page, "how do birds sleep")
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.text')).fontSize)") >= 32
    fits(page)


def test_at_320_px_everything_is_reached(open_page: Opener, server: UiServer, check: Check) -> None:
    page = open_page(server.address, width=320, height=640)
    search(page, "how do birds sleep")
    expect(page.locator("#filters")).to_be_hidden()
    page.locator("#filters-shown").click()
    expect(page.locator("#filters")).to_be_visible()
    expect(page.locator("#filters-shown")).to_have_attribute("aria-expanded", "true")
    fits(page)
    check(page)
    page.locator("#filters label").filter(has_text="PDF").click()
    expect(page.locator("#filters-on")).to_have_text(re.compile("1"))
    article = page.locator("article").first
    article.get_by_role("button", name="Context of the passage").click()
    expect(article.locator(".whole")).to_be_visible()
    fits(page)
    check(page)
    article.get_by_role("button", name="Context of the passage").click()
    expect(article.locator(".whole")).to_have_count(0)
    for dialog in ("folders", "help"):
        page.locator(f"#{dialog}-open").click()
        fits(page)
        check(page)
        page.keyboard.press("Escape")


def test_at_320_px_no_passage_has_an_empty_line_for_buttons(open_page: Opener, server: UiServer) -> None:
    page = open_page(server.address, width=320, height=640)
    search(page, "how do birds sleep")
    rows = page.locator(".acts")
    assert rows.count() > 5
    look = "(e) => [getComputedStyle(e).opacity, e.querySelector('button').offsetHeight, e.offsetHeight]"
    for opacity, button, height in rows.evaluate_all(f"(rows) => rows.map({look})"):
        assert opacity == "1"
        assert height == button > 0


@pytest.mark.parametrize(("system", "steps"), [("light", ["light", "dark", ""]), ("dark", ["light", "dark", ""])])
def test_colours_are_chosen_and_kept(
    open_page: Opener, server: UiServer, check: Check, system: str, steps: list[str]
) -> None:
    page = open_page(server.address, color_scheme=system)
    search(page, "how do birds sleep")
    for step in steps:
        page.locator("#theme").click()
        assert page.evaluate("document.documentElement.dataset.theme ?? ''") == step
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == (step or system)
        check(page)
        page.reload()  # kept, and there before the first paint
        assert page.evaluate("document.documentElement.dataset.theme ?? ''") == step
        search(page, "how do birds sleep")


def test_forced_colours_and_reduced_motion(open_page: Opener, server: UiServer) -> None:
    """Where the system takes the colours away, a step is still told by the thickness of its line."""
    page = open_page(server.address, forced_colors="active", reduced_motion="reduce")
    search(page, "how do birds sleep")
    widths = page.evaluate(
        "[...document.querySelectorAll('article mark')].map("
        "(mark) => [Number(mark.className[1]), parseFloat(getComputedStyle(mark).borderBlockEndWidth)])"
    )
    assert widths
    assert all(width == step - 1 for step, width in widths)
    assert page.evaluate("document.getAnimations().length") == 0


def test_what_is_read_aloud(page: Page) -> None:
    """The tree of roles and names that a screen reader walks through."""
    search(page, "how do hummingbirds sleep")
    tree = page.locator("body").aria_snapshot()
    for line in (
        '- searchbox "Search your files"',
        "- main",
        '- complementary "Filters"',
        '- complementary "The passage in its context"',
        "- 'toolbar \"Words of the query: light up what answered one\"'",
        "- contentinfo",
        '- heading "hummingbirds.md" [level=2]',
        '- article "hummingbirds.md line 3, Hummingbirds likely"',
    ):
        assert line in tree, tree
    expect(page.locator("#said")).to_have_text(re.compile(r"files, first: hummingbirds\.md"))
    page.locator("#query").fill('"words that stand nowhere at all"')
    page.locator("#filters label").filter(has_text="older").click()
    expect(page.locator("#said")).to_have_text("Nothing found")


def test_tab_reaches_the_current_passage_alone_and_its_buttons(page: Page) -> None:
    search(page, "how do birds sleep")
    stops = page.evaluate(
        "[...document.querySelectorAll('article, .acts button')].filter((e) => e.tabIndex === 0).length"
    )
    assert stops == 1 + page.locator("article").first.locator(".acts button").count()
    page.locator("article").first.focus()
    page.keyboard.press("Tab")
    expect(page.locator("article").first.locator(".acts button").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("article").nth(1)).to_be_focused()


def test_filters_narrow_with_counts_and_keep_their_place(page: Page, server: UiServer) -> None:
    search(page, "how do birds sleep")
    counts = server.search("how do birds sleep")["counts"]
    for group in ("kinds", "languages"):
        for count in counts[group]:
            shown = {"unknown": "not known"}.get(count["value"], count["value"])
            row = page.locator("#filters label").filter(has_text=re.compile(f"^{re.escape(shown)}"))
            if group == "kinds":
                expect(row.locator(".count")).to_have_text(f"{count['count']:,}")
    page.locator("#filters label").filter(has_text="PDF").click()
    expect(page.locator("#files h2")).to_have_text(["penguins.pdf"])
    expect(page.locator("#filters label").filter(has_text="PDF").locator("input")).to_be_focused()
    page.locator("#filters label").filter(has_text="older").click()
    expect(page.locator("#empty h2")).to_have_text("Nothing found")
    expect(page.locator("#filters label").filter(has_text="PDF")).to_be_visible()  # what is chosen stays in sight
    expect(page.locator("#filters label").filter(has_text="PDF").locator("input")).to_be_checked()
    page.locator("#filters").get_by_role("button", name="Remove all filters").click()
    expect(page.locator("#files > li").nth(3)).to_be_attached()
    page.locator("#filters label").filter(has_text="files/scripts").click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('#files bdi')].every((folder) => folder.textContent.endsWith('scripts'))"
    )


def test_between_two_days_both_of_them_belong(page: Page) -> None:
    asked: list[dict[str, object]] = []
    page.on("request", lambda one: asked.append(one.post_data_json["filters"]) if one.url.endswith("search") else None)
    search(page, "birds")
    page.locator("#filters label").filter(has_text="between").click()
    today = page.evaluate("new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 10)")
    page.locator("#time-from").fill(today)
    page.locator("#time-to").fill(today)
    page.wait_for_function("() => document.querySelector('#results').getAttribute('aria-busy') === null")
    expect(page.locator("article").first).to_be_visible()
    assert set(asked[-1]) == {"since", "until"}
    page.locator("#time-from").fill("2001-02-03")
    page.locator("#time-to").fill("2001-02-03")
    expect(page.locator("#empty h2")).to_have_text("Nothing found")


@pytest.mark.parametrize(("sort", "wanted"), [("name", sorted), ("time", None), ("fit", None)])
def test_hits_are_sorted_as_asked(
    page: Page, server: UiServer, sort: str, wanted: Callable[[list[str]], list[str]] | None
) -> None:
    search(page, "birds")
    page.locator("#sort").select_option(sort)
    answer = server.search("birds", sort=sort, typing=True)
    names = [file["name"] for file in answer["files"]]
    shown = [re.sub("[\u202e\n]", "\ufffd", name) for name in names]  # what a name must not do to the page
    expect(page.locator("#files h2")).to_have_text(shown)
    if wanted is not None:
        assert names == sorted(names, key=str.casefold)


def test_what_was_passed_over_is_named_with_the_reason(page: Page, check: Check) -> None:
    passed = page.locator("#passed-open")
    expect(passed).to_have_text(re.compile("1 file passed over"))
    passed.click()
    dialog = page.locator("#passed")
    expect(dialog).to_contain_text("broken.pdf")
    check(page)
    page.keyboard.press("Escape")
    expect(passed).to_be_focused()


def test_a_reload_keeps_the_right_to_search_and_the_address_is_clean(page: Page) -> None:
    assert page.evaluate("location.href").endswith("/ui/")
    page.reload()
    search(page, "bread")
    expect(page.locator("#files h2").first).to_have_text("bread.md")
    assert page.evaluate("history.length") <= 2
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("Object.keys(localStorage)") == []
    assert page.evaluate("Object.keys(sessionStorage)") == ["colibri.token"]
    answered(page, "bread")
