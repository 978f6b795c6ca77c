"""The README says what was measured; that its code runs, test_docs.py shows."""

import json
import re
import tomllib
from importlib import util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_tables_are_generated_from_the_results() -> None:
    spec = util.spec_from_file_location("readme", ROOT / "benchmarks" / "report" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    readme = util.module_from_spec(spec)
    spec.loader.exec_module(readme)
    for page in readme.PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert "<!-- table:" in text
        assert readme.filled(text) == text, f"{page}: run python benchmarks/report/readme.py"


def recorded_quality() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Figures of sets, and of pairs of sets in two languages; of the model that is shipped."""
    lines = (ROOT / "benchmarks/results/quality.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    manifest = json.loads((ROOT / "models/colibri-mini/colibri.json").read_text(encoding="utf-8"))
    assert {row["space_id"] for row in rows} == {manifest["space_id"]}, "measured on another model: run it again"
    return [row for row in rows if "bm25" in row], [row for row in rows if "bm25" not in row]


def test_late_interaction_beats_one_vector_a_text_and_bm25() -> None:
    sets, crossed = recorded_quality()
    assert (len(sets), len(crossed)) == (15, 12)

    def mean(rows: list[dict[str, Any]], dim: int) -> float:
        found: list[dict[str, float]] = [row["maxsim"].get("cpu-int8", row["maxsim"]) for row in rows]
        return sum(by_dim[str(dim)] for by_dim in found) / len(rows)

    assert mean(sets, 128) >= sum(row["dense"] for row in sets) / len(sets)
    assert mean(sets, 96) >= mean(sets, 128) - 0.007
    assert mean(sets, 64) >= mean(sets, 128) - 0.015
    assert mean(sets, 128) >= sum(row["raw"] for row in sets) / len(sets) - 0.01
    for row in sets:
        assert row["maxsim"]["cpu-int8"]["128"] >= row["raw"] - 0.025, row["set"]
        assert row["maxsim"]["cpu-int8"]["64"] >= min(row["bm25"], row["dense"]), row["set"]
    assert mean(crossed, 128) >= sum(row["dense"] for row in crossed) / len(crossed)


def test_the_recorded_loss_of_int8_rows_is_small() -> None:
    """On average over sets; the table has the furthest one."""
    rows = [json.loads(line) for line in (ROOT / "benchmarks/results/stored.jsonl").read_text("utf-8").splitlines()]
    manifest = json.loads((ROOT / "models/colibri-mini/colibri.json").read_text(encoding="utf-8"))
    assert {row["space_id"] for row in rows} == {manifest["space_id"]}, "measured on another model: run it again"
    for dim in (128, 96, 64):
        own = [row for row in rows if row["dim"] == dim]
        assert abs(sum(row["int8"] - row["float32"] for row in own)) / len(own) <= 0.002
        assert sum(row["overlap"] for row in own) / len(own) >= 0.98


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(r for extra in extras.values() for r in extra)]:
        name = re.split(r"[<>=]", requirement)[0]
        if name.startswith("colibri-edge["):  # an extra that brings another one
            continue
        assert f"`{name}`" in README, f"why {name}?"


def test_readme_stays_short() -> None:
    assert len(README.splitlines()) < 120
