"""Reference cases of scoring as a file for `replay.c`: calls of a kernel's functions, and what they must write."""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colibri.scoring import meaning
from colibri.scoring.collection import collection
from colibri.scoring.kernel import Compiled
from colibri.scoring.library import symbol
from colibri.scoring.names import INTEGERS
from colibri.vectors import Kind
from scoring_cases import Ragged, stored

LENGTHS = [1, 3, 70, 1, 4, 5, 2, 130, 9, 1, 16]
DIMS = (128, 96, 33, 7, 2)
SUBSET = np.array([7, 0, 2, 2, 10])
FLOAT_BITS = 0x4B000000  # kernels/tile.py, which needs numba
K = 4


class Cases:
    """Calls, and the data they read and write, each part from a cache line's start."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []
        self.wanted: list[int] = []
        self._data = bytearray()

    def put(self, values: NDArray[Any]) -> int:
        """Where an array lies from now on, in bytes."""
        at = len(self._data)
        self._data += values.tobytes().ljust(-(-values.nbytes // 64) * 64 + 64, b"\0")
        return at

    def call(
        self, name: str, arguments: list[tuple[bool, int]], result: int = 0, wanted: NDArray[Any] | None = None
    ) -> None:
        """One call; `wanted` is what must then lie at `result`."""
        words = [len(arguments), *(word for pair in arguments for word in pair), result]
        checked = [0, 0, 0]
        if wanted is not None:
            self.wanted.append(self.put(wanted))
            checked = [self.wanted[-1], wanted.nbytes, int(wanted.dtype == np.float32)]
        self.calls.append(struct.pack(f"<64s{len(words) + 3}q", name.encode(), *map(int, words), *checked))

    def size(self) -> int:
        """Bytes of data, with which a file ends."""
        return len(self._data)

    def file(self) -> bytes:
        """What `replay` reads."""
        head = struct.pack("<2q", len(self._data), len(self.calls))
        return head + b"".join(self.calls) + bytes(self._data)


def cases(kernel: str, layouts: Mapping[Kind, Mapping[str, int]]) -> Cases:
    """Of a kernel as a library's JSON describes it: each kind and dim, all documents, some of them, and the best."""
    made = Cases()
    for kind, layout in layouts.items():
        for dim in DIMS:
            for query_tokens in (35, 3):
                _add(made, kernel, kind, dict(layout), Ragged(query_tokens, LENGTHS, dim))
    return made


def _add(made: Cases, kernel: str, kind: Kind, layout: dict[str, int], case: Ragged) -> None:
    docs = collection(stored(case.packed, kind))
    if docs.kind != kind:
        return  # int4 of an odd dim
    integer = kind in INTEGERS
    compiled = Compiled(kernel, kind, print, len, **layout, cached="")
    tokens, dim = case.query.shape
    groups = -(-tokens // 16)
    bits = compiled.float_bits
    words = made.put(np.zeros(-(-dim // compiled.per_word) * groups * 64, np.uint8))
    finals = made.put(np.zeros(16 * groups, np.float32))
    initial = made.put(np.zeros(16 * groups * compiled.initials(dim), np.int32))
    query, weights = made.put(case.query), made.put(case.weights)
    pack = [
        (True, query),
        (False, tokens),
        (False, dim),
        (True, weights),
        (True, words),
        (True, finals),
        (True, initial),
    ]
    made.call(symbol(kernel, kind, "pack"), [*pack, (False, groups), (False, bits)])

    meant = meaning.prepare(case.query, case.weights, integer=integer)
    scores = meaning.scores(meant, docs.rows, docs.scales, docs.starts)
    wanted: Any = scores if not integer else scores.view(np.int32)  # integers' scores are the same bits anywhere
    lengths = np.diff(docs.starts)[SUBSET]
    stream = made.put(np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]))
    starts, rows, scales, ids = made.put(docs.starts), made.put(docs.rows), made.put(docs.scales), made.put(SUBSET)
    room = made.put(np.zeros(compiled.room_bytes(dim, groups), np.uint8))
    common = [(True, words), (True, finals), (True, initial), (False, groups), (False, int(bits != 0)), (True, rows)]
    common += [(False, dim), (True, scales), (False, docs.scale_stride)]
    count, scan = len(scores), symbol(kernel, kind, "scan")
    nothing, first = (False, 0), (False, 0)
    out = made.put(np.zeros(count, np.float32))
    whole = [*common, (True, starts), (True, starts), nothing, first, (False, count)]
    made.call(scan, [*whole, (True, out), nothing, nothing, (True, room)], out, wanted)
    out = made.put(np.zeros(len(SUBSET), np.float32))
    some = [*common, (True, stream), (True, starts), (True, ids), first, (False, len(SUBSET))]
    made.call(scan, [*some, (True, out), nothing, nothing, (True, room)], out, wanted[SUBSET])
    if integer:  # floats may order two documents otherwise
        top = made.put(np.zeros(2 * K, np.float64))
        heap = np.concatenate(heap_of(scores, K)).view(np.int64)
        made.call(scan, [*whole, nothing, (False, K), (True, top), (True, room)], top, heap)


def heap_of(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What `keep` of kernels/scan.py leaves: a heap whose root is the worst of the k best."""
    heap: list[tuple[float, int]] = []

    def worse(a: tuple[float, int], b: tuple[float, int]) -> bool:
        return a[0] < b[0] or (a[0] == b[0] and a[1] > b[1])

    for place, score in enumerate(map(float, scores)):
        new, i = (score, place), len(heap)
        if i < k:
            heap.append(new)
            while i and worse(new, heap[(i - 1) // 2]):
                heap[i] = heap[(i - 1) // 2]
                i = (i - 1) // 2
        elif worse(heap[0], new):
            i = 0
            while 2 * i + 1 < k:
                child = min((j for j in (2 * i + 1, 2 * i + 2) if j < k), key=lambda j: (heap[j][0], -heap[j][1]))
                if not worse(heap[child], new):
                    break
                heap[i] = heap[child]
                i = child
        else:
            continue
        heap[i] = new
    values, places = zip(*heap, strict=True)
    return np.array(values), np.array(places, np.int64).view(np.float64)
