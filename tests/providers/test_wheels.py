"""Which platforms pip has an onnxruntime for, and what the others are told: platforms are given as data."""

import sys

import pytest

from colibri.providers.wheels import LAST_FOR_INTEL_MACS, Host, no_wheel, this_host

GNU, MUSL = "cpython-312-{}-linux-gnu", "cpython-312-{}-linux-musl"


def host(system: str, machine: str, soabi: str = "", python: tuple[int, int] = (3, 12)) -> Host:
    return Host(system=system, machine=machine, soabi=soabi.format(machine), python=python)


@pytest.mark.parametrize(
    "one",
    [
        host("linux", "x86_64", GNU),
        host("linux", "aarch64", GNU),
        host("linux", "x86_64"),  # a Python that does not say: nothing is claimed of it
        host("darwin", "arm64", "cpython-314-darwin", (3, 14)),
        host("darwin", "x86_64", "cpython-313-darwin", (3, 13)),
        host("darwin", "x86_64", "cpython-311-darwin", (3, 11)),
        host("win32", "AMD64"),
        host("win32", "ARM64"),
    ],
)
def test_where_pip_finds_one_nothing_is_said(one: Host) -> None:
    assert no_wheel(one) is None


@pytest.mark.parametrize(
    ("one", "named", "remedy"),
    [
        (host("linux", "x86_64", MUSL), "musl", "glibc"),
        (host("linux", "aarch64", MUSL), "musl", "glibc"),
        (host("linux", "riscv64", GNU), "linux on riscv64", "another machine"),
        (host("linux", "armv7l", GNU), "linux on armv7l", "another machine"),
        (host("win32", "x86"), "win32 on x86,", "another machine"),
        (host("freebsd14", "amd64"), "freebsd14 on amd64", "another machine"),
        (host("emscripten", ""), "emscripten on an unknown processor", "another machine"),
        (host("darwin", "x86_64", "cpython-314-darwin", (3, 14)), LAST_FOR_INTEL_MACS, r"Python 3.11 to 3.13"),
    ],
)
def test_where_there_is_none_the_platform_what_works_and_what_to_do_are_named(
    one: Host, named: str, remedy: str
) -> None:
    said = no_wheel(one)
    assert said is not None
    why, _, what = said.partition("To encode texts: ")
    assert named in why
    assert "scoring, indexes of ready vectors" in why
    assert remedy in what


def test_this_host_has_an_onnxruntime_and_is_what_python_says() -> None:
    assert (this_host().system, this_host().python) == (sys.platform, sys.version_info[:2])
    assert no_wheel(this_host()) is None
