"""The calls that the original packages answered once, answered by ours: types, shapes, keys, rank bases and values.

What differs on purpose stands in DIFFERENT, each with what ours gives instead.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colibri.compat import arrays
from originals.described import Arrays, Calls, outcomes
from reference import GOLDEN, read_safetensors

COMPAT = GOLDEN / "compat"
ROWS = 1e-5
"""How far a value of a row may be off; those of the goldens are rounded to a tenth of it."""
SCORES = 2e-4
"""How far a sum of 32 cosines may be off."""


def golden(name: str) -> tuple[dict[str, dict[str, Any]], Arrays]:
    """What each call of each group gave, and the numbers."""
    document = json.loads((COMPAT / f"{name}.json").read_text(encoding="utf-8"))
    numbers = COMPAT / f"{name}.safetensors"
    return document["groups"], read_safetensors(numbers) if numbers.exists() else {}


def ours(name: str) -> Any:
    """Our module of an original's name."""
    return import_module(f"colibri.compat.{name}")


@pytest.fixture(autouse=True)
def rows_not_tensors() -> Iterator[None]:
    """Whatever else runs in this process: answers that are tensors in the original are not numpy's arrays."""
    arrays("auto")
    yield
    arrays("auto")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def differences(calls: Calls, name: str, group: str, different: dict[str, Any]) -> list[str]:
    """Where ours is not as the original, but for what `different` says of it."""
    wanted, numbers = golden(name)
    own: Arrays = {}
    found = outcomes(calls, own)
    assert list(found) == list(wanted[group])
    problems = []
    for call, value in found.items():
        expected = different.get(call, wanted[group][call])
        if isinstance(expected, Like):
            expected = wanted[group][expected.call]
        if isinstance(expected, AtMost):
            theirs = numbers[wanted[group][call]["values"]]
            if own[value["values"]].shape != theirs.shape or (own[value["values"]] > theirs + SCORES).any():
                problems.append(f"{call}: {value}")
        elif callable(expected):
            if not expected(value, own):
                problems.append(f"{call}: {value}")
        elif problem := unlike(value, expected, own, numbers):
            problems.append(f"{call}: {problem}")
    assert not different.keys() - found.keys()
    return problems


def unlike(found: Any, wanted: Any, own: Arrays, numbers: Arrays) -> str | None:
    """What differs between two descriptions (`originals.described`); None: nothing that a caller could notice."""
    if isinstance(wanted, float) and isinstance(found, float):
        return None if abs(found - wanted) <= SCORES else f"found {found}, wanted {wanted}"
    if not isinstance(wanted, dict) or not isinstance(found, dict):
        same = type(found) is type(wanted) and found == wanted
        return None if same else f"found {found!r}, wanted {wanted!r}"
    if "raises" in wanted:
        kinds = set(wanted["raises"]) - {"Exception"}
        return None if kinds & set(found.get("raises", [])) else f"found {found}, wanted {wanted}"
    if found.keys() != wanted.keys():
        return f"found {found}, wanted {wanted}"
    if "array" in wanted:
        return unlike_array(found, wanted, own, numbers)
    for kind in ("list", "tuple", "dict"):
        if kind in wanted:
            return unlike_parts(found[kind], wanted[kind], own, numbers)
    return None if found == wanted else f"found {found}, wanted {wanted}"


def unlike_parts(found: Any, wanted: Any, own: Arrays, numbers: Arrays) -> str | None:
    if isinstance(wanted, dict):
        if list(found) != list(wanted):
            return f"found keys {list(found)}, wanted {list(wanted)}"
        pairs = [(name, found[name], wanted[name]) for name in wanted]
    else:
        if len(found) != len(wanted):
            return f"found {len(found)} parts, wanted {len(wanted)}"
        pairs = [(str(i), found[i], wanted[i]) for i in range(len(wanted))]
    problems = [(name, unlike(one, other, own, numbers)) for name, one, other in pairs]
    return next((f"{name}: {problem}" for name, problem in problems if problem), None)


def unlike_array(found: dict[str, Any], wanted: dict[str, Any], own: Arrays, numbers: Arrays) -> str | None:
    """Zero rows may stand elsewhere, and so there may be fewer of them; which rows are kept may not differ."""
    for name in ("array", "dtype", "kept"):
        if found.get(name) != wanted.get(name):
            return f"{name}: found {found.get(name)}, wanted {wanted.get(name)}"
    shapes = [list(shape) for shape in (found["shape"], wanted["shape"])]
    if "kept" in wanted and len(shapes[1]) == 3 and shapes[0][1] == max(wanted["kept"]):
        shapes[1][1] = shapes[0][1]
    if shapes[0] != shapes[1]:
        return f"shape: found {found['shape']}, wanted {wanted['shape']}"
    one, other = own[found["values"]], numbers[wanted["values"]]
    limit = ROWS if "kept" in wanted else SCORES
    off = float(np.abs(one.astype(np.float64) - other).max(initial=0))
    return None if off <= limit else f"values are {off} off"


@dataclass(frozen=True)
class Like:
    """Ours gives what the original gave to another call."""

    call: str


class AtMost:
    """Ours gives scores that are not above the original's, in which padding takes part with a similarity of 0."""


def raises(*kinds: str) -> Callable[[Any, Arrays], bool]:
    """Ours raises an error of these kinds."""
    return lambda found, _: isinstance(found, dict) and set(kinds) <= set(found.get("raises", []))


NOTHING: dict[str, list[Any]] = {"list": []}

PYLATE: dict[str, Any] = {
    "nothing": NOTHING,  # IndexError there
    "rerank of tensors": Like("rerank"),  # RuntimeError there: it stacks what is not as long
    "scores": AtMost(),
    "scores with a mask": AtMost(),
    "not normalised": raises("NotHere", "NotImplementedError"),
}


@pytest.mark.parametrize("checkpoint", ["tiny-random-modernbert", "tiny-random-bert-512"])
def test_pylate(checkpoint: str, artefacts: dict[str, Path], elsewhere: Path) -> None:
    from originals import pylate

    calls = pylate.calls(ours, artefacts[checkpoint])
    assert differences(calls, "pylate", checkpoint, PYLATE) == []


SENTENCE_TRANSFORMERS: dict[str, Any] = {
    "encode, task query": Like("queries"),  # without markers there
    "encode, task document": Like("documents"),
}


@pytest.mark.parametrize("checkpoint", ["tiny-random-modernbert", "tiny-random-bert-512"])
def test_sentence_transformers(checkpoint: str, artefacts: dict[str, Path], elsewhere: Path) -> None:
    from originals import sentence_transformers

    calls = sentence_transformers.calls(ours, artefacts[checkpoint])
    assert differences(calls, "sentence_transformers", checkpoint, SENTENCE_TRANSFORMERS) == []


def test_stanford_configuration(artefacts: dict[str, Path], elsewhere: Path) -> None:
    from originals import stanford

    calls = stanford.configuration(ours, artefacts["tiny-random-bert"])
    assert differences(calls, "stanford", "configuration", {}) == []


STANFORD: dict[str, Any] = {
    "a query of one string": Like("one query"),  # AssertionError there
    "no queries": lambda found, own: found["shape"][0] == 0 and found["dtype"] == "float32",  # IndexError there
    "no documents": lambda found, own: found["shape"][0] == 0,
}


@pytest.mark.parametrize("checkpoint", ["tiny-random-bert", "tiny-random-bert-512", "tiny-random-xlmr"])
def test_stanford_checkpoint(checkpoint: str, artefacts: dict[str, Path], elsewhere: Path) -> None:
    from originals import stanford

    calls = stanford.checkpoint(ours, artefacts[checkpoint])
    assert differences(calls, "stanford", f"checkpoint of {checkpoint}", STANFORD) == []


def test_stanford_index(artefacts: dict[str, Path], elsewhere: Path) -> None:
    from originals import stanford

    kinds = (["Rows", "int32", True], ["Tensor", "torch.int32", True])  # a tensor where torch is imported
    filtered = [{"list": [True, {"list": kind}]} for kind in kinds]
    calls = stanford.index(ours, artefacts["tiny-random-bert-512"])
    assert differences(calls, "stanford", "index", {"filter": lambda found, own: found in filtered}) == []


RAGATOUILLE: dict[str, Any] = {
    "search, k over the size": {"list": [True]},
    "rerank, k over the number": lambda found, own: len(found["list"]) == 6,  # None there
    "search_encoded_docs, k over the number": lambda found, own: len(found["list"]) == 12,  # RuntimeError there
    "search_encoded_docs of a list": lambda found, own: found["list"][0] == "a list of lists",  # TypeError there
    "search_encoded_docs after that": raises("InputError", "ValueError"),  # AttributeError there
}


def test_ragatouille(artefacts: dict[str, Path], elsewhere: Path) -> None:
    from originals import ragatouille

    calls = ragatouille.calls(ours, artefacts["tiny-random-bert-512"])
    assert differences(calls, "ragatouille", "calls", RAGATOUILLE) == []
    again = ragatouille.changed(ours, Path(".ragatouille/colbert/indexes/golden"))
    found = {"the new one": lambda found, own: found == 1, "the deleted one": lambda found, own: found == 0}
    assert differences(again, "ragatouille", "changed", found) == []  # KeyError there: its files do not agree
