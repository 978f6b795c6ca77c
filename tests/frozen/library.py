"""A program to freeze: reads files in a process of its own, ranks, and keeps an index. Prints one JSON object."""

import colibri  # noqa: I001 - before anything else: as the process that reads files, the program ends here

import json
import sys
import tempfile
from pathlib import Path

from colibri import scoring
from colibri.files.reading import Read
from colibri.files.room.worker import Limits, Room

texts: list[str] = []
with Room(Limits()) as room:
    for word in sys.argv[1:]:
        for item in room.read(Path(word).name, Path(word).read_bytes()):
            assert isinstance(item, Read)
            texts.append(item.part.content.text)
model = colibri.load()
best = model.rerank("how many people live in Berlin?", ["Bread is baked.", "Berlin has 3.7 million inhabitants."])[0]
with tempfile.TemporaryDirectory() as folder, colibri.Index.open(Path(folder) / "birds") as index:
    index.add([{"id": str(i), "text": text} for i, text in enumerate(texts)])
    found = index.search("which birds are there?", k=1, explain=True)[0]
    clean = index.verify().clean
    synced = index.sync(sys.argv[1:]).as_dict()
why = scoring.why_numpy()
answer = {
    "version": colibri.__version__,
    "frozen": getattr(sys, "frozen", False),
    "read": texts,
    "best": best.document,
    "found": found.text,
    "matches": len(found.passages[0].matches or ()),
    "clean": clean,
    "synced": [synced["indexed"], synced["documents"]],
    "kernel": scoring.compile_now("int8").kernel if why is None else "numpy",
    "why": why,
}
print(json.dumps(answer))
