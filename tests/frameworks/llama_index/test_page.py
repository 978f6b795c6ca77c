"""The Python of docs/llama-index.md runs where LlamaIndex is; `run.py test` leaves it out."""

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_runs(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("docs_blocks", ROOT / "docs" / "blocks.py")
    assert spec is not None
    assert spec.loader is not None
    docs = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = docs  # dataclasses look their module up
    spec.loader.exec_module(docs)
    (block,) = docs.blocks(ROOT / "docs" / "llama-index.md")
    assert block.why_not_run == "needs LlamaIndex"
    assert len([line for line in block.code.splitlines() if line]) < 30
    done = subprocess.run([sys.executable, "-c", block.code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer, shown = done.stdout.split("\n", 1)
    assert answer.startswith("(what yours says of these")
    assert "**Berlin**" in shown
