"""A tiny model with cutoffs: what its random rows score lies around them."""

import json
import shutil
from pathlib import Path
from typing import Any

from reference import ARTEFACTS


def with_cutoffs(folder: Path, likely: float, maybe: float) -> Path:
    """A copy of tiny-random-bert whose manifest calls scores so at every width, as means."""
    made = Path(shutil.copytree(ARTEFACTS / "tiny-random-bert", folder))
    path = made / "colibri.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    rates = {"0.01": maybe, "0.001": likely}
    rows = [
        {"dim": head["dim"], "min_weight": 0.0, "max_weight": None, "false_positives": rates, "balanced": maybe}
        for head in document["heads"]
    ]
    cutoffs = {"unit": "mean", "likely": "0.001", "maybe": "0.01", "source": "a test", "rows": rows}
    path.write_text(json.dumps({**document, "format": "1.4", "cutoffs": cutoffs}), encoding="utf-8")
    return made
