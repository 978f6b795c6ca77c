"""What a session of tests with a framework may not do: reach beyond this machine, or load torch.

An audit hook sees every connection and every question for an address, whatever library asks, refuses those that are
not loopback, and keeps who asked. The session then fails, unless the framework's own telemetry asked and was left on
(`--telemetry=on`): that is the framework's doing and its user's to decide, and the summary names it.
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
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


def asked(words: Sequence[str]) -> str | None:
    """The telemetry of a session of tests, "on" or "off", by its command line; None: it is not for these tests."""
    for word in words:
        if word.startswith("--telemetry="):
            return word.partition("=")[2]
    return "off" if any("frameworks" in word for word in words) else None


def begin(words: Sequence[str]) -> tuple[Audit, str] | None:
    """Before anything of a framework is imported, by another conftest too. A session for other tests is let be."""
    telemetry = asked(words)
    if telemetry is None:
        return None
    os.environ |= {name: settings[telemetry == "off"] for name, settings in TELEMETRY.items()}
    os.environ["HOME"] = tempfile.mkdtemp(prefix="colibri-tests-home-")  # Haystack writes an id of its user there
    audit = Audit()
    audit.install()
    return audit, telemetry


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--telemetry=on`: frameworks' telemetry is as its authors would have it."""
    parser.addoption("--telemetry", choices=("on", "off"), default="off", help="of the framework; off by default")


class Auditor:
    """A plugin: the session's end."""

    def __init__(self, audit: Audit, telemetry: str) -> None:
        self.audit = audit
        self.telemetry = telemetry

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail for what no test may have done."""
        if self.audit.faults(self.telemetry):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was asked for, and what of it the session fails for."""
        faults, attempts = self.audit.faults(self.telemetry), self.audit.attempts
        terminalreporter.section(
            f"telemetry {self.telemetry}; {len(attempts)} attempts to leave this machine, {len(faults)} faults"
        )
        for line in dict.fromkeys([*faults, *map(str, attempts)]):
            terminalreporter.line(line)
