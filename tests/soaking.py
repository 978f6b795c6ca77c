"""Texts of all lengths and many scripts through the shipped model at full load, for as long as wanted (Linux).

    python tests/soaking.py MINUTES [FOLDER]

One JSON line when it begins, one a minute (or a tenth of the time, if that is less), one at its end. Two threads keep
the workers busy without a pause: one streams documents (cut, in windows, in all stored forms), one asks queries.
FOLDER: another artefact than the shipped one.
"""

import itertools
import json
import random
import resource
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

import colibri
from colibri.model import Colibri

WORDS = (
    "the small bird sat near a river and waited for the boats that bring flour",
    "der kleine Vogel saß am Fluss und wartete auf die Boote mit dem Straßenmehl",
    "le petit oiseau était assis près de la rivière où passent les bateaux",
    "маленькая птица сидела у реки и ждала лодку с мукой",
    "العصفور الصغير جلس قرب النهر وانتظر القوارب",
    "छोटी चिड़िया नदी के पास बैठी थी और नावों की राह देख रही थी",
    "小鳥は川のそばに座って舟を待っていた 小さな 鳥 川 舟",
    "นกตัวเล็ก นั่งอยู่ ใกล้ แม่น้ำ และ รอ เรือ",
    "작은 새가 강가에 앉아 배를 기다렸다",
    "mtoto wa ndege alikaa karibu na mto akisubiri mashua",
)
HURTING = ("", " ", "🐦", "a\0b", "\u0301", "שלום \u202e עולם", "ﬁ\u0301", "x" * 9_000, "\ud800", "<mask> </s>")
LENGTHS = (1, 3, 10, 30, 80, 200, 450, 1_500)  # words
FORMS: tuple[Literal["float32", "float16", "int8"], ...] = ("float32", "float16", "int8")
POLICIES: tuple[Literal["truncate", "windows"], ...] = ("truncate", "windows")
TURN = 60  # texts of one stream: each form and policy is soon met
FIRST = "the small bird 鳥 птица"


def texts(seed: int) -> Iterator[str]:
    """Without end, the same for a seed. One in fifty is of those that hurt."""
    rng = random.Random(seed)
    pools = [line.split() for line in WORDS]
    while True:
        if rng.random() < 0.02:
            yield rng.choice(HURTING)
        else:
            yield " ".join(rng.choices(rng.choice(pools), k=rng.choice(LENGTHS)))


def rss_mb() -> float:
    """Resident now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


class Soak:
    """The two threads and what they counted."""

    def __init__(self, model: Colibri) -> None:
        self.counts = {"documents": 0, "rows": 0, "queries": 0}
        self.error: BaseException | None = None
        self._model = model
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._guarded, args=[work]) for work in (self._stream, self._ask)]

    def start(self) -> None:
        """Begin both."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both, and wait for them."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:  # told at the end, whatever it is
            self.error = error
            self._over.set()

    def _stream(self) -> None:
        for turn in itertools.count():
            stream = self._model.stream_documents(
                itertools.islice(texts(turn), TURN),
                chunk_tokens=5_000,
                dtype=FORMS[turn % len(FORMS)],
                long_documents=POLICIES[turn % 2],
            )
            for vectors in stream:
                assert np.isfinite(vectors.rows if vectors.scales is None else vectors.scales).all()
                self.counts["rows"] += len(vectors.rows)
                if self._over.is_set():
                    return
            self.counts["documents"] += TURN

    def _ask(self) -> None:
        for text in texts(-1):
            if self._over.is_set():
                return
            self.counts["queries"] += len(self._model.encode_queries([text[:200]]))


def main(minutes: float, folder: str | None) -> None:
    """Print what happens, and fail on an error or on rows that changed."""
    model = colibri.load(folder)
    model.encode_documents(
        [*HURTING, "bird " * 600]
    )  # loads `tokenizers`, which one of them needs, and meets the longest
    before = model.encode_documents([FIRST]).rows.tobytes()
    soak = Soak(model)
    began, cpu = time.monotonic(), time.process_time()
    soak.start()
    every, end = min(60.0, minutes * 6), began + minutes * 60
    over = threading.Event()
    while (left := end - time.monotonic()) > 0 and soak.error is None:
        over.wait(min(every, left))
        seconds = time.monotonic() - began
        told: dict[str, float] = {"seconds": round(seconds), "rss_mb": round(rss_mb(), 1), **soak.counts}
        told["cores"] = round((time.process_time() - cpu) / seconds, 2)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    soak.stop()
    if soak.error is not None:
        raise soak.error
    assert model.encode_documents([FIRST]).rows.tobytes() == before, "rows changed"


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
