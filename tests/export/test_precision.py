"""int8 products: what they compute, and that a row of the feed-forward's never depends on another."""

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from colibri.providers import CPU, cpu_features
from colibri_export.graph.blocks import LEAST_GELU, GraphBuilder
from colibri_export.graph.precision import Int8Weights
from colibri_export.weight_file import Stored, WeightFile
from colibri_export.weights import quantize_columns

Floats = NDArray[np.float32]
Product = Callable[[GraphBuilder, Int8Weights, ir.Value], list[ir.Value]]

INPUTS, OUTPUTS = 64, 48
EXACT = {"avx512_vnni", "avx_vnni", "neon"}
KINDS = [
    pytest.param(
        True, id="s8", marks=pytest.mark.skipif(not cpu_features() & EXACT, reason="s8 products saturate here")
    ),
    pytest.param(False, id="u8"),
]
RNG = np.random.default_rng(5)
MATRIX = RNG.standard_normal((INPUTS, OUTPUTS)).astype(np.float32)
BIAS = RNG.standard_normal(OUTPUTS).astype(np.float32)
INTEGERS, SCALE = quantize_columns(MATRIX)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stored]:
    """One matrix as each kind of product has it."""
    with WeightFile(tmp_path_factory.mktemp("weights") / "w.bin") as file:
        return {
            f"{name}.{part}": file.add(f"{name}.{part}", array)
            for name in ("qkv", "ffn_in", "ffn_out")
            for part, array in (("weight", INTEGERS), ("weight.scale", SCALE), ("bias", BIAS))
        }


@pytest.fixture(params=KINDS)
def run(request: pytest.FixtureRequest, stored: dict[str, Stored]) -> Callable[[Product, Floats], list[Floats]]:
    """Compute a product of rows (tokens, INPUTS) in a graph over both kinds of weights."""

    def compute(product: Product, rows: Floats) -> list[Floats]:
        g = GraphBuilder("fused", masked=False)
        x = g.op("Gather", g.constant(rows), g.ids, axis=0)
        made = product(g, Int8Weights(stored, signed=request.param), x)
        model = g.finish({f"part_{i}": (value, OUTPUTS // len(made)) for i, value in enumerate(made)}, "test")
        path = stored["qkv.weight"].path.with_name("g.onnx")
        ir.save(model, path)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        session = onnxruntime.InferenceSession(path, options, providers=[CPU])
        return [part[0] for part in session.run(None, {"input_ids": np.arange(len(rows))[None]})]

    return compute


def linear(name: str, *, bias: bool = True, least: float | None = None) -> Product:
    return lambda g, w, x: [w.linear(g, x, name, bias=bias, least=least)]


def by_definition(rows: Floats, least: float | None) -> Floats:
    """Row by row: quantise, multiply integers, scale back, add the bias."""
    found = np.empty((len(rows), OUTPUTS))
    for i, row in enumerate(rows.astype(np.float64)):
        scale = max(np.abs(row).max() / 127, 1e-14) if least is None else max(row.max() / 223, -least / 32)
        found[i] = np.rint(row / scale) @ INTEGERS.astype(np.int64) * SCALE * scale + BIAS
    return found.astype(np.float32)


Run = Callable[[Product, Floats], list[Floats]]
# The fixture's file is written anew by each example, and its weights never change.
same_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)


@same_fixture
@given(seed=st.integers(0, 1000), tokens=st.integers(1, 40))
def test_feed_forward_products_are_those_of_the_definition(seed: int, tokens: int, run: Run) -> None:
    rng = np.random.default_rng(seed)
    sizes = (10 ** rng.uniform(-3, 3, (tokens, 1))).astype(np.float32)
    rows = (rng.standard_normal((tokens, INPUTS)) * sizes).astype(np.float32)
    positive = np.maximum(rows, np.float32(LEAST_GELU))
    for name, given_rows, least in (("ffn_in", rows, None), ("ffn_out", positive, LEAST_GELU)):
        [found] = run(linear(name, least=least), given_rows)
        wanted = by_definition(given_rows, least)
        # A value halfway between two integers may fall either way in float32: one step of one input.
        step = (
            np.maximum(np.abs(given_rows).max(axis=1) / 127, 0.17 / 32 if least else 0)[:, None] * np.abs(MATRIX).max()
        )
        assert (np.abs(found - wanted) <= 1.01 * step + 1e-4 * np.abs(wanted)).all()
        close = np.abs(found - wanted) <= 1e-3 * step + 1e-5 * np.abs(wanted)
        assert close.mean() > 0.9


def test_a_row_depends_on_no_other(run: Run) -> None:
    rng = np.random.default_rng(1)
    rows = (rng.standard_normal((9, INPUTS)) * 10 ** np.linspace(-4, 4, 9)[:, None]).astype(np.float32)
    for name, least in (("ffn_in", None), ("ffn_out", LEAST_GELU)):
        given_rows = rows if least is None else np.maximum(rows, np.float32(least))
        [together] = run(linear(name, least=least), given_rows)
        for i in range(len(rows)):
            [alone] = run(linear(name, least=least), given_rows[i : i + 1])
            assert alone.tobytes() == together[i : i + 1].tobytes()


def test_a_row_of_zeros_gives_the_bias_and_nothing_else(run: Run) -> None:
    rows = np.zeros((3, INPUTS), np.float32)
    rows[1] = 1e-30
    for name, least in (("ffn_in", None), ("ffn_out", LEAST_GELU)):
        [found] = run(linear(name, least=least), rows)
        np.testing.assert_array_equal(found[[0, 2]], np.stack([BIAS, BIAS]))
        np.testing.assert_allclose(found[1], BIAS, atol=1e-12)


def test_parts_have_the_bits_of_the_whole_product(run: Run) -> None:
    rows = np.random.default_rng(2).standard_normal((21, INPUTS)).astype(np.float32)
    for bias in (True, False):
        parts = run(lambda g, w, x, bias=bias: w.parts(g, x, "qkv", 3, bias=bias), rows)  # type: ignore[misc]
        [whole] = run(linear("qkv", bias=bias), rows)
        assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()
