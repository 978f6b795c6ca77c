"""The screenshots of docs/: `run.py test-ui --pictures` writes them there, else they are only made and weighed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from browser_corpus import write_files
from browser_steps import Opener, search
from small_png import small_png
from ui_server import UiServer

ROOT = Path(__file__).parents[2]
MOST_BYTES = 120_000
HOME = "/home/ada/Documents"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UiServer]:
    """This project's own documentation beside the corpus."""
    folder = tmp_path_factory.mktemp("library")
    write_files(folder / "Documents")
    for page in sorted((ROOT / "docs").glob("*.md")):
        (folder / "Documents" / "manual").mkdir(exist_ok=True)
        (folder / "Documents" / "manual" / page.name).write_bytes(page.read_bytes())
    words = ["index", "Documents", "--quiet", "--into", ".colibri-index"]
    subprocess.run([sys.executable, "-m", "colibri", *words], cwd=folder, check=True, capture_output=True)
    with UiServer(folder=folder, log=folder / "log") as running:
        running.wait_for(lambda state: state["indexing"]["phase"] == "idle" and state["documents"] > 20)
        yield running


def at_home(page: Page) -> None:
    """What is shown lies in somebody's home, wherever it lies here."""

    def moved(route: Route) -> None:
        answer = route.fetch().json()
        roots = answer.get("roots", [])
        here.update(root["path"] for root in roots)
        for found, names in ((roots, ["path"]), (answer.get("files", []), ["path", "folder"])):
            for one, name in ((one, name) for one in found for name in names):
                one[name] = told(one[name])
        for count in answer.get("counts", {}).get("folders", []):
            count["value"] = told(count["value"])
        route.fulfill(json=answer)

    def told(path: str) -> str:
        return next((HOME + path.removeprefix(root) for root in here if path.startswith(root)), path)

    here: set[str] = set()
    page.route("**/ui/api/state", moved)
    page.route("**/ui/api/search", moved)


@pytest.mark.parametrize(
    ("name", "width", "height", "colours", "lit"),
    [("results", 1280, 760, "light", None), ("heat", 1280, 760, "dark", "fresh"), ("narrow", 320, 640, "light", None)],
)
def test_pictures(
    open_page: Opener,
    browser: Browser,
    library: UiServer,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    name: str,
    width: int,
    height: int,
    colours: str,
    lit: str | None,
) -> None:
    page = open_page(library.address, before=at_home, width=width, height=height, color_scheme=colours)
    expect(page.locator("#progress-text")).to_contain_text("documents", timeout=60_000)
    search(page, "how do I keep the index fresh")
    if width > 1200:
        expect(page.locator("#reader .whole")).to_be_visible()
    if lit is not None:
        page.locator("#words button", has_text=lit).click()
    else:
        page.keyboard.press("ArrowDown")
    picture = small_png(browser, page.screenshot(animations="disabled", caret="hide"))
    assert len(picture) < MOST_BYTES
    folder = ROOT / "docs" if request.config.getoption("--pictures") else tmp_path
    (folder / f"desktop-{name}.png").write_bytes(picture)
