# requirements: Python 3.11, torch==2.13.0 (CPU), then sentence-transformers==5.3.0, transformers==5.3.0, ujson,
# datasets, pandas, accelerate; then, without their dependencies, pylate==1.6.0 and fastkmeans==0.5.0
"""Write `pylate.safetensors` beside each PyLate checkpoint: what PyLate 1.6.0 itself makes of whole texts.

For text N of TEXTS and each role: `ROLE_ids_N` and `ROLE_mask_N` (tokens,) int64, and `ROLE_rows_N` (rows, dim) float32
of unit length, as `ColBERT.encode` gives them: rows of the skiplist dropped in documents, all rows kept in queries.
Each text runs alone. `python tests/golden/make_pylate.py` needs no network; PyLate wants an older transformers than
make_golden.py, hence another environment.
"""

import sys
from pathlib import Path
from types import ModuleType

for name in ("fast_plaid", "fast_plaid.search"):  # the index PyLate imports is not needed
    sys.modules[name] = ModuleType(name)
sys.modules["fast_plaid"].search = sys.modules["fast_plaid.search"]

import torch  # noqa: E402
from pylate import models  # noqa: E402
from safetensors.torch import save  # noqa: E402

HERE = Path(__file__).resolve().parent
TEXTS = (
    "small birds",
    "How fast does a hummingbird beat its wings?",
    "Late interaction, said (e.g.) in a paper: one vector per token - not one per text!",
    "Überall Kolibris, 蜂鳥, και 🐦.",
    "the river and the city in the old world where people read and write " * 12,
)


def main() -> None:
    """Both folders."""
    torch.set_num_threads(1)
    for folder in sorted(HERE.glob("tiny-random-modernbert*")):
        model = models.ColBERT(str(folder), device="cpu")
        out = {}
        for n, text in enumerate(TEXTS):
            for role, is_query in (("query", True), ("document", False)):
                features = model.tokenize([text], is_query=is_query)
                rows = model.encode([text], is_query=is_query, convert_to_numpy=False, show_progress_bar=False)[0]
                out |= {f"{role}_ids_{n}": features["input_ids"][0], f"{role}_mask_{n}": features["attention_mask"][0]}
                out[f"{role}_rows_{n}"] = rows.cpu().float().contiguous()
        (folder / "pylate.safetensors").write_bytes(save({name: array.contiguous() for name, array in out.items()}))
        print(folder.name, {name: tuple(array.shape) for name, array in out.items() if "rows" in name})  # noqa: T201


if __name__ == "__main__":
    main()
