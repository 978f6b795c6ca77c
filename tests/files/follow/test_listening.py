"""Who listens to folders, and what is told when others listen in their place: real folders, what the system tells."""

from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from colibri.files.follow.listening import Listening
from colibri.files.wanted import Wanted

if find_spec("watchfiles") is None:
    pytest.skip("watchfiles is not installed", allow_module_level=True)

SECONDS = 30.0


def test_what_happens_just_before_another_listens_is_told(tmp_path: Path) -> None:
    """Of a file that is written before the new one watches, only the old one knows, which tells a step later: when the
    new one is ready already. It was ended then, and a save between two roots' changes was found a day later."""
    told: SimpleQueue[tuple[str, tuple[int, Any]]] = SimpleQueue()
    listening = Listening(lambda what, value: told.put((what, value)))
    roots = {str(tmp_path): Wanted()}
    heard: dict[str, set[int]] = {}

    def until(wanted: tuple[str, int]) -> None:
        while True:
            what, (number, value) = told.get(timeout=SECONDS)
            assert listening.knows(number, what), (what, number)  # type: ignore[arg-type]
            if what == "changed":
                for path, _ in value:
                    heard.setdefault(Path(path).name, set()).add(number)
            if what == "ready":
                listening.began(number)
            if (what, number) == wanted:
                return

    try:
        listening.to_all(roots, ())
        until(("ready", 1))
        for number in range(2, 6):
            (tmp_path / f"{number}.txt").write_text("A file.", encoding="utf-8")
            listening.to_all(roots, ())
            until(("ready", number))
            while f"{number}.txt" not in heard:
                until(("changed", number - 1))
        assert not listening.knows(1, "lost"), "another one listens"
    finally:
        listening.close()
    assert not listening.knows(5, "changed")
