"""Who listens to folders, and what is told when others listen in their place: real folders, what the system tells."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from colibri.files.follow.listening import Listening
from colibri.files.follow.notices import Heard
from colibri.files.wanted import Wanted

if find_spec("watchfiles") is None:
    pytest.skip("watchfiles is not installed", allow_module_level=True)

SECONDS = 30.0


def test_what_happens_just_before_another_listens_is_told(tmp_path: Path) -> None:
    """Of a file that is written before the new one watches, only the old one knows, which tells a step later: when the
    new one is ready already. It was ended then, and a save between two roots' changes was found a day later."""
    told: SimpleQueue[tuple[Heard, tuple[int, Any]]] = SimpleQueue()
    listening = Listening(lambda what, value: told.put((what, value)))
    roots = {str(tmp_path): Wanted()}
    heard: set[str] = set()
    ready: set[int] = set()

    def until(wanted: Callable[[], bool]) -> None:
        while not wanted():
            what, (number, value) = told.get(timeout=SECONDS)
            assert listening.knows(number, what), (what, number)
            if what == "changed":
                heard.update(Path(path).name for path, _ in value)
            if what == "ready":
                listening.began(number)
                ready.add(number)

    try:
        listening.to_all(roots, ())
        until(lambda: 1 in ready)
        for number in range(2, 6):
            (tmp_path / f"{number}.txt").write_text("A file.", encoding="utf-8")
            listening.to_all(roots, ())
            until(lambda: number in ready)  # noqa: B023 - called at once
            until(lambda: f"{number}.txt" in heard)  # noqa: B023
        assert not listening.knows(1, "lost"), "another one listens"
    finally:
        listening.close()
    assert not listening.knows(5, "changed")
