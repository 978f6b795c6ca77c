"""examples/ray_encode.py for real: a local Ray cluster, in a namespace with loopback alone where that can be had."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import colibri
from colibri import TokenVectors

EXAMPLE = Path(__file__).parents[2] / "examples" / "ray_encode.py"


def alone() -> list[str]:
    """Ray has no password: a namespace without any but loopback, where the system lets us have one."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return []
    words = [unshare, "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    return words if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0 else []


def test_rows_are_those_of_one_process(tmp_path: Path) -> None:
    texts = [f"Passage {i} tells of rivers, birds and the number {i * 7}." for i in range(700)]
    source = tmp_path / "passages.jsonl"
    lines = [json.dumps({"id": f"p{i}", "text": text}) for i, text in enumerate(texts)]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    prefix = alone()
    print("in a network namespace of its own" if prefix else "no namespace can be had: on 127.0.0.1 of this machine")
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    command = [*prefix, sys.executable, str(EXAMPLE), str(source), str(tmp_path / "out"), "--workers", "2"]
    first = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=600)
    assert "700 documents in " in first.stdout, first.stderr
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    again = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=600)
    assert again.stdout == first.stdout, again.stderr
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == times
    found: dict[str, np.ndarray] = {}
    for head in (tmp_path / "out").glob("*.json"):
        rows = TokenVectors.load(head.with_suffix(".safetensors"))
        found |= dict(zip(json.loads(head.read_text(encoding="utf-8")), rows, strict=True))
    assert sorted(found) == sorted(f"p{i}" for i in range(700))
    wanted = colibri.load().encode_documents(texts[:50])
    for i in range(50):
        np.testing.assert_allclose(found[f"p{i}"], wanted[i], atol=1e-5)
