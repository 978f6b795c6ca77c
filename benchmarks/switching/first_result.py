"""A process of bench_switching.py: one side's way to a first result, its steps timed; or its encoding alone.

    first_result.py ours|theirs first|encode CHECKPOINT|ARTEFACT VARIANT|- PASSAGES.json

What a user writes is between the two: `RAGPretrainedModel.from_pretrained`, `.index`, `.search`.
"""

import json
import os
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false"}

HOME = {"ours": "colibri.compat.ragatouille", "theirs": "ragatouille"}


def main() -> None:
    """Run the steps in the working directory and print one JSON line on the descriptor that stdout was."""
    side, what, name, variant, file = sys.argv[1:]
    answer = os.dup(1)
    os.dup2(2, 1)  # the original prints as it works
    passages: list[str] = json.loads(Path(file).read_text(encoding="utf-8"))
    steps: dict[str, float] = {}
    at = time.perf_counter(), time.process_time()

    def step(label: str) -> None:
        nonlocal at
        now = time.perf_counter(), time.process_time()
        steps[label], steps[f"{label}, CPU"] = now[0] - at[0], now[1] - at[1]
        at = time.perf_counter(), time.process_time()

    kind: Any = import_module(HOME[side]).RAGPretrainedModel
    step("import")
    words = {} if variant == "-" else {"variant": variant}
    rag = kind.from_pretrained(name, verbose=0, **words)
    step("load")
    if what == "encode":
        checkpoint = rag._checkpoint if side == "ours" else rag.model.inference_ckpt
        checkpoint.docFromText(passages, bsize=32)
        step("encode")
    else:
        rag.index(passages, index_name="bench")
        step("index")
        assert len(rag.search(passages[7][:60], k=10)) == 10
        step("search")
        rag.search(passages[9][:60], k=10)
        step("second search")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024) / 1024
    os.write(answer, json.dumps({"steps": steps, "peak_gb": peak}).encode())


if __name__ == "__main__":
    main()
