"""After any sequence of operations, words are found where plain loops over a dict find them, and nowhere else."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from colibri import Document, Index, TokenVectors
from colibri.index import ingest
from colibri.index.storage import segments, transaction
from rounds import rounds
from store_contract import DIM, SPACE, rows

IDS = st.sampled_from(["a", "b", "c", "d", "é"])
WORDS = ("red", "blue", "straße", "naïve", "x1", "東京", "京都", "ไทย")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12)
ABOUT = st.sampled_from([None, "scan", "red scan"])
Entry = tuple[list[str] | None, str | None, int]  # words, words about it, passages
Model = dict[str, Entry]


def text_of(words: list[str]) -> str:
    return ", ".join(words)


def passages_of(words: list[str], count: int) -> TokenVectors:
    """Passages of ready vectors that lie anywhere in the text, as their spans say."""
    whole = len(text_of(words))
    spans = np.array([(i * whole // count, (i + 1) * whole // count) for i in range(count)], np.int32)
    vectors = np.concatenate([rows(i, 1) for i in range(count)])
    return TokenVectors(vectors, np.arange(count + 1), spans)


class WordsMachine(RuleBasedStateMachine):
    """Two handles, one of which reads and looks."""

    @initialize(batch=st.sampled_from([1, 2, 1_024]), share=st.sampled_from([2, 1_000]))
    def begin(self, batch: int, share: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(segments, "FULL_PASSAGES", 6)
        self.patch.setattr(ingest, "_BATCH_DOCUMENTS", batch)
        self.patch.setattr(transaction, "OWN_SHARE", share)
        self.index = Index.open(self.folder / "index", dim=DIM, space_id=SPACE)
        self.second = Index.open(self.folder / "index", dim=DIM, space_id=SPACE)
        self.model: Model = {}
        self.exports = 0

    def document(self, name: str, entry: Entry) -> Document:
        words, said, count = entry
        payload = None if said is None else {"file": {"about": said}}
        return Document(id=name, text=text_of(words or []), payload=payload, vectors=passages_of(words or [], count))

    @rule(batch=st.lists(st.tuples(IDS, TEXTS, ABOUT, st.integers(1, 3)), max_size=5), kept=st.booleans())
    def upsert(self, batch: list[tuple[str, list[str], str | None, int]], kept: bool) -> None:
        self.index.upsert([self.document(name, tuple(rest)) for name, *rest in batch], keep_text=kept)  # type: ignore[arg-type]
        self.model |= {name: (words if kept else None, said, count) for name, words, said, count in batch}

    @rule(outer=st.lists(st.tuples(IDS, TEXTS), max_size=4), inner=st.lists(st.tuples(IDS, TEXTS), max_size=2))
    def upsert_while_another_writes(
        self, outer: list[tuple[str, list[str]]], inner: list[tuple[str, list[str]]]
    ) -> None:
        def stream() -> Iterator[Document]:
            yield from (self.document(name, (words, None, 2)) for name, words in outer[:2])
            self.second.upsert([self.document(name, (words, "scan", 1)) for name, words in inner])
            yield from (self.document(name, (words, None, 2)) for name, words in outer[2:])

        self.index.upsert(stream())
        self.model |= {name: (words, "scan", 1) for name, words in inner}
        self.model |= {name: (words, None, 2) for name, words in outer}

    @rule(names=st.lists(IDS, max_size=3))
    def delete(self, names: list[str]) -> None:
        self.index.delete(names)
        self.model = {name: entry for name, entry in self.model.items() if name not in names}

    @rule(name=IDS, said=ABOUT)
    def set_payload(self, name: str, said: str | None) -> None:
        self.index.set_payloads({name: None if said is None else {"file": {"about": said}}})
        if name in self.model:
            words, _, count = self.model[name]
            self.model[name] = (words, said, count)

    @rule(old=IDS, new=IDS, said=ABOUT)
    def rename(self, old: str, new: str, said: str | None) -> None:
        self.index.rename({old: new}, lambda *_: None if said is None else {"file": {"about": said}})
        if old in self.model:
            words, _, count = self.model.pop(old)
            self.model[new] = (words, said, count)

    @rule()
    def compact(self) -> None:
        self.index.compact()

    @rule()
    def repair(self) -> None:
        assert self.index.repair().dropped == ()

    @rule()
    def swap(self) -> None:
        self.index, self.second = self.second, self.index

    @rule()
    def export_and_import(self) -> None:
        """Into the same index, over what is there: all of it is written anew."""
        self.exports += 1
        place = self.folder / f"export{self.exports}"
        self.index.export(place)
        self.index.import_(place, replace=True)

    @rule()
    def take_over(self) -> None:
        """By an index made from this one, as `colibri index --rebuild` does."""
        self.exports += 1
        export, place = self.folder / f"export{self.exports}", self.folder / f"other{self.exports}"
        commits = self.index.commits()
        self.index.export(export)
        with Index.open(place, dim=DIM, space_id=SPACE) as other:
            other.import_(export)
        assert self.index.take_over(place, commits)

    def found(self, index: Index, query: str) -> set[str]:
        return {hit.id for hit in index.search(query, k=100, mode="words")}

    @invariant()
    def words_are_where_they_stand(self) -> None:
        for index in (self.index, self.second):
            if index.why_no_words() is not None:
                assert all(words is None and said is None for words, said, _ in self.model.values())
                continue
            for word in (*WORDS, "scan"):
                wanted = {
                    name
                    for name, (words, said, _) in self.model.items()
                    if word in (words or []) or word in (said or "").split()
                }
                assert self.found(index, word) == wanted
                assert self.found(index, f'"{word}"') == wanted
            for one, other in (("red", "blue"), ("東京", "red"), ("straße", "ไทย"), ("x1", "x1"), ("東京", "京都")):
                wanted = {
                    name
                    for name, (words, _, _) in self.model.items()
                    if (one, other) in zip(words or [], (words or [])[1:], strict=False)
                }
                assert self.found(index, f'"{one} {other}"') == wanted

    def teardown(self) -> None:
        if hasattr(self, "index"):
            assert self.index.verify().clean
            self.index.close()
            self.second.close()
            self.patch.undo()
            shutil.rmtree(self.folder)


WordsMachine.TestCase.settings = settings(stateful_step_count=12, max_examples=rounds(quick=12, soak=300))
TestWords = WordsMachine.TestCase
