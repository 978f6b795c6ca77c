"""The README says what was measured, and its code runs."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import util
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_tables_are_generated_from_the_results() -> None:
    spec = util.spec_from_file_location("readme", ROOT / "benchmarks" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    readme = util.module_from_spec(spec)
    spec.loader.exec_module(readme)
    for page in readme.PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert "<!-- table:" in text
        assert readme.filled(text) == text, f"{page}: run python benchmarks/readme.py"


def test_the_recorded_quality_passes_the_gate() -> None:
    """int8 within 1 % of float32 on average over sets and 2.5 % on any, at every dim (benchmarks/bench_quality.py)."""
    lines = (ROOT / "benchmarks/results/quality.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    manifest = json.loads((ROOT / "models/colibri-mini/colibri.json").read_text(encoding="utf-8"))
    assert {row["space_id"] for row in rows} == {manifest["space_id"]}, "measured on another model: run it again"
    xquad = {f"xquad-r-{language}" for language in ("en", "de", "ar", "zh")}
    assert {row["set"] for row in rows} >= xquad | {"medline", "lohelp-fr"}
    for head in manifest["heads"]:
        dim = str(head["dim"])
        losses = [1 - row["maxsim"]["cpu-int8"][dim] / row["maxsim"]["cpu-fp32"][dim] for row in rows]
        assert sum(losses) / len(losses) <= 0.01
        assert max(losses) <= 0.025


def test_the_recorded_loss_of_int8_rows_is_small_on_average() -> None:
    """Single sets stray further than their mean: see benchmarks/NOTES.md."""
    rows = [json.loads(line) for line in (ROOT / "benchmarks/results/stored.jsonl").read_text("utf-8").splitlines()]
    for dim in (128, 96, 64):
        own = [row for row in rows if row["dim"] == dim]
        assert len(own) == 6
        assert abs(sum(row["int8"] - row["float32"] for row in own)) / 6 <= 0.002
        assert sum(row["overlap"] for row in own) / 6 >= 0.97


def test_the_code_of_readme_and_docs_runs() -> None:
    pages = [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))]
    # docs/gpu.md has code of onnxruntime's own for machines with a GPU; what begins with colibri runs anywhere.
    blocks = [
        block for page in pages for block in re.findall(r"```python\n(import colibri\n.*?)```", page, flags=re.DOTALL)
    ]
    assert len(blocks) >= 2
    for block in blocks:
        done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(r for extra in extras.values() for r in extra)]:
        name = re.split(r"[<>=]", requirement)[0]
        if name == "colibri-edge[export]":  # an extra that brings another one
            continue
        assert f"`{name}`" in README, f"why {name}?"


def test_readme_stays_short() -> None:
    assert len(README.splitlines()) < 120
