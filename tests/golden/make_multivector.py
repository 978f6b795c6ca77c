# requirements: Python 3.11, torch==2.13.0 (CPU), then transformers==5.23.0, sentence-transformers==6.2.0
"""Write `multivector-*`: what sentence-transformers 6.2.0's MultiVectorEncoder saves of the ModernBERT checkpoints, but
for the weights, and what it makes of whole texts.

`multivector-plain` is tiny-random-modernbert as that library reads and saves it. `multivector-all` is
tiny-random-modernbert-dense2 with every other rule it knows: prompts behind the markers, lower-casing, masks as a
floor that the words see, a skiplist of other words for both roles. The tests put the weights beside them.

`golden.safetensors` holds, for text N of TEXTS and each role, `ROLE_ids_N` and `ROLE_rows_N` (rows that count, unit
length). Each text runs alone. `python tests/golden/make_multivector.py` needs no network.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save
from sentence_transformers import MultiVectorEncoder

HERE = Path(__file__).resolve().parent
TEXTS = (
    "small birds",
    "How FAST does a Hummingbird beat its wings?",
    "Late interaction, said (e.g.) in a paper: one vector per token - not one per text!",
    "ÜBERALL Kolibris, 蜂鳥, και ΟΔΥΣΣΕΥΣ 🐦.",
    "the river and the city in the old world where people read and write " * 12,
    "",
    "  two spaces ",
    "ISTANBUL İstanbul",
)


def write(name: str, source: str, model: MultiVectorEncoder, **rest: object) -> None:
    """Files and golden values of one model. rest: what sentence_bert_config.json says beside what is saved."""
    folder = HERE / name
    with tempfile.TemporaryDirectory() as scratch:
        model.save(scratch)
        path = Path(scratch) / "sentence_bert_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | rest, indent=2) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(scratch, folder, ignore=shutil.ignore_patterns("*.safetensors", "README.md"))
        read = MultiVectorEncoder(scratch, device="cpu")
    out = {}
    for n, text in enumerate(TEXTS):
        for role, encode in (("query", read.encode_query), ("document", read.encode_document)):
            features = read.preprocess([text], prompt=read.prompts[role], task=role)
            out[f"{role}_ids_{n}"] = features["input_ids"][0]
            out[f"{role}_rows_{n}"] = encode([text], convert_to_numpy=False)[0].cpu().float()
    tensors = {key: array.contiguous() for key, array in out.items()}
    (folder / "golden.safetensors").write_bytes(save(tensors, metadata={"weights": source}))
    print(name, {key: tuple(array.shape) for key, array in out.items() if "rows" in key})  # noqa: T201


def main() -> None:
    """Both folders."""
    torch.set_num_threads(1)
    plain = MultiVectorEncoder(str(HERE / "tiny-random-modernbert"), device="cpu")
    write("multivector-plain", "tiny-random-modernbert", plain)
    model = MultiVectorEncoder(str(HERE / "tiny-random-modernbert-dense2"), device="cpu")
    model.prompts = {"query": "[Q] search: ", "document": "[D] small "}
    transformer, mask = model[0], next(m for m in model if type(m).__name__ == "MultiVectorMask")
    transformer.query_length, transformer.document_length = 40, 60
    transformer.query_expansion = {"strategy": "min", "attend": True, "length": 16}
    mask.skiplist_words, mask.skiplist_tasks = ["!", "-", "the"], ["query", "document"]
    write("multivector-all", "tiny-random-modernbert-dense2", model, do_lower_case=True)


if __name__ == "__main__":
    main()
