"""Batches, memory that ends, and sessions that fail. What cannot be had here (an accelerator) is onnxruntime's own
session on the CPU under another name; only that name, and its failures, are made up."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

import colibri
from colibri.artefact import finding as artefact
from colibri.encoding.session import spins_briefly
from colibri.errors import ProviderError
from colibri.model import Colibri
from colibri.vectors import TokenVectors
from reference import ARTEFACTS

WEBGPU, CPU = "WebGpuExecutionProvider", "CPUExecutionProvider"
TEXTS = [
    "the small bird",
    "",
    "water " * 50,
    "x",
    "Hello, World! 日本語",
    "a river and a bird",
    "the the",
    "e\u0301",
] * 5

Edit = Callable[[Callable[[dict[str, Any]], object]], Path]


class Accelerator:
    """onnxruntime's session: a real one on the CPU that says it runs on WebGPU, and fails when told."""

    real = onnxruntime.InferenceSession
    most_tokens = 10**9  # more in a batch is "out of memory"
    starts = True
    broken: str | None = None
    shapes: list[tuple[int, int]] = []  # noqa: RUF012 - reset by the fixture

    def __init__(self, path: str, options: Any, providers: Any = None, **others: Any) -> None:
        (self._provider, _), *_ = providers
        if self._provider == WEBGPU and self.broken == "start":
            raise RuntimeException("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : no adapter")
        self._session = self.real(path, options, providers=[CPU], **others)

    def get_providers(self) -> list[str]:
        return [self._provider, CPU] if self.starts or self._provider == CPU else [CPU]

    def run(self, outputs: Any, feeds: dict[str, NDArray[Any]], options: Any) -> list[NDArray[Any]]:
        results: list[NDArray[Any]] = self._session.run(outputs, feeds, options)
        if self._provider == CPU:
            return results
        texts, tokens = feeds["input_ids"].shape
        self.shapes.append((texts, tokens))
        if texts * tokens > self.most_tokens:
            raise RuntimeException(
                "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer of size 1"
            )
        if self.broken == "run":
            raise RuntimeException("[ONNXRuntimeError] : 1 : FAIL : device lost")
        return [result * np.float32(np.nan) for result in results] if self.broken == "nan" else results


@pytest.fixture
def accelerator(monkeypatch: pytest.MonkeyPatch) -> type[Accelerator]:
    """A WebGPU that onnxruntime lists and starts."""

    class Mine(Accelerator):
        shapes: list[tuple[int, int]] = []  # noqa: RUF012

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [WEBGPU, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Mine)
    return Mine


@pytest.fixture
def folder_for_both(edit: Edit) -> Path:
    """tiny-random-bert whose `portable` stands for gpu-fp16: made for accelerators, possible on the CPU."""
    return edit(lambda document: document["variants"]["portable"].update(providers=[WEBGPU, CPU]))


@pytest.fixture(scope="module")
def exact() -> Colibri:
    """Each text alone, float32."""
    return colibri.load(ARTEFACTS / "tiny-random-bert", variant="portable")


def assert_near(found: TokenVectors, wanted: TokenVectors, tolerance: float = 1e-5) -> None:
    """Rows of the same texts: no padding among them, nothing lost."""
    np.testing.assert_array_equal(found.starts, wanted.starts)
    np.testing.assert_array_equal(found.spans, wanted.spans)
    assert np.abs(found.rows - wanted.rows).max() <= tolerance


@pytest.mark.parametrize("name", ["tiny-random-bert", "tiny-random-xlmr"])
@pytest.mark.parametrize("batch_tokens", [1, 100, 8192])
def test_batches_give_the_rows_of_texts_alone(name: str, batch_tokens: int) -> None:
    alone = colibri.load(ARTEFACTS / name, variant="portable")
    batched = colibri.load(ARTEFACTS / name, variant="portable", batch_tokens=batch_tokens)
    assert_near(batched.encode_documents(TEXTS), alone.encode_documents(TEXTS))
    assert_near(batched.encode_queries(TEXTS), alone.encode_queries(TEXTS))
    for windows in (batched, alone):
        assert len(windows.encode_documents(["water " * 200], long_documents="windows")) > 1


def test_the_order_of_texts_changes_no_bit_of_their_batches() -> None:
    model = colibri.load(ARTEFACTS / "tiny-random-bert", variant="portable", batch_tokens=200)
    texts = [f"bird {i} " + "water " * (i % 7) for i in range(40)]
    order = np.random.default_rng(0).permutation(len(texts))
    rows, shuffled = model.encode_documents(texts), model.encode_documents([texts[i] for i in order])
    for place, i in enumerate(order):
        assert rows[i].tobytes() == shuffled[place].tobytes()


def test_without_a_mask_texts_run_alone_whatever_the_budget() -> None:
    plain = colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-int8")
    asked = colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-int8", batch_tokens=8192)
    assert plain.encode_documents(TEXTS).rows.tobytes() == asked.encode_documents(TEXTS).rows.tobytes()


def test_an_accelerator_runs_batches_of_like_length(
    folder_for_both: Path, accelerator: type[Accelerator], exact: Colibri
) -> None:
    model = colibri.load(folder_for_both, batch_tokens=240)
    assert (model.provider.name, model.variant) == ("webgpu", "portable")
    assert_near(model.encode_documents(TEXTS), exact.encode_documents(TEXTS))
    assert all(texts * tokens <= 240 for texts, tokens in accelerator.shapes)
    assert len(accelerator.shapes) < len(TEXTS) / 3
    assert all(tokens % 8 == 0 or tokens == 40 for _, tokens in accelerator.shapes), "40: the longest document"


def test_a_batch_that_needs_too_much_memory_is_halved_and_later_ones_are_smaller(
    folder_for_both: Path, accelerator: type[Accelerator], exact: Colibri, caplog: pytest.LogCaptureFixture
) -> None:
    accelerator.most_tokens = 100
    model = colibri.load(folder_for_both)
    assert_near(model.encode_documents(TEXTS), exact.encode_documents(TEXTS))
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said
    assert all("webgpu: out of memory with" in line for line in said)
    assert "batches are of" in said[0]
    assert model.provider.name == "webgpu"
    accelerator.shapes.clear()
    assert_near(model.encode_documents(TEXTS), exact.encode_documents(TEXTS))
    assert all(texts * tokens <= 100 for texts, tokens in accelerator.shapes), "what was learnt is kept"


def test_when_even_one_text_is_too_much_the_cpu_takes_over_and_says_so(
    folder_for_both: Path, accelerator: type[Accelerator], exact: Colibri, caplog: pytest.LogCaptureFixture
) -> None:
    accelerator.most_tokens = 20
    model = colibri.load(folder_for_both)
    found = model.encode_documents(TEXTS)
    assert (model.provider.name, model.variant) == ("cpu", "cpu-int8")
    assert (exact.encode_documents(TEXTS).starts == found.starts).all()
    assert "webgpu: failed while it ran" in caplog.text
    assert "cpu-int8 takes over, on the CPU" in caplog.text
    assert any("webgpu: failed while it ran" in reason for reason in model.provider.reasons)
    plain = colibri.load(folder_for_both, provider="cpu")
    assert model.encode_documents(TEXTS).rows.tobytes() == plain.encode_documents(TEXTS).rows.tobytes()


@pytest.mark.parametrize(("broken", "told"), [("run", "device lost"), ("nan", "numbers that are not finite")])
def test_a_session_that_fails_makes_way_for_the_cpu(
    broken: str, told: str, folder_for_both: Path, accelerator: type[Accelerator], caplog: pytest.LogCaptureFixture
) -> None:
    model = colibri.load(folder_for_both)
    accelerator.broken = broken
    plain = colibri.load(folder_for_both, provider="cpu")
    assert model.encode_queries(TEXTS).rows.tobytes() == plain.encode_queries(TEXTS).rows.tobytes()
    assert told in caplog.text
    assert model.provider.name == "cpu"


@pytest.mark.parametrize("broken", ["run", "nan", "memory"])
def test_a_named_provider_that_fails_is_an_error_that_names_the_text(
    broken: str, folder_for_both: Path, accelerator: type[Accelerator]
) -> None:
    accelerator.broken = broken
    accelerator.most_tokens = 20 if broken == "memory" else 10**9
    model = colibri.load(folder_for_both, provider="webgpu")
    with pytest.raises(ProviderError, match=r"^texts\[\d+\]: "):
        model.encode_documents(TEXTS)
    assert model.provider.name == "webgpu"


@pytest.mark.parametrize("how", ["raises", "goes on with the CPU"])
def test_a_provider_that_does_not_start_is_passed_over_aloud_or_an_error_when_named(
    how: str, folder_for_both: Path, edit: Edit, accelerator: type[Accelerator], caplog: pytest.LogCaptureFixture
) -> None:
    if how == "raises":
        accelerator.broken = "start"
    else:  # what onnxruntime does without CUDA's libraries
        accelerator.starts = False
    told = "no adapter" if how == "raises" else "cannot start WebGpuExecutionProvider"
    edit(lambda document: document["variants"].update(twin=document["variants"]["portable"]))
    model = colibri.load(folder_for_both)
    assert (model.provider.name, model.variant) == ("cpu", "cpu-int8")
    assert sum(told in reason for reason in model.provider.reasons) == 1, "its other variant is not tried"
    assert next(record.levelname for record in caplog.records if told in record.getMessage()) == "WARNING"
    with pytest.raises(ProviderError, match=told):
        colibri.load(folder_for_both, provider="webgpu")


def test_files_of_the_variant_that_takes_over_are_compared_first(
    folder_for_both: Path, accelerator: type[Accelerator]
) -> None:
    model = colibri.load(folder_for_both)
    accelerator.broken = "run"
    path = folder_for_both / "backbone.int8.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(colibri.ColibriError, match=r"backbone\.int8\.bin: its bytes changed"):
        model.encode_documents(["bird"])


REAL = """
import resource, sys, logging
import numpy as np, colibri
from colibri.encoding.order import Order
from colibri.encoding.session import Interrupt
logging.basicConfig(stream=sys.stdout, format="%(message)s")
model = colibri.load(sys.argv[1], variant="portable", batch_tokens=10**6, threads=1)
runner = model._encoder._runner
job = model._encoder._tokenise(model.manifest.document, Order(role="document", dims=(48,)))
texts = [one for (one,) in job(["water " * 60] * 3000)]
runner.run(texts[:8], "document", [48], Interrupt())
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
before = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used + (125 << 20), before[1]))
found = runner.run(texts, "document", [48], Interrupt())
resource.setrlimit(resource.RLIMIT_AS, before)
alone = runner.run(texts[:1], "document", [48], Interrupt())[0][0]
print(len(found), max(float(np.abs(one[0] - alone).max()) for one in found) < 1e-5, model.provider.name)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_memory_that_really_ends_halves_the_batch() -> None:
    """3,000 documents of 40 tokens at once want more than the 125 MB that are left: onnxruntime itself says so."""
    done = subprocess.run(
        [sys.executable, "-c", REAL, str(ARTEFACTS / "tiny-random-bert")], capture_output=True, text=True, check=False
    )
    *said, last = done.stdout.splitlines() or [done.stderr]
    assert last == "3000 True cpu", done.stderr
    assert said[0].startswith("cpu: out of memory with 3000 texts of up to 40 tokens; batches are of 60000 tokens")


def test_a_short_query_runs_on_the_session_of_one_thread_and_its_bits_are_those_of_all_cores() -> None:
    def loaded(name: str, workers: int) -> Any:
        return colibri.load(ARTEFACTS / name, variant="cpu-int8", threads=2, workers=workers)._encoder._runner._loaded

    two = loaded("tiny-random-xlmr", 2)
    document, query = two.sessions["document"], two.sessions["query"]
    assert document is not query
    least = 500_000 if spins_briefly() else 20_000_000
    edge = least // artefact.find(ARTEFACTS / "tiny-random-xlmr").manifest.architecture.hidden ** 2
    assert [two.session("query", tokens) for tokens in (1, 32, edge + 1)] == [document, document, query]
    with two.turn("query", edge + 1) as first, two.turn("query", edge + 1) as second:
        assert (first, second) == (query, document), "two queries at once have a core each"
    with two.turn("document", 1), two.turn("query", edge + 1) as beside:
        assert beside is document
    with two.turn("query", edge + 1) as again:
        assert again is query
    assert {two.session("document", tokens) for tokens in (1, edge + 1)} == {document}
    for tokens in (1, 7, 32, 62):
        ids, seen = np.arange(tokens, dtype=np.int64) % 20 + 5, np.ones(tokens, bool)
        one, both = (session.run(ids, seen, ["tokens_48"], None) for session in (document, query))
        assert one[0].tobytes() == both[0].tobytes()
    alone = loaded("tiny-random-xlmr", 1)
    assert alone.session("query", 1) is alone.sessions["query"] is alone.sessions["document"]
    hiding = loaded("tiny-random-bert", 2)  # its queries have a graph of their own
    assert hiding.session("query", 16) is hiding.sessions["query"] is not hiding.sessions["document"]
