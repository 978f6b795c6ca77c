"""The audit sees what it is there for, and fails the session for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from frameworks.audit import Attempt, asked, host_of

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (("127.0.0.1", 80), None),
        (("::1", 80, 0, 0), None),
        ("localhost", None),
        (None, None),
        (b"", None),
        ("/run/some.sock", None),
        (("192.0.2.1", 443), "192.0.2.1"),
        (("2001:db8::1", 443, 0, 0), "2001:db8::1"),
        ("example.invalid", "example.invalid"),
        (b"example.invalid", "example.invalid"),
        (("127.0.0.1.example.invalid", 1), "127.0.0.1.example.invalid"),
    ],
)
def test_only_loopback_and_files_are_this_machine(address: object, host: str | None) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("words", "telemetry"),
    [
        (["pytest"], None),
        (["pytest", "tests/index"], None),
        (["pytest", "tests/frameworks/haystack", "-q"], "off"),
        (["pytest", "tests/frameworks/haystack", "--telemetry=on"], "on"),
    ],
)
def test_a_session_for_other_tests_is_let_be(words: list[str], telemetry: str | None) -> None:
    assert asked(words) == telemetry


def test_telemetry_is_what_its_sender_asked_for_without_us() -> None:
    assert Attempt("socket.connect", "x", ("urllib3", "requests", "posthog", "threading")).is_telemetry
    assert not Attempt("socket.connect", "x", ("urllib3", "requests", "colibri")).is_telemetry
    assert not Attempt("socket.connect", "x", ("posthog", "colibri", "posthog")).is_telemetry


_TESTS = """
import socket, sys, types
import pytest

def refused(asks, *given):
    with pytest.raises(PermissionError, match="stay on this machine"):
        asks(*given)

def test_this_machine():
    socket.getaddrinfo("127.0.0.1", 443)

def test_a_sender_of_telemetry():
    exec("refused(socket.getaddrinfo, 'example.invalid', 443)", globals() | {"__name__": "posthog.request"})
"""
_MORE = """
def test_anything_else():
    refused(socket.getaddrinfo, "example.com", 443)
    refused(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect, ("192.0.2.1", 9))

def test_torch():
    sys.modules["torch"] = types.ModuleType("torch")
"""


@pytest.mark.parametrize(
    ("tests", "telemetry", "passed", "faults"),
    [(_TESTS, "on", 2, 0), (_TESTS, "off", 2, 1), (_TESTS + _MORE, "on", 4, 3)],
)
def test_a_session_fails_for_what_its_tests_caught(
    tests: str, telemetry: str, passed: int, faults: int, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text((TESTS / "frameworks" / "conftest.py").read_text("utf-8"), "utf-8")
    (tmp_path / "test_asks.py").write_text(tests, "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    command += ["-o", f"pythonpath={TESTS}", str(tmp_path)]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", f"--telemetry={telemetry}"], capture_output=True, text=True, check=False
    )
    assert f"{passed} passed" in done.stdout, done.stdout
    assert done.returncode == (1 if faults else 0), done.stdout
    assert f" {faults} faults" in done.stdout
