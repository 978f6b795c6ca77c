# requirements: Python 3.11, torch==2.13.0 (CPU), safetensors
"""Write `pickles/`: what torch.save writes of a head like BGE-M3's and of tiny-random-xlmr, and files that would run.

`head.pt` is the state_dict of Linear(64, 32) as BGE-M3's colbert_linear.pt is saved (weight, bias; float16),
`pytorch_model.bin` the tensors of tiny-random-xlmr, whose model.safetensors the tests compare with. The others are
refused: a whole module, a call of os.system, a file of before 2020. `python tests/golden/make_pickles.py`
"""

import os
from pathlib import Path

import torch
from safetensors.torch import load_file

HERE = Path(__file__).resolve().parent


class Runs:
    """Unpickled, it would make a file."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.system, ("touch ran",)


def main() -> None:
    """All files."""
    folder = HERE / "pickles"
    folder.mkdir(exist_ok=True)
    torch.manual_seed(20007)
    head = torch.nn.Linear(64, 32).half()
    torch.save(head.state_dict(), folder / "head.pt")
    torch.save(load_file(HERE / "tiny-random-xlmr" / "model.safetensors"), folder / "pytorch_model.bin")
    torch.save(head, folder / "module.pt")
    torch.save({"weight": Runs()}, folder / "runs.pt")
    torch.save({"weight": head.weight.detach().T}, folder / "turned.pt")
    torch.save({"weight": head.weight.detach(), "step": 3}, folder / "training.pt")
    torch.save({"weight": torch.zeros(3, dtype=torch.int32)}, folder / "integers.pt")
    torch.save(head.state_dict(), folder / "older.pt", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
