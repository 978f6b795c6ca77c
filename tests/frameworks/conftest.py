"""Sessions with a framework: nothing leaves this machine, and nothing loads torch (audit.py)."""

import sys

import pytest

from frameworks.audit import Auditor, begin, pytest_addoption

__all__ = ["pytest_addoption", "pytest_configure"]

BEGUN = begin(sys.argv)


def pytest_configure(config: pytest.Config) -> None:
    if BEGUN is not None:
        config.pluginmanager.register(Auditor(*BEGUN))
