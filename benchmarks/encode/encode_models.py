"""What bench_encode runs: the same weights as an artefact of ours and as the folder FastEmbed reads.

Both are of jina-colbert-v2's kind (markers 250002 and 250003, queries of 32 tokens), which is what FastEmbed takes:
one with colibri-mini's backbone and its 128-dim head, one 1,024 wide like jina's, but 4 layers of random weights.
"""

import json
import shutil
import sys
from pathlib import Path

import onnx
from safetensors import safe_open
from safetensors.numpy import save_file

from colibri_export.pipeline import export

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests"))

from jina_layout import Sizes, artifact_metadata, tokenizer, write_checkpoint  # noqa: E402 - beside the tests, not installed

MINI, JINA, LONG = "mini-backbone", "tiny-random-rotary-4x1024", "tiny-random-rotary-12x384"
VARIANTS = ("cpu-int8", "cpu-fp32", "portable")
_TOKENIZER_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def build(name: str, folder: Path, checkpoint: Path | None) -> Path:
    """The model's folder, made once: `artefact` for us and, but for LONG, `fastembed` for it."""
    made = folder / name
    if not (made / "done").exists():
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        if name == MINI:
            if checkpoint is None:
                raise FileNotFoundError("no checkpoint of colibri-mini")
            source, longest = _marked(checkpoint, made / "checkpoint"), 512
        else:
            sizes = Sizes(layers=4) if name == JINA else Sizes(layers=12, hidden=384, heads=12, intermediate=1536)
            source, longest = write_checkpoint(made / "checkpoint", sizes, seed=1), 8192
        # 8-bit vocabulary: random rows suffer from 4 bits more than the tolerance of an export allows.
        export(
            source,
            made / "artefact",
            variant_names=VARIANTS[: 2 if name == LONG else 3],
            doc_max_length=longest,
            vocabulary_bits=4 if name == MINI else 8,
        )
        if name != LONG:
            _fastembed(source, made)
        (made / "done").touch()
    return made


def _marked(checkpoint: Path, out: Path) -> Path:
    """colibri-mini's checkpoint with jina's markers, which are two rows its vocabulary has and does not use."""
    out.mkdir()
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    with safe_open(checkpoint / "model.safetensors", "numpy") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no dict
    with safe_open(ROOT / "models/colibri-mini/heads/head-128.safetensors", "numpy") as file:
        [tensors["linear.weight"]] = [file.get_tensor(key) for key in file.keys()]  # noqa: SIM118
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    write_checkpoint(out / "layout", Sizes(layers=1, hidden=64, heads=1, intermediate=64))
    for name in _TOKENIZER_FILES[1:]:
        shutil.move(out / "layout" / name, out / name)
    shutil.rmtree(out / "layout")
    tokenizer().save(str(out / "tokenizer.json"), pretty=False)
    settings = json.loads((out / "tokenizer_config.json").read_text(encoding="utf-8")) | {"model_max_length": 512}
    metadata = artifact_metadata(128, MINI) | {"doc_maxlen": 512}
    for name, document in (
        ("config.json", config),
        ("tokenizer_config.json", settings),
        ("artifact.metadata", metadata),
    ):
        (out / name).write_text(json.dumps(document), encoding="utf-8")
    return out


def _fastembed(source: Path, made: Path) -> None:
    theirs = made / "fastembed"
    (theirs / "onnx").mkdir(parents=True)
    for name in _TOKENIZER_FILES:
        shutil.copy(source / name, theirs / name)
    graph = onnx.load(made / "artefact/portable.onnx")
    onnx.save(graph, theirs / "onnx/model.onnx", save_as_external_data=True, location="model.onnx_data")
