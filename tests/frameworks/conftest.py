"""Sessions with a framework: nothing leaves this machine, and nothing loads torch (audit.py)."""

from frameworks.audit import (
    pytest_addoption,
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
)

__all__ = ["pytest_addoption", "pytest_configure", "pytest_sessionfinish", "pytest_terminal_summary"]
