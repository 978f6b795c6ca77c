"""Full load for long: no error, no growth.

`run.py soak` takes the shipped model and 30 minutes (or COLIBRI_SOAK_MINUTES), `run.py test` a tiny one and seconds.
"""

import json
import os
import subprocess
import sys

import pytest

import soaking
from reference import ARTEFACTS

MINUTES = 30
REDUCED_MINUTES = 0.1


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_full_load_does_not_grow_and_does_not_fail(request: pytest.FixtureRequest) -> None:
    full = request.config.getoption("--hypothesis-profile") == "soak"
    minutes = float(os.environ.get("COLIBRI_SOAK_MINUTES", MINUTES))
    words = [str(minutes)] if full else [str(REDUCED_MINUTES), str(ARTEFACTS / "tiny-random-xlmr")]
    done = subprocess.run([sys.executable, soaking.__file__, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) >= 10
    last = lines[-1]
    assert last["rows"] > 100
    assert last["queries"] > 3
    # What it held by a fifth of the time, when buffers had met the longest texts, is what it holds to the end.
    early, late = (max(line["rss_mb"] for line in part) for part in (lines[: len(lines) // 5 + 1], lines[-3:]))
    assert late <= early * 1.10 + 20, lines
