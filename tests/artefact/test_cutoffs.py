"""Cutoffs: refused where they cannot be, read by older formats' rules, and what they say of a query and a score."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.artefact import CutoffRow, Cutoffs, bounds, find, fit_of, needed_format, read_manifest, write_manifest
from colibri.errors import ArtefactError
from reference import ARTEFACTS

TINY = find(ARTEFACTS / "tiny-random-bert").manifest
RATES = {"0.1": 0.3, "0.01": 0.5, "0.001": 0.6, "0.0001": 0.75}


def row(least: float, most: float | None, **changed: Any) -> CutoffRow:
    return CutoffRow(
        **{"dim": 48, "min_weight": least, "max_weight": most, "false_positives": RATES, "balanced": 0.4, **changed}
    )


MEAN = Cutoffs(unit="mean", likely="0.0001", maybe="0.01", source="here", rows=(row(2.0, 4.0), row(4.0, None)))


def test_a_score_is_called_by_its_width_and_weight() -> None:
    manifest = replace(TINY, cutoffs=MEAN)
    within = bounds(manifest, 48, 8.0)
    assert within is not None
    assert (within.likely, within.maybe) == (6.0, 4.0)
    assert [within.fit(score) for score in (6.0, 5.9, 4.0, 3.9, float("-inf"))] == [
        "likely",
        "maybe",
        "maybe",
        "unlikely",
        "unlikely",
    ]


def test_nothing_is_claimed_of_what_nobody_measured() -> None:
    manifest = replace(TINY, cutoffs=MEAN)
    assert bounds(manifest, 32, 8.0) is None  # another width
    assert bounds(manifest, 48, 1.9) is None  # a shorter query
    assert bounds(TINY, 48, 8.0) is None
    assert bounds(None, 48, 8.0) is None
    assert fit_of(None, 3.0) is None


def test_raw_scores_are_compared_as_they_are() -> None:
    """jina-colbert-v2's, whose queries have 32 rows: another length is another scale."""
    published = Cutoffs(unit="sum", likely="0.0001", maybe="0.01", source="there", rows=(row(32.0, 32.0),))
    manifest = replace(TINY, cutoffs=published)
    within = bounds(manifest, 48, 32.0)
    assert within is not None
    assert (within.likely, within.maybe) == (0.75, 0.5)
    assert bounds(manifest, 48, 31.0) is None


@given(st.floats(2, 500), st.floats(-10, 500), st.floats(0, 10))
def test_a_higher_score_never_fits_less(weight: float, score: float, more: float) -> None:
    within = bounds(replace(TINY, cutoffs=MEAN), 48, weight)
    assert within is not None
    order = ["unlikely", "maybe", "likely"]
    assert order.index(within.fit(score)) <= order.index(within.fit(score + more))


def test_cutoffs_need_format_1_4_and_what_has_none_stays_what_it_was(tmp_path: Path) -> None:
    assert needed_format(TINY) == "1.2"
    with_them = replace(TINY, cutoffs=MEAN)
    with_them = replace(with_them, format=needed_format(with_them))
    assert with_them.format == "1.4"
    write_manifest(with_them, tmp_path / "colibri.json")
    assert read_manifest(tmp_path / "colibri.json") == with_them
    write_manifest(TINY, tmp_path / "older.json")
    assert "cutoffs" not in json.loads((tmp_path / "older.json").read_text(encoding="utf-8"))


WRONG: dict[str, tuple[Cutoffs, str]] = {
    "no rows": (replace(MEAN, rows=()), "cutoffs.rows: none"),
    "a width without a head": (replace(MEAN, rows=(row(0, None, dim=47),)), "dim 47 has no head"),
    "a rate that is none": (
        replace(MEAN, rows=(row(0, None, false_positives={**RATES, "2": 0.1}),)),
        "'2', wanted a share between 0 and 1",
    ),
    "a word for a rate": (replace(MEAN, rows=(row(0, None, false_positives={**RATES, "few": 0.1}),)), "'few', wanted"),
    "a rarer rate with a lower score": (
        replace(MEAN, rows=(row(0, None, false_positives={**RATES, "0.00001": 0.1}),)),
        "a lower rate with a lower score",
    ),
    "a name for no rate": (replace(MEAN, likely="0.5"), "has no '0.5', which cutoffs.likely names"),
    "likely before maybe": (replace(MEAN, likely="0.1"), "wanted at most that of maybe"),
    "a range that ends before it begins": (replace(MEAN, rows=(row(4.0, 3.0),)), "max_weight: 3.0 is below"),
    "two rows for one query": (
        replace(MEAN, rows=(row(0, None), row(3.0, None))),
        "two hold for queries that weigh 3.0",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_cutoffs_that_cannot_be_are_refused(name: str, tmp_path: Path) -> None:
    cutoffs, said = WRONG[name]
    write_manifest(replace(TINY, cutoffs=cutoffs, format="1.4"), tmp_path / "colibri.json")
    with pytest.raises(ArtefactError, match=said.replace("(", r"\(")):
        read_manifest(tmp_path / "colibri.json")


def test_an_unknown_unit_is_refused(edit: Callable[[Callable[[dict[str, Any]], object]], Path]) -> None:
    rows = [{"dim": 48, "min_weight": 0.0, "max_weight": None, "false_positives": RATES, "balanced": 0.4}]
    given_ = {"unit": "median", "likely": "0.0001", "maybe": "0.01", "source": "", "rows": rows}
    folder = edit(lambda document: document.update(cutoffs=given_, format="1.4"))
    with pytest.raises(ArtefactError, match=r"cutoffs\.unit: found 'median', wanted one of 'sum', 'mean'"):
        find(folder)
