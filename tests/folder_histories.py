"""Histories of folders that an index follows, against a dict of what must be found after each run."""

import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import colibri
from colibri import Index
from colibri.files import Refresh
from colibri.index import Stored

WORDS = ("bird", "house", "river", "flour", "boat", "oven", "keeper", "gull", "stone", "lamp")
NAMES = ("a.txt", "B.txt", "b.txt", "c.md", "d.md", "rows.jsonl", ".e.txt", "ü.txt")
FOLDERS = ("", "sub", "sub/deep", "other")
OPTIONS: tuple[dict[str, Any], ...] = (
    {"passage_tokens": 12},
    {"passage_tokens": 180},
    {"split": False},
    {"split": True},
    {"globs": ("*.md",)},
    {"globs": ()},
    {"hidden": True},
    {"hidden": False},
)
KINDS = ("create", "create", "create", "edit", "edit", "rename", "move", "swap", "copy", "delete", "delete", "spoil",
         "folder", "root", "empty", "option", "stop", "prune", "partial")  # fmt: skip


class World:
    """Two roots, the files in them, and the index of both.

    texts  absolute path -> what the file holds; None: nothing that can be read
    kept   documents of roots that are gone -> their texts
    """

    def __init__(self, base: Path, model: colibri.Colibri) -> None:
        self.base = base
        self.model = model
        self.place = base / "index"
        self.texts: dict[Path, str | None] = {}
        self.roots = [base / "one", base / "two"]
        self.options: dict[Path, dict[str, Any]] = {root: {} for root in self.roots}
        self.kept: dict[str, str] = {}
        self.made = 0
        self.encoded = 0
        self.renamed = 0
        for root in self.roots:
            root.mkdir()
            self._write(root / "first.txt", self._text())
        self.index(*self.roots)

    def step(self, kind: str, chances: random.Random) -> None:
        """Do something, then run, then compare."""
        if kind == "stop":
            self._change(chances.choice(KINDS[:11]), chances)
            self._stopped(chances.randrange(1, 4))
            self.index()
        elif kind == "kill":
            self._change(chances.choice(KINDS[:11]), chances)
            self._killed(chances.random() * 3)
            self.index()
        elif kind == "partial":
            self._change(chances.choice(KINDS[:11]), chances)
            self.index(*[chances.choice(self.roots)])
            self.index()
        elif kind == "prune":
            self.prune()
        else:
            for _ in range(chances.randint(1, 3)):
                self._change(kind, chances)
            self.index()
        self.compare()

    def index(self, *paths: Path, **options: Any) -> None:
        """A run, to its end."""
        with Index.open(self.place, self.model) as index:
            work = Refresh(index)
            due = work.plan(paths, options)
            self.last = work.run(due, self._count)
            self.gone = dict(work.gone)

    def fill(self, name: str, chances: random.Random) -> None:
        """A root with files that are much like those of other roots."""
        root = self.base / name
        if root not in self.roots:
            root.mkdir()
            self.roots.append(root)
            self.options[root] = {}
        for _ in range(chances.randint(2, 7)):
            text = f"note: the bird {'house ' * chances.randint(1, 3)}river"
            self._write(root / chances.choice(FOLDERS[:3]) / chances.choice(["a.txt", "b.txt", "c.md"]), text)
        self.index(root)

    def prune(self) -> None:
        """What is gone for good leaves."""
        with Index.open(self.place, self.model) as index:
            work = Refresh(index)
            work.run(work.plan((), {}), self._count)
            work.prune([path for path, one in work.gone.items() if one.lost])
        for root in [one for one in self.roots if not one.exists()]:
            self.roots.remove(root)
        self.kept = {}
        if not self.roots:
            self._again()

    def compare(self) -> None:
        """The index holds what it must, whole, and finds each of it."""
        with Index.open(self.place, self.model, create=False) as index:
            held = list(index.documents())
            self._follow_kept({one.id for one in held})
            assert {one.id: one.text for one in held} == self.wanted()
            assert index.verify().clean
            for one in held:
                self._is_right(one)
            for one in held[:3]:
                best = index.search(one.text or "", k=1)[0]
                assert best.score >= max(hit.score for hit in index.search(one.text or "", k=5))

    def _follow_kept(self, held: set[str]) -> None:
        """What was lost with a root and is found elsewhere has moved there: an equal file takes over its rows."""
        away = {found: text for found, text in self.kept.items() if found not in held}
        self.kept = {found: text for found, text in self.kept.items() if found in held}
        assert set(away.values()) <= {text for found, text in self.wanted().items() if found not in self.kept}

    def wanted(self) -> dict[str, str]:
        """Ids of what must be found -> their texts."""
        found = dict(self.kept)
        for path, text in self.texts.items():
            root = next((one for one in self.roots if one in path.parents), None)
            if root is None or text is None or not self._chosen(path, root):
                continue
            if path.suffix == ".jsonl":
                found |= {f"{path}#{i}": row for i, row in enumerate(_rows(text), 1)}
            else:
                found[str(path)] = text
        return found

    def _is_right(self, one: Stored) -> None:
        assert one.payload is not None
        file = one.payload["file"]
        assert one.id in self.kept or Path(file["path"]).is_file()
        assert one.id == file["path"] or one.id.startswith(f"{file['path']}#")
        assert "unfinished" not in file
        root = Path(file["root"])
        if one.id not in self.kept:
            options = self.options[root]
            wanted = options.get("passage_tokens", 180) if options.get("split", True) else 0
            assert file["passages"] == wanted
            assert root in Path(file["path"]).parents

    def _chosen(self, path: Path, root: Path) -> bool:
        options = self.options[root]
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        globs = options.get("globs", ())
        return (options.get("hidden", False) or not hidden) and (not globs or path.suffix == ".md")

    def _change(self, kind: str, chances: random.Random) -> None:
        there = sorted(path for path in self.texts if any(root in path.parents for root in self.roots))
        root = chances.choice(self.roots)
        target = root / chances.choice(FOLDERS) / chances.choice(NAMES)
        source = chances.choice(there) if there else None
        if kind == "create" or (source is None and kind in {"edit", "rename", "move", "swap", "copy", "delete"}):
            same = chances.random() < 0.3 and source is not None and source.suffix == target.suffix
            self._write(target, str(self.texts[source]) if same and source and self.texts[source] else self._text())
        elif kind in {"edit", "rename", "move", "swap", "copy", "delete", "spoil"} and source is not None:
            _FILES[kind](self, source, target, chances)
        elif kind == "folder":
            self._rename_folder(root, chances)
        elif kind == "root":
            self._rename_root(root, chances)
        elif kind == "empty" and len(self.roots) > 1:
            self._lose_root(root)
        elif kind == "option":
            options = chances.choice(OPTIONS)
            self.options[root] |= options
            self.index(root, **options)
        self._keep_one_file()

    def _edit(self, source: Path, target: Path, chances: random.Random) -> None:
        text = self.texts[source] or self._text()
        self._write(source, text.replace("bird", "gull") if chances.random() < 0.2 else f"{text} {self._text()}")

    def _rename(self, source: Path, target: Path, chances: random.Random) -> None:
        self._move(source, source.with_name(target.name), chances)

    def _move(self, source: Path, target: Path, chances: random.Random) -> None:
        if (source.suffix == ".jsonl") != (target.suffix == ".jsonl"):
            return  # rows are no text, and a text no rows
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        self.texts[target] = self.texts.pop(source)
        if chances.random() < 0.2:
            self._edit(target, target, chances)

    def _swap(self, source: Path, target: Path, chances: random.Random) -> None:
        other = chances.choice([one for one in self.texts if one.parent == source.parent])
        if other != source and self.texts[other] is not None and other.suffix == source.suffix:
            between = source.with_name("between")
            source.rename(between)
            other.rename(source)
            between.rename(other)
            self.texts[source], self.texts[other] = self.texts[other], self.texts[source]

    def _copy(self, source: Path, target: Path, chances: random.Random) -> None:
        if source.suffix == target.suffix:
            target.parent.mkdir(parents=True, exist_ok=True)
            if source != target:
                (shutil.copy2 if chances.random() < 0.5 else shutil.copyfile)(source, target)
                self.texts[target] = self.texts[source]

    def _delete(self, source: Path, target: Path, chances: random.Random) -> None:
        source.unlink()
        del self.texts[source]

    def _spoil(self, source: Path, target: Path, chances: random.Random) -> None:
        """It becomes something that nothing reads."""
        source.write_bytes(chances.choice([b"\0\1\2" * 9, b" \n ", b"\x89PNG\r\n\x1a\n"]))
        self.texts[source] = None

    def _rename_folder(self, root: Path, chances: random.Random) -> None:
        some = sorted(one for one in root.rglob("*") if one.is_dir())
        if not some:
            return
        old = chances.choice(some)
        new = chances.choice(self.roots) / f"moved{self._number()}"
        old.rename(new)
        self._moved(old, new)

    def _rename_root(self, root: Path, chances: random.Random) -> None:
        """Its documents follow, and so do its options, which nobody knows of where it has no documents."""
        held = any(found.startswith(f"{root}/") for found in self.wanted())
        new = self.base / f"root{self._number()}"
        root.rename(new)
        self._moved(root, new)
        self.roots[self.roots.index(root)] = new
        self.options[new] = self.options.pop(root) if held else {}
        self.index(new)

    def _lose_root(self, root: Path) -> None:
        """It goes where the index does not look."""
        kept = {found: text for found, text in self.wanted().items() if found.startswith(f"{root}/")}
        root.rename(self.base / f"away{self._number()}")
        self.roots.remove(root)
        self.kept |= kept
        self.texts = {path: text for path, text in self.texts.items() if root not in path.parents}

    def _moved(self, old: Path, new: Path) -> None:
        for path in [one for one in self.texts if old in one.parents]:
            self.texts[new / path.relative_to(old)] = self.texts.pop(path)

    def _again(self) -> None:
        root = self.base / f"root{self._number()}"
        root.mkdir()
        self._write(root / "first.txt", self._text())
        self.roots.append(root)
        self.options[root] = {}
        self.index(root)

    def _keep_one_file(self) -> None:
        """An empty root is taken for one that is not mounted."""
        for root in self.roots:
            if not any(root.iterdir()):
                self._write(root / "first.txt", self._text())

    def _stopped(self, after: int) -> None:
        """A run that is interrupted when so many tokens were encoded."""

        def stop(tokens: int) -> None:
            nonlocal after
            after -= 1
            if after <= 0:
                raise KeyboardInterrupt

        with Index.open(self.place, self.model) as index:
            work = Refresh(index)
            with suppress(KeyboardInterrupt):
                work.run(work.plan((), {}), stop)
            assert index.verify().clean

    def _killed(self, seconds: float) -> None:
        """A run of the command that is killed at a random moment."""
        words = ["index", "--into", str(self.place)]
        with subprocess.Popen(
            [sys.executable, "-m", "colibri", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as child:
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.kill()

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = path.suffix == ".jsonl"
        data = "".join(f'{{"text": "{row}"}}\n' for row in _rows(text)) if rows else text
        path.write_text(data, encoding="utf-8")
        self.texts[path] = text

    def _text(self) -> str:
        number = self._number()
        chances = random.Random(number)
        return f"note {number}: the " + " ".join(chances.choices(WORDS, k=chances.randint(3, 30)))

    def _number(self) -> int:
        self.made += 1
        return self.made

    def _count(self, tokens: int) -> None:
        self.encoded += 1


_FILES: dict[str, Callable[[World, Path, Path, random.Random], None]] = {
    "edit": World._edit,
    "rename": World._rename,
    "move": World._move,
    "swap": World._swap,
    "copy": World._copy,
    "delete": World._delete,
    "spoil": World._spoil,
}


def _rows(text: str) -> list[str]:
    """A text as rows of eight words."""
    words = text.split()
    return [" ".join(words[at : at + 8]) for at in range(0, len(words), 8)]


def history(seed: int, steps: int, kinds: Sequence[str] = ()) -> Iterator[tuple[str, random.Random]]:
    """Random steps, the same for a seed. kinds: more than those that are quick."""
    chances = random.Random(seed)
    for _ in range(steps):
        yield chances.choice([*KINDS, *kinds]), chances
