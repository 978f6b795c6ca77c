"""CPU quotas of control groups, as the kernel and containers write them."""

import os
from pathlib import Path

import pytest

from colibri.machine import cores, quota


class Machine:
    """Files as in /proc/self and /sys/fs/cgroup."""

    def __init__(self, root: Path) -> None:
        self.process, self.groups = root / "proc", root / "sys fs"
        self.process.mkdir()
        self.groups.mkdir()

    def process_is_in(self, *lines: str) -> None:
        (self.process / "cgroup").write_text("".join(f"{line}\n" for line in lines))

    def mounted(self, *mounts: tuple[str, str, str, str]) -> None:
        """Root, place below the groups, kind of file system, its options."""
        place = str(self.groups).replace(" ", "\\040")
        lines = [f"31 23 0:28 {root} {place}{at} rw,relatime - {kind} x {o}\n" for root, at, kind, o in mounts]
        (self.process / "mountinfo").write_text("22 1 0:20 / / rw - ext4 /dev/sda rw\nshort\n" + "".join(lines))

    def v2(self, folder: str, text: str) -> None:
        (self.groups / folder).mkdir(parents=True, exist_ok=True)
        (self.groups / folder / "cpu.max").write_text(text)

    def v1(self, folder: str, quota: int, period: int) -> None:
        (self.groups / folder).mkdir(parents=True, exist_ok=True)
        (self.groups / folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (self.groups / folder / "cpu.cfs_period_us").write_text(f"{period}\n")

    def quota(self) -> int | None:
        return quota.cpu_quota()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(quota, "_PROCESS", made.process)
    monkeypatch.setattr(quota, "_GROUPS", made.groups)
    return made


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("50000 100000\n", 1),
        ("1000 100000\n", 1),
        ("200000 0\n", None),
        ("", None),
        ("200000", None),
    ],
)
def test_a_quota_is_rounded_up_and_never_0(text: str, allowed: int | None, machine: Machine) -> None:
    machine.v2("", text)
    assert machine.quota() == allowed, "also where /proc/self says nothing"


def test_the_tightest_of_all_nested_groups_holds(machine: Machine) -> None:
    machine.process_is_in("0::/kubepods/pod1/own")
    machine.mounted(("/", "", "cgroup2", "rw"))
    machine.v2("kubepods/pod1/own", "max 100000\n")
    machine.v2("kubepods/pod1", "300000 100000\n")
    machine.v2("kubepods", "800000 100000\n")
    machine.v2("another", "100000 100000\n")
    assert machine.quota() == 3


def test_a_group_of_ones_own_is_found_where_it_is_mounted(machine: Machine) -> None:
    """cgroup v1 in a container: the path is the host's, and the mount shows only what is below /docker/ID."""
    machine.process_is_in("5:memory:/docker/1f", "4:cpu,cpuacct:/docker/1f/sub", "0::/ignored")
    machine.mounted(("/docker/1f", "/memory", "cgroup", "rw,memory"), ("/docker/1f", "/c", "cgroup", "rw,cpu,cpuacct"))
    machine.v1("c", 500_000, 100_000)
    assert machine.quota() == 5
    quota._tightest.cache_clear()
    machine.v1("c/sub", 150_000, 100_000)
    assert machine.quota() == 2
    quota._tightest.cache_clear()
    machine.v1("memory", 100_000, 100_000)  # no place of CPU quotas
    assert machine.quota() == 2


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("microseconds", "allowed"), [(-1, None), (200_000, 2), (210_000, 3)])
def test_v1_is_read_at_its_usual_places(folder: str, microseconds: int, allowed: int | None, machine: Machine) -> None:
    machine.v1(folder, microseconds, 100_000)
    assert machine.quota() == allowed


def test_of_v1_and_v2_beside_each_other_the_tighter_holds(machine: Machine) -> None:
    machine.process_is_in("1:cpu:/a", "0::/b")
    machine.mounted(("/", "/cpu", "cgroup", "rw,cpu"), ("/", "/unified", "cgroup2", "rw"))
    machine.v1("cpu/a", 400_000, 100_000)
    machine.v2("unified/b", "600000 100000\n")
    assert machine.quota() == 4


def test_a_group_above_what_a_namespace_shows_is_no_limit_that_can_be_seen(machine: Machine) -> None:
    machine.process_is_in("0::/../../elsewhere")
    machine.mounted(("/", "", "cgroup2", "rw"))
    machine.v2("elsewhere", "100000 100000\n")
    assert machine.quota() is None


def test_a_process_asks_once(machine: Machine) -> None:
    machine.v2("", "200000 100000\n")
    assert machine.quota() == 2
    machine.v2("", "100000 100000\n")
    assert machine.quota() == 2


def test_no_more_cores_are_used_than_the_quota(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(1_000, 1_016)), raising=False)
    assert (cores.available_cores(), cores.physical_cores()) == (16, 16)
    quota._tightest.cache_clear()
    machine.process_is_in("0::/a")
    machine.mounted(("/", "", "cgroup2", "rw"))
    machine.v2("a", "250000 100000\n")
    assert (cores.available_cores(), cores.physical_cores()) == (3, 3)
