"""What a person does on the page, for its tests in a browser."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

from ui_server import UiServer


def search(page: Page, words: str) -> None:
    """Type them, as a person does, and wait for the hits; where none fits well, ask for the nearest."""
    page.locator("#query").fill("")
    page.locator("#query").press_sequentially(words, delay=15)
    answered(page, words)
    strangers = page.get_by_role("button", name="Show the nearest")
    if strangers.count():
        strangers.click()
        page.locator("#query").focus()


def answered(page: Page, words: str) -> None:
    """Until what stands on the page is the answer to these words."""
    page.wait_for_function("words => document.querySelector('#results').dataset.query === words", arg=words)


def state_with(page: Page, server: UiServer, **change: object) -> None:
    """From now on the server's state as it is, with this in it: what it takes long to come to."""
    state = {**server.api("state").json, **change}
    page.route("**/ui/api/state", lambda route: route.fulfill(json=state))


@dataclass
class Opener:
    """Opens pages, and knows what their consoles said."""

    browser: Browser
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    """Patterns of what the console may say: a server that is gone is an error there."""

    def __call__(
        self,
        address: str,
        *,
        width: int = 1280,
        height: int = 800,
        before: Callable[[Page], None] | None = None,
        **more: Any,
    ) -> Page:
        """A page in a context of its own, without storage. before: done ahead of the first request."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale="en-GB", **more)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.said.append(f"pageerror: {error}"))
        page.on("request", lambda request: self.asked.append(request.url))
        if before is not None:
            before(page)
        page.goto(address)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.said.append(f"{message.type}: {message.text}")
