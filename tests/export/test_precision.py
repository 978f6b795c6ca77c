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
from colibri_export.graph.precision import Int8Kind, Int8Weights
from colibri_export.weight_file import Stored, WeightFile
from colibri_export.weights import quantize_columns

Floats = NDArray[np.float32]
Product = Callable[[GraphBuilder, Int8Weights, ir.Value], list[ir.Value]]
Compute = Callable[[Product, Floats], list[Floats]]

INPUTS, OUTPUTS = 64, 48
EXACT = {"avx512_vnni", "avx_vnni", "neon"}
KINDS = [
    pytest.param("s8", marks=pytest.mark.skipif(not cpu_features() & EXACT, reason="s8 products saturate here")),
    "s8a7",
    "u8",
]
LARGEST = {"s8": 255, "s8a7": 127, "u8": 255}  # integer of an activation by row
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
def kind(request: pytest.FixtureRequest) -> Int8Kind:
    made: Int8Kind = request.param
    return made


@pytest.fixture
def run(kind: Int8Kind, stored: dict[str, Stored]) -> Compute:
    """Compute a product of rows (tokens, INPUTS) in a graph over each kind of weights."""
    return computing(kind, stored)


def computing(kind: Int8Kind, stored: dict[str, Stored]) -> Compute:
    def compute(product: Product, rows: Floats) -> list[Floats]:
        g = GraphBuilder("fused", masked=False)
        x = g.op("Gather", g.constant(rows), g.ids, axis=0)
        made = product(g, Int8Weights(stored, kind), x)
        model = g.finish({f"part_{i}": (value, OUTPUTS // len(made)) for i, value in enumerate(made)}, "test")
        path = next(iter(stored.values())).path.with_name("g.onnx")
        ir.save(model, path)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        session = onnxruntime.InferenceSession(path, options, providers=[CPU])
        return [part[0] for part in session.run(None, {"input_ids": np.arange(len(rows))[None]})]

    return compute


def linear(name: str, *, bias: bool = True, least: float | None = None) -> Product:
    return lambda g, w, x: [w.linear(g, x, name, bias=bias, least=least)]


def steps(kind: Int8Kind, least: float | None) -> tuple[int, int]:
    """How many an activation has above zero and below it."""
    below = (LARGEST[kind] + 1) // (2 if least is None else 8)
    return LARGEST[kind] - below, below


def by_definition(rows: Floats, least: float | None, kind: Int8Kind) -> Floats:
    """Row by row: quantise, multiply integers, scale back, add the bias."""
    found = np.empty((len(rows), OUTPUTS))
    above, below = steps(kind, least)
    for i, row in enumerate(rows.astype(np.float64)):
        scale = max(np.abs(row).max() / above, 1e-14) if least is None else max(row.max() / above, -least / below)
        found[i] = np.rint(row / scale) @ INTEGERS.astype(np.int64) * SCALE * scale + BIAS
    return found.astype(np.float32)


# The fixture's file is written anew by each example, and its weights never change.
same_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)


@same_fixture
@given(seed=st.integers(0, 1000), tokens=st.integers(1, 40))
def test_feed_forward_products_are_those_of_the_definition(
    seed: int, tokens: int, run: Compute, kind: Int8Kind
) -> None:
    rng = np.random.default_rng(seed)
    sizes = (10 ** rng.uniform(-3, 3, (tokens, 1))).astype(np.float32)
    rows = (rng.standard_normal((tokens, INPUTS)) * sizes).astype(np.float32)
    positive = np.maximum(rows, np.float32(LEAST_GELU))
    for name, given_rows, least in (("ffn_in", rows, None), ("ffn_out", positive, LEAST_GELU)):
        [found] = run(linear(name, least=least), given_rows)
        wanted = by_definition(given_rows, least, kind)
        above, below = steps(kind, least)
        # A value halfway between two integers may fall either way in float32: one step of one input.
        step = (
            np.maximum(np.abs(given_rows).max(axis=1) / above, 0.17 / below if least else 0)[:, None]
            * np.abs(MATRIX).max()
        )
        assert (np.abs(found - wanted) <= 1.01 * step + 1e-4 * np.abs(wanted)).all()
        close = np.abs(found - wanted) <= 1e-3 * step + 1e-5 * np.abs(wanted)
        assert close.mean() > 0.9


def test_a_row_depends_on_no_other(run: Compute) -> None:
    rng = np.random.default_rng(1)
    rows = (rng.standard_normal((9, INPUTS)) * 10 ** np.linspace(-4, 4, 9)[:, None]).astype(np.float32)
    for name, least in (("ffn_in", None), ("ffn_out", LEAST_GELU)):
        given_rows = rows if least is None else np.maximum(rows, np.float32(least))
        [together] = run(linear(name, least=least), given_rows)
        for i in range(len(rows)):
            [alone] = run(linear(name, least=least), given_rows[i : i + 1])
            assert alone.tobytes() == together[i : i + 1].tobytes()


def test_a_row_of_zeros_gives_the_bias_and_nothing_else(run: Compute) -> None:
    rows = np.zeros((3, INPUTS), np.float32)
    rows[1] = 1e-30
    for name, least in (("ffn_in", None), ("ffn_out", LEAST_GELU)):
        [found] = run(linear(name, least=least), rows)
        np.testing.assert_array_equal(found[[0, 2]], np.stack([BIAS, BIAS]))
        np.testing.assert_allclose(found[1], BIAS, atol=1e-12)


def test_parts_have_the_bits_of_the_whole_product(run: Compute) -> None:
    rows = np.random.default_rng(2).standard_normal((21, INPUTS)).astype(np.float32)
    for bias in (True, False):
        parts = run(lambda g, w, x, bias=bias: w.parts(g, x, "qkv", 3, bias=bias), rows)  # type: ignore[misc]
        [whole] = run(linear("qkv", bias=bias), rows)
        assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()


DEEP = 1536  # inputs: as many as the widest product of the models here; 128 x 127 x 1536 is 25 million


@pytest.fixture(scope="module")
def extreme(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stored]:
    """Weights of which any two neighbours add up to the most there is, of one sign or of both."""
    columns = np.resize(
        np.array([[127, 127], [-127, -127], [127, -127], [-127, 127], [127, 0], [0, -127]], np.int8), (OUTPUTS, 2)
    )
    matrix = np.ascontiguousarray(np.tile(columns, (1, DEEP // 2)).T)
    with WeightFile(tmp_path_factory.mktemp("extreme") / "w.bin") as file:
        return {
            f"{name}.{part}": file.add(f"{name}.{part}", array)
            for name in ("qkv", "ffn_in", "ffn_out")
            for part, array in (("weight", matrix), ("weight.scale", np.ones(OUTPUTS, np.float32)))
        }


def extremes(least: float | None) -> Floats:
    """Rows that are quantised to the largest integers there are, side by side; 13: blocks of 4 or 6 and a rest."""
    rows = np.ones((13, DEEP), np.float32)
    rows[1::4] *= -1 if least is None else np.float32(least)
    rows[2::4, ::2] *= -1 if least is None else np.float32(least)
    rows[3::4, ::2] = 0
    return rows


@pytest.mark.parametrize("rows", [13, 5, 1])
def test_no_sum_of_two_products_saturates(rows: int, kind: Int8Kind, extreme: dict[str, Stored]) -> None:
    matrix = np.frombuffer(extreme["qkv.weight"].path.read_bytes(), np.int8, DEEP * OUTPUTS).reshape(DEEP, OUTPUTS)
    run = computing(kind, extreme)
    for name, least in (("ffn_in", None), ("ffn_out", LEAST_GELU)):
        given_rows = extremes(least)[:rows]
        above, below = steps(kind, least)
        largest = given_rows.max(axis=1) if least else np.abs(given_rows).max(axis=1)
        sizes = np.maximum(largest / above, -least / below if least else 0)[:, None]
        integers = np.rint(given_rows.astype(np.float64) / sizes).astype(np.int64)
        assert least is not None or np.abs(integers).max() == above
        [found] = run(linear(name, bias=False, least=least), given_rows)
        np.testing.assert_allclose(found, integers @ matrix.astype(np.int64) * sizes, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("rows", [13, 5, 1])
def test_one_size_for_all_rows_does_not_saturate_either(rows: int, kind: Int8Kind, extreme: dict[str, Stored]) -> None:
    """From -1 to 1 zero lies halfway between two integers: 7 bits then reach 128."""
    matrix = np.frombuffer(extreme["qkv.weight"].path.read_bytes(), np.int8, DEEP * OUTPUTS).reshape(DEEP, OUTPUTS)
    given_rows = np.concatenate([-extremes(None)[:1], extremes(None)])[: max(rows, 2)]
    size = np.float32(2) * np.float32(1 / 127) if kind == "s8a7" else np.float32(2) / np.float32(255)
    zero = int(np.rint(np.float32(1) / size))
    integers = np.rint(given_rows / size).astype(np.int64) + zero
    assert kind != "s8a7" or integers.max() == 128
    integers = np.clip(integers, 0, 255) - zero
    wanted = integers @ matrix.astype(np.int64) * float(size)
    run = computing(kind, extreme)
    for made in (
        run(linear("qkv", bias=False), given_rows),
        [np.concatenate(run(lambda g, w, x: w.parts(g, x, "qkv", 3), given_rows), axis=1)],
    ):
        np.testing.assert_allclose(made[0], wanted, rtol=1e-5, atol=1e-3)
