"""What is loaded when: an import costs nothing, and heavy or foreign packages are never touched."""

import json
import subprocess
import sys

import pytest

import colibri
from reference import ARTEFACTS

FOREIGN = {"torch", "transformers", "onnx", "onnx_ir", "safetensors", "colibri_export"}
HEAVY = {"numpy", "onnxruntime", "tokenizers", "numba", "click", "huggingface_hub", "tqdm"}

RANK = f"import colibri; colibri.load({str(ARTEFACTS / 'tiny-random-bert')!r}).rerank('bird', ['a bird', 'a house'])"


def loaded_by(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after running the code."""
    report = "; import sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    child = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    assert child.stderr == ""
    return set(json.loads(child.stdout))


def test_importing_colibri_loads_nothing_else() -> None:
    assert not loaded_by("import colibri") & (HEAVY | FOREIGN)
    assert not loaded_by("import colibri; dir(colibri); colibri.__version__; colibri.ShapeError") & (HEAVY | FOREIGN)


@pytest.mark.parametrize("name", ["maxsim", "TokenVectors"])
def test_scoring_needs_numpy_alone(name: str) -> None:
    assert loaded_by(f"from colibri import {name}") & (HEAVY | FOREIGN) == {"numpy"}


def test_ranking_loads_neither_export_nor_hub_nor_compiler() -> None:
    loaded = loaded_by(RANK)
    assert {"onnxruntime", "tokenizers"} <= loaded
    assert not loaded & (FOREIGN | {"numba", "huggingface_hub", "click"})


def test_ranking_leaves_no_thread_of_python_behind() -> None:
    loaded_by(
        f"{RANK}; import threading; assert threading.enumerate() == [threading.main_thread()], threading.enumerate()"
    )


def test_the_facade_has_what_it_lists() -> None:
    assert sorted(dir(colibri)) == sorted([*colibri.__all__, "__version__"])
    for name in colibri.__all__:
        assert getattr(colibri, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = colibri.absent


@pytest.mark.parametrize("name", [name for name in colibri.__all__ if isinstance(getattr(colibri, name), type)])
def test_errors_are_also_the_builtins_one_would_expect(name: str) -> None:
    kind = getattr(colibri, name)
    if not issubclass(kind, Exception):
        return
    assert issubclass(kind, colibri.ColibriError)
    builtins = {base for base in kind.__mro__ if base.__module__ == "builtins"} - {Exception, BaseException, object}
    assert bool(builtins) == (kind is not colibri.ColibriError)
