"""One look as the process does it: how much of one that hurries is done at once, and what is left of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colibri import Index
from colibri.files import Refresh
from colibri.files.follow.work import Interrupted, Work
from reference import ARTEFACTS

PART, MOST, MB = 256, 8_192, 1 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder, indexed."""
    root = tmp_path / "root"
    root.mkdir()
    with Index.open(tmp_path / "index", ARTEFACTS / "tiny-random-bert") as index:
        work = Refresh(index)
        work.run(work.plan([root], {}), lambda tokens: None)
    return root


@pytest.fixture
def work(root: Path, tmp_path: Path) -> Iterator[Work]:
    work = Work(tmp_path / "index", {}, limits={"max_bytes": 20 * MB})
    yield work
    work.close()


def look(work: Work, root: Path, *, hurried: bool) -> dict[str, Any]:
    asked = {"changed": [str(root)], **({"hurried": True} if hurried else {})}
    return work.run(asked, lambda message: None, lambda: False)


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_what_hurries_is_done_in_parts_and_what_does_not_at_once(root: Path, work: Work) -> None:
    def write(text: str) -> None:
        for i in range(PART + 10):
            (root / f"{i:04}.md").write_text(f"{text} {i}.", encoding="utf-8")

    write("Text")
    assert [(done["indexed"], done["rest"]) for done in (look(work, root, hurried=True) for _ in range(3))] == [
        (PART, "hurried"),
        (10, None),
        (0, None),
    ]
    write("Another text")
    done = look(work, root, hurried=False)
    assert (done["indexed"], done["rest"]) == (PART + 10, None)


def test_files_that_cannot_be_read_do_not_keep_it_in_a_circle(root: Path, work: Work) -> None:
    for i in range(PART - 56):
        (root / f"0{i:04}.pdf").write_bytes(b"%PDF-1.7 damaged")
    for i in range(200):
        (root / f"1{i:04}.md").write_text(f"Text {i}.", encoding="utf-8")
    done = look(work, root, hurried=True)
    assert (done["indexed"], len(done["skipped"]), done["rest"]) == (56, PART - 56, "later")
    done = look(work, root, hurried=False)
    assert (done["indexed"], done["rest"]) == (144, None)


def test_a_part_is_of_so_many_bytes_and_what_is_large_alone_waits(root: Path, work: Work) -> None:
    sparse(root / "a large one.md", 17 * MB)
    for i in range(3):
        sparse(root / f"{i}.pdf", 7 * MB)
    (root / "a.md").write_text("A text.", encoding="utf-8")
    done = look(work, root, hurried=True)
    assert (done["files"], done["rest"]) == ([str(root / "0.pdf"), str(root / "1.pdf")], "later")
    for i in range(3):
        (root / f"{i}.pdf").unlink()
    done = look(work, root, hurried=True)
    assert (done["indexed"], done["rest"]) == (1, "hurried")
    with pytest.raises(Interrupted) as ended:
        look(work, root, hurried=True)
    assert ended.value.long


@pytest.mark.parametrize("by", ["files", "bytes"])
def test_what_is_very_long_waits_as_a_whole(by: str, root: Path, work: Work) -> None:
    if by == "files":
        for i in range(MOST + 1):
            (root / f"{i}.md").touch()
    else:
        for i in range(19):
            sparse(root / f"{i}.md", 14 * MB)
    with pytest.raises(Interrupted) as ended:
        look(work, root, hurried=True)
    assert ended.value.long
