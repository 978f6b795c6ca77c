"""One reader (or the writer) of test_concurrency.py: `readers_child.py PATH read|write SECONDS`."""

import sys
import time

import numpy as np

from colibri import Document, Index
from colibri.index.storage import segments
from store_contract import rows

COUNT = 40
_LEAST = 6  # versions, or reads, also where the machine has no time for us


def version_documents(version: int) -> list[Document]:
    """All documents of a version; some come and go."""
    return [
        Document(id=f"d{i}", vectors=rows(1000 * version + i, 1 + i % 3), payload={"v": version}, text=str(version))
        for i in range(COUNT)
    ]


def write(index: Index, until: float) -> int:
    """One transaction a version; now and then a compaction."""
    version = 1
    while time.monotonic() < until or version < _LEAST:
        version += 1
        index.upsert(version_documents(version))
        if version % 5 == 0:
            index.compact()
    return version


def read(index: Index, until: float) -> int:
    """Every answer is of one version, and versions never go back."""
    last = reads = 0
    while time.monotonic() < until or reads < _LEAST:
        found = list(index.documents(vectors=True))
        versions = {(stored.payload or {})["v"] for stored in found}
        assert len(found) == COUNT, len(found)
        assert len(versions) == 1, versions
        (version,) = versions
        assert version >= last, (version, last)
        for i in (0, 17):
            stored = next(stored for stored in found if stored.id == f"d{i}")
            assert stored.vectors is not None
            wanted = rows(1000 * version + i, 1 + i % 3)
            np.testing.assert_allclose(stored.vectors.dequantize().rows, wanted, atol=0.01)
        hits = index.search(rows(5, 2), k=COUNT)
        assert len(hits) == COUNT
        (version,) = {(hit.payload or {})["v"] for hit in hits}
        assert version >= last, (version, last)
        last = version
        reads += 1
    return reads


def main() -> None:
    path, what, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    segments.FULL_PASSAGES = 90
    with Index.open(path, create=False) as index:
        until = time.monotonic() + seconds
        print(write(index, until) if what == "write" else read(index, until))


if __name__ == "__main__":
    main()
