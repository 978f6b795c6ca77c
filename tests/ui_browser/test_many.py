"""10,000 hits: all are there, and only what is seen is drawn."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from browser_steps import Opener, answered, search
from colibri import Index
from ui_server import TINY, UiServer

COUNT = 10_000
WORD = "before " * 20_000
LONG = f"{WORD}😀 the very middle of it {WORD}"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UiServer]:
    """A page over 10,000 documents that no files gave."""
    folder = tmp_path_factory.mktemp("many")
    with Index.open(folder / "many.index", TINY) as index:
        index.add({"id": f"bird {number}", "text": f"The bird of number {number} sleeps."} for number in range(COUNT))
        index.add([{"id": "long", "text": LONG}])
    with UiServer("--index", "many.index", "--model", TINY, folder=folder, log=folder / "log") as running:
        yield running


def test_more_and_more_of_10_000_files_come(open_page: Opener, many: UiServer) -> None:
    page = open_page(many.address)
    search(page, "sleeping bird")
    expect(page.locator("#files > li")).to_have_count(20)
    for count in (120, 220, 320):
        page.locator("#more").click()
        expect(page.locator("#files > li")).to_have_count(count)
    page.locator("article").last.focus()
    page.keyboard.press("ArrowDown")  # the keys go on where the list ends
    expect(page.locator("#files > li")).to_have_count(420)
    expect(page.locator("#files > li").nth(320).locator("article").first).to_be_focused()
    ids = page.locator("#files h2").all_text_contents()
    assert len(set(ids)) == len(ids) == 420
    search(page, "number 77")
    expect(page.locator("#files > li")).to_have_count(20)


def test_in_another_order_the_best_200_come_once_each(open_page: Opener, many: UiServer) -> None:
    page = open_page(many.address)
    search(page, "sleeping bird")
    page.locator("#sort").select_option("name")
    summary = page.locator("#summary")
    expect(summary).to_have_text("20 files of the 200 that fit best, and more below")
    for count in (120, 200):
        page.locator("#more").click()
        expect(page.locator("#files > li")).to_have_count(count)
    expect(page.locator("#more")).to_be_hidden()
    expect(summary).to_have_text("200 files of the 200 that fit best")
    names = page.locator("#files h2").all_text_contents()
    assert names == sorted(names)
    assert len(set(names)) == 200


def test_after_a_search_that_failed_nothing_is_added_to_what_the_one_before_found(
    open_page: Opener, many: UiServer
) -> None:
    open_page.allowed += ["503"]
    page = open_page(many.address)
    search(page, "sleeping bird")
    expect(page.locator("#more")).to_be_visible()
    page.route("**/ui/api/search", lambda route: route.fulfill(status=503, json={"detail": "busy", "code": "BUSY"}))
    page.locator("#query").fill("number 77")
    expect(page.locator("#trouble")).to_contain_text("busy")
    page.unroute("**/ui/api/search")
    expect(page.locator("#files > li")).to_have_count(20)  # what was found stays in sight
    expect(page.locator("#more")).to_be_hidden()
    page.locator("article").last.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Search again").click()
    answered(page, "number 77")
    expect(page.locator("#files > li")).to_have_count(20)
    expect(page.locator("#more")).to_be_visible()


def test_10_000_hits_at_once_are_walked_through_and_lit(open_page: Opener, many: UiServer, tmp_path: Path) -> None:
    """The server gives 200 at most; the page would take more."""

    def multiplied(route: Route) -> None:
        answer = many.search("sleeping bird", k=200)
        answer["files"] = [{**file, "passages": file["passages"][:1]} for file in answer["files"]]
        files = [{**file, "id": f"{file['id']} {i}"} for i in range(COUNT // 200) for file in answer["files"]]
        for i, file in enumerate(files):
            file["passages"] = [{**passage, "id": f"{file['id']} {i}"} for passage in file["passages"]]
        route.fulfill(json={**answer, "query": json.loads(route.request.post_data or "")["query"], "files": files})

    open_page.allowed += ["404"]  # no context for ids that were made up
    page = open_page(many.address, before=lambda page: page.route("**/ui/api/search", multiplied))
    page.locator("#query").fill("sleeping bird")
    answered(page, "sleeping bird")
    articles = page.locator("article")
    expect(articles).to_have_count(COUNT)
    drawn = (
        "[...document.querySelectorAll('.text')].filter((e) => e.checkVisibility({contentVisibilityAuto: true})).length"
    )
    assert 0 < page.evaluate(drawn) < 100
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(articles.last).to_be_focused()
    expect(articles.last).to_be_in_viewport()
    assert 0 < page.evaluate(drawn) < 200
    page.keyboard.press("w")
    clear = "(e) => getComputedStyle(e).backgroundColor"
    lit = articles.last.locator("mark[class*='w0-']").first
    assert lit.evaluate(clear) != "rgba(0, 0, 0, 0)"
    page.keyboard.press("Home")
    expect(articles.first).to_be_focused()
    expect(articles.first).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(articles).to_have_count(0)


def test_a_long_text_is_read_wider_and_wider_and_stays_where_it_was(open_page: Opener, many: UiServer) -> None:
    """280,000 characters; the server gives 100,000 on each side at most."""

    def middle(route: Route) -> None:
        answer = many.search("middle")
        start = LONG.index("😀")
        passage = {**answer["files"][0]["passages"][0], "id": "long", "start": start, "end": start + 20}
        passage |= {"text": LONG[start : start + 20], "matches": [{"query": [0, 6], "text": [2, 5], "score": 1.0}]}
        route.fulfill(json={**answer, "files": [{**answer["files"][0], "name": "long", "passages": [passage]}]})

    page = open_page(many.address, before=lambda page: page.route("**/ui/api/search", middle))
    search(page, "middle")
    here = page.locator("#reader .here")
    expect(here).to_have_text(LONG[LONG.index("😀") :][:20])
    expect(here.locator("mark")).to_have_text("the")
    for around in (12_000, 48_000, 100_000):
        before = here.bounding_box()
        page.get_by_role("button", name="More of the text").click()
        page.wait_for_function(
            "least => document.querySelector('#reader .whole').textContent.length >= least", arg=2 * around
        )
        after = here.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(after["y"] - before["y"]) < 3  # what is read does not jump away
        expect(here).to_be_in_viewport()
    expect(page.get_by_role("button", name="More of the text")).to_have_count(0)
