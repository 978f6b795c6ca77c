"""int8 on a CPU whose u8 x s8 instruction saturates: a Haswell, emulated by qemu-user-static where installed."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ARTEFACT = Path(__file__).parents[1] / "artefacts" / "tiny-random-bert"
QEMU = shutil.which("qemu-x86_64-static")
TEXTS = ["hello world of rivers and stones", "the quick one", "every time people have found water there"]

# Rows of each graph named, saved as OUT/NAME.npy. "chosen": what colibri.load takes. Otherwise the graph of that file,
# whatever the CPU.
SCRIPT = """
import sys
import numpy as np
import colibri
from colibri import providers
from colibri.artefact import finding as artefact
from colibri.encoding.encoder import Encoder
from colibri.tokens.tokenizer import TextTokenizer
folder, graphs, out, *texts = sys.argv[1:]
found = artefact.find(folder)
variant = found.manifest.variants["cpu-int8"]
for graph in graphs.split():
    if graph == "chosen":
        vectors = colibri.load(folder, variant="cpu-int8").encode_documents(texts)
    else:
        named = next(g for g in variant.graphs if g.document == graph)
        choice = providers.Choice("cpu-int8", variant, named, providers.CPU)
        encoder = Encoder(found, choice, lambda: TextTokenizer(found))
        vectors = encoder.encode(texts, "document", [found.manifest.default_dim])[found.manifest.default_dim]
    np.save(f"{out}/{graph}.npy", vectors.rows)
print(" ".join(sorted(providers.cpu_features())))
"""


def encode(out: Path, *graphs: str, before: tuple[str, ...] = ()) -> tuple[list[NDArray[np.float32]], str]:
    """Rows by each graph, in one process, and the CPU's features."""
    command = [*before, sys.executable, "-c", SCRIPT, str(ARTEFACT), " ".join(graphs), str(out), *TEXTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [np.load(out / f"{graph}.npy") for graph in graphs], done.stdout.strip()


def cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((a * b).sum(axis=1), np.float32)


@pytest.mark.skipif(QEMU is None, reason="qemu-x86_64-static is not installed (Debian: qemu-user-static)")
def test_a_cpu_without_vnni_gets_a_graph_that_cannot_saturate(tmp_path: Path) -> None:
    assert QEMU is not None
    haswell = (QEMU, "-cpu", "Haswell")
    (truth, of_8_bits), _ = encode(tmp_path, "cpu-int8.s8a7.onnx", "cpu-int8.u8.onnx")
    (chosen, saturating), features = encode(tmp_path, "chosen", "cpu-int8.s8.onnx", before=haswell)
    assert features == "avx2"
    # The integer sums are exact on both machines; float32 around them may round differently.
    np.testing.assert_allclose(chosen, truth, atol=1e-5)
    assert cosines(saturating, of_8_bits).min() < 0.95, "if s8 were exact here, two graphs would be one too many"
