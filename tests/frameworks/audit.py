"""What a session of tests with a framework may not do: reach beyond this machine, or load torch.

An audit hook sees every connection and every question for an address, whatever library asks, refuses those that are
not loopback, and keeps who asked. The session then fails, unless the framework's own telemetry asked and was left on
(`--telemetry=on`): that is the framework's doing and its user's to decide, and the summary names it.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import FrameType

import pytest

TELEMETRY: Mapping[str, tuple[str, str]] = {
    "HAYSTACK_TELEMETRY_ENABLED": ("True", "False"),
    "LANGSMITH_TRACING": ("true", "false"),
    "LANGCHAIN_TRACING_V2": ("true", "false"),
    "LANGSMITH_API_KEY": ("none", ""),
}
"""What turns frameworks' telemetry on, and off."""

SENDERS = frozenset({"posthog", "langsmith"})
"""Packages that send it."""

_ADDRESS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
"""Events of Python's audit, and which of their arguments says whither."""


@dataclass(frozen=True)
class Attempt:
    """To reach beyond this machine."""

    event: str
    host: str
    packages: tuple[str, ...]
    """On the stack of whoever asked, the innermost first."""

    @property
    def is_telemetry(self) -> bool:
        """Whether a framework's own sender asked, and nothing of ours stood behind it."""
        return bool(SENDERS & set(self.packages)) and not any(one.startswith("colibri") for one in self.packages)

    def __str__(self) -> str:
        return f"{self.event} {self.host} by {' < '.join(self.packages)}"


@dataclass
class Audit:
    """Every attempt of this process."""

    attempts: list[Attempt] = field(default_factory=list)

    def install(self) -> None:
        """For the rest of this process: a hook cannot be taken away again."""
        sys.addaudithook(self._hook)

    def _hook(self, event: str, given: tuple[object, ...]) -> None:
        if event not in _ADDRESS:
            return
        host = host_of(given[_ADDRESS[event]])
        if host is not None:
            attempt = Attempt(event, host, _packages(sys._getframe(1)))
            self.attempts.append(attempt)
            raise PermissionError(f"these tests stay on this machine: {attempt}")

    def faults(self, telemetry: str) -> list[str]:
        """What the session fails for, with telemetry "on" or "off"."""
        found = [str(one) for one in self.attempts if telemetry == "off" or not one.is_telemetry]
        return [*found, *(["torch is loaded"] if "torch" in sys.modules else [])]


def host_of(address: object) -> str | None:
    """A host beyond this machine, of an address or a name; None: it is this machine, or a file."""
    host = address[0] if isinstance(address, tuple) and address else address
    if isinstance(host, bytes):
        host = host.decode("utf-8", "replace")
    if not isinstance(host, str) or host in ("", "localhost") or (not isinstance(address, tuple) and "/" in host):
        return None
    try:
        return None if ip_address(host.partition("%")[0]).is_loopback else host
    except ValueError:
        return host


def _packages(frame: FrameType | None) -> tuple[str, ...]:
    found: dict[str, None] = {}
    while frame is not None:
        found.setdefault(str(frame.f_globals.get("__name__", "?")).partition(".")[0])
        frame = frame.f_back
    return tuple(found)


AUDIT = Audit()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--telemetry=on`: frameworks' telemetry is as its authors would have it."""
    parser.addoption("--telemetry", choices=("on", "off"), default="off", help="of the framework; off by default")


def pytest_configure(config: pytest.Config) -> None:
    """Before anything of a framework is imported. A session that was not begun for these tests is left alone."""
    telemetry = config.getoption("telemetry", None)
    if telemetry is None:
        return
    os.environ |= {name: words[telemetry == "off"] for name, words in TELEMETRY.items()}
    os.environ["HOME"] = tempfile.mkdtemp(prefix="colibri-tests-home-")  # Haystack writes an id of its user there
    AUDIT.install()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail for what no test may have done."""
    telemetry = session.config.getoption("telemetry", None)
    if telemetry is not None and AUDIT.faults(telemetry):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was asked for, and what of it the session fails for."""
    telemetry = config.getoption("telemetry", None)
    if telemetry is None:
        return
    faults = AUDIT.faults(telemetry)
    said = f"telemetry {telemetry}; {len(AUDIT.attempts)} attempts to leave this machine, {len(faults)} faults"
    terminalreporter.section(said)
    for line in dict.fromkeys([*faults, *map(str, AUDIT.attempts)]):
        terminalreporter.line(line)
