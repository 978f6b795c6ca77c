"""What a person does on the page, for its tests in a browser."""

from playwright.sync_api import Page

from ui_server import UiServer


def search(page: Page, words: str) -> None:
    """Type them, as a person does, and wait for the hits."""
    page.locator("#query").fill("")
    page.locator("#query").press_sequentially(words, delay=15)
    answered(page, words)


def answered(page: Page, words: str) -> None:
    """Until what stands on the page is the answer to these words."""
    page.wait_for_function("words => document.querySelector('#results').dataset.query === words", arg=words)


def state_with(page: Page, server: UiServer, **change: object) -> None:
    """From now on the server's state as it is, with this in it: what it takes long to come to."""
    state = {**server.api("state").json, **change}
    page.route("**/ui/api/state", lambda route: route.fulfill(json=state))
