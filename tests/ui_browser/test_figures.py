"""From a key to what stands on the screen, at 100,000 passages: `run.py test-ui --figures` prints it as
JSON.

The index is `run.py bench ui`'s, made once in build/ui-figures (1 GB, minutes). Of each key the page itself
measures the time until the frame that shows its answer was drawn, the 120 ms of the keys' rest in it. Nothing is
asserted of times.
"""

import json
import statistics
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page

from browser_steps import Opener, answered
from ui_server import UiServer

ROOT = Path(__file__).parents[2]
WAIT_MS = 120
KEEP = """() => {
    window.measured = [];
    new PerformanceObserver((list) => window.measured.push(...list.getEntries().filter((one) =>
        one.name === "colibri key to paint").map((one) => [one.duration, one.detail]))).observe({type: "measure"});
}"""


def test_from_key_to_paint(
    open_page: Opener,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passages = request.config.getoption("--figures")
    if not passages:
        pytest.skip("python3 run.py test-ui --figures")
    # Tests score with NumPy unless told; who uses a wheel has kernels that were compiled ahead.
    kernels = ROOT / "build" / "kernels"
    assert any(kernels.glob("*.json")), "python -m colibri_kernels build (extra [kernels]) first"
    monkeypatch.delenv("COLIBRI_KERNEL")
    monkeypatch.setenv("COLIBRI_KERNEL_LIBRARIES", str(kernels))
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from report import machine
    from ui.bench_ui import PASSAGES_A_FILE, QUERIES, prepare

    work = ROOT / "build" / "ui-figures"
    work.mkdir(parents=True, exist_ok=True)
    place = prepare(work, passages // PASSAGES_A_FILE)
    with UiServer("--index", str(place), folder=work, log=work / "log") as running:
        page = open_page(running.address)
        type_through(page, QUERIES)  # once to warm it up
        page.evaluate(KEEP)
        keys = type_through(page, QUERIES)
        measured = page.evaluate("() => window.measured")
        page.close()  # before its server, or it would say so
    assert len(measured) == keys
    stages = {stage: [detail[stage] for _, detail in measured] for stage in measured[0][1]}
    after = {
        "key_to_paint_ms": [took for took, _ in measured],
        "after_the_rest_ms": [took - WAIT_MS for took, _ in measured],
    }
    figures = {
        name: of(times) for name, times in {**after, **{f"{name}_ms": own for name, own in stages.items()}}.items()
    }
    told = {"passages": passages, "keys": keys, **figures, "machine": machine.describe()}
    with capsys.disabled():
        print(json.dumps(told))  # noqa: T201 - it is what was asked for


def type_through(page: Page, queries: tuple[str, ...]) -> int:
    """Letter by letter, each waited for until its answer was painted; how many."""
    keys = 0
    for query in queries:
        page.locator("#query").fill("")
        for end in range(1, len(query) + 1):
            if query[end - 1] == " ":
                page.keyboard.insert_text(" ")
                continue
            page.evaluate("() => performance.clearMeasures()")
            page.keyboard.insert_text(query[end - 1])
            answered(page, query[:end])
            page.wait_for_function("() => performance.getEntriesByName('colibri key to paint').length > 0")
            keys += 1
    return keys


def of(times: list[float]) -> dict[str, float]:
    """Milliseconds."""
    return {"p50": round(statistics.median(times), 1), "p95": round(statistics.quantiles(times, n=20)[-1], 1)}
