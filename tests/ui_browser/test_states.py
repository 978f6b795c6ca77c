"""What the page says where it has nothing to show: empty, nothing fits, gone, locked, failed; and while it indexes."""

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from browser_corpus import write_files
from browser_steps import Opener, answered, search, state_with
from ui_server import UiServer

Check = Callable[[Page], None]


def test_before_the_first_word_it_says_what_there_is(page: Page, check: Check) -> None:
    expect(page.locator("#empty")).to_contain_text(re.compile(r"\d+ documents to search"))
    expect(page.locator("#found")).to_be_hidden()
    check(page)


def test_an_index_without_a_folder_says_how_to_add_one(open_page: Opener, tmp_path: Path, check: Check) -> None:
    with UiServer(folder=tmp_path, log=tmp_path / "log") as empty:
        page = open_page(empty.address)
        expect(page.locator("#empty")).to_contain_text("Nothing is indexed yet")
        check(page)
        page.get_by_role("button", name="Add a folder").click()
        expect(page.locator("#folders")).to_be_visible()
        check(page)
        page.close()  # before its server: a look at the state between the two ends is an error in its console


def test_nothing_found_says_what_may_help_and_filters_go_with_one_button(page: Page, check: Check) -> None:
    search(page, "birds")
    page.locator("#filters label").filter(has_text="past day").click()
    page.locator("#filters label").filter(has_text="older").first.click()
    expect(page.locator("#empty h2")).to_have_text("Nothing found")
    expect(page.locator("#empty")).to_contain_text("1 filter may leave it out")
    check(page)
    page.locator("#empty").get_by_role("button", name="Remove all filters").click()
    expect(page.locator("article").first).to_be_visible()
    expect(page.locator("#filters input[value='']")).to_be_checked()


@pytest.mark.parametrize(
    ("query", "only"),
    [
        ("-birds", True),
        ('-"of the" -birds', True),
        ("-“of the”", True),
        ("-a-b " * 1_500, True),
        ("-a-b " * 1_500 + '"no such phrase"', False),
        ('"no such phrase"', False),
    ],
)
def test_a_query_that_only_excludes_is_told_so(page: Page, query: str, only: bool) -> None:
    page.locator("#query").fill(query)
    answered(page, query)
    expect(page.locator("#empty h2")).to_have_text("Nothing found")
    told = page.locator("#empty", has_text="add a word to look for")
    expect(told).to_have_count(1 if only else 0)


def unlikely(route: Route) -> None:
    """The server's own answer, its fit put down to what a miss has."""
    response = route.fetch()
    route.fulfill(response=response, json={**response.json(), "fit": "unlikely"})


def test_where_nothing_fits_no_strangers_are_shown_unasked(page: Page, check: Check) -> None:
    page.route("**/ui/api/search", unlikely)
    page.locator("#query").fill("the price of tea")
    answered(page, "the price of tea")
    expect(page.locator("#empty h2")).to_have_text("Nothing fits well yet")  # the last word may go on
    page.keyboard.press("Enter")
    expect(page.locator("#empty h2")).to_have_text("Nothing fits well")
    expect(page.locator("article")).to_have_count(0)
    expect(page.locator("#words")).to_be_hidden()
    check(page)
    page.get_by_role("button", name=re.compile("Show the nearest")).click()
    expect(page.locator("article").first).to_be_focused()
    page.locator("#query").focus()
    page.keyboard.press("End")
    page.keyboard.type(" in china")  # who has seen strangers once is not asked again
    answered(page, "the price of tea in china")
    expect(page.locator("article").first).to_be_visible()


def test_a_server_that_is_gone_and_back_is_told_and_searched_again(
    open_page: Opener, tmp_path: Path, check: Check
) -> None:
    write_files(tmp_path / "files")
    with UiServer("files", folder=tmp_path, log=tmp_path / "log") as first:
        first.wait_for(lambda state: state["indexing"]["phase"] == "idle" and state["documents"] > 10)
        page = open_page(first.address)
        search(page, "how do hummingbirds sleep")
        port, token = first.port, first.token
        assert first.stop() in {0, -signal.SIGTERM, 128 + signal.SIGTERM}
    open_page.allowed += ["net::ERR_", "401", "503"]
    expect(page.locator("#trouble h2")).to_have_text("Colibri does not answer", timeout=15_000)
    expect(page.locator("article").first).to_be_visible()  # what was found stays in sight
    check(page)
    page.locator("#query").fill("penguins in the cold")
    with UiServer("--port", str(port), folder=tmp_path, log=tmp_path / "log") as second:
        if second.token != token:
            expect(page.locator("#trouble h2")).to_have_text("This page has no right to search here", timeout=30_000)
            check(page)
            page.locator("#token").fill(second.token)
            page.get_by_role("button", name="Use it").click()
        answered(page, "penguins in the cold")
        expect(page.locator("#trouble")).to_be_hidden()
        expect(page.locator("#files > li").first.locator("h2")).to_have_text("penguins.pdf")


def test_a_page_opened_anew_by_the_new_address_takes_its_token(open_page: Opener, server: UiServer) -> None:
    open_page.allowed += ["401"]
    page = open_page(server.address.partition("#")[0])
    expect(page.locator("#trouble h2")).to_have_text("This page has no right to search here")
    page.evaluate("token => { location.hash = 'token=' + token }", server.token)
    expect(page.locator("#trouble")).to_be_hidden()
    assert page.evaluate("location.href").endswith("/ui/")
    search(page, "bread")


@pytest.mark.parametrize("typed", ["wrong", "ÿ", "鳥 🐦", "a b", " "])
def test_a_wrong_token_is_refused_and_asked_for_again(
    open_page: Opener, server: UiServer, check: Check, typed: str
) -> None:
    open_page.allowed += ["401"]
    page = open_page(server.address.partition("#")[0])
    page.locator("#token").fill(typed)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#trouble h2")).to_have_text("This page has no right to search here")
    check(page)
    page.locator("#token").fill(server.token)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#trouble")).to_be_hidden()
    search(page, "bread")


@pytest.mark.parametrize("status", [409, 422, 500, 503])
def test_a_search_that_fails_says_why_and_is_tried_again(
    page: Page, open_page: Opener, check: Check, status: int
) -> None:
    open_page.allowed += [str(status)]
    problem = {"detail": "the index is being rebuilt", "code": "BUSY"}
    page.route("**/ui/api/search", lambda route: route.fulfill(status=status, json=problem))
    page.locator("#query").fill("bread")
    expect(page.locator("#trouble")).to_contain_text("the index is being rebuilt")
    check(page)
    page.unroute("**/ui/api/search")
    page.get_by_role("button", name="Search again").click()
    answered(page, "bread")
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_question_too_long_is_refused_in_a_persons_words(page: Page, open_page: Opener) -> None:
    open_page.allowed += ["422"]
    page.locator("#query").fill("birds " * 2000)
    expect(page.locator("#trouble")).to_contain_text("12,000 characters long, and 10,000 are the most; shorten it")
    page.locator("#query").fill("birds")
    answered(page, "birds")
    expect(page.locator("#trouble")).to_be_hidden()


INDEXING = {
    "phase": "indexing",
    "root": "/home/ada",
    "file": "a.pdf",
    "done": 3,
    "total": 64,
    "per_s": 3.21,
    "left_s": 20.0,
    "error": None,
}


@pytest.mark.parametrize(
    ("change", "said", "button"),
    [
        ({}, "Indexing 3 of 64 files · a.pdf · 3.2 files/s · 20 s left", "Pause"),
        ({"per_s": 0.04}, "Indexing 3 of 64 files · a.pdf · 2.4 files/min · 20 s left", "Pause"),
        ({"per_s": None, "left_s": None, "file": None}, "Indexing 3 of 64 files", "Pause"),
        ({"phase": "looking", "total": 0, "done": 0}, "Looking for what is new in /home/ada", "Pause"),
        ({"phase": "paused"}, "Paused at 3 of 64 files", "Resume"),
        ({"phase": "paused", "total": 0}, "Paused: changes are not taken up", "Resume"),
        (
            {"phase": "failed", "error": "no space left on device"},
            "Indexing stopped: no space left on device",
            "Try again",
        ),
    ],
)
def test_what_the_index_does_is_shown_and_can_be_held(
    open_page: Opener, server: UiServer, check: Check, change: dict[str, object], said: str, button: str
) -> None:
    told: list[str] = []

    def hear(route: Route) -> None:
        told.append(route.request.url.rpartition("/")[2])
        route.fulfill(json={"done": True})

    def before(page: Page) -> None:
        state_with(page, server, indexing={**INDEXING, **change}, can_change=True)
        page.route(re.compile("/ui/api/(pause|resume|look)$"), hear)

    page = open_page(server.address, before=before)
    expect(page.locator("#progress-text")).to_have_text(said)
    search(page, "bread")  # while it works
    check(page)
    page.locator("#pause", has_text=button).click()
    page.wait_for_function("() => document.querySelector('#pause').textContent.length > 0")
    assert told == [{"Pause": "pause", "Resume": "resume", "Try again": "look"}[button]]


def test_folders_are_added_and_forgotten_only_when_sure(open_page: Opener, server: UiServer, check: Check) -> None:
    told: list[tuple[str, object]] = []

    def hear(route: Route) -> None:
        told.append((route.request.url.rpartition("/")[2], route.request.post_data_json))
        route.fulfill(json={"done": True})

    def before(page: Page) -> None:
        roots = [
            {"path": "/home/ada/<b>notes</b>", "documents": 1200, "present": True, "problem": None},
            {"path": "/media/disk", "documents": 1, "present": False, "problem": "its disk is not there"},
        ]
        state_with(page, server, roots=roots, can_change=True)
        page.route(re.compile("/ui/api/(add|forget|look)$"), hear)

    page = open_page(server.address, before=before)
    page.locator("#folders-open").click()
    dialog = page.locator("#folders")
    expect(dialog).to_contain_text("/home/ada/<b>notes</b>")
    expect(dialog).to_contain_text("its disk is not there")
    check(page)
    dialog.get_by_role("button", name="Forget /home/ada/<b>notes</b>").click()
    expect(dialog).to_contain_text("Take 1,200 documents out of the index? The files stay as they are.")
    check(page)
    dialog.get_by_role("button", name="Keep it").click()
    assert told == []
    dialog.get_by_role("button", name="Forget /media/disk").click()
    dialog.get_by_role("button", name="Forget it").click()
    expect(page.locator("#toast")).to_have_text("Forgotten: /media/disk")
    dialog.locator("#folder-path").fill("/home/ada/new")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_have_text("Added: /home/ada/new")
    dialog.get_by_role("button", name="Look for changes now").click()
    expect(page.locator("#toast")).to_have_text("Looking for what is new")
    wanted = [("forget", {"path": "/media/disk"}), ("add", {"path": "/home/ada/new"}), ("look", {})]
    assert told == wanted
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#folders-open")).to_be_focused()


def test_a_page_that_may_not_change_or_open_offers_neither(open_page: Opener, server: UiServer, check: Check) -> None:
    page = open_page(server.address, before=lambda page: state_with(page, server, can_change=False, can_open=False))
    search(page, "how do hummingbirds sleep")
    assert page.get_by_role("button", name=re.compile("^(Open|Folder of)")).count() == 0
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # the text instead
    expect(page.locator("#reader .whole")).to_be_focused()
    page.locator("#folders-open").click()
    expect(page.locator("#folder-path")).to_be_hidden()
    assert page.get_by_role("button", name=re.compile("^Forget")).count() == 0
    check(page)


def test_why_an_index_is_not_kept_fresh_stands_at_the_foot_of_the_page(
    open_page: Opener, server: UiServer, check: Check
) -> None:
    said = "the index may only be read here: it can be searched, and is not kept fresh"
    change = {"can_change": False, "watching": False, "note": said}
    page = open_page(server.address, before=lambda page: state_with(page, server, **change))
    expect(page.locator("#progress-text")).to_contain_text(said)
    expect(page.locator("#pause")).to_be_hidden()
    page.locator("#folders-open").click()
    expect(page.locator("#folders")).to_contain_text(said)
    check(page)


def test_a_code_in_the_address_is_good_once_and_never_kept(open_page: Opener, server: UiServer) -> None:
    """What a browser is started with, every user of the machine can read: so it is no token."""
    open_page.allowed += ["401"]
    code = server.api("code", {}).json["code"]
    base = server.address.partition("#")[0]
    page = open_page(f"{base}#code={code}")
    search(page, "bread")
    assert page.evaluate("location.href") == base
    assert page.evaluate("sessionStorage.getItem('colibri.token')") == server.token
    page.evaluate("code => { location.hash = 'code=' + code }", code)  # once more, in a page that has the token
    search(page, "penguins")
    stranger = open_page(f"{base}#code={code}")
    expect(stranger.locator("#trouble h2")).to_have_text("This page has no right to search here")
    assert stranger.evaluate("sessionStorage.getItem('colibri.token')") is None


def test_a_file_that_would_run_is_not_opened_but_its_folder_is_offered(page: Page, open_page: Opener) -> None:
    open_page.allowed += ["409"]
    told: list[str] = []

    def hear(route: Route) -> None:
        told.append(route.request.url.rpartition("/")[2])
        if told[-1] == "open":
            route.fulfill(status=409, json={"detail": "plan.py: to open it would run it", "code": "FILE_RUNS"})
        else:
            route.fulfill(json={"done": True})

    page.route(re.compile("/ui/api/(open|reveal)$"), hear)
    search(page, "which birds are asleep in the code")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("to open it would run it")
    page.locator("#toast").get_by_role("button", name="Show folder").click()
    expect(page.locator("#toast")).to_contain_text("Showed the folder of")
    assert told == ["open", "reveal"]


def test_a_server_in_the_house_asks_for_a_key(open_page: Opener, server: UiServer, check: Check) -> None:
    open_page.allowed += ["401"]
    problem = {"detail": "a key is wanted", "code": "AUTH_MISSING"}

    def before(page: Page) -> None:
        page.route("**/ui/api/state", lambda route: route.fulfill(status=401, json=problem))

    page = open_page(server.address.partition("#")[0], before=before)
    expect(page.locator("#trouble")).to_contain_text("This server wants one of its keys")
    expect(page.get_by_label("Key", exact=True)).to_be_visible()
    check(page)


def test_what_is_saved_is_found_without_another_key(open_page: Opener, tmp_path: Path) -> None:
    """A folder is followed, and the page asks again by itself where nobody would lose their place."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "bread.txt").write_text("Bread is baked from flour.\n", encoding="utf-8")
    with UiServer("files", folder=tmp_path, log=tmp_path / "log") as running:
        running.wait_for(lambda state: state["indexing"]["phase"] == "idle" and state["documents"] == 1)
        page = open_page(running.address)
        search(page, "zebras have stripes")
        expect(page.locator("#files h2")).to_have_text(["bread.txt"])
        (tmp_path / "files" / "zebra.txt").write_text("Zebras have stripes.\n", encoding="utf-8")
        expect(page.locator("#files h2").first).to_have_text("zebra.txt", timeout=60_000)
        expect(page.locator("#query")).to_be_focused()
        page.locator("article").first.focus()  # who reads keeps the place, and is told
        (tmp_path / "files" / "more.txt").write_text("More zebras with more stripes.\n", encoding="utf-8")
        page.get_by_role("button", name="The index has changed: search again").click(timeout=60_000)
        expect(page.locator("#files h2").filter(has_text="more.txt")).to_be_attached()
        page.close()  # before its server
