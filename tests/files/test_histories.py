"""Whatever happens to folders, an index holds what is in them after the next run, and finds it."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import colibri
from folder_histories import KINDS, World, history
from reference import ARTEFACTS
from rounds import rounds


@pytest.fixture(scope="module")
def model() -> colibri.Colibri:
    return colibri.load(ARTEFACTS / "tiny-random-bert", variant="cpu-fp32")


@settings(max_examples=rounds(quick=8, soak=60))
@given(steps=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 1 << 20)), max_size=8))
def test_an_index_follows_any_history(
    steps: list[tuple[str, int]], model: colibri.Colibri, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World(tmp_path_factory.mktemp("history"), model)
    world.compare()
    for kind, seed in steps:
        world.step(kind, random.Random(seed))


@pytest.mark.parametrize("seed", range(rounds(quick=4, soak=200)))
def test_random_histories(seed: int, model: colibri.Colibri, tmp_path: Path) -> None:
    world = World(tmp_path, model)
    for kind, chances in history(seed, rounds(quick=6, soak=20), rounds(quick=(), soak=("kill",))):
        world.step(kind, chances)


@pytest.mark.parametrize("seed", range(rounds(quick=2, soak=100)))
def test_equal_files_go_with_their_root(seed: int, model: colibri.Colibri, tmp_path: Path) -> None:
    world, chances = World(tmp_path, model), random.Random(seed)
    roots = ["one", "two", *(["zzz"] if chances.random() < 0.5 else [])]
    for name in roots:
        world.fill(name, chances)
    world.compare()
    between = chances.choices(["create", "root", "folder", "edit", "rename", "delete", "move"], k=4)
    for kind in ["empty", "root", *between, *["empty", "root"][: 2 * len(roots) - 4]]:
        world.step(kind, chances)


def test_a_run_that_is_killed_costs_nothing(model: colibri.Colibri, tmp_path: Path) -> None:
    world = World(tmp_path, model)
    chances = random.Random(5)
    for _ in range(rounds(quick=2, soak=40)):
        world.step("kill", chances)
