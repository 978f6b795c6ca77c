"""`colibri ui` over real files, Chromium before it, and axe-core, which npm brings at test time.

Every page that a test opens may ask only its own server, and its console is read at the end: an error there, a breach
of the Content-Security-Policy among them, fails the test that met it.
"""

import base64
import hashlib
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from browser_corpus import TEXTS, write_files
from browser_steps import Opener
from ui_server import UiServer

ROOT = Path(__file__).parents[2]
AXE = "4.14.1"
AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `run.py test-ui` takes beside pytest's own words."""
    words = "time from key to paint, at so many passages (100,000 where no number is said), and print it"
    parser.addoption("--figures", nargs="?", type=int, const=100_000, metavar="PASSAGES", help=words)
    parser.addoption(
        "--pictures", action="store_true", help="write the screenshots to docs/ instead of a temporary folder"
    )


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Its driver."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium. It has no sandbox where root runs it, as in a container; it opens our own page alone."""
    path = next(filter(None, map(shutil.which, BROWSERS)))
    running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
    yield running
    running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Opener]:
    """Opens pages; at the end none of them has met an error, or asked another host."""
    opener = Opener(browser)
    yield opener
    cookies = [cookie for context in browser.contexts for cookie in context.cookies()]
    for context in list(browser.contexts):
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")
        context.close()
    assert cookies == []
    assert [line for line in opener.said if not any(re.search(pattern, line) for pattern in opener.allowed)] == []
    hosts = {re.sub(r":\d+$", "", url.split("/")[2]) for url in opener.asked if url.startswith("http")}
    assert hosts <= {"127.0.0.1", "localhost"}, hosts


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of browser_corpus's files."""
    return write_files(tmp_path_factory.mktemp("browser") / "files")


@pytest.fixture(scope="session")
def server(corpus: Path) -> Iterator[UiServer]:
    """One that all tests ask which change nothing."""
    with UiServer("files", folder=corpus.parent, log=corpus.parent / "log.jsonl") as running:
        running.wait_for(lambda state: state["indexing"]["phase"] == "idle" and state["documents"] == len(TEXTS) + 1)
        yield running


@pytest.fixture
def page(open_page: Opener, server: UiServer) -> Page:
    """The page, ready to be typed into."""
    opened = open_page(server.address)
    opened.locator("#progress-text", has_text="document").wait_for()
    return opened


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's source, by npm, once; it is never part of the project."""
    kept = ROOT / "build" / f"axe-core-{AXE}.tgz"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        subprocess.run(
            ["npm", "pack", f"axe-core@{AXE}", "--pack-destination", str(kept.parent)], check=True, capture_output=True
        )
    assert base64.b64encode(hashlib.sha512(kept.read_bytes()).digest()).decode() == AXE_SHA512
    with tarfile.open(kept) as packed:
        source = packed.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


@pytest.fixture(scope="session")
def check(axe: str) -> Callable[[Page], None]:
    """Fails for whatever axe-core finds on a page as it stands, best practices included. By evaluate: the page's
    policy stays as it is."""

    def checked(page: Page) -> None:
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
        faults = [
            f"{fault['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]
        assert not faults, "\n".join(faults)
        assert len(found["passes"]) > 15  # it looked

    return checked
