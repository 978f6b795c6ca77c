# requirements: Python 3.11, torch==2.13.0 (CPU), then transformers>=5, tokenizers, safetensors, numpy
"""Make the tiny random ColBERT-type checkpoints and golden outputs of this folder.

What: one folder a checkpoint, each with random weights in the layout that published models of its family have, and
``golden.safetensors``: what Hugging Face transformers answers when it loads that very folder. ``VERSIONS.json``
records the versions and seeds used. README.md lists the folders.

Why: Colibri writes the network as ONNX by itself, without torch. Its tests need an oracle that is not
Colibri. The outputs are committed, so that the tests need neither torch nor transformers.

How: install the requirements in a separate virtual environment (torch first), then run
``PYTHONPATH=tests python tests/golden/make_golden.py [FOLDER]``. It needs no network, writes into FOLDER (default: the
files beside this script are overwritten), and on the same machine and versions gives the same bytes each time.
"""

import platform
import sys
from importlib.metadata import version
from pathlib import Path

import flash
import jina_bert
import modernbert
import stanford
import torch
import transformers
from oracle import write_json


def main() -> None:
    """Write all folders and VERSIONS.json."""
    parent = Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    parent = parent if parent.is_dir() else parent.parent
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    seeds = stanford.make(parent) | flash.make(parent) | modernbert.make(parent) | jina_bert.make(parent)
    packages = ("torch", "transformers", "tokenizers", "safetensors", "numpy")
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    seeds = {name: {"weights": seed, "ids": seed + 1000} for name, seed in seeds.items()}
    write_json(parent / "VERSIONS.json", {"versions": versions, "seeds": seeds})


if __name__ == "__main__":
    main()
