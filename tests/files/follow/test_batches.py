"""When what changed is looked at: by numbers alone, no clock runs."""

import math

from hypothesis import given
from hypothesis import strategies as st

from colibri.files.follow.batches import BUSY_SECONDS, QUIET_SECONDS, TOGETHER_SECONDS, Batches


def ripe(batches: Batches, now: float) -> list[str]:
    return sorted(batches.ready(now))


def test_a_path_is_looked_at_when_it_has_been_quiet() -> None:
    batches = Batches()
    assert batches.next_time() is None
    batches.add(["/a"], 10.0)
    batches.add(["/a"], 10.2)
    assert batches.next_time() == 10.2 + QUIET_SECONDS
    assert ripe(batches, 10.4) == []
    assert ripe(batches, 10.2 + QUIET_SECONDS) == ["/a"]
    assert len(batches) == 0
    assert batches.next_time() is None


def test_what_may_be_one_move_is_looked_at_together() -> None:
    batches = Batches()
    batches.add(["/old"], 0.0)
    batches.add(["/new"], 0.2)
    assert ripe(batches, 0.4) == []
    assert ripe(batches, 0.2 + QUIET_SECONDS) == ["/new", "/old"]


def test_a_stream_of_new_paths_is_looked_at_now_and_then() -> None:
    batches = Batches()
    for step in range(100):
        batches.add([f"/{step}"], step / 10)
        if found := ripe(batches, step / 10):
            assert step / 10 >= TOGETHER_SECONDS
            assert "/0" in found
            break
    else:
        raise AssertionError("nothing was looked at")


def test_what_is_written_for_long_holds_nothing_else_up_and_has_its_turn() -> None:
    batches, now = Batches(), 0.0
    while now < 10.0:
        batches.add(["/download"], now)
        now += 0.2
    batches.add(["/note"], now)
    batches.add(["/download"], now)
    assert ripe(batches, now + QUIET_SECONDS - 0.1) == []
    batches.add(["/download"], now + QUIET_SECONDS)
    assert ripe(batches, now + QUIET_SECONDS) == ["/note"]
    while now < BUSY_SECONDS + 1:
        batches.add(["/download"], now)
        if "/download" in batches.ready(now):
            break
        now += 0.2
    assert now < BUSY_SECONDS + 1


def test_a_log_is_looked_at_less_and_less() -> None:
    batches, looks, now = Batches(), 0, 0.0
    while now < 600.0:
        batches.add(["/log"], now)
        now += 1.0
        looks += bool(batches.ready(now))
    assert 20 < looks < 20 + 600 / 30 + 3


def test_a_folder_whose_changes_lead_to_nothing_waits_and_others_do_not() -> None:
    batches, now = Batches(), 0.0
    for _ in range(12):
        batches.add(["/cache/x"], now)
        while not (found := batches.ready(now)):
            now += 0.1
        batches.looked(found, now, found=False)
    batches.add(["/cache/x"], now)
    batches.add(["/notes/a"], now)
    assert ripe(batches, now + QUIET_SECONDS) == ["/notes/a"]
    assert ripe(batches, now + 59.0) == []
    assert ripe(batches, now + 61.0) == ["/cache/x"]
    batches.looked(["/cache/x"], now + 61.0, found=True)
    batches.add(["/cache/x"], now + 70.0)
    assert ripe(batches, now + 70.0 + QUIET_SECONDS) == ["/cache/x"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 3)), max_size=60))
def test_whatever_happens_each_path_is_looked_at_after_it_and_asking_ends(steps: list[tuple[str, float]]) -> None:
    """`next_time` never names a time at which nothing is ready, which would be asked for ever."""
    batches, now, owed = Batches(), 0.0, set[str]()

    def ask(until: float) -> None:
        nonlocal now
        while (when := batches.next_time()) is not None and when <= until:
            now = max(now, when)
            found = batches.ready(now)
            assert found
            assert owed.issuperset(found)
            owed.difference_update(found)
        now = max(now, until) if until < math.inf else now

    for path, gap in steps:
        ask(now + gap)
        batches.add([path], now)
        owed.add(path)
    ask(math.inf)
    assert not owed
    assert len(batches) == 0
