"""A process gives way in all that its system knows."""

import ctypes
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_IOPRIO_GET = {"x86_64": 252, "aarch64": 31}
_CHILD = """
import ctypes, json, os, sys
from colibri import machine
getattr(machine, sys.argv[1])()
getattr(machine, sys.argv[1])()
group = open("/proc/self/autogroup").read() if os.path.exists("/proc/self/autogroup") else ""
io = ctypes.CDLL(None).syscall(int(sys.argv[2]), 1, 0) if sys.argv[2] != "0" else -1
print(json.dumps([os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0) == os.getpid(), io, group]))
"""


def child(how: str) -> list[Any]:
    number = _IOPRIO_GET.get(platform.machine(), 0) if sys.platform == "linux" else 0
    done = subprocess.run([sys.executable, "-c", _CHILD, how, str(number)], capture_output=True, text=True, check=True)
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="other priorities")
def test_long_work_gives_way_to_all_else() -> None:
    nice, leads, io, group = child("give_way")
    assert nice == 10
    assert leads
    if sys.platform == "linux" and platform.machine() in _IOPRIO_GET:
        assert (io >> 13, io & 7) == (2, 7), "the last of the class of ordinary processes, ioprio_get(2)"
    if group:
        assert group.split() == [f"/autogroup-{group.split('-')[1].split()[0]}", "nice", "10"]


@pytest.mark.skipif(sys.platform == "win32", reason="other priorities")
def test_short_work_gives_way_a_little() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert child("give_way_a_little")[0] == min(before + 10, 19), "five more, twice"
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the list is of Linux")
def test_the_number_of_the_system_call_is_that_of_this_machine() -> None:
    from colibri.machine import priority

    number = priority._IOPRIO_SET.get(platform.machine())
    if number is None:
        pytest.skip(f"no number for {platform.machine()}")
    heads = [Path("/usr/include") / one for one in ("x86_64-linux-gnu/asm/unistd_64.h", "asm-generic/unistd.h")]
    known = [one for one in heads if one.exists()]
    assert ctypes.CDLL(None).syscall(number, 99, 0, 0) == -1, "EINVAL: there is no such who"
    for head in known[:1]:
        assert f"__NR_ioprio_set {number}\n" in head.read_text(encoding="utf-8")
