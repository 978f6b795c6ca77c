"""One `colibri ui` over a few real files, for the tests that only ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ui_server import TINY, UiServer, write

FILES = {
    "notes/berlin.md": "# Berlin\n\nBerlin has 3.7 million inhabitants.\n\n## Rivers\n\nThe Spree flows through it.\n",
    "notes/bread.txt": "Bread is baked from flour, water and salt.\n",
    "notes/<img src=x onerror=alert(1)>.txt": 'A file whose name is <b>markup</b> & "quotes".\n',
    "work/faq.jsonl": '{"text": "A refund takes five days."}\n{"text": "Ask for a refund by mail."}\n',
    "work/deep/plan.py": "def plan(days):\n    return [day for day in days if day.free]\n",
}


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder."""
    return write(tmp_path_factory.mktemp("ui") / "files", FILES)


@pytest.fixture(scope="session")
def page(files: Path) -> Iterator[UiServer]:
    """The running page."""
    with UiServer("files", "--model", TINY, folder=files.parent, log=files.parent / "log.jsonl") as running:
        running.wait_for_documents(6)
        yield running
