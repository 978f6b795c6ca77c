# requirements: Python 3.11, torch==2.13.0 (CPU), then for
#   stanford, ragatouille       colbert-ai==0.2.22 ragatouille==0.0.9.post2 transformers==4.57.6 langchain==0.3.30
#                               psutil
#   pylate                      sentence-transformers==5.3.0 transformers==5.3.0 ujson voyager==2.2.3 datasets pandas
#                               accelerate; then, without their dependencies, pylate==1.6.0 and fastkmeans==0.5.0
#   sentence_transformers       sentence-transformers==6.2.0 transformers==5.24.0
#   rerankers                   as stanford, and rerankers==0.10.0
"""Keep what the packages that `colibri.compat` speaks for answer to the calls of `tests/originals`.

`PYTHONPATH=tests python tests/golden/make_compat.py NAME` (one of those above, each in an environment of its own)
writes `compat/NAME.json`, what each call gave (types, shapes, keys, values, kinds of errors), and
`compat/NAME.safetensors`, the numbers of arrays. It needs no network. colbert-ai compiles C++ when it first runs.
"""

import importlib
import json
import os
import platform
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "TOKENIZERS_PARALLELISM": "false"}

HERE = Path(__file__).resolve().parent
OUT = HERE / "compat"
PACKAGES = {
    "stanford": "colbert-ai torch transformers",
    "ragatouille": "ragatouille colbert-ai torch transformers langchain",
    "pylate": "pylate sentence-transformers torch transformers",
    "sentence_transformers": "sentence-transformers torch transformers",
    "rerankers": "rerankers torch transformers",
}


def copied(name: str) -> Path:
    """A checkpoint in the working directory. colbert-ai asks the hub for the `model_name` of the metadata, which says
    what a checkpoint was trained from: here nothing. RAGatouille needs every setting in it, as published ones have."""
    folder = Path(shutil.copytree(HERE / name, name)).resolve()
    if (metadata := folder / "artifact.metadata").exists():
        facts = json.loads(metadata.read_text(encoding="utf-8")) | {"model_name": None}
        if sys.argv[1] == "ragatouille":
            infra = importlib.import_module("colbert.infra")
            facts = infra.ColBERTConfig().export() | facts
        metadata.write_text(json.dumps(facts), encoding="utf-8")
    if sys.argv[1] == "rerankers" and "bert-512" in name:  # it knows heads of 128 only: with zeros, the cosines stay
        from safetensors.torch import load_file, save_file
        from torch.nn.functional import pad

        tensors = load_file(folder / "model.safetensors")
        tensors["linear.weight"] = pad(tensors["linear.weight"], (0, 0, 0, 128 - len(tensors["linear.weight"])))
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def groups(name: str) -> dict:
    """Group -> its calls, made when they are due."""
    calls = importlib.import_module(f"originals.{name}")
    modules = importlib.import_module
    bert, big, xlmr = (copied(f"tiny-random-{family}") for family in ("bert", "bert-512", "xlmr"))
    modern = copied("tiny-random-modernbert")
    if name == "stanford":
        found = {"configuration": lambda: calls.configuration(modules, bert)}
        found |= {f"checkpoint of {at.name}": lambda at=at: calls.checkpoint(modules, at) for at in (bert, big, xlmr)}
        return found | {"index": lambda: calls.index(modules, big)}
    if name == "ragatouille":
        where = Path(".ragatouille/colbert/indexes/golden")
        return {"calls": lambda: calls.calls(modules, big), "changed": lambda: calls.changed(modules, where)}
    return {at.name: lambda at=at: calls.calls(modules, at) for at in ([big] if name == "rerankers" else [modern, big])}


def main() -> None:
    """Run the calls of one package in an empty folder and write what they gave."""
    name = sys.argv[1]
    if name == "pylate":  # the index it imports wants an older torch and is not asked anything
        for missing in ("fast_plaid", "fast_plaid.search"):
            sys.modules[missing] = ModuleType(missing)
        sys.modules["fast_plaid"].search = sys.modules["fast_plaid.search"]
    import torch
    from safetensors.numpy import save

    from originals.described import outcomes

    torch.set_num_threads(1)
    arrays, found = {}, {}
    with tempfile.TemporaryDirectory() as empty:
        os.chdir(empty)
        for group, calls in groups(name).items():
            found[group] = outcomes(calls(), arrays)
    OUT.mkdir(exist_ok=True)
    versions = {"python": platform.python_version()} | {each: version(each) for each in PACKAGES[name].split()}
    document = json.dumps({"versions": versions, "groups": found}, indent=1, ensure_ascii=False)
    (OUT / f"{name}.json").write_text(document + "\n", encoding="utf-8")
    if arrays:
        (OUT / f"{name}.safetensors").write_bytes(save(arrays))
    print(name, {group: len(calls) for group, calls in found.items()}, len(arrays), "arrays")  # noqa: T201


if __name__ == "__main__":
    main()
