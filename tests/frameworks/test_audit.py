"""The audit sees what it is there for, and fails the session for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from frameworks.audit import Attempt, host_of

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


def test_telemetry_is_what_its_sender_asked_for_without_us() -> None:
    assert Attempt("socket.connect", "x", ("urllib3", "requests", "posthog", "threading")).is_telemetry
    assert not Attempt("socket.connect", "x", ("urllib3", "requests", "colibri")).is_telemetry
    assert not Attempt("socket.connect", "x", ("posthog", "colibri", "posthog")).is_telemetry


_ASKS = """
import socket, sys, types
import pytest

def test_it_asks():
    with pytest.raises(PermissionError, match="stay on this machine"):
        {asks}
"""
_CONNECTS = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
_RESOLVES = "socket.getaddrinfo('example.invalid', 443)"
_SENDER = f"exec({_RESOLVES!r}, {{'__name__': 'posthog.request', 'socket': socket}})"


@pytest.mark.parametrize(
    ("asks", "telemetry", "code"),
    [
        (_CONNECTS, "on", 1),
        (_CONNECTS, "off", 1),
        (_RESOLVES, "on", 1),
        (_SENDER, "on", 0),
        (_SENDER, "off", 1),
        ("sys.modules['torch'] = types.ModuleType('torch'); raise PermissionError('stay on this machine')", "off", 1),
        ("socket.getaddrinfo('127.0.0.1', 443); raise PermissionError('stay on this machine')", "off", 0),
    ],
)
def test_a_session_fails_for_what_its_tests_caught(asks: str, telemetry: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((TESTS / "frameworks" / "conftest.py").read_text("utf-8"), "utf-8")
    (tmp_path / "test_asks.py").write_text(_ASKS.format(asks=asks), "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", f"pythonpath={TESTS}", str(tmp_path)]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", f"--telemetry={telemetry}"], capture_output=True, text=True, check=False
    )
    assert "1 passed" in done.stdout, done.stdout
    assert done.returncode == code, done.stdout
    assert f"{code} faults" in done.stdout
