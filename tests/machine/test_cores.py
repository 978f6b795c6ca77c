"""Cores: siblings count once, those a process may not use do not count."""

import os
import threading
from pathlib import Path

import pytest

from colibri.machine import cores


def test_halves_of_one_core_count_once(tmp_path: Path) -> None:
    for cpu, siblings in enumerate(["0,2", "1,3", "0,2", "1,3"]):
        place = tmp_path / f"cpu{cpu}/topology"
        place.mkdir(parents=True)
        (place / "thread_siblings_list").write_text(f"{siblings}\n")
    assert cores._siblings(range(4), tmp_path) == ["0,2", "1,3", "0,2", "1,3"]
    assert cores._siblings([3, 4], tmp_path) == ["1,3", "4"], "what is not told counts as a core"


def test_here_are_as_many_as_may_be_used_at_most() -> None:
    may_use = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert 1 <= cores.physical_cores() <= cores.available_cores() <= may_use


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a system that keeps processes' CPUs")
def test_cores_are_those_a_process_was_left() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert (cores.available_cores(), cores.physical_cores()) == (1, 1)
    finally:
        os.sched_setaffinity(0, before)


two_cpus = pytest.mark.skipif(cores.few_cpus() is None, reason="one CPU, many, or a system that keeps threads' CPUs")


@two_cpus
def test_sleeping_threads_are_kept_off_the_cpu_of_the_caller() -> None:
    allowed = cores.few_cpus()
    assert allowed is not None
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert thread.native_id is not None
        cores.keep_off_this_cpu([thread.native_id], allowed)
        assert len(allowed - os.sched_getaffinity(thread.native_id)) == 1
    finally:
        over.set()
        thread.join()


@two_cpus
def test_a_thread_that_has_ended_and_a_lone_cpu_are_passed_over() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert thread.native_id is not None
    before = os.sched_getaffinity(0)
    cores.keep_off_this_cpu([thread.native_id], before)
    for cpu in before:
        cores.keep_off_this_cpu([threading.get_native_id()], {cpu})  # nothing is left of it, or it is not ours
    os.sched_setaffinity(0, before)


def test_few_cpus_are_two_to_eight() -> None:
    found = cores.few_cpus()
    assert found is None or (2 <= len(found) <= 8 and found == os.sched_getaffinity(0))
