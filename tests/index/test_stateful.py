"""Any sequence of operations leaves an index with what a dict would hold, and finds what plain loops find."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.typing import NDArray

from colibri import Document, Index, InputError, TokenVectors
from colibri.index import ingest
from colibri.index.storage import segments, transaction
from reference import int8_maxsim, quantised
from rounds import rounds
from sign_files import signed
from store_contract import DIM, SPACE, rows

IDS = st.sampled_from(["a", "b", "c", "d", "é", "\x00", "'"])
SEEDS = st.integers(0, 30)
Model = dict[str, tuple[int, int, dict[str, int]]]  # id -> seed, passages, payload


def passages_of(seed: int, count: int) -> list[NDArray[np.float32]]:
    return [rows(100 * seed + i, 1 + (seed + i) % 3) for i in range(count)]


def score(query: NDArray[np.float32], seed: int, count: int) -> float:
    quantised_passages = [[quantised(row) for row in passage] for passage in passages_of(seed, count)]
    return float(max(int8_maxsim(query, quantised_passages)))


class IndexMachine(RuleBasedStateMachine):
    """Segments of a few passages, so that there are many of them."""

    @initialize(batch=st.sampled_from([1, 2, 1_024]), share=st.sampled_from([2, 8, 1_000]))
    def begin(self, batch: int, share: int) -> None:
        """batch: documents that wait in memory. share: of a segment, that what is staged in files has to be to become
        one."""
        self.folder = Path(tempfile.mkdtemp())
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(segments, "FULL_PASSAGES", 4)
        self.patch.setattr(ingest, "_BATCH_DOCUMENTS", batch)
        self.patch.setattr(transaction, "OWN_SHARE", share)
        self.index = self.open()
        self.second = self.open()
        self.model: Model = {}

    def open(self) -> Index:
        return Index.open(self.folder / "index", dim=DIM, space_id=SPACE)

    def document(self, name: str, seed: int, count: int) -> Document:
        vectors = TokenVectors.from_arrays(passages_of(seed, count))
        return Document(id=name, vectors=vectors, payload={"seed": seed}, text=f"{name} {seed}")

    @rule(batch=st.lists(st.tuples(IDS, SEEDS, st.integers(1, 3)), max_size=4))
    def add(self, batch: list[tuple[str, int, int]]) -> None:
        made = [self.document(*entry) for entry in batch]
        names = [name for name, _, _ in batch]
        if len(set(names)) < len(names) or set(names) & self.model.keys():
            with pytest.raises(InputError):
                self.index.add(made)
            return
        assert self.index.add(made) == len(made)
        self.model |= {name: (seed, count, {"seed": seed}) for name, seed, count in batch}

    @rule(batch=st.lists(st.tuples(IDS, SEEDS, st.integers(1, 3)), max_size=4))
    def upsert(self, batch: list[tuple[str, int, int]]) -> None:
        self.index.upsert([self.document(*entry) for entry in batch])
        self.model |= {name: (seed, count, {"seed": seed}) for name, seed, count in batch}

    @rule(
        outer=st.lists(st.tuples(IDS, SEEDS, st.integers(1, 3)), max_size=5),
        inner=st.lists(st.tuples(IDS, SEEDS, st.integers(1, 3)), max_size=3),
        names=st.lists(IDS, max_size=2),
        compact=st.booleans(),
    )
    def upsert_while_others_write(
        self,
        outer: list[tuple[str, int, int]],
        inner: list[tuple[str, int, int]],
        names: list[str],
        compact: bool,
    ) -> None:
        """What the others do counts first, since it is committed first."""

        def stream() -> Iterator[Document]:
            yield from (self.document(*entry) for entry in outer[:3])
            self.second.upsert([self.document(*entry) for entry in inner])
            self.second.delete(names)
            if compact:
                self.second.compact()
            yield from (self.document(*entry) for entry in outer[3:])

        assert self.index.upsert(stream()) == len(outer)
        self.model |= {name: (seed, count, {"seed": seed}) for name, seed, count in inner}
        self.model = {name: entry for name, entry in self.model.items() if name not in names}
        self.model |= {name: (seed, count, {"seed": seed}) for name, seed, count in outer}

    @rule(names=st.lists(IDS, max_size=3))
    def delete(self, names: list[str]) -> None:
        gone = set(names) & self.model.keys()
        assert self.index.delete(names) == len(gone)
        for name in gone:
            del self.model[name]

    @rule(least=SEEDS)
    def delete_where(self, least: int) -> None:
        gone = [name for name, (seed, _, _) in self.model.items() if seed >= least]
        assert self.index.delete(where={"seed": {"$gte": least}}) == len(gone)
        for name in gone:
            del self.model[name]

    @rule()
    def compact(self) -> None:
        self.index.compact()

    @rule()
    def reopen(self) -> None:
        self.index.close()
        self.index = self.open()

    @rule()
    def swap(self) -> None:
        """The other handle writes from now on."""
        self.index, self.second = self.second, self.index

    @rule(seed=SEEDS, most=SEEDS, k=st.integers(1, 8))
    def search(self, seed: int, most: int, k: int) -> None:
        query = rows(seed, 2)
        for index in (self.index, self.second):
            for where in (None, {"seed": {"$lte": most}}):
                kept = {n: e for n, e in self.model.items() if where is None or e[0] <= most}
                wanted = sorted((score(query, e[0], e[1]) for e in kept.values()), reverse=True)[:k]
                hits = index.search(query, k=k, where=where)
                assert [hit.score for hit in hits] == wanted
                for hit in hits:
                    assert hit.score == score(query, *kept[hit.id][:2])
                    assert hit.payload == kept[hit.id][2]

    @invariant()
    def holds_what_the_dict_holds(self) -> None:
        for index in (self.index, self.second):
            assert index.count() == len(self.model)
            found: dict[str, Any] = {s.id: (s.payload, s.text, len(s.passages)) for s in index.documents()}
            assert found == {n: (p, f"{n} {seed}", count) for n, (seed, count, p) in self.model.items()}
            assert all(signed(index))

    def teardown(self) -> None:
        self.index.close()
        self.second.close()
        self.patch.undo()
        shutil.rmtree(self.folder)


IndexMachine.TestCase.settings = settings(stateful_step_count=25, max_examples=rounds(quick=15, soak=500))
TestStateful = IndexMachine.TestCase
