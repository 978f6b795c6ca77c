"""The cutoffs that ship are the measured ones, and what is claimed of them stands in the stored figures."""

import json
from pathlib import Path
from typing import Any

import pytest

from colibri.artefact import read_manifest

ROOT = Path(__file__).parents[1]
LINES: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "benchmarks/results/cutoffs.jsonl").read_text("utf-8").splitlines()
]
MANIFEST = read_manifest(ROOT / "models/colibri-mini/colibri.json")
ONE_ANSWER = {"xquad-r-en", "xquad-r-de", "xquad-r-ar", "xquad-r-zh", "jaquad"}
"""Sets whose judgments are human, and whose questions have the one answer that is judged."""
CHECKED = [line for line in LINES if line["kind"] == "checked"]


def test_the_manifest_has_what_was_measured() -> None:
    measured = [line for line in LINES if line["kind"] == "measured"]
    assert {line["space_id"] for line in LINES} == {MANIFEST.space_id}, "measured on another model: run it again"
    assert MANIFEST.cutoffs is not None
    assert [
        (row.dim, row.min_weight, row.max_weight, row.false_positives, row.balanced) for row in MANIFEST.cutoffs.rows
    ] == [(m["dim"], m["min_weight"], m["max_weight"], m["false_positives"], m["balanced"]) for m in measured]
    assert {row.dim for row in MANIFEST.cutoffs.rows} == set(MANIFEST.dims)


@pytest.mark.parametrize("dim", [64, 96, 128])
def test_nine_of_ten_likely_best_hits_are_the_judged_answer(dim: int) -> None:
    own = [line for line in CHECKED if line["dim"] == dim and line["set"] in ONE_ANSWER]
    assert {line["set"] for line in own} == ONE_ANSWER
    called, right = (sum(line[what]["likely"] for line in own) for what in ("called", "right"))
    assert called > 2_500
    assert right / called >= 0.9


@pytest.mark.parametrize("dim", [64, 96, 128])
def test_questions_without_an_answer_look_like_a_miss(dim: int) -> None:
    """None has a likely hit; nine in ten have nothing that fits."""
    strange = [line["elsewhere"] for line in CHECKED if line["dim"] == dim and line["elsewhere"]]
    asked = sum(sum(one.values()) for one in strange)
    assert asked > 5_000
    assert sum(one["likely"] for one in strange) == 0
    assert sum(one["unlikely"] for one in strange) / asked >= 0.9
