"""Bulk encoding on Ray Data: a colibri model a worker, rows to safetensors, and to a Qdrant collection if one is named.

    pip install 'ray[data]' 'colibri-edge[cpu]'          # and [qdrant] for --url
    python examples/ray_encode.py passages.jsonl OUT [--url http://HOST:6333 --collection passages] [--workers 2]

passages.jsonl has a document a line, {"id": ..., "text": ...}. OUT gets a file of rows a batch (`TokenVectors.load`
reads it) and a .json beside it with its ids, each written whole or not at all, under a name that its ids make: a run
that was interrupted is run again, and what is there is left. A text is one passage, cut at the model's limit.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import Any

# Before Ray is imported: it reports usage and starts a dashboard unless it is told not to.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np
import ray

BATCH = 256


class Encode:
    """One model in each worker's process; Ray makes it once and hands it batches."""

    def __init__(self, out: str, url: str | None, collection: str | None) -> None:
        import colibri  # noqa: PLC0415 - in the worker

        self._model = colibri.load(workers=1, threads=1)
        self._out = Path(out)
        self._store = None
        if url is not None and collection is not None:
            from colibri.stores import connected  # noqa: PLC0415

            self._store = connected(url, collection, model=self._model, dims=self._model.dim)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        ids, texts = [str(one) for one in batch["id"]], [str(one) for one in batch["text"]]
        name = hashlib.sha256(json.dumps([ids, texts]).encode()).hexdigest()[:24]
        done = self._out / f"{name}.json"  # written last
        if not done.exists():
            rows = self._model.encode_documents(texts)
            rows.save(self._out / f"{name}.safetensors")
            if self._store is not None:
                made = [
                    {"id": found_id, "text": text, "vectors": rows[i]}
                    for i, (found_id, text) in enumerate(zip(ids, texts, strict=True))
                ]
                self._store.upsert(made)
            partial = done.with_suffix(".partial")
            partial.write_text(json.dumps(ids), encoding="utf-8")
            partial.replace(done)
        return {"documents": np.array([len(ids)]), "file": np.array([name])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--url")
    parser.add_argument("--collection")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    if (asked.url is None) != (asked.collection is None):
        parser.error("--url and --collection go together")
    asked.out.mkdir(parents=True, exist_ok=True)
    # One more than the workers, which keep theirs: without it nothing would ever be read.
    ray.init(num_cpus=asked.workers + 1, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    data = ray.data.read_json(str(asked.source.absolute()), lines=True)
    encoded = data.map_batches(
        Encode,
        fn_constructor_args=(str(asked.out.absolute()), asked.url, asked.collection),
        batch_size=BATCH,
        concurrency=asked.workers,
        num_cpus=1,
    )
    done = encoded.take_all()
    print(f"{sum(int(one['documents']) for one in done):,} documents in {len({one['file'] for one in done})} files")
    ray.shutdown()


if __name__ == "__main__":
    main()
